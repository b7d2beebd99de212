package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"sigs.k8s.io/yaml"

	releaseutil "helm.sh/helm/v4/pkg/release/v1/util"
)

// place is where a document is in a text.
type place struct {
	// Document counts from 0; empty ones do not count.
	Document int `json:"document"`
	// Line counts from 1.
	Line int `json:"line"`
	// IsRendered tells what a template renders to from a file of `crds/`.
	IsRendered bool `json:"isRendered"`
}

// then gives the place of what is at `inner` in the document at p.
func (p place) then(inner place) place {
	return place{Document: p.Document + inner.Document, Line: p.Line + inner.Line - 1, IsRendered: p.IsRendered}
}

// walker finds the documents of a text that was parted by somebody else, one after the other.
type walker struct {
	text     string
	at       int
	document int
	// line is that of `at`, from 1.
	line int
}

// next gives the place of the document that comes next.
func (w *walker) next(document string) place {
	found := strings.Index(w.text[w.at:], document)
	if found < 0 {
		return place{Document: w.document, Line: w.line}
	}
	w.line += strings.Count(w.text[w.at:w.at+found], "\n")
	w.at += found + len(document)
	at := place{Document: w.document, Line: w.line}
	w.line += strings.Count(document, "\n")
	w.document++
	return at
}

// emptyLines counts the lines at the beginning of a text that hold nothing, a comment, or what parts documents; 0 where all do.
func emptyLines(text string) int {
	count := 0
	for line := range strings.Lines(text) {
		content := strings.TrimSpace(line)
		if content != "" && content[0] != '#' && content != "---" {
			return count
		}
		count++
	}
	return 0
}

// documentsOf gives the documents of what a template renders to as Helm parts them, in their order.
func documentsOf(text string) []string {
	parted := releaseutil.SplitManifests(text)
	documents := make([]string, len(parted))
	for i := range documents {
		documents[i] = parted[fmt.Sprintf("manifest-%d", i)]
	}
	return documents
}

// placesIn gives the place of each document, by Helm's name of the template and the document itself; of two that are the same, that of the first.
func placesIn(files map[string]string) map[string]map[string]place {
	places := make(map[string]map[string]place, len(files))
	for name, text := range files {
		places[name] = map[string]place{}
		walk := walker{text: text, line: 1}
		for _, document := range documentsOf(text) {
			at := walk.next(document)
			at.IsRendered = true
			if _, known := places[name][document]; !known {
				places[name][document] = at
			}
		}
	}
	return places
}

var lineOfDocument = regexp.MustCompile(`yaml: line (\d+):`)

// unsorted says in Helm's error about what a template renders to which document it is about. The line that Helm gives is one of that document, and none of the template.
func unsorted(err error, files map[string]string) error {
	found := yamlError.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	text, ok := files[found[1]]
	if !ok {
		return err
	}
	for i, document := range documentsOf(text) {
		var head releaseutil.SimpleHead
		if yaml.Unmarshal([]byte(document), &head) == nil {
			continue
		}
		which := fmt.Sprintf("document %d that it renders to", i+1)
		said, told := found[0]+":", found[0]+": "+which+":"
		if line := lineOfDocument.FindStringSubmatch(err.Error()); line != nil {
			said, told = line[0], fmt.Sprintf("line %s of %s:", line[1], which)
		}
		return errors.New(strings.Replace(err.Error(), said, told, 1))
	}
	return err
}

// shown gives what the templates render to, up to a number of bytes, as `helm template --debug` prints it but in the order of their names.
func shown(files map[string]string, bytesMax int) string {
	var text strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		// Lines are counted from the first, empty ones too.
		content := strings.TrimRightFunc(files[name], unicode.IsSpace)
		if content == "" {
			continue
		}
		fmt.Fprintf(&text, "---\n# Source: %s\n", name)
		if left := bytesMax - text.Len(); left < len(content) {
			text.WriteString(strings.ToValidUTF8(content[:max(0, left)], ""))
			fmt.Fprintf(&text, "\n# The rest is left out: it is more than the limit of %d bytes.\n", bytesMax)
			break
		}
		text.WriteString(content + "\n")
	}
	return text.String()
}
