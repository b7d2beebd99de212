// The OTLP receiver of the OpenTelemetry Collector, without the Collector around it: every export request that it takes becomes one JSON line on standard
// output, {"headers": …, "traces": …}, the traces as OTLP/JSON, after a line "ready". $OTLP is the receiver's configuration as the Collector knows it, as JSON. It ends
// with its input.
package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"os"

	"go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/otlpreceiver"
)

type request struct {
	Headers map[string][]string `json:"headers"`
	Traces  json.RawMessage     `json:"traces"`
}

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), os.Getenv("OTLP"), os.Stdin, os.Stdout); err != nil {
		log.Fatalf("receiver: %v", err)
	}
}

func run(ctx context.Context, config string, until io.Reader, out io.Writer) error {
	factory := otlpreceiver.NewFactory()
	settings := factory.CreateDefaultConfig()
	var given map[string]any
	if err := json.Unmarshal([]byte(config), &given); err != nil {
		return err
	}
	if err := confmap.NewFromStringMap(given).Unmarshal(settings); err != nil {
		return err
	}
	lines := json.NewEncoder(out)
	marshaler := ptrace.JSONMarshaler{}
	sink, err := consumer.NewTraces(func(ctx context.Context, traces ptrace.Traces) error {
		text, err := marshaler.MarshalTraces(traces)
		if err != nil {
			return err
		}
		headers := map[string][]string{}
		metadata := client.FromContext(ctx).Metadata
		for name := range metadata.Keys() {
			headers[name] = metadata.Get(name)
		}
		return lines.Encode(request{Headers: headers, Traces: text})
	})
	if err != nil {
		return err
	}
	id := component.NewID(factory.Type())
	telemetry := componenttest.NewNopTelemetrySettings()
	traces, err := factory.CreateTraces(ctx, receiver.Settings{ID: id, TelemetrySettings: telemetry}, settings, sink)
	if err != nil {
		return err
	}
	if err := traces.Start(ctx, componenttest.NewNopHost()); err != nil {
		return err
	}
	if _, err := io.WriteString(out, "ready\n"); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, until); err != nil {
		return err
	}
	return traces.Shutdown(ctx)
}
