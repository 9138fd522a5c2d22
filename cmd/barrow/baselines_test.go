package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
)

// runJSON executes a command line and decodes the JSON that it prints.
func runJSON(t *testing.T, into any, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	if code := execute(args, strings.NewReader(""), &out, &errs); code != 0 {
		t.Fatalf("%v: exit code %d: %s", args, code, errs.String())
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(out.Bytes(), into); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
}

// TestBaselinesAreEncode: "encoder eval" finds of every algorithm what "econt
// encode" finds of the same file, and of the encoder itself what the chip
// running it finds.
func TestBaselinesAreEncode(t *testing.T) {
	dir := t.TempDir()
	images, weights := filepath.Join(dir, "images.csv"), filepath.Join(dir, "encoder.weights")
	runJSON(t, nil, "simulate", "--events", "300", "--seed", "4", "--out", images, "--quiet")
	m, err := autoencoder.Architecture{Precision: "asic"}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(weights); err != nil {
		t.Fatal(err)
	}
	type encoded struct {
		Wafers int     `json:"wafers"`
		Bits   float64 `json:"bits_mean"`
		Empty  int     `json:"nothing_arrives"`
		Mean   float64 `json:"emd_mean"`
		Median float64 `json:"emd_median"`
	}
	for _, density := range []string{"ld", "hd"} {
		var e struct {
			EMD  evaluate.Summary `json:"emd"`
			Chip struct {
				Links     int                   `json:"encoder_links"`
				Density   string                `json:"wafer_density"`
				Baselines []evaluate.ChipResult `json:"baselines"`
			} `json:"at_equal_bandwidth"`
		}
		runJSON(t, &e, "encoder", "eval", "--weights", weights, "--density", density, "--json", "--quiet", images)
		if e.Chip.Links != 5 || e.Chip.Density != map[string]string{"ld": "low, as given", "hd": "high, as given"}[density] || len(e.Chip.Baselines) != len(evaluate.Schemes(13)) {
			t.Errorf("%d links, density %q, %d baselines", e.Chip.Links, e.Chip.Density, len(e.Chip.Baselines))
		}
		for _, b := range e.Chip.Baselines {
			leaves := b.Fidelity.Of(evaluate.EMD)
			args := []string{"econt", "encode", images, "--json", "--density", density, "--algorithm", b.Algorithm}
			links, spread := b.Links, []string{"--rest"}
			switch b.Algorithm {
			case "STC":
				args = append(args, "--stc-type", fmt.Sprint(b.STCType))
				spread = nil // coarse cells have no other way
				if econt.STCType(b.STCType).Addressed() {
					spread = []string{"--share", "equal"}
				}
			case "TS":
				links = 13
				args = append(args, "--threshold", fmt.Sprint(b.Threshold))
			}
			args = append(args, "--etx", fmt.Sprint(links))
			if b.Decoding == evaluate.DecodeSpread {
				args = append(args, spread...)
			}
			var want encoded
			runJSON(t, &want, args...)
			if math.Abs(b.Bits-want.Bits) > 1e-9 || math.Abs(b.Empty*float64(want.Wafers)-float64(want.Empty)) > 1e-9 || want.Wafers != leaves.N {
				t.Errorf("%v:\n got %+v\nwant %+v", args, b, want)
			}
			if math.Abs(leaves.Mean-want.Mean) > 1e-9 || math.Abs(leaves.Median-want.Median) > 1e-9 {
				t.Errorf("%v: mean EMD %v, median %v, want %v and %v", args, leaves.Mean, leaves.Median, want.Mean, want.Median)
			}
		}
		var want encoded
		runJSON(t, &want, "econt", "encode", images, "--json", "--density", density, "--algorithm", "AE", "--etx", "5", "--model", weights)
		if want.Empty != 0 || math.Abs(e.EMD.Mean-want.Mean) > 1e-9 || math.Abs(e.EMD.Median-want.Median) > 1e-9 {
			t.Errorf("the encoder leaves %v, median %v, the chip that runs it %v, median %v", e.EMD.Mean, e.EMD.Median, want.Mean, want.Median)
		}
	}
}

// TestEncodeConditional: a decoder that takes conditions has them of the file's columns.
func TestEncodeConditional(t *testing.T) {
	dir := t.TempDir()
	images, bare, weights := filepath.Join(dir, "images.csv"), filepath.Join(dir, "bare.csv"), filepath.Join(dir, "encoder.weights")
	runJSON(t, nil, "simulate", "--events", "40", "--seed", "4", "--out", images, "--quiet")
	runJSON(t, nil, "convert", images, bare, "--dialect", "charges", "--quiet")
	m, err := autoencoder.Architecture{Precision: "asic", Conditional: true}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(weights); err != nil {
		t.Fatal(err)
	}
	var e struct {
		EMD evaluate.Summary `json:"emd"`
	}
	runJSON(t, &e, "encoder", "eval", "--weights", weights, "--baselines=false", "--json", "--quiet", images)
	var got struct {
		Mean float64 `json:"emd_mean"`
	}
	encode := []string{"econt", "encode", "--json", "--quiet", "--algorithm", "AE", "--etx", "5", "--model", weights}
	runJSON(t, &got, append(encode, images)...)
	if math.Abs(e.EMD.Mean-got.Mean) > 1e-9 {
		t.Errorf("the encoder leaves %v, the chip that runs it %v", e.EMD.Mean, got.Mean)
	}
	var out, errs bytes.Buffer
	if code := execute(append(encode, bare), strings.NewReader(""), &out, &errs); code == 0 || !strings.Contains(errs.String(), "needs the column") {
		t.Errorf("no columns: exit code %d: %s", code, errs.String())
	}
}
