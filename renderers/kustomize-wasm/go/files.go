package main

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"strings"

	"mooring.dev/gowasm"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/kyaml/filesys"
)

// files shows the tree to Kustomize: absolute paths are from the tree's root, relative ones from the folder being built.
// What Kustomize writes (`kustomize edit` does) stays in memory and lasts one render.
type files struct {
	folder  string
	written map[string][]byte
	// known is what earlier questions were answered with: the tree does not change during a render.
	known map[string]known
}

type known struct {
	node gowasm.Node
	err  error
}

func newFiles(folder string) *files {
	return &files{folder: folder, written: map[string][]byte{}, known: map[string]known{}}
}

var _ filesys.FileSystem = (*files)(nil)

var errReadOnly = errors.New("the tree is read-only")

// inTree gives the path from the tree's root, without a leading slash.
func (f *files) inTree(name string) string {
	if !path.IsAbs(name) {
		name = path.Join("/", f.folder, name)
	}
	return strings.TrimPrefix(path.Clean(name), "/")
}

func (f *files) stat(name string) (gowasm.Node, error) {
	at := f.inTree(name)
	if _, ok := f.written[at]; ok {
		return gowasm.Node{Path: at}, nil
	}
	answer, ok := f.known[at]
	if !ok {
		answer.node, answer.err = gowasm.Stat(at)
		f.known[at] = answer
	}
	return answer.node, answer.err
}

// kustomization gives the path of the file in the folder that is being built, or the empty string.
func (f *files) kustomization() string {
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if f.Exists(name) {
			return f.inTree(name)
		}
	}
	return ""
}

func (f *files) IsDir(name string) bool {
	node, err := f.stat(name)
	return err == nil && node.Dir
}

func (f *files) Exists(name string) bool {
	_, err := f.stat(name)
	return err == nil
}

func (f *files) ReadDir(name string) ([]string, error) {
	children, err := gowasm.List(f.inTree(name))
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	names := make([]string, len(children))
	for i, child := range children {
		names[i] = child.Name
	}
	return names, nil
}

func (f *files) CleanedAbs(name string) (filesys.ConfirmedDir, string, error) {
	node, err := f.stat(name)
	if err != nil {
		return "", "", &fs.PathError{Op: "lstat", Path: "/" + f.inTree(name), Err: err}
	}
	if node.Dir {
		return filesys.ConfirmedDir("/" + node.Path), "", nil
	}
	// A file keeps its name if it is a link: where that leads inside the tree is as good a place, and the load restrictor only looks at names.
	folder, base := path.Split(f.inTree(name))
	parent, err := f.stat("/" + folder)
	if err != nil {
		return "", "", &fs.PathError{Op: "lstat", Path: "/" + folder, Err: err}
	}
	return filesys.ConfirmedDir("/" + parent.Path), base, nil
}

func (f *files) Glob(pattern string) ([]string, error) {
	found, err := gowasm.Glob(f.inTree(pattern))
	if err != nil {
		return nil, err
	}
	if path.IsAbs(pattern) {
		for i := range found {
			found[i] = "/" + found[i]
		}
		return found, nil
	}
	for i := range found {
		if found[i], err = filepath.Rel("/"+f.folder, "/"+found[i]); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (f *files) ReadFile(name string) ([]byte, error) {
	at := f.inTree(name)
	if content, ok := f.written[at]; ok {
		return content, nil
	}
	content, err := gowasm.Read(at)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	return content, nil
}

func (f *files) WriteFile(name string, data []byte) error {
	f.written[f.inTree(name)] = data
	return nil
}

func (f *files) Walk(name string, visit filepath.WalkFunc) error { return errReadOnly }

func (f *files) Create(string) (filesys.File, error) { return nil, errReadOnly }
func (f *files) Open(string) (filesys.File, error)   { return nil, errReadOnly }
func (f *files) Mkdir(string) error                  { return errReadOnly }
func (f *files) MkdirAll(string) error               { return errReadOnly }
func (f *files) RemoveAll(string) error              { return errReadOnly }
