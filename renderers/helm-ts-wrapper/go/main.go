// Helm's template engine as a WebAssembly reactor: renders a chart of the tree that the host shows it, as `helm template` does.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"strings"

	"mooring.dev/gowasm"

	"helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	chartutil "helm.sh/helm/v4/pkg/chart/v2/util"
	"helm.sh/helm/v4/pkg/engine"
	release "helm.sh/helm/v4/pkg/release/v1"
	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

type request struct {
	// Path of the chart's folder in the tree.
	Path                 string   `json:"path"`
	ReleaseName          string   `json:"releaseName"`
	Namespace            string   `json:"namespace"`
	KubeVersion          string   `json:"kubeVersion"`
	APIVersions          []string `json:"apiVersions"`
	SkipCrds             bool     `json:"skipCrds"`
	SkipTests            bool     `json:"skipTests"`
	SkipSchemaValidation bool     `json:"skipSchemaValidation"`
	ManifestBytes        int      `json:"manifestBytes"`
	ManifestCount        int      `json:"manifestCount"`
	// Debug asks for what the templates render to, as it is.
	Debug  bool   `json:"debug"`
	Values values `json:"values"`
}

type header struct {
	// Version is Helm's.
	Version string `json:"version"`
	// Sources has the template of each object, as a path in the tree.
	Sources []string `json:"sources"`
	// Places has where each object is in what its template renders to, or in the file of `crds/`.
	Places   []place  `json:"places"`
	Notes    string   `json:"notes"`
	Warnings []string `json:"warnings"`
	// Rendered is what the templates render to, where that was asked for.
	Rendered string `json:"rendered,omitempty"`
}

// document is one YAML document of the output and the template it comes from.
type document struct {
	source  string
	content string
	hook    bool
	place   place
}

// rendered is what became of a chart.
type rendered struct {
	documents []document
	notes     string
	// files has what each template renders to, by Helm's name of it; nil where it did not come to that.
	files map[string]string
}

// notesMax is the bytes of NOTES.txt. Helm stores them in a Secret beside the manifests, which takes no more than this of both.
const notesMax = 1024 * 1024

func main() {}

func init() { gowasm.Register(template) }

func template(text []byte) (gowasm.Answer, error) {
	var r request
	if err := json.Unmarshal(text, &r); err != nil {
		return gowasm.Answer{}, &gowasm.Fault{Code: "invalid", Message: "the request is malformed: " + err.Error()}
	}
	warnings := collectWarnings()
	places := newPlaces(r.Path)
	root, absent, err := loadChart(places)
	if err != nil {
		return gowasm.Answer{}, err
	}
	vals, err := r.Values.merge(r.Path)
	if err != nil {
		return gowasm.Answer{}, err
	}
	made, err := render(root, absent, vals, r)
	head := header{Version: helmVersion(), Notes: made.notes, Warnings: *warnings}
	if r.Debug {
		head.Rendered = shown(made.files, r.ManifestBytes)
	}
	if err != nil {
		fault := located(err, root.Name(), places)
		fault.Rendered = head.Rendered
		return gowasm.Answer{}, fault
	}
	return write(made.documents, head, root.Name(), places, r)
}

// render takes the steps of `helm template`, in the same order: dependencies, capabilities, values, schema, templates, sorting.
func render(root *chart.Chart, absent []missing, vals map[string]any, r request) (rendered, error) {
	if err := chartutil.ValidateReleaseName(r.ReleaseName); err != nil {
		return rendered{}, &gowasm.Fault{
			Code:    "invalid",
			Message: fmt.Sprintf("the release name %q is not valid (%v); set releaseName to a shorter or simpler one", r.ReleaseName, err),
		}
	}
	if kind := root.Metadata.Type; kind != "" && kind != "application" {
		return rendered{}, &gowasm.Fault{Code: "unsupported", Message: kind + " charts are not installable", File: path.Join(r.Path, "Chart.yaml")}
	}
	if root.Metadata.Deprecated {
		slog.Warn("this chart is deprecated")
	}
	if err := chartutil.ProcessDependencies(root, vals); err != nil {
		return rendered{}, fmt.Errorf("chart dependencies processing failed: %w", err)
	}
	if err := unlessDisabled(absent); err != nil {
		return rendered{}, err
	}
	capabilities, err := capabilitiesOf(root, r)
	if err != nil {
		return rendered{}, err
	}
	options := common.ReleaseOptions{Name: r.ReleaseName, Namespace: r.Namespace, Revision: 1, IsInstall: true}
	top, err := util.ToRenderValuesWithSchemaValidation(root, vals, options, capabilities, r.SkipSchemaValidation)
	if err != nil {
		return rendered{}, &gowasm.Fault{Code: "invalid", Message: err.Error(), File: r.Path}
	}
	files, err := engine.Engine{}.Render(root, top)
	if err != nil {
		return rendered{}, err
	}
	notes := files[path.Join(root.Name(), "templates", "NOTES.txt")]
	if len(notes) > notesMax {
		return rendered{}, &gowasm.Fault{
			Code:    "limit",
			Message: fmt.Sprintf("NOTES.txt renders to more than the limit of %d bytes; shorten it", notesMax),
			File:    path.Join(r.Path, "templates", "NOTES.txt"),
		}
	}
	for name := range files {
		if strings.HasSuffix(name, "NOTES.txt") {
			delete(files, name)
		}
	}
	made := rendered{notes: notes, files: files}
	hooks, manifests, err := releaseutil.SortManifests(files, nil, releaseutil.InstallOrder)
	if err != nil {
		return made, unsorted(err, files)
	}
	at := placesIn(files)
	if !r.SkipCrds {
		for _, crd := range root.CRDObjects() {
			made.documents = append(made.documents, document{source: crd.Filename, content: string(crd.File.Data), place: place{Line: 1}})
		}
	}
	for _, manifest := range manifests {
		made.documents = append(made.documents, document{source: manifest.Name, content: manifest.Content, place: at[manifest.Name][manifest.Content]})
	}
	for _, hook := range hooks {
		if !r.SkipTests || !slices.Contains(hook.Events, release.HookTest) {
			made.documents = append(made.documents, document{source: hook.Path, content: hook.Manifest, hook: true, place: at[hook.Path][hook.Manifest]})
		}
	}
	return made, nil
}

func capabilitiesOf(root *chart.Chart, r request) (*common.Capabilities, error) {
	capabilities := common.DefaultCapabilities.Copy()
	if r.KubeVersion != "" {
		version, err := common.ParseKubeVersion(r.KubeVersion)
		if err != nil {
			return nil, &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("the Kubernetes version %q is not valid: %v", r.KubeVersion, err)}
		}
		capabilities.KubeVersion = *version
	}
	capabilities.APIVersions = slices.Concat(capabilities.APIVersions, r.APIVersions)
	wanted := root.Metadata.KubeVersion
	if wanted != "" && !chartutil.IsCompatibleRange(wanted, capabilities.KubeVersion.String()) {
		return nil, &gowasm.Fault{
			Code:    "invalid",
			Message: fmt.Sprintf("chart requires kubeVersion: %s which is incompatible with Kubernetes %s", wanted, capabilities.KubeVersion.Version),
			File:    path.Join(r.Path, "Chart.yaml"),
		}
	}
	return capabilities, nil
}

// write gives the same bytes as `helm template --include-crds`, and next to them the objects as JSON.
func write(documents []document, head header, chartName string, places *places, r request) (gowasm.Answer, error) {
	var manifests, hooks, objects bytes.Buffer
	objects.WriteByte('[')
	for _, document := range documents {
		text := &manifests
		if document.hook {
			text = &hooks
		}
		fmt.Fprintf(text, "---\n# Source: %s\n%s\n", document.source, document.content)
		if manifests.Len()+hooks.Len() > r.ManifestBytes {
			return gowasm.Answer{}, &gowasm.Fault{
				Code:    "limit",
				Message: fmt.Sprintf("the chart gives more than the limit of %d bytes; split the application or raise the limit manifestBytes", r.ManifestBytes),
				File:    r.Path,
			}
		}
		source := places.of(document.source, chartName)
		found, at, err := parse(document.content)
		if err != nil {
			at = document.place.then(at)
			fault := &gowasm.Fault{
				Code:    "syntax",
				Message: fmt.Sprintf("document %d of %s is no Kubernetes object: %v", at.Document+1, source, err),
				File:    source,
			}
			if at.IsRendered {
				fault.Message = fmt.Sprintf("document %d of what %s renders to is no Kubernetes object: %v", at.Document+1, source, err)
				fault.Rendered = head.Rendered
			}
			return gowasm.Answer{}, fault
		}
		for _, object := range found {
			if len(head.Sources) > 0 {
				objects.WriteByte(',')
			}
			objects.Write(object.json)
			head.Sources = append(head.Sources, source)
			head.Places = append(head.Places, document.place.then(object.place))
			if objects.Len() > 2*r.ManifestBytes {
				return gowasm.Answer{}, &gowasm.Fault{
					Code:    "limit",
					Message: fmt.Sprintf("the chart's objects take more than %d bytes once their aliases are written out; repeat less, split the application or raise the limit manifestBytes", 2*r.ManifestBytes),
					File:    source,
				}
			}
		}
		if len(head.Sources) > r.ManifestCount {
			return gowasm.Answer{}, &gowasm.Fault{
				Code:    "limit",
				Message: fmt.Sprintf("the chart gives more than the limit of %d objects; split the application or raise the limit manifestCount", r.ManifestCount),
				File:    r.Path,
			}
		}
	}
	objects.WriteByte(']')
	text := slices.Concat(bytes.TrimSpace(manifests.Bytes()), []byte("\n"), hooks.Bytes())
	return gowasm.Answer{Header: head, Text: text, Objects: objects.Bytes()}, nil
}

var errNoObject = errors.New("it is not a mapping")
