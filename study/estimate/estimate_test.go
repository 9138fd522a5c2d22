package estimate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model/keras"
	"barrow/nn"
	"barrow/run"
	"barrow/study/internal/page"
	"barrow/surrogate"
)

func small() Plan {
	p := Default()
	p.Events, p.Pairs, p.Epochs, p.Architecture = 300, 400, 3, "4x3x1-8-surplus"
	return p
}

func read(t *testing.T, name ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(name...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestTrain: one thread, two, and an interruption give the same bytes, and the page
// can be laid out again from them.
func TestTrain(t *testing.T) {
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	r, err := Train(context.Background(), whole, small(), Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if r.Accuracy.N != heldOut || len(r.Curve) != 3 || r.BestEpoch < 1 || r.Plan.Digest == "" {
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err = Train(ctx, broken, small(), Settings{Threads: 2, Progress: func(share float64, note string) {
		if share > 0.4 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	var said []string
	if _, err := Train(context.Background(), broken, small(), Settings{Threads: 2, Remark: func(s string) { said = append(said, s) }}); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "going on with the interrupted run") {
		t.Errorf("said %q", said)
	}
	if read(t, whole, run.Results) != read(t, broken, run.Results) {
		t.Error("two threads and an interruption changed the results")
	}
	p, err := Page(whole)
	if err != nil || p.Title != "EMD network 4x3x1-8-surplus" {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestEncoders: decoded images are learnt from, those of a conditional encoder, whose
// conditions are columns of the images, too; what is assumed of one of another
// program is said.
func TestEncoders(t *testing.T) {
	dir := t.TempDir()
	conditional, err := autoencoder.Architecture{Conditional: true}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(dir, "conditional.weights")
	if err := conditional.Save(own); err != nil {
		t.Fatal(err)
	}
	plain, err := autoencoder.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	f, err := keras.Export(plain.Network())
	if err != nil {
		t.Fatal(err)
	}
	theirs := filepath.Join(dir, "theirs.h5")
	if err := f.Write(theirs, false); err != nil {
		t.Fatal(err)
	}
	p := small()
	p.Kind, p.Encoders = surrogate.AE, []string{own, theirs}
	var said []string
	if _, err := Train(context.Background(), filepath.Join(dir, "run"), p, Settings{Threads: 1, Remark: func(s string) { said = append(said, s) }}); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "theirs.h5: a file in the format keras does not say") {
		t.Errorf("said %q", said)
	}
}

// TestIdentity: what a run reads is part of what it is known by.
func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	// An encoder in two files: what is named is the architecture.
	encoder, trained := filepath.Join(dir, "encoder.json"), filepath.Join(dir, "encoder.h5")
	p := small()
	p.Encoders = []string{encoder}
	if _, err := p.inputs(); err == nil {
		t.Error("an encoder that is not there was accepted")
	}
	digest := func(text string) string {
		for path, content := range map[string]string{encoder: `{"class_name": "Functional"}`, trained: text} {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		in, err := p.inputs()
		if err != nil || len(in) != 2 || !strings.Contains(in[0].Name, encoder) || !strings.Contains(in[1].Name, trained) {
			t.Fatal(in, err)
		}
		return in[1].SHA256
	}
	if digest("one") == digest("two") {
		t.Error("other weights have the same digest")
	}
}

func TestCheck(t *testing.T) {
	for want, spoil := range map[string]func(*Plan){
		`pairs_kind = "pair" has no decoded`: func(p *Plan) { p.Kind, p.Encoders = surrogate.Pair, []string{"a"} },
		"pairs = 0: want 1 to":               func(p *Plan) { p.Pairs = 0 },
		"epochs = -1: want 1 to":             func(p *Plan) { p.Epochs = -1 },
		"batch = -1: want 1 to":              func(p *Plan) { p.Batch = -1 },
		"gradient = -1: want":                func(p *Plan) { p.Gradient = -1 },
		"gradient = NaN: want":               func(p *Plan) { p.Gradient = math.NaN() },
		"gradient = 0.1: a potential":        func(p *Plan) { p.Architecture, p.Gradient = "16x1", 0.1 },
		`loss = "mse": a potential`:          func(p *Plan) { p.Architecture, p.Loss = "potential", "mse" },
		`loss = "l1": it may be relative`:    func(p *Plan) { p.Loss = "l1" },
		`pairs_kind = "old": it may be pair`: func(p *Plan) { p.Kind = "old" },
		"bits = 16: want 32":                 func(p *Plan) { p.Bits = 16 },
		`"tall": want n1, paper, potential,`: func(p *Plan) { p.Architecture = "tall" },
		"architecture: surrogate":            func(p *Plan) { p.Architecture = "32x5x3" },
		"nowhere.csv":                        func(p *Plan) { p.Metric = "nowhere.csv" },
		"events = 0":                         func(p *Plan) { p.Events = 0 },
	} {
		p := small()
		spoil(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	for want, spoil := range map[string]func(*ScanPlan){
		"repeats = 0: want 1 to":   func(p *ScanPlan) { p.Repeats = 0 },
		"nothing to train":         func(p *ScanPlan) { p.Losses = nil },
		"networks 200000: want":    func(p *ScanPlan) { p.Architectures, p.Repeats = make([]string, 200), 1000 },
		"asked for twice":          func(p *ScanPlan) { p.Losses = []string{"mse", "mse"} },
		`losses = "l1": it may be`: func(p *ScanPlan) { p.Losses = []string{"l1"} },
	} {
		p := DefaultScan()
		p.Losses = []string{"mse"}
		spoil(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := DefaultScan().Check(); err != nil || len(DefaultScan().trials()) != 72 {
		t.Errorf("the paper's scan: %v", err)
	}
}

// TestKept: an accuracy of which not all figures are there comes back as it was,
// and is drawn without them.
func TestKept(t *testing.T) {
	a := surrogate.Accuracy{N: 3, Bias: -0.125, Spread: 0.1, MAE: 2, Correlation: math.NaN(), CosineMedian: math.NaN(), CosineP10: math.NaN(), NoGradientPair: 3}
	b, err := json.Marshal(kept(a))
	if err != nil {
		t.Fatal(err)
	}
	var again kept
	if err := json.Unmarshal(b, &again); err != nil || fmt.Sprint(again) != fmt.Sprint(kept(a)) {
		t.Errorf("%+v, %v", again, err)
	}
	if got := fmt.Sprint(accuracyCells(a)); got != "[3 −0.1250 0.1000 2.0000 – – –]" {
		t.Error(got)
	}
}

// TestValues: the density holds both distributions.
func TestValues(t *testing.T) {
	s := PairSet{Density: Density{Edges: []float64{0, 1, 2}, Count: []float64{1, 2, 3, 4}}}
	h := s.values(page.UnitOf("benchmark")).Histogram
	if e, p := h.Series[0].Count, h.Series[1].Count; e[0] != 4 || e[1] != 6 || p[0] != 3 || p[1] != 7 {
		t.Errorf("exact %v, predicted %v", e, p)
	}
	c, err := Count([]float64{0, 0.6, 0.61, 3}, 0.61)
	if err != nil || len(c.Count) != 60 || c.Edges[60] != 1 || c.Count[0] != 1 || c.Count[36] != 2 {
		t.Errorf("%+v, %v", c, err)
	}
}
