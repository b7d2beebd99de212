package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"

	"mooring.dev/gowasm"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// object is one of a YAML text.
type object struct {
	json []byte
	// place is that of its first content in that text.
	place place
}

// parse gives the objects of a YAML text, as Kubernetes reads them, and with an error its place. Documents that hold nothing are left out.
func parse(content string) ([]object, place, error) {
	var objects []object
	content += "\n"
	walk := walker{text: content, line: 1}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(content)))
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return objects, place{}, nil
		}
		if err != nil {
			return nil, place{Document: walk.document, Line: walk.line}, err
		}
		at := walk.next(string(document))
		json, err := yaml.YAMLToJSON(document)
		if err != nil {
			return nil, at, err
		}
		if bytes.Equal(json, []byte("null")) {
			continue
		}
		if json[0] != '{' {
			return nil, at, errNoObject
		}
		at.Line += emptyLines(string(document))
		objects = append(objects, object{json, at})
	}
}

var (
	templatePlace = regexp.MustCompile(`([^\s():"]+/templates/[^\s():"]+):(\d+)`)
	yamlError     = regexp.MustCompile(`YAML parse error on ([^\s:]+)`)
	yamlLine      = regexp.MustCompile(`\bline (\d+)`)
)

// located gives Helm's error a place: the template, in the tree, and the line where Helm names one.
func located(err error, chartName string, places *places) *gowasm.Fault {
	var known *gowasm.Fault
	if errors.As(err, &known) {
		return known
	}
	fault := &gowasm.Fault{Code: "template", Message: err.Error(), File: places.folder}
	if place := yamlError.FindStringSubmatch(fault.Message); place != nil {
		fault.Code, fault.File = "syntax", places.of(place[1], chartName)
	} else if place := templatePlace.FindStringSubmatch(fault.Message); place != nil {
		fault.File = places.of(place[1], chartName)
		fault.Line, _ = strconv.Atoi(place[2])
	}
	return fault
}

// lineIn finds the line that a YAML error names; 0 if none.
func lineIn(err error) int {
	found := yamlLine.FindStringSubmatch(err.Error())
	if found == nil {
		return 0
	}
	line, _ := strconv.Atoi(found[1])
	return line
}

// helmVersion is that of the module.
func helmVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dependency := range info.Deps {
		if dependency.Path == "helm.sh/helm/v4" {
			return dependency.Version
		}
	}
	return ""
}

// warnings is a slog.Handler that keeps the sentences of warnings and errors, as many and as much of each as anybody reads.
type warnings struct{ kept *[]string }

const (
	warningsMax = 100
	// warningMax is in bytes: a sentence repeats the values that it is about.
	warningMax = 2_000
)

func collectWarnings() *[]string {
	kept := &[]string{}
	slog.SetDefault(slog.New(warnings{kept}))
	return kept
}

func (warnings) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

func (w warnings) Handle(_ context.Context, record slog.Record) error {
	sentence := record.Message
	// What Helm prints by the log package comes as information, warnings too.
	if record.Level < slog.LevelWarn && !strings.HasPrefix(strings.ToLower(sentence), "warning") {
		return nil
	}
	record.Attrs(func(attribute slog.Attr) bool {
		sentence += " " + attribute.String()
		return true
	})
	if len(sentence) > warningMax {
		sentence = strings.ToValidUTF8(sentence[:warningMax], "") + " …"
	}
	if len(*w.kept) < warningsMax {
		*w.kept = append(*w.kept, sentence)
	}
	return nil
}

func (w warnings) WithAttrs([]slog.Attr) slog.Handler { return w }
func (w warnings) WithGroup(string) slog.Handler      { return w }
