// Renew turns a potential network's file of the format before the first release
// (a header in JSON between BARROWPT and numbers without names) into today's:
//
//	go run ./surrogate/internal/renew OLD NEW
//
// It made surrogate/builtin.weights of the one that was trained with that format;
// no bit of a weight changed.
package main

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/x448/float16"

	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/internal/weights"
	"barrow/nn"
	"barrow/surrogate"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: renew OLD NEW")
		os.Exit(2)
	}
	if err := renew(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "renew:", err)
		os.Exit(1)
	}
}

// The old file: eight bytes, a version and the header's length as uint32, the
// header, the metric, the weights of both networks, and a SHA-256 sum.
const (
	fixed   = 16
	sumSize = 32
)

type header struct {
	Shape surrogate.PotentialShape `json:"shape"`
	Cells int                      `json:"cells"`
	Bits  int                      `json:"bits"`
}

func renew(from, to string) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if len(b) < fixed+sumSize || !bytes.HasPrefix(b, []byte("BARROWPT\x01\x00\x00\x00")) {
		return errors.New("not an old potential network")
	}
	b = b[:len(b)-sumSize]
	end := fixed + int(binary.LittleEndian.Uint32(b[12:]))
	var h header
	if err := json.Unmarshal(b[fixed:end], &h); err != nil {
		return err
	}
	r := &reader{b[end:], h.Bits}
	f := weights.File{Kind: weights.Potential, About: map[string]any{"shape": h.Shape, "cells": h.Cells}}
	metric := weights.Array{Name: "metric", Shape: []int{h.Cells, h.Cells}}
	for range h.Cells * h.Cells {
		metric.Wide = append(metric.Wide, math.Float64frombits(binary.LittleEndian.Uint64(r.take(8))))
	}
	f.Arrays = append(f.Arrays, metric)
	gap := nn.Spec{Input: nn.Vector(2*h.Cells + 4), Layers: []nn.Layer{
		{Kind: nn.KindDense, Name: "dense_1", Units: 64}, {Kind: nn.KindDense, Name: "dense_2", Units: 64}, {Kind: nn.KindDense, Name: "out", Units: 1}}}
	for _, n := range []struct {
		prefix string
		spec   nn.Spec
	}{{"potential/", h.Shape.Spec()}, {"gap/", gap}} {
		net, err := nn.New(n.spec, nn.Settings{MaxBatch: 1})
		if err != nil {
			return err
		}
		for _, p := range net.Params() {
			f.Arrays = append(f.Arrays, r.array(n.prefix+p.Name, p.Shape, len(p.Value)))
		}
	}
	if len(r.b) != 0 {
		return fmt.Errorf("%d bytes are left over", len(r.b))
	}
	return outfile.Write(to, true, func(w io.Writer) error { return f.Write(w) })
}

type reader struct {
	b    []byte
	bits int // of a weight
}

func (r *reader) take(n int) []byte {
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) array(name string, shape []int, size int) weights.Array {
	a := weights.Array{Name: name, Shape: shape, Type: npz.Float32}
	if r.bits == 16 {
		a.Type = npz.Float16
	}
	for range size {
		if r.bits == 16 {
			a.Data = append(a.Data, float16.Frombits(binary.LittleEndian.Uint16(r.take(2))).Float32())
		} else {
			a.Data = append(a.Data, math.Float32frombits(binary.LittleEndian.Uint32(r.take(4))))
		}
	}
	return a
}
