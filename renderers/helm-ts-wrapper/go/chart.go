package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"log/slog"
	"path"
	"sort"
	"strings"
	"time"

	"github.com/Masterminds/semver/v3"
	"mooring.dev/gowasm"

	"helm.sh/helm/v4/pkg/chart/loader/archive"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/ignore"
)

var byteOrderMark = []byte{0xEF, 0xBB, 0xBF}

// missing is a dependency that is nowhere in the tree.
type missing struct {
	dependency *chart.Dependency
	fault      *gowasm.Fault
}

// unlessDisabled gives one fault for all that the values do not switch off; known once Helm has processed the dependencies.
func unlessDisabled(all []missing) error {
	var fault *gowasm.Fault
	for _, one := range all {
		if !one.dependency.Enabled {
			continue
		}
		if fault == nil {
			fault = one.fault
		} else {
			fault.Message += "; " + one.fault.Message
		}
	}
	if fault == nil {
		return nil
	}
	return fault
}

// loadChart reads a chart from the tree, with the dependencies that its charts/ holds and those that it names by a `file://` repository.
func loadChart(places *places) (*chart.Chart, []missing, error) {
	loaded, err := loadFolder(places.folder, places)
	if err != nil {
		return nil, nil, err
	}
	var absent []missing
	for _, dependency := range loaded.Metadata.Dependencies {
		if dependency == nil {
			continue
		}
		places.alias(dependency)
		if has(loaded, dependency.Name) {
			continue
		}
		where, isLocal := strings.CutPrefix(dependency.Repository, "file://")
		if !isLocal {
			absent = append(absent, missing{dependency, notInCharts(places.folder, dependency)})
			continue
		}
		local, err := loadLocal(places, dependency, where)
		if err != nil {
			return nil, nil, err
		}
		loaded.AddDependency(local)
	}
	sortDependencies(loaded)
	for _, dependency := range loaded.Dependencies() {
		warnOfGaps(dependency)
	}
	return loaded, absent, nil
}

// warnOfGaps tells of what a dependency itself depends on and does not have: Helm renders it without, and says nothing.
func warnOfGaps(loaded *chart.Chart) {
	for _, dependency := range loaded.Metadata.Dependencies {
		if dependency != nil && dependency.Condition == "" && len(dependency.Tags) == 0 && !has(loaded, dependency.Name) {
			slog.Warn(fmt.Sprintf("the dependency %q of the chart %q is not in its charts/, so that Helm leaves it out", dependency.Name, loaded.Name()))
		}
	}
	for _, dependency := range loaded.Dependencies() {
		warnOfGaps(dependency)
	}
}

func notInCharts(folder string, dependency *chart.Dependency) *gowasm.Fault {
	return &gowasm.Fault{
		Code: "not-found",
		Message: fmt.Sprintf("the dependency %q %s from %q is not in charts/: run `helm dependency update %s` and commit charts/",
			dependency.Name, dependency.Version, dependency.Repository, path.Join(folder, ".")),
		File: path.Join(folder, "Chart.yaml"),
	}
}

func loadFolder(folder string, places *places) (*chart.Chart, error) {
	node, err := gowasm.Stat(folder)
	if err != nil || !node.Dir {
		return nil, &gowasm.Fault{Code: "not-found", Message: fmt.Sprintf("there is no folder %q", folder), File: folder}
	}
	rules := ignore.Empty()
	if at := path.Join(folder, ignore.HelmIgnore); exists(at) {
		text, err := gowasm.Read(at)
		if err != nil {
			return nil, err
		}
		if rules, err = ignore.Parse(bytes.NewReader(text)); err != nil {
			return nil, &gowasm.Fault{Code: "invalid", Message: at + ": " + err.Error(), File: at}
		}
	}
	rules.AddDefaults()
	names, err := filesIn(folder, "", rules, 0)
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(names))
	for i, name := range names {
		paths[i] = path.Join(folder, name)
		places.files[paths[i]] = true
	}
	contents, err := gowasm.ReadAll(paths)
	if err != nil {
		return nil, err
	}
	files := make([]*archive.BufferedFile, len(names))
	for i, name := range names {
		files[i] = &archive.BufferedFile{Name: name, Data: bytes.TrimPrefix(contents[i], byteOrderMark)}
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		return nil, &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("the chart in %q cannot be loaded: %v", folder, err), File: folder}
	}
	return loaded, nil
}

const foldersDeep = 64

// filesIn gives the names, relative to the chart, of all files below a folder that .helmignore does not exclude. Links are followed, as Helm does.
func filesIn(root, folder string, rules *ignore.Rules, depth int) ([]string, error) {
	if depth > foldersDeep {
		return nil, &gowasm.Fault{Code: "limit", Message: "the chart's folders nest too deeply: look for a symbolic link to a folder above it", File: path.Join(root, folder)}
	}
	children, err := gowasm.List(path.Join(root, folder))
	if err != nil {
		return nil, err
	}
	var names []string
	for _, child := range children {
		name := path.Join(folder, child.Name)
		if child.Link {
			node, err := gowasm.Stat(path.Join(root, name))
			if err != nil {
				return nil, &gowasm.Fault{Code: "not-found", Message: fmt.Sprintf("the symbolic link %q leads nowhere", path.Join(root, name)), File: path.Join(root, name)}
			}
			child.Dir = node.Dir
		}
		if rules.Ignore(name, fileInfo{child}) {
			continue
		}
		if !child.Dir {
			names = append(names, name)
			continue
		}
		below, err := filesIn(root, name, rules, depth+1)
		if err != nil {
			return nil, err
		}
		names = append(names, below...)
	}
	return names, nil
}

// loadLocal finds a dependency that charts/ lacks, in the folder that its repository names.
func loadLocal(places *places, dependency *chart.Dependency, where string) (*chart.Chart, error) {
	folder := places.folder
	at := path.Join(folder, "Chart.yaml")
	source, err := within(folder, where)
	if err != nil {
		return nil, err
	}
	places.locals[dependency.Name] = source
	found, err := loadFolder(source, places)
	if err != nil {
		return nil, err
	}
	constraint, err := semver.NewConstraint(dependency.Version)
	if err != nil {
		return nil, &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("the version %q of the dependency %q is no constraint: %v", dependency.Version, dependency.Name, err), File: at}
	}
	version, err := semver.NewVersion(found.Metadata.Version)
	if err != nil || !constraint.Check(version) {
		return nil, &gowasm.Fault{
			Code:    "invalid",
			Message: fmt.Sprintf("the dependency %q wants version %q, and %s has %q", dependency.Name, dependency.Version, source, found.Metadata.Version),
			File:    at,
		}
	}
	return found, nil
}

func exists(file string) bool {
	node, err := gowasm.Stat(file)
	return err == nil && !node.Dir
}

func has(loaded *chart.Chart, name string) bool {
	for _, dependency := range loaded.Dependencies() {
		if dependency.Name() == name {
			return true
		}
	}
	return false
}

// sortDependencies undoes the random order in which Helm loads charts/, so that the same tree always gives the same output.
func sortDependencies(loaded *chart.Chart) {
	dependencies := loaded.Dependencies()
	sort.SliceStable(dependencies, func(i, j int) bool { return dependencies[i].Name() < dependencies[j].Name() })
	for _, dependency := range dependencies {
		sortDependencies(dependency)
	}
}

// within joins a path to a folder of the tree: from the tree's root if it starts with a slash. It must stay inside.
func within(folder, name string) (string, error) {
	if path.IsAbs(name) {
		folder = ""
	}
	joined := path.Join(folder, name)
	if path.IsAbs(name) {
		joined = path.Clean(strings.TrimLeft(name, "/"))
	}
	if joined == ".." || strings.HasPrefix(joined, "../") {
		return "", &gowasm.Fault{Code: "outside-tree", Message: fmt.Sprintf("the path %q leaves the repository", name), File: folder}
	}
	if joined == "." {
		return "", nil
	}
	return joined, nil
}

// fileInfo is what .helmignore's rules and patterns look at.
type fileInfo struct{ child gowasm.Child }

func (f fileInfo) Name() string       { return f.child.Name }
func (f fileInfo) IsDir() bool        { return f.child.Dir }
func (f fileInfo) Size() int64        { return 0 }
func (f fileInfo) ModTime() time.Time { return time.Time{} }
func (f fileInfo) Sys() any           { return nil }
func (f fileInfo) Mode() fs.FileMode {
	switch {
	case f.child.Link:
		return fs.ModeSymlink
	case f.child.Dir:
		return fs.ModeDir
	}
	return 0
}
