package main

import (
	"path"
	"strings"

	chart "helm.sh/helm/v4/pkg/chart/v2"
)

// places finds the file of the tree behind Helm's name of a template.
type places struct {
	// folder is the chart's.
	folder string
	// files are the paths of all files read.
	files map[string]bool
	// names has the name of a dependency behind each alias.
	names map[string]string
	// locals has the folder of each dependency that a `file://` repository names.
	locals map[string]string
}

func newPlaces(folder string) *places {
	return &places{folder: folder, files: map[string]bool{}, names: map[string]string{}, locals: map[string]string{}}
}

func (p *places) alias(dependency *chart.Dependency) {
	if dependency.Alias != "" {
		p.names[dependency.Alias] = dependency.Name
	}
}

// of turns a name such as `shop/charts/db/templates/service.yaml`, which starts with the chart's name, into a path in the tree. For a dependency in an
// archive that is the archive, for what cannot be told the chart's own Chart.yaml.
func (p *places) of(source, chartName string) string {
	inChart := strings.TrimPrefix(source, chartName+"/")
	if at := path.Join(p.folder, inChart); p.files[at] {
		return at
	}
	below, ok := strings.CutPrefix(inChart, "charts/")
	if !ok {
		return path.Join(p.folder, "Chart.yaml")
	}
	name, rest, _ := strings.Cut(below, "/")
	if real, ok := p.names[name]; ok {
		name = real
	}
	for _, at := range []string{path.Join(p.locals[name], rest), path.Join(p.folder, "charts", name, rest)} {
		if p.files[at] {
			return at
		}
	}
	prefix := path.Join(p.folder, "charts", name) + "-"
	for at := range p.files {
		if strings.HasPrefix(at, prefix) && strings.HasSuffix(at, ".tgz") {
			return at
		}
	}
	return path.Join(p.folder, "Chart.yaml")
}
