package plan

import (
	"math"
	"testing"

	"barrow/econt"
	"barrow/evaluate"
)

// TestFilled: what is compared with where there is charge is the algorithm that is best there, by
// validation images, whichever is best of all modules.
func TestFilled(t *testing.T) {
	score := func(algorithm string, chosen, measured float64) Score {
		return Score{Candidate: Candidate{Algorithm: algorithm, Decoding: evaluate.DecodeKept}, Validation: Errors{EMD: chosen}, HeldOut: Errors{EMD: measured}}
	}
	w := &work{plan: Plan{Figure: figureMean}, modules: make([]module, 1), classes: []class{{modules: make([]int, 9)}, {modules: make([]int, 2)}}}
	measures := []measure{
		{Charge: [2]float64{1, 1}, Scores: []Score{score("BC", 0.1, 0.1), score("TS", 1, 1)}},
		{Charge: [2]float64{100, 100}, Scores: []Score{score("BC", 3, 0.5), score("TS", 2, 4)}},
	}
	o := &outcome{work: w, measures: measures}
	o.contend()
	if c := o.compared[everything]; c.BestSingle.Algorithm != "BC" {
		t.Errorf("of all %+v", c.BestSingle)
	}
	if c := o.compared[thresholdOut]; c.BestSingle.Algorithm != "BC" || math.Abs(c.Value-(9*0.1+2*0.5)/11) > 1e-12 {
		t.Errorf("without TS %+v", c)
	}
	f := o.compared[filled]
	if f.Modules != 2 || f.BestSingle.Algorithm != "TS" || f.BestSingle.MeanEMD != 4 || f.Ratio != 1 {
		t.Errorf("of those with charge %+v", f)
	}
}

// TestBest: decoders are trained for the algorithms that leave the figure smallest, drop what
// leaves it smallest at each density, and take the figure of the worst class where that counts.
func TestBest(t *testing.T) {
	w := &work{plan: Plan{Decoders: 1}, classes: []class{{links: 2, modules: make([]int, 9)}, {links: 2, high: true, modules: make([]int, 1)}}}
	hand := make([]measure, 2)
	for k := range hand {
		for _, s := range evaluate.SchemesOn(2) {
			one := Score{Candidate: Candidate{Algorithm: s.Short(), Decoding: s.Decoding, Links: s.Links}, Validation: Errors{EMD: 9}}
			switch { // of nine modules and of one
			case one.Algorithm == "BC" && one.Decoding == evaluate.DecodeSpread:
				one.Validation.EMD = []float64{1, 5}[k]
				for d := range econt.MaxDropLSB + 1 {
					one.ByDrop = append(one.ByDrop, Errors{EMD: []float64{[]float64{3, 2, 1, 4, 5}[d], []float64{9, 8, 7, 6, 5}[d]}[k]})
				}
			case one.Algorithm == "STC4 4E3M":
				one.Validation.EMD = []float64{3, 3}[k]
			}
			hand[k].Scores = append(hand[k].Scores, one)
		}
	}
	for figure, want := range map[string]string{figureMean: "BC", figureWorst: "STC4 4E3M"} {
		w.plan.Figure = figure
		if list := w.best(2, hand); len(list) != 1 || list[0].Short() != want {
			t.Errorf("%s: %v, want %s", figure, list, want)
		}
	}
	w.plan.Figure = figureMean
	if got := w.dropped(2, w.best(2, hand)[0], hand); got != [2]int{2, 4} {
		t.Errorf("drop_lsb %v", got)
	}
	w.classes[1].high = false
	if got := w.dropped(2, w.best(2, hand)[0], hand); got != [2]int{2, 2} {
		t.Errorf("drop_lsb %v without modules of high density", got)
	}
}
