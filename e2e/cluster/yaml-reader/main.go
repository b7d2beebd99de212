// Reads YAML as Kubernetes does, for tests that hold other readers against it. Standard input: texts, each behind its length in bytes (four bytes, the lowest
// first). Standard output: for each text one line of JSON, its documents in order, or an object with the error.
package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"log"
	"os"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
)

func main() {
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	for {
		var size uint32
		if err := binary.Read(in, binary.LittleEndian, &size); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		text := make([]byte, size)
		if _, err := io.ReadFull(in, text); err != nil {
			log.Fatal(err)
		}
		if err := json.NewEncoder(out).Encode(answer(text)); err != nil {
			log.Fatal(err)
		}
	}
	if err := out.Flush(); err != nil {
		log.Fatal(err)
	}
}

func answer(text []byte) any {
	documents, err := read(text)
	if err != nil {
		return map[string]string{"error": err.Error()}
	}
	return documents
}

// read leaves out empty documents.
func read(text []byte) ([]json.RawMessage, error) {
	documents := []json.RawMessage{}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(text), 4096)
	for {
		var document runtime.RawExtension
		if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
			return documents, nil
		} else if err != nil {
			return nil, err
		}
		if raw := bytes.TrimSpace(document.Raw); len(raw) > 0 && !bytes.Equal(raw, []byte("null")) {
			documents = append(documents, raw)
		}
	}
}
