// Package gowasm is the Go side of a rendering engine that runs in WebAssembly: how the host hands it a request, and how it reads the tree.
//
// The engine is a reactor. For each render the host calls Allocate, writes the request there, calls Render, and reads the answer's sections.
// Everything the engine learns about files comes through the two imported functions below; there is no other way out.
package gowasm

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"unsafe"
)

// Fault ends a render from any depth. It is raised by panic, so that no layer of the engine in between takes it for a missing file and goes on.
type Fault struct {
	// Code is one of RenderErrorCode in renderers/contract/error.ts.
	Code    string `json:"code"`
	Message string `json:"message"`
	// File is a path in the tree.
	File string `json:"file,omitempty"`
	// Line counts from 1.
	Line int `json:"line,omitempty"`
	// Rendered is what was rendered and is refused; only where the request asks for it: it may hold secrets.
	Rendered string `json:"rendered,omitempty"`
}

func (f *Fault) Error() string { return f.Message }

// Answer is what a render gives: a small header as JSON, and what may be large as plain bytes.
type Answer struct {
	Header any
	// Text is the YAML.
	Text []byte
	// Objects is a JSON array.
	Objects []byte
}

// Engine renders one request, given as JSON.
type Engine func(request []byte) (Answer, error)

var (
	engine Engine
	input  []byte
	output []byte
)

// Register says what Render runs; called once, from init.
func Register(e Engine) { engine = e }

// What is allocated until the state is saved is part of every start: garbage is collected early.
func init() { debug.SetGCPercent(20) }

//go:wasmexport mooring_allocate
func allocate(size uint32) unsafe.Pointer {
	input = make([]byte, size+1)[:size]
	return unsafe.Pointer(unsafe.SliceData(input))
}

// render answers with the address of three sections, each a little-endian uint32 of its length and then its bytes: header or fault, text, objects.
//
//go:wasmexport mooring_render
func render() unsafe.Pointer {
	request := input
	input, contents = nil, map[string][]byte{}
	output = frame(run(request))
	return unsafe.Pointer(unsafe.SliceData(output))
}

// settle collects garbage, so that the state is small, and returns to Go's usual ways.
//
//go:wasmexport mooring_settle
func settle() {
	input, output, contents = nil, nil, nil
	debug.FreeOSMemory()
	debug.SetGCPercent(100)
}

// The end of the memory that the runtime has taken from the host so far.
//
//go:linkname blocMax runtime.blocMax
var blocMax uintptr

// resized tells the runtime how much memory there is after the host has put an earlier state of it back: memory never shrinks, and the runtime would
// otherwise ask for more of it at every render. What lies beyond the earlier state is zero.
//
//go:wasmexport mooring_resized
func resized(size uint32) { blocMax = uintptr(size) }

// softLimit is the bytes that the heap stays below where it can.
var softLimit uint64

// bound sets the soft limit, and has it minded after each collection until an earlier state is put back.
//
//go:wasmexport mooring_bound
func bound(size uint32) {
	softLimit = uint64(size)
	runtime.SetFinalizer(&collection{}, (*collection).ended)
}

// collection is garbage from its beginning: that its finalizer runs tells that a collection has ended.
type collection struct{ _ *byte }

// ended says how much may be allocated before the next collection: as much as is alive, but no more than what is left below the soft limit. A quarter of what is
// alive it may be in any case. Go's own memory limit knows no such bound, and collects all the time where more is alive than it allows.
func (c *collection) ended() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	percent := 100
	if alive := live[0].Value.Uint64(); 2*alive > softLimit {
		percent = max(25, int(100*(int64(softLimit)-int64(alive))/int64(alive)))
	}
	debug.SetGCPercent(percent)
	runtime.SetFinalizer(&collection{}, (*collection).ended)
}

func run(request []byte) (answer Answer) {
	defer func() {
		switch cause := recover().(type) {
		case nil:
		case *Fault:
			answer = failed(cause)
		default:
			answer = failed(&Fault{Code: "crashed", Message: fmt.Sprintf("the engine failed: %v", cause)})
			println(string(debug.Stack()))
		}
	}()
	made, err := engine(request)
	if fault, ok := err.(*Fault); ok {
		return failed(fault)
	}
	if err != nil {
		return failed(&Fault{Code: "build", Message: err.Error()})
	}
	return made
}

// messageMax is the bytes of a message that are handed on. The host shows less; a template can fail with any text.
const messageMax = 64 * 1024

// failed hands on the beginning and the end of a message that is too long: the end says more than the middle.
func failed(fault *Fault) Answer {
	if text := fault.Message; len(text) > messageMax {
		shortened := *fault
		shortened.Message = strings.ToValidUTF8(text[:messageMax/2], "") + strings.ToValidUTF8(text[len(text)-messageMax/2:], "")
		fault = &shortened
	}
	return Answer{Header: struct {
		Fault *Fault `json:"fault"`
	}{fault}}
}

func frame(answer Answer) []byte {
	header, err := json.Marshal(answer.Header)
	if err != nil {
		panic(err)
	}
	framed := make([]byte, 0, 12+len(header)+len(answer.Text)+len(answer.Objects))
	for _, section := range [][]byte{header, answer.Text, answer.Objects} {
		framed = binary.LittleEndian.AppendUint32(framed, uint32(len(section)))
		framed = append(framed, section...)
	}
	return framed
}
