// Kustomize as a WebAssembly reactor: builds a folder of the tree that the host shows it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"runtime/debug"

	"mooring.dev/gowasm"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/api/resmap"
	"sigs.k8s.io/kustomize/api/types"
	"sigs.k8s.io/yaml"
)

type request struct {
	// Path of the folder in the tree.
	Path string `json:"path"`
	// Reorder is empty, `legacy` or `none`.
	Reorder string `json:"reorder"`
	// AllowOutside lets a kustomization load files from outside its own folder, still inside the tree.
	AllowOutside   bool   `json:"allowOutside"`
	ManagedByLabel bool   `json:"managedByLabel"`
	Edits          *edits `json:"edits"`
	ManifestBytes  int    `json:"manifestBytes"`
	ManifestCount  int    `json:"manifestCount"`
}

type header struct {
	Version string `json:"version"`
	// File is the path of the kustomization.
	File string `json:"file"`
}

func main() {}

func init() { gowasm.Register(build) }

func build(text []byte) (gowasm.Answer, error) {
	var r request
	if err := json.Unmarshal(text, &r); err != nil {
		return gowasm.Answer{}, &gowasm.Fault{Code: "invalid", Message: "the request is malformed: " + err.Error()}
	}
	tree := newFiles(r.Path)
	if !tree.IsDir(".") {
		return gowasm.Answer{}, &gowasm.Fault{Code: "not-found", Message: fmt.Sprintf("there is no folder %q", r.Path), File: r.Path}
	}
	if r.Edits != nil {
		if err := r.Edits.apply(tree); err != nil {
			return gowasm.Answer{}, err
		}
	}
	options := krusty.MakeDefaultOptions()
	// As the program does without the flag: the kustomization's own sortOptions, else the legacy order.
	options.Reorder = krusty.ReorderOptionUnspecified
	if r.Reorder != "" {
		options.Reorder = krusty.ReorderOption(r.Reorder)
	}
	options.AddManagedbyLabel = r.ManagedByLabel
	if r.AllowOutside {
		options.LoadRestrictions = types.LoadRestrictionsNone
	}
	resources, err := krusty.MakeKustomizer(options).Run(tree, "/"+r.Path)
	if err != nil {
		return gowasm.Answer{}, err
	}
	if resources.Size() > r.ManifestCount {
		return gowasm.Answer{}, &gowasm.Fault{
			Code:    "limit",
			Message: fmt.Sprintf("the build gives %d objects, more than the limit of %d; split the application or raise the limit manifestCount", resources.Size(), r.ManifestCount),
			File:    r.Path,
		}
	}
	return write(resources, tree.kustomization(), r)
}

// write gives the same bytes as `kustomize build`, and next to them the objects as JSON.
func write(resources resmap.ResMap, file string, r request) (gowasm.Answer, error) {
	var text, objects bytes.Buffer
	objects.WriteByte('[')
	for i, resource := range resources.Resources() {
		object, err := resource.MarshalJSON()
		if err != nil {
			return gowasm.Answer{}, fmt.Errorf("%s: %w", resource.CurId(), err)
		}
		document, err := yaml.JSONToYAML(object)
		if err != nil {
			return gowasm.Answer{}, fmt.Errorf("%s: %w", resource.CurId(), err)
		}
		if i > 0 {
			text.WriteString("---\n")
			objects.WriteByte(',')
		}
		text.Write(document)
		objects.Write(object)
		if text.Len() > r.ManifestBytes || objects.Len() > 2*r.ManifestBytes {
			return gowasm.Answer{}, &gowasm.Fault{
				Code:    "limit",
				Message: fmt.Sprintf("the build gives more than the limit of %d bytes; split the application or raise the limit manifestBytes", r.ManifestBytes),
				File:    r.Path,
			}
		}
	}
	objects.WriteByte(']')
	return gowasm.Answer{Header: header{Version: version(), File: file}, Text: text.Bytes(), Objects: objects.Bytes()}, nil
}

// version is that of the module that the `kustomize` program is made from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "sigs.k8s.io/kustomize/kustomize/v5" {
			return dependency.Version
		}
	}
	return ""
}
