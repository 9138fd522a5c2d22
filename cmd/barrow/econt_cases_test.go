package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// caseFile is a file of a case that once went wrong, outside the project.
func caseFile(t *testing.T, name ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{"..", "..", "..", "shared", "cases"}, name...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("no such case: %v", err)
	}
	return path
}

// succeed runs a command line that must go well.
func succeed(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	return out.String(), errs.String()
}

// TestCaseQKerasWeights: QKeras rounds, and the user is told that it mattered.
func TestCaseQKerasWeights(t *testing.T) {
	in := caseFile(t, "04-qkeras-encoder-weights", "encoder.hdf5")
	want, err := os.ReadFile(caseFile(t, "04-qkeras-encoder-weights", "right.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for rounding, right := range map[string]bool{"auto": true, "nearest": true, "floor": false} {
		out := filepath.Join(t.TempDir(), "out.csv")
		_, remarks := succeed(t, "econt", "weights", in, out, "--rounding", rounding)
		got, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Equal(got, want) != right {
			t.Errorf("--rounding %s: the right weights: %t, want %t", rounding, !right, right)
		}
		if !strings.Contains(remarks, "2144 of 2144 weights are no multiples of 1/32") {
			t.Errorf("--rounding %s: remarks %q", rounding, remarks)
		}
	}
}
