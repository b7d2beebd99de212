package main

import (
	"fmt"
	"io"
	"sort"

	"mooring.dev/gowasm"
	"sigs.k8s.io/kustomize/api/provider"
	"sigs.k8s.io/kustomize/kustomize/v5/commands/edit"
	"sigs.k8s.io/yaml"
)

// edits are the changes of an Argo CD Application's `spec.source.kustomize`, made to the kustomization file in the way and order in which Argo CD makes
// them: by the commands of `kustomize edit`, and for patches by adding to the file's list.
type edits struct {
	NamePrefix              string            `json:"namePrefix"`
	NameSuffix              string            `json:"nameSuffix"`
	Images                  []string          `json:"images"`
	Replicas                []replica         `json:"replicas"`
	CommonLabels            map[string]string `json:"commonLabels"`
	ForceCommonLabels       bool              `json:"forceCommonLabels"`
	LabelWithoutSelector    bool              `json:"labelWithoutSelector"`
	LabelIncludeTemplates   bool              `json:"labelIncludeTemplates"`
	CommonAnnotations       map[string]string `json:"commonAnnotations"`
	ForceCommonAnnotations  bool              `json:"forceCommonAnnotations"`
	Namespace               string            `json:"namespace"`
	Patches                 []any             `json:"patches"`
	Components              []string          `json:"components"`
	IgnoreMissingComponents bool              `json:"ignoreMissingComponents"`
}

type replica struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

func (e *edits) apply(tree *files) error {
	var commands [][]string
	add := func(when bool, command ...string) {
		if when {
			commands = append(commands, command)
		}
	}
	add(e.NamePrefix != "", "set", "nameprefix", "--", e.NamePrefix)
	add(e.NameSuffix != "", "set", "namesuffix", "--", e.NameSuffix)
	add(len(e.Images) > 0, append([]string{"set", "image", "--"}, e.Images...)...)
	replicas := []string{"set", "replicas", "--"}
	for _, one := range e.Replicas {
		replicas = append(replicas, fmt.Sprintf("%s=%d", one.Name, one.Count))
	}
	add(len(e.Replicas) > 0, replicas...)
	labels := []string{"add", "label"}
	if e.ForceCommonLabels {
		labels = append(labels, "--force")
	}
	if e.LabelWithoutSelector {
		labels = append(labels, "--without-selector")
	}
	if e.LabelIncludeTemplates {
		labels = append(labels, "--include-templates")
	}
	add(len(e.CommonLabels) > 0, append(append(labels, "--"), pairs(e.CommonLabels)...)...)
	annotations := []string{"add", "annotation"}
	if e.ForceCommonAnnotations {
		annotations = append(annotations, "--force")
	}
	add(len(e.CommonAnnotations) > 0, append(append(annotations, "--"), pairs(e.CommonAnnotations)...)...)
	add(e.Namespace != "", "set", "namespace", "--", e.Namespace)
	if err := run(tree, commands); err != nil {
		return err
	}
	if len(e.Patches) > 0 {
		if err := addPatches(tree, e.Patches); err != nil {
			return err
		}
	}
	components := e.Components
	if e.IgnoreMissingComponents {
		components = nil
		for _, component := range e.Components {
			if tree.Exists(component) {
				components = append(components, component)
			}
		}
	}
	if len(components) == 0 {
		return nil
	}
	return run(tree, [][]string{append([]string{"add", "component", "--"}, components...)})
}

func run(tree *files, commands [][]string) error {
	for _, command := range commands {
		dependencies := provider.NewDefaultDepProvider()
		root := edit.NewCmdEdit(tree, dependencies.GetFieldValidator(), dependencies.GetResourceFactory(), io.Discard)
		root.SetArgs(command)
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		root.SilenceErrors, root.SilenceUsage = true, true
		if err := root.Execute(); err != nil {
			return fmt.Errorf("kustomize edit %s %s: %w", command[0], command[1], err)
		}
	}
	return nil
}

func addPatches(tree *files, patches []any) error {
	at := tree.kustomization()
	if at == "" {
		return &gowasm.Fault{Code: "not-found", Message: "there is no kustomization file to add the application's patches to", File: tree.folder}
	}
	text, err := tree.ReadFile("/" + at)
	if err != nil {
		return err
	}
	var kustomization map[string]any
	if err := yaml.Unmarshal(text, &kustomization); err != nil {
		return &gowasm.Fault{Code: "syntax", Message: fmt.Sprintf("%s: %v", at, err), File: at}
	}
	if kustomization == nil {
		return &gowasm.Fault{Code: "invalid", Message: at + " is empty: write a kustomization into it", File: at}
	}
	existing, ok := kustomization["patches"].([]any)
	if !ok && kustomization["patches"] != nil {
		return &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("%s: `patches` is no list", at), File: at}
	}
	kustomization["patches"] = append(existing, patches...)
	if text, err = yaml.Marshal(kustomization); err != nil {
		return err
	}
	return tree.WriteFile("/"+at, text)
}

func pairs(values map[string]string) []string {
	list := make([]string, 0, len(values))
	for key, value := range values {
		list = append(list, key+":"+value)
	}
	sort.Strings(list)
	return list
}
