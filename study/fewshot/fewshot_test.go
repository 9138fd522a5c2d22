package fewshot

import (
	"bytes"
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// small is a run of a few seconds.
func small() Plan {
	p := Default()
	p.Methods = []string{byFOMAML, byMAML, byReptile}
	p.Tasks, p.Images, p.Choice, p.Test, p.Shots, p.Steps, p.Judged = 8, 24, 2, 3, 8, 2, 20
	p.Full, p.Epochs, p.Budget, p.Inner, p.Query = 60, 2, 6000, 8, 8
	return p
}

// files are a finished run's, but for the page.
func files(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, pattern := range []string{run.Results, run.Config, filepath.Join(run.Weights, "*")} {
		found, err := filepath.Glob(filepath.Join(folder, pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, f := range found {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			out[strings.TrimPrefix(f, folder)] = b
		}
	}
	return out
}

// TestStart: a run leaves a start that can be loaded, and figures of every contender; it gives the same bytes on any
// number of threads and after interruptions, and is drawn again.
func TestStart(t *testing.T) {
	first := t.TempDir()
	share := 0.0
	r, err := Start(t.Context(), first, small(), Settings{Threads: 1, Progress: func(s float64, note string) {
		if s < share || s > 1+1e-9 || note == "" {
			t.Errorf("%v %q after %v", s, note, share)
		}
		share = s
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 5 || len(r.Full) != 1 || len(r.Tasks) != 3 || len(r.Kept) != 1 || r.Conclusion() == "" {
		t.Errorf("%+v", r)
	}
	for _, row := range r.Rows {
		if len(row.Curve) != 3 || len(row.Tasks) != 3 || !(row.EMD > 0) || row.Full == nil || (row.Pooled == nil) != (row.Contender == ofPooled) {
			t.Errorf("%+v", row)
		}
		if row.Passes > float64(r.Plan.Budget) || row.Passes < 0.8*float64(r.Plan.Budget) {
			t.Errorf("%s: %v passes of %d", row.Contender, row.Passes, r.Plan.Budget)
		}
	}
	m, err := autoencoder.Load(filepath.Join(first, filepath.FromSlash(r.Kept[0])), nn.Settings{})
	if err != nil || m.Architecture().Precision != "asic" {
		t.Errorf("%v, %v", m, err)
	}
	if p, err := Page(first); err != nil || len(p.Sections) != 1 || len(p.Tables[0].Rows) != 6 {
		t.Errorf("%+v, %v", p, err)
	}
	want := files(t, first)
	second := t.TempDir()
	shared.Stops(t, []float64{0.2, 0.4, 0.6}, func(ctx context.Context, progress func(float64, string)) error {
		_, err := Start(ctx, second, small(), Settings{Threads: 3, Progress: progress})
		return err
	})
	got := files(t, second)
	for name, b := range want {
		if !bytes.Equal(got[name], b) {
			t.Errorf("%s differs", name)
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d files, not %d", len(got), len(want))
	}
}

func TestErrors(t *testing.T) {
	for want, spoil := range map[string]func(p *Plan){
		"methods: maml is named twice":     func(p *Plan) { p.Methods = []string{byMAML, byMAML} },
		"0 methods":                        func(p *Plan) { p.Methods = nil },
		`methods = "proto"`:                func(p *Plan) { p.Methods = []string{"proto"} },
		"images = 12: want at least the 8": func(p *Plan) { p.Images = 12 },
		"first = 1: want a share":          func(p *Plan) { p.First = 1 },
		"test_tasks = 1: want at least 2":  func(p *Plan) { p.Test = 1 },
		"shots = 501":                      func(p *Plan) { p.Shots = 501 },
		"budget = 0":                       func(p *Plan) { p.Budget = 0 },
		"inner_rate = 0":                   func(p *Plan) { p.Inside = 0 },
		"full = 3: want 10":                func(p *Plan) { p.Full = 3 },
		"the second order does not know":   func(p *Plan) { p.Decoder = "residual" },
		`precisions = "double"`:            func(p *Plan) { p.Precisions = []string{"double"} },
		"rates_rate = 2: want a number":    func(p *Plan) { p.Speed = 2 },
	} {
		p := small()
		spoil(&p)
		folder := filepath.Join(t.TempDir(), "run")
		if _, err := Start(t.Context(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: there is a folder", want)
		}
	}
}

// TestTasks: a task is the same whenever it is drawn, its wafers too, and tasks differ.
func TestTasks(t *testing.T) {
	seen := map[string]bool{}
	links := map[int]int{}
	for k := range 200 {
		x := drawTask(1, taskTrain, k)
		if x != drawTask(1, taskTrain, k) || x == drawTask(1, taskTest, k) || x == drawTask(2, taskTrain, k) {
			t.Fatalf("%+v", x)
		}
		seen[x.Name()] = true
		links[x.Links]++
	}
	if len(seen) != 200 || len(links) != 4 {
		t.Errorf("%d tasks, links %v", len(seen), links)
	}
	x, few, err := findTask(t.Context(), 1, taskTest, 0, 20)
	if err != nil {
		t.Fatal(err)
	}
	many, err := x.images(t.Context(), 50)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range few.Charge {
		if v != many.Charge[i] {
			t.Fatalf("charge %d depends on how many wafers are drawn", i)
		}
	}
}

// TestAgeing: dead cells are dark, hot ones are not, and the gain is lost that is said.
func TestAgeing(t *testing.T) {
	x := drawTask(1, taskTrain, 1)
	x.Preset, x.PileUp, x.Loss, x.Dead, x.Hot, x.Noise = "pileup200", 200, 0, 0, 0, 0
	new, err := x.images(t.Context(), 200)
	if err != nil {
		t.Fatal(err)
	}
	x.Loss, x.Dead, x.Hot = 0.4, 5, 2
	a, err := x.ageing()
	if err != nil {
		t.Fatal(err)
	}
	old := &wafer.Set{Charge: slices.Clone(new.Charge)}
	a.apply(old, 0)
	var fresh, aged float64
	for c, gain := range a.Gain {
		sum := 0.0
		for i := range 200 {
			sum += old.Image(i)[c]
			if gain > 0 && a.Hot[c] == 0 {
				fresh, aged = fresh+new.Image(i)[c], aged+old.Image(i)[c]
			}
		}
		if (sum == 0) != (gain == 0 && a.Hot[c] == 0) {
			t.Errorf("cell %d: gain %v, hot %v, sum %v", c, gain, a.Hot[c], sum)
		}
	}
	if share := aged / fresh; share < 0.4 || share > 0.75 {
		t.Errorf("%v of the charge is left", share)
	}
}

// TestTuneKeepsTheBest: steps that go too far are left out, those that help are kept.
func TestTuneKeepsTheBest(t *testing.T) {
	const steps = 4
	b := newBench(t, autoencoder.Architecture{}, 16)
	losses := func(rate float64) (list []float64) {
		t.Helper()
		err := b.tune(t.Context(), &state{Weights: b.weights}, tuning{Way: "sgd", Rate: rate}, b.task, b.images, b.index, steps, func(w []float64) error {
			v, err := b.value(t.Context(), w, b.task.bits(), b.images, b.index)
			list = append(list, v)
			return err
		})
		if err != nil || len(list) != steps+1 {
			t.Fatalf("%v, %v", list, err)
		}
		return list
	}
	for _, rate := range []float64{30, 0.01} {
		list := losses(rate)
		if !slices.IsSortedFunc(list, func(a, b float64) int { return cmp.Compare(b, a) }) {
			t.Errorf("steps of rate %v that make it worse are kept: %v", rate, list)
		}
		if tame := rate < 1; (len(slices.Compact(list)) == steps+1) != tame {
			t.Errorf("steps of rate %v: %v", rate, list)
		}
	}
}
