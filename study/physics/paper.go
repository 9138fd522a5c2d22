package physics

import (
	"fmt"
	"math"
	"strings"

	"barrow/physics"
)

// PaperRow is a figure of arXiv:2306.04712's trigger study beside ours.
type PaperRow struct {
	What    string        `json:"what"`
	Figure  string        `json:"figure"`
	Name    string        `json:"contender"`
	Paper   float64       `json:"paper"`
	Ours    physics.Value `json:"ours"`
	Differs string        `json:"differs"`
}

// paperNames are the paper's contenders, as they are called here.
func paperNames() []string { return []string{allCells, "telescope", "emd-cnn", "weighted-mse"} }

// allCells is what contenders are compared with.
const allCells = "all cells"

// A study of the paper: the class and pile-up that it has, and what was found, in the order of
// paperNames.
type paperStudy struct {
	what, class, figure string
	pileUp              float64
	values              [4]float64
}

func paperStudies() []paperStudy {
	return []paperStudy{
		{"electrons in 200 collisions, σ/mean", "electron", "resolution", 200, [4]float64{0.0850, 0.1125, 0.1102, 0.1231}},
		{"photons without pile-up, response before calibration", "photon", "response_raw", 0, [4]float64{0.961, 0.886, 0.939, 0.692}},
		{"photons without pile-up, σ/mean", "photon", "resolution", 0, [4]float64{0.0414, 0.0495, 0.0445, 0.0826}},
	}
}

// paper sets the paper's figures beside ours, where it measured such events.
func (r *Results) paper() []PaperRow {
	var rows []PaperRow
	for _, s := range paperStudies() {
		if s.class != r.Plan.Class || s.pileUp != r.Plan.PileUp || len(r.Plan.Data) > 0 {
			continue
		}
		differs := fmt.Sprintf("simulated here: p_T %s GeV, |η| %s without the rims (paper: 1.6–2.9 of the whole detector), a model of showers and pile-up in place of GEANT4; encoders trained on its wafers; clusters of this program", r.Plan.Pt, r.Plan.Eta)
		if s.figure == "response_raw" {
			differs += "; the paper's unit of energy is another, so that ratios to all cells compare"
		}
		for k, name := range paperNames() {
			if c := r.Contender(name); c != nil {
				rows = append(rows, PaperRow{What: s.what, Figure: s.figure, Name: c.Name, Paper: s.values[k], Ours: c.Value(s.figure), Differs: differs})
			}
		}
	}
	return rows
}

// Order says whether the paper's order holds: of σ/mean, all cells before the EMD before the
// telescope MSE before the weighted MSE.
type Order struct {
	Figure string   `json:"figure"`
	Pairs  []Better `json:"pairs"`
	Text   string   `json:"text"` // in words
}

// Better sets two contenders against each other on the same events.
type Better struct {
	First  string        `json:"first"`  // that should be better
	Second string        `json:"second"` // than this
	Ratio  physics.Value `json:"ratio"`  // of the first's resolution to the second's
	Holds  string        `json:"holds"`  // yes, no or open
}

// told is how many errors a difference must have to be one.
const told = 2

// order compares neighbours in the paper's order, of those that take part.
func (r *Results) order() Order {
	o := Order{Figure: "resolution"}
	var list []*Contender
	for _, names := range [][]string{{allCells}, {"emd", "emd-cnn"}, {"telescope"}, {"weighted-mse"}} {
		for _, n := range names {
			if c := r.Contender(n); c != nil {
				list = append(list, c)
				break
			}
		}
	}
	if len(list) < 3 {
		o.Text = "The paper's contenders do not all take part: nothing is said of its order."
		return o
	}
	yes, no := 0, 0
	var steps []string
	for k := 1; k < len(list); k++ {
		a, b := list[k-1], list[k]
		va, vb := a.Value(o.Figure), b.Value(o.Figure)
		p := Better{First: a.Name, Second: b.Name, Ratio: va.Over(&vb), Holds: "open"}
		verdict := "not told apart"
		if d := (1 - p.Ratio.Value) / p.Ratio.Error; !math.IsNaN(d) && math.Abs(d) >= told {
			if d > 0 {
				p.Holds, verdict = "yes", "as there"
				yes++
			} else {
				p.Holds, verdict = "no", "the other way round"
				no++
			}
		}
		o.Pairs = append(o.Pairs, p)
		steps = append(steps, fmt.Sprintf("%s over %s is %s, %s", r.title(a), r.title(b), p.Ratio.Print(3), verdict))
	}
	switch {
	case yes == len(o.Pairs):
		o.Text = "The paper's order holds here: in σ/mean all cells, then the EMD, the telescope MSE and the weighted MSE, each step by more than two of its errors."
	case no > 0:
		o.Text = fmt.Sprintf("The paper's order does not hold here in all steps, but in %d of %d", yes, len(o.Pairs))
	default:
		o.Text = "The paper's order is neither confirmed nor refuted here: the errors do not tell all neighbours apart"
	}
	if yes < len(o.Pairs) {
		o.Text += ". Of σ/mean, " + strings.Join(steps, "; ") + "."
	}
	return o
}
