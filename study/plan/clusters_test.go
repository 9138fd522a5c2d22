package plan

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"barrow/evaluate"
)

// TestClusters: the classes' parts of clusters make nearly all of each; all cells leave nothing
// off, but for the codes' steps; and of nothing that arrives all is off.
func TestClusters(t *testing.T) {
	p := Quick()
	p.PerClass, p.Figure = 30, figureResolution
	w := prepared(t, p)
	ctx := context.Background()
	var err error
	if w.hits[heldOut], err = w.clusters(ctx, heldOutSeed); err != nil {
		t.Fatal(err)
	}
	sums, wafers := make([]float64, p.PerClass), 0
	for k := range w.classes {
		h := &w.hits[heldOut][k]
		wafers += h.images.Len()
		for i, e := range h.event {
			sums[e] += h.part(i, h.images.Image(i))
		}
	}
	for e, v := range sums {
		if v > 1+1e-9 || v < 0.9 {
			t.Errorf("event %d: the modules have %v of the cluster", e, v)
		}
	}
	if wafers < 30*p.PerClass {
		t.Errorf("%d wafers in %d clusters", wafers, p.PerClass)
	}
	busy := 0
	for k := range w.classes {
		if w.hits[heldOut][k].images.Len() > w.hits[heldOut][busy].images.Len() {
			busy = k
		}
	}
	n := len(w.classes[busy].modules)
	of := func(c Candidate, scale float64) (float64, float64) {
		off, used, err := w.off(ctx, busy, heldOut, c, scale)
		if err != nil {
			t.Fatal(err)
		}
		return math.Sqrt(energy(off, n)), used
	}
	whole, scale := of(Candidate{Algorithm: "RPT", Decoding: evaluate.DecodeKept, Links: 11}, 0)
	if math.Abs(scale-1) > 0.01 {
		t.Errorf("all cells are calibrated by %v", scale)
	}
	few, _ := of(Candidate{Algorithm: "BC", Decoding: evaluate.DecodeKept, Links: 1}, 0)
	more, _ := of(Candidate{Algorithm: "BC", Decoding: evaluate.DecodeKept, Links: 4}, 0)
	none, _ := of(Candidate{Algorithm: "TS", Decoding: evaluate.DecodeKept, Links: 1, Threshold: 1 << 20}, 0)
	if !(whole < 0.2*more && more < few && few < none) {
		t.Errorf("off by %v with all cells, %v of 4 links, %v of 1, %v of none", whole, more, few, none)
	}
	if one, _ := of(Candidate{Algorithm: "BC", Decoding: evaluate.DecodeKept, Links: 1}, 1); one < few {
		t.Errorf("not calibrated %v, calibrated %v", one, few)
	}
}

// TestResolution: a plan by resolution has no larger one, on the images that it chooses by, than any
// single algorithm; what it says is the sum over its classes.
func TestResolution(t *testing.T) {
	p := small(t)
	p.EncoderLinks, p.Masks, p.Decoders, p.Figure, p.PerClass = []int{0}, nil, 0, figureResolution, 120
	r, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	sum, single, seen := 0.0, 0.0, false
	for _, c := range r.Classes {
		for _, s := range c.Scores {
			if p.better(s.Validation, c.chosen().Validation) {
				t.Errorf("%s: %s is better than the choice", c.Name, s.Label())
			}
		}
		seen = seen || c.chosen().Validation.Energy > 0
		sum += float64(c.Modules) * c.chosen().HeldOut.Energy
		single += float64(c.Modules) * scoreOf(c.measure, r.BestSingle.Algorithm, r.BestSingle.Decoding).HeldOut.Energy
	}
	if !seen || math.Abs(r.Value-math.Sqrt(sum)) > 1e-12 || math.Abs(r.BestSingle.Value-math.Sqrt(single)) > 1e-12 {
		t.Errorf("%v and %v, want %v and %v", r.Value, r.BestSingle.Value, math.Sqrt(sum), math.Sqrt(single))
	}
	if r.Clusters == nil || !(r.Clusters.Plan > 0) {
		t.Errorf("%+v", r.Clusters)
	}
	if i := r.OverSeeds.All.Interval; i.Low > r.Ratio || i.High < r.Ratio {
		t.Errorf("%+v of %v", i, r.Ratio)
	}
}
