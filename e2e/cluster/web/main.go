// A web server for sample workloads: every path answers with $VERSION, /healthz with ok.
// $PORT is the port (8080), $START_DELAY (a Go duration) is how long /healthz fails first, $FAIL makes it exit with 1 at once.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	log.SetFlags(0)
	version := envOr("VERSION", "unknown")
	port := envOr("PORT", "8080")
	if reason := os.Getenv("FAIL"); reason != "" {
		log.Fatalf("web %s: told to fail: %s", version, reason)
	}
	delay, err := time.ParseDuration(envOr("START_DELAY", "0s"))
	if err != nil {
		log.Fatalf("web %s: START_DELAY: %v", version, err)
	}
	healthyFrom := time.Now().Add(delay)

	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if time.Now().Before(healthyFrom) {
			http.Error(w, "starting", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) })
	server := &http.Server{Addr: ":" + port, Handler: mux, ReadHeaderTimeout: 5 * time.Second}

	// The first process of a container gets no default action for a signal: without this a stop takes the whole grace period.
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = server.Close() })

	log.Printf("web %s: listening on %s", version, server.Addr)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
}

func envOr(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
