package gowasm

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"unsafe"
)

//go:wasmimport mooring ask
func hostAsk(question uint32, text unsafe.Pointer, size uint32) uint32

//go:wasmimport mooring take
func hostTake(into unsafe.Pointer)

const (
	askStat = iota
	askList
	askRead
	askKey
)

// Node is what stands at a path, links followed.
type Node struct {
	// Path is the real one: no link in it.
	Path string
	Dir  bool
}

// contents has what Stat brought along, until the render ends: whoever looks whether a file is there reads it next, and a round trip costs more than a file.
var contents map[string][]byte

// Stat follows links. Paths are relative to the tree's root, `""` is the root itself. The error is fs.ErrNotExist or nil.
func Stat(path string) (Node, error) {
	answer, err := ask(askStat, path)
	if err != nil {
		return Node{}, err
	}
	real, content, isFile := bytes.Cut(answer[1:], []byte{0})
	if isFile {
		contents[path] = content
	}
	return Node{Path: string(real), Dir: !isFile}, nil
}

// Child is an entry of a directory.
type Child struct {
	Name string
	// Link is true for a symbolic link, whatever it points to; Dir then says nothing.
	Link, Dir bool
}

// List gives the children of a directory, sorted by name.
func List(path string) ([]Child, error) {
	answer, err := ask(askList, path)
	if err != nil {
		return nil, err
	}
	var children []Child
	for text := string(answer); text != ""; {
		entry, rest, _ := strings.Cut(text, "\x00")
		children = append(children, Child{Name: entry[1:], Link: entry[0] == 'l', Dir: entry[0] == 'd'})
		text = rest
	}
	return children, nil
}

// Read gives the bytes of one file.
func Read(path string) ([]byte, error) {
	contents, err := ReadAll([]string{path})
	if err != nil {
		return nil, err
	}
	return contents[0], nil
}

// ReadAll gives the bytes of several files in one round trip.
func ReadAll(paths []string) ([][]byte, error) {
	var missing []string
	for _, path := range paths {
		if _, ok := contents[path]; !ok {
			missing = append(missing, path)
		}
	}
	if len(missing) > 0 {
		answer, err := ask(askRead, strings.Join(missing, "\x00"))
		if err != nil {
			return nil, err
		}
		for _, path := range missing {
			size := binary.LittleEndian.Uint32(answer)
			contents[path] = answer[4 : 4+size : 4+size]
			answer = answer[4+size:]
		}
	}
	found := make([][]byte, len(paths))
	for i, path := range paths {
		found[i] = contents[path]
	}
	return found, nil
}

// Glob gives the paths that match, sorted as met; `*`, `?` and `[a-z]` match within a segment.
func Glob(pattern string) ([]string, error) {
	return glob("", strings.Split(strings.Trim(pattern, "/"), "/"))
}

func glob(folder string, segments []string) ([]string, error) {
	segment, rest := segments[0], segments[1:]
	if !strings.ContainsAny(segment, `*?[\`) {
		here := path.Join(folder, segment)
		node, err := Stat(here)
		switch {
		case err != nil:
			return nil, nil
		case len(rest) == 0:
			return []string{here}, nil
		case !node.Dir:
			return nil, nil
		}
		return glob(here, rest)
	}
	children, err := List(folder)
	if err != nil {
		return nil, nil
	}
	var found []string
	for _, child := range children {
		here := path.Join(folder, child.Name)
		matched, err := path.Match(segment, child.Name)
		if err != nil {
			return nil, &Fault{Code: "invalid", Message: "the pattern " + segment + " is malformed: " + err.Error()}
		}
		switch {
		case !matched:
		case len(rest) == 0:
			found = append(found, here)
		case child.Dir || child.Link:
			below, err := glob(here, rest)
			if err != nil {
				return nil, err
			}
			found = append(found, below...)
		}
	}
	return found, nil
}

// ask gives the host's answer. Nothing there is fs.ErrNotExist; all else that goes wrong is a Fault and ends the render.
func ask(question uint32, text string) ([]byte, error) {
	size := hostAsk(question, unsafe.Pointer(unsafe.StringData(text)), uint32(len(text)))
	answer := make([]byte, size+1)[:size]
	hostTake(unsafe.Pointer(unsafe.SliceData(answer)))
	switch answer[0] {
	case '+':
		return answer[1:], nil
	case '-':
		return nil, fs.ErrNotExist
	}
	fault := &Fault{}
	if err := json.Unmarshal(answer[1:], fault); err != nil {
		panic(err)
	}
	panic(fault)
}
