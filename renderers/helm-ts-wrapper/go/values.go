package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
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

// paths resolves names and patterns to files, each once. A pattern's files come in the order in which they are found; one that is also named by itself has its place there.
// The rules are Argo CD's.
func (v values) paths(folder string) ([]string, error) {
	places := make([]string, len(v.Files))
	named := map[string]bool{}
	for i, name := range v.Files {
		if strings.Contains(name, "://") {
			return nil, &gowasm.Fault{Code: "unsupported", Message: fmt.Sprintf("the values file %q is remote: put it into the repository", name)}
		}
		at, err := within(folder, name)
		if err != nil {
			return nil, err
		}
		places[i] = at
		named[at] = !isPattern(at)
	}
	var paths []string
	taken := map[string]bool{}
	for _, at := range places {
		found, err := valueFiles(at)
		if err != nil {
			return nil, err
		}
		if len(found) == 0 && !v.IgnoreMissingFiles {
			return nil, &gowasm.Fault{
				Code:    "not-found",
				Message: fmt.Sprintf("there is no values file %q: add it, or set ignoreMissingValueFiles", at),
				File:    at,
			}
		}
		for _, file := range found {
			if taken[file] || (isPattern(at) && named[file]) {
				continue
			}
			taken[file] = true
			paths = append(paths, file)
		}
	}
	return paths, nil
}

func isPattern(at string) bool { return strings.ContainsAny(at, "*?[") }

// valueFiles gives the file of that name, or the files that match a pattern.
func valueFiles(at string) ([]string, error) {
	if !isPattern(at) {
		if node, err := gowasm.Stat(at); err != nil || node.Dir {
			return nil, nil
		}
		return []string{at}, nil
	}
	found, err := doublestar.Glob(treeFiles{}, at, doublestar.WithFilesOnly())
	if err != nil {
		return nil, &gowasm.Fault{Code: "invalid", Message: fmt.Sprintf("the values file %q is no valid pattern: %v", at, err)}
	}
	return found, nil
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
