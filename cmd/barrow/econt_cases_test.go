package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/shared"
)

// caseFile is a file of a case that once went wrong, outside the project.
func caseFile(t *testing.T, name ...string) string {
	t.Helper()
	return shared.Case(t, name...)
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

// TestCaseWildcardBlocks: blocks that are alike are written once with a *, and
// the register map's own counts are no registers.
func TestCaseWildcardBlocks(t *testing.T) {
	dir := "09-econt-sw-wildcard-blocks"
	input := caseFile(t, dir, "input.csv")
	for _, name := range []string{"ts_with_all_blocks.yaml", "counts.yaml"} {
		out, _ := succeed(t, "econt", "run", "--config", caseFile(t, dir, name), "--input", input, "--out", "-")
		if !strings.HasPrefix(out, "TX_DATA_0,") || strings.Count(out, "\n") < 2 {
			t.Errorf("%s: output %q", name, out)
		}
	}
}

// TestCaseOverlay: a small file changes a part of a base.
func TestCaseOverlay(t *testing.T) {
	dir := "19-register-overlay"
	base, overlay := caseFile(t, dir, "base.yaml"), caseFile(t, dir, "overlay.yaml")
	run := func(args ...string) (string, string) {
		return succeed(t, append([]string{"econt", "run", "--input", caseFile(t, dir, "input.csv"), "--out", "-"}, args...)...)
	}
	alone, remarks := run("--config", overlay)
	if !strings.Contains(remarks, "assumed prod: Mux counts inputs as prod does, bits 27-21 of a word first") {
		t.Errorf("the overlay alone: nothing says which convention was assumed: %q", remarks)
	}
	_, remarks = run("--config", overlay, "--quiet")
	if remarks != "" {
		t.Errorf("--quiet: %q", remarks)
	}
	p1, _ := run("--config", overlay, "--mux", "p1")
	if p1 == alone {
		t.Error("both conventions give the same output: the case says nothing")
	}
	joined, remarks := run("--config", base, "--config", overlay)
	if strings.Contains(remarks, "assumed") || strings.Contains(remarks, "alg_type") || strings.Contains(remarks, "select not given") {
		t.Errorf("base and overlay: %q", remarks)
	}
	again, _ := run("--config", overlay, "--config", base, "--config", overlay)
	if again != joined {
		t.Error("the dialect is not that of the first file that tells one")
	}
	onlyBase, _ := run("--config", base)
	if joined == onlyBase || joined == p1 {
		t.Error("one of the two files was not read")
	}
	// The two by hand in one file are the same.
	text, err := os.ReadFile(base)
	if err != nil {
		t.Fatal(err)
	}
	part, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	whole := filepath.Join(t.TempDir(), "whole.yaml")
	head, _, _ := strings.Cut(string(text), "Mux:")
	if err := os.WriteFile(whole, []byte(head+string(part)), 0o600); err != nil {
		t.Fatal(err)
	}
	if hand, _ := run("--config", whole); hand != joined {
		t.Error("base and overlay are not what they are in one file")
	}
}

// TestRemarksArePrintable: what a file's name holds for a terminal does not reach
// it, in remarks as in errors.
func TestRemarksArePrintable(t *testing.T) {
	dir := t.TempDir()
	config, input := filepath.Join(dir, "a\x1b[2Jb.yaml"), filepath.Join(dir, "in\x07.csv")
	words := strings.TrimSuffix(strings.Repeat("90000000,", 12), ",") + "\n"
	var header []string
	for k := range 12 {
		header = append(header, fmt.Sprintf("RX_DATA_%d", k))
	}
	for path, text := range map[string]string{
		config: "ConfigAlgo: {Global: {alg_type: 3}}\n",
		input:  strings.Join(header, ",") + "\n" + words,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Skip(err)
		}
	}
	_, remarks := succeed(t, "econt", "run", "--config", config, "--input", input)
	if !strings.Contains(remarks, `a\x1b[2Jb.yaml: Cal not given`) || strings.ContainsAny(remarks, "\x1b\x07") {
		t.Errorf("remarks %q", remarks)
	}
	var out, errs bytes.Buffer
	if code := execute([]string{"econt", "run", "--config", config, "--input", input, "--first-bx", "5", "--quiet"}, strings.NewReader(""), &out, &errs); code == 0 || strings.ContainsAny(errs.String(), "\x1b\x07") {
		t.Errorf("exit code %d, %q", code, errs.String())
	}
}
