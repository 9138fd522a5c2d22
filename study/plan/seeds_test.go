package plan

import (
	"context"
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/stat"

	"barrow/hgcal"
)

// TestSeeds: of several seeds each is the plan that it is alone, and the table of modules is the
// first one's; an interruption changes nothing.
func TestSeeds(t *testing.T) {
	p := small(t)
	rows := []string{"layer,waferu,waferv,links"}
	list, _ := own(hgcal.GeometryV11)
	for i := 0; i < len(list); i += 400 {
		m := list[i]
		rows = append(rows, fmt.Sprintf("%d,%d,%d,%d", m.Layer, m.U, m.V, m.links))
	}
	p.Modules = modulesFile(t, rows...)
	p.EncoderLinks, p.Masks, p.Decoders, p.Seeds, p.Seed, p.PerClass = []int{0}, nil, 0, 3, 5, 200
	together := filepath.Join(t.TempDir(), "run")
	ctx, cancel := context.WithCancel(context.Background())
	_, _, err := Start(ctx, together, p, Settings{Threads: 1, Progress: func(share float64, _ string) {
		if share > 0.6 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r, _, err := Start(context.Background(), together, p, Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	of := r.OverSeeds
	if len(of.Seeds) != 3 || r.Comparison != of.Seeds[0].All {
		t.Fatalf("%+v, %+v", of, r.Comparison)
	}
	var ratios []float64
	p.Seeds = 1
	for k, s := range of.Seeds {
		p.Seed = uint64(5 + k)
		alone, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if s.Seed != p.Seed || s.All != alone.Comparison || *s.WithoutTS != *alone.WithoutTS {
			t.Errorf("seed %d: %+v, alone %+v", s.Seed, s, alone.Comparison)
		}
		if i := alone.OverSeeds.All.Interval; !(i.Low < alone.Ratio && alone.Ratio < i.High) || alone.OverSeeds.All.Ratio.Std != 0 {
			t.Errorf("seed %d: %+v", p.Seed, alone.OverSeeds.All)
		}
		ratios = append(ratios, s.All.Ratio)
	}
	mean, std := stat.MeanStdDev(ratios, nil)
	if m := of.All.Ratio; m.Mean != mean || m.Std != std || std == 0 {
		t.Errorf("ratio %v, want %v ± %v", m, mean, std)
	}
	if i := of.All.Interval; !(i.Low < mean && mean < i.High) {
		t.Errorf("interval %+v of %v", i, mean)
	}
	if _, rows := r.Seeds(); len(rows) != 4 {
		t.Errorf("%v", rows)
	}
}

// TestInterval: it is as wide as images are few: of one class with an algorithm that leaves 1 of
// half of the images and 3 of the others, and another that leaves 4 always, it is that of the
// mean of n such numbers.
func TestInterval(t *testing.T) {
	const n = 400
	o := &outcome{work: &work{plan: Plan{Figure: figureMean, Seed: 1}, classes: []class{{modules: make([]int, 7)}}}, measures: make([]measure, 1)}
	h := held{scores: []int{0, 1}, emd: make([][]float64, 2)}
	for i := range n {
		h.weights = append(h.weights, 1)
		h.emd[0], h.emd[1] = append(h.emd[0], float64(1+2*(i%2))), append(h.emd[1], 4)
	}
	o.held = []held{h}
	o.compared[everything] = &contest{in: []int{0}, choice: []int{0}, single: []int{1}}
	got := intervals([]*outcome{o})
	want := 1.96 * 1 / math.Sqrt(n) / 4
	for _, d := range []float64{0.5 - got[everything].Low, got[everything].High - 0.5} {
		if math.Abs(d/want-1) > 0.15 {
			t.Errorf("interval %+v, want 0.5 ± %.4f", got[everything], want)
		}
	}
	if two := intervals([]*outcome{o, o}); two[everything].High-two[everything].Low > 0.8*(got[everything].High-got[everything].Low) {
		t.Errorf("of twice as many images %+v, of one seed %+v", two[everything], got[everything])
	}
}
