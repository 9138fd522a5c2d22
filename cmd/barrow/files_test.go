package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/wafer"
)

// A sum beyond float64 is null in JSON, which has no infinity; of numbered columns
// together, too.
func TestInspectedSum(t *testing.T) {
	s := statsOf(&wafer.Stats{Values: 2, Min: 1e308, Max: 1e308, Sum: math.Inf(1)})
	for _, got := range []*inspectedStats{s, joined([]inspectedField{{inspectedStats: s}, {inspectedStats: s}})} {
		b, err := json.Marshal(got)
		if err != nil {
			t.Fatal(err)
		}
		if got.Sum != nil || got.Max == nil || *got.Max != 1e308 {
			t.Errorf("%s", b)
		}
	}
}

// A pattern in the place of the output is one of inputs, the output forgotten.
func TestApartPattern(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"a_1.csv", "a_2.csv"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	err := apart(nil, filepath.Join(dir, "a_*.csv"))
	if err == nil || !strings.Contains(err.Error(), "of 2 files that are there") {
		t.Error(err)
	}
	for _, out := range []string{"b_*.csv", "a_1.csv", "a_3.csv"} {
		if err := apart(nil, filepath.Join(dir, out)); err != nil {
			t.Error(err)
		}
	}
}
