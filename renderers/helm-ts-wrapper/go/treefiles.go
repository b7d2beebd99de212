package main

import (
	"errors"
	"io/fs"

	"mooring.dev/gowasm"
)

// treeFiles shows the tree to those who look for files by patterns.
type treeFiles struct{}

var _ interface {
	fs.ReadDirFS
	fs.StatFS
} = treeFiles{}

func (treeFiles) Open(string) (fs.File, error) { return nil, errors.ErrUnsupported }

func (treeFiles) Stat(name string) (fs.FileInfo, error) {
	node, err := gowasm.Stat(inTree(name))
	if err != nil {
		return nil, err
	}
	return fileInfo{gowasm.Child{Name: name, Dir: node.Dir}}, nil
}

func (treeFiles) ReadDir(name string) ([]fs.DirEntry, error) {
	children, err := gowasm.List(inTree(name))
	if err != nil {
		return nil, err
	}
	entries := make([]fs.DirEntry, len(children))
	for i, child := range children {
		entries[i] = fs.FileInfoToDirEntry(fileInfo{child})
	}
	return entries, nil
}

// inTree gives the path of a name of io/fs, whose root is a dot.
func inTree(name string) string {
	if name == "." {
		return ""
	}
	return name
}
