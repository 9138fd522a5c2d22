package onnx

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/npz"
	"barrow/internal/shared"
	"barrow/model"
)

// readArrays reads a file of NumPy's arrays.
func readArrays(t *testing.T, path string) map[string]*model.Array {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := npz.NewArchive(bytes.NewReader(b), int64(len(b)), path)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*model.Array{}
	for i, name := range a.Names {
		s, err := a.Open(i)
		if err != nil {
			t.Fatal(err)
		}
		v, err := s.All()
		if err != nil {
			t.Fatal(err)
		}
		out[strings.TrimSuffix(name, ".npy")] = &model.Array{Shape: s.Shape, Data: v}
		s.Close()
	}
	return out
}

// near checks two lists of numbers against each other.
func near(got, want []float64, relative, absolute float64) bool {
	return slices.EqualFunc(got, want, func(a, b float64) bool {
		return a == b || math.Abs(a-b) <= absolute+relative*math.Abs(b)
	})
}

// TestBackend runs ONNX' own tests that PyTorch exported.
func TestBackend(t *testing.T) {
	dir := shared.Data(t, "onnx")
	b, err := os.ReadFile(filepath.Join(dir, "cases.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name string
		Core bool
		Ops  []string
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	right := 0
	for _, c := range cases {
		r, err := Open(filepath.Join(dir, c.Name+".onnx"))
		if err != nil {
			if c.Core || !slices.ContainsFunc(c.Ops, func(op string) bool { return strings.Contains(err.Error(), op) }) {
				t.Errorf("%s: %v", c.Name, err)
			}
			continue
		}
		a := readArrays(t, filepath.Join(dir, c.Name+".npz"))
		out, err := r.Run(context.Background(), []*model.Array{a["x"]})
		if err != nil {
			t.Errorf("%s: %v", c.Name, err)
			continue
		}
		if !near(out[0].Data, a["y"].Data, 1e-4, 1e-5) {
			t.Errorf("%s is wrong: %v, want %v", c.Name, out[0].Data[:5], a["y"].Data[:5])
			continue
		}
		right++
	}
	t.Logf("%d of %d are right, the others refused", right, len(cases))
}
