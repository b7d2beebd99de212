package main

import (
	"bytes"
	"fmt"
	"strings"

	"mooring.dev/gowasm"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/strvals"
)

// values are what overrides the chart's own, from the weakest to the strongest.
type values struct {
	// Files are paths or patterns, relative to the chart, or to the tree's root with a leading slash.
	Files              []string `json:"files"`
	IgnoreMissingFiles bool     `json:"ignoreMissingFiles"`
	// Inline is YAML or JSON.
	Inline         string      `json:"inline"`
	Parameters     []parameter `json:"parameters"`
	FileParameters []struct {
		Name string `json:"name"`
		Path string `json:"path"`
	} `json:"fileParameters"`
}

type parameter struct {
	Name        string `json:"name"`
	Value       string `json:"value"`
	ForceString bool   `json:"forceString"`
}

func (v values) merge(folder string) (map[string]any, error) {
	merged := map[string]any{}
	paths, err := v.paths(folder)
	if err != nil {
		return nil, err
	}
	contents, err := gowasm.ReadAll(paths)
	if err != nil {
		return nil, err
	}
	for i, content := range contents {
		loaded, err := loader.LoadValues(bytes.NewReader(content))
		if err != nil {
			return nil, &gowasm.Fault{Code: "syntax", Message: fmt.Sprintf("the values file %s cannot be parsed: %v", paths[i], err), File: paths[i], Line: lineIn(err)}
		}
		merged = loader.MergeMaps(merged, loaded)
	}
	inline, err := loader.LoadValues(strings.NewReader(v.Inline))
	if err != nil {
		return nil, &gowasm.Fault{Code: "syntax", Message: "the application's values cannot be parsed: " + err.Error(), Line: lineIn(err)}
	}
	merged = loader.MergeMaps(merged, inline)
	return merged, v.set(folder, merged)
}

// paths resolves patterns; a pattern's files are in the order of their names.
func (v values) paths(folder string) ([]string, error) {
	var paths []string
	for _, name := range v.Files {
		if strings.Contains(name, "://") {
			return nil, &gowasm.Fault{Code: "unsupported", Message: fmt.Sprintf("the values file %q is remote: put it into the repository", name)}
		}
		at, err := within(folder, name)
		if err != nil {
			return nil, err
		}
		found := []string{at}
		if strings.ContainsAny(at, "*?[") {
			if found, err = gowasm.Glob(at); err != nil {
				return nil, err
			}
		} else if node, err := gowasm.Stat(at); err != nil || node.Dir {
			found = nil
		}
		if len(found) == 0 && !v.IgnoreMissingFiles {
			return nil, &gowasm.Fault{
				Code:    "not-found",
				Message: fmt.Sprintf("there is no values file %q: add it, or set ignoreMissingValueFiles", at),
				File:    at,
			}
		}
		paths = append(paths, found...)
	}
	return paths, nil
}

// set applies parameters as the command line does: all of --set, then --set-string, then --set-file.
func (v values) set(folder string, into map[string]any) error {
	for _, forced := range []bool{false, true} {
		for _, p := range v.Parameters {
			if p.ForceString != forced {
				continue
			}
			parse := strvals.ParseInto
			if forced {
				parse = strvals.ParseIntoString
			}
			if err := parse(p.Name+"="+escapeCommas(p.Value), into); err != nil {
				return &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("the parameter %q cannot be set: %v", p.Name, err)}
			}
		}
	}
	for _, p := range v.FileParameters {
		at, err := within(folder, p.Path)
		if err != nil {
			return err
		}
		content, err := gowasm.Read(at)
		if err != nil {
			return &gowasm.Fault{Code: "not-found", Message: fmt.Sprintf("there is no file %q for the parameter %q", at, p.Name), File: at}
		}
		read := func([]rune) (any, error) { return string(content), nil }
		if err := strvals.ParseIntoFile(p.Name+"=file", into, read); err != nil {
			return &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("the parameter %q cannot be set: %v", p.Name, err)}
		}
	}
	return nil
}

// escapeCommas keeps a value with commas one value; a list in braces stays a list. The rule is Argo CD's.
func escapeCommas(value string) string {
	if strings.HasPrefix(value, "{") && strings.HasSuffix(value, "}") {
		return value
	}
	var escaped strings.Builder
	previous := rune(0)
	for _, r := range value {
		if r == ',' && previous != '\\' {
			escaped.WriteByte('\\')
		}
		escaped.WriteRune(r)
		previous = r
	}
	return escaped.String()
}
