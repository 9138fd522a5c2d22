package plan

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"barrow/evaluate"
	"barrow/study/internal/page"
)

// Results are all that a plan found, without times. The modules themselves are in the table.
type Results struct {
	Plan    Plan `json:"config"`
	Modules int  `json:"modules"`
	// MeanEMD is that of the modules, each counting the same: of a module that of the held-out
	// images of its class, as the plan sets it.
	MeanEMD float64 `json:"mean_emd"`
	// Value is the figure that was to be small.
	Value float64 `json:"value"`
	// BestSingle is the algorithm with its rule by hand that is best, by the validation images,
	// where all modules have the same.
	BestSingle Single `json:"best_single"`
	// Ratio is Value over BestSingle's.
	Ratio   float64       `json:"ratio"`
	Singles []Single      `json:"singles"` // all of them, the best first
	Filled  Filled        `json:"filled"`
	Sets    []Set         `json:"sets"` // of trained weights
	Classes []ClassResult `json:"classes"`
	Layers  []Layer       `json:"layers"`
}

// Filled is the same of the classes whose images have more than one MIP_T on average: in others
// images of a few counts decide, of which some algorithms send nothing. The best single algorithm
// is that of these classes' validation images.
type Filled struct {
	Modules    int     `json:"modules"`
	MeanEMD    float64 `json:"mean_emd"`
	Value      float64 `json:"value"`
	BestSingle Single  `json:"best_single"`
	Ratio      float64 `json:"ratio"`
}

// A Single is one algorithm for all modules, each on its own links, with one rule by hand; the
// bits that it drops are each class's best.
type Single struct {
	Algorithm string            `json:"algorithm"`
	Decoding  evaluate.Decoding `json:"decoding"`
	MeanEMD   float64           `json:"mean_emd"`
	Value     float64           `json:"value"`
	chosen    float64           // value of the validation images
}

// Label is the algorithm with its rule.
func (s Single) Label() string {
	return Candidate{Algorithm: s.Algorithm, Decoding: s.Decoding}.Label()
}

// A ClassResult is what was found of a class of modules.
type ClassResult struct {
	Name    string     `json:"name"`
	Links   int        `json:"links"`
	Density string     `json:"density"`
	Layers  [2]int     `json:"layers"`
	Eta     [2]float64 `json:"eta"`
	Modules int        `json:"modules"`
	measure
	Choice    int     `json:"choice"` // of the scores, from 0
	EMD       float64 `json:"emd"`    // of the choice, held-out images
	Single    float64 `json:"best_single_emd"`
	Registers string  `json:"registers"` // folder of the register files
}

// chosen is the score of the choice.
func (c *ClassResult) chosen() *Score { return &c.Scores[c.Choice] }

// A Layer is where its modules are: x and y of the centre in cm, and the number of the class.
type Layer struct {
	Layer   int          `json:"layer"`
	Modules [][3]float64 `json:"modules"`
}

// results puts together what was measured.
func (w *work) results(sets []Set, measures []measure) *Results {
	choice := w.plan.choose(w.classes, measures, sets, w.plan.WeightsLimit)
	in := w.of(func(*class) bool { return true })
	r := &Results{Plan: w.plan, Modules: len(w.modules), Sets: sets, Layers: w.layers()}
	r.MeanEMD, r.Value = w.total(measures, in, func(k int) Errors { return measures[k].Scores[choice[k]].HeldOut }, heldOut)
	r.Singles = w.singles(measures, in)
	r.BestSingle = r.Singles[0]
	r.Ratio = r.Value / r.BestSingle.Value
	for k := range w.classes {
		c, m := &w.classes[k], measures[k]
		one := ClassResult{
			Name: c.name(), Links: c.links, Density: density(c.high), Layers: c.layers, Eta: c.etas, Modules: len(c.modules),
			measure: m, Choice: choice[k], EMD: m.Scores[choice[k]].HeldOut.EMD,
		}
		i := single(m, r.BestSingle)
		one.Single = m.Scores[i].HeldOut.EMD
		for i := range r.Sets {
			if r.Sets[i].Name == one.chosen().Set {
				r.Sets[i].Used += len(c.modules)
			}
		}
		r.Classes = append(r.Classes, one)
	}
	r.Filled = w.filled(measures, choice)
	return r
}

// filled is what was found of the classes that see charge.
func (w *work) filled(measures []measure, choice []int) (f Filled) {
	var in []int
	for k, m := range measures {
		if m.Charge[heldOut] > evaluate.MIP {
			in, f.Modules = append(in, k), f.Modules+len(w.classes[k].modules)
		}
	}
	if in == nil {
		return f
	}
	f.MeanEMD, f.Value = w.total(measures, in, func(k int) Errors { return measures[k].Scores[choice[k]].HeldOut }, heldOut)
	f.BestSingle = w.singles(measures, in)[0]
	f.Ratio = f.Value / f.BestSingle.Value
	return f
}

// The two sides of what was measured.
const (
	validation = iota
	heldOut
)

// of are the classes that something is true of, by number.
func (w *work) of(is func(c *class) bool) (in []int) {
	for k := range w.classes {
		if is(&w.classes[k]) {
			in = append(in, k)
		}
	}
	return in
}

// total is the mean EMD of the modules of some classes, and the plan's figure.
func (w *work) total(measures []measure, in []int, of func(class int) Errors, side int) (mean, value float64) {
	var n, emd, charge, emdCharge, worst float64
	for _, k := range in {
		e, modules := of(k), float64(len(w.classes[k].modules))
		n, emd = n+modules, emd+modules*e.EMD
		charge, emdCharge = charge+modules*measures[k].Charge[side], emdCharge+modules*e.Charge
		worst = max(worst, e.EMD)
	}
	mean = emd / n
	switch w.plan.Figure {
	case FigureCharge:
		return mean, emdCharge / charge
	case FigureWorst:
		return mean, worst
	}
	return mean, mean
}

// single is the number of the score of an algorithm with its rule by hand, −1 where a class
// cannot have it.
func single(m measure, s Single) int {
	return slices.IndexFunc(m.Scores, func(x Score) bool { return x.Set == "" && x.Algorithm == s.Algorithm && x.Decoding == s.Decoding })
}

// scoreOf is that of an algorithm with a rule by hand that the class can have.
func scoreOf(m measure, algorithm string, decoding evaluate.Decoding) *Score {
	return &m.Scores[single(m, Single{Algorithm: algorithm, Decoding: decoding})]
}

// singles are the algorithms that every class can have, with what they leave of some classes, the
// best on the validation images of those first.
func (w *work) singles(measures []measure, in []int) []Single {
	var list []Single
	for _, s := range measures[0].Scores {
		one := Single{Algorithm: s.Algorithm, Decoding: s.Decoding}
		if s.Set != "" || slices.ContainsFunc(measures, func(m measure) bool { return single(m, one) < 0 }) {
			continue
		}
		score := func(k int) *Score { return scoreOf(measures[k], one.Algorithm, one.Decoding) }
		one.MeanEMD, one.Value = w.total(measures, in, func(k int) Errors { return score(k).HeldOut }, heldOut)
		_, one.chosen = w.total(measures, in, func(k int) Errors { return score(k).Validation }, validation)
		list = append(list, one)
	}
	slices.SortStableFunc(list, func(a, b Single) int { return cmp.Compare(a.chosen, b.chosen) })
	return list
}

// layers are the modules' places, rounded to 0.1 mm.
func (w *work) layers() []Layer {
	of := make([]int, len(w.modules))
	for k, c := range w.classes {
		for _, i := range c.modules {
			of[i] = k
		}
	}
	round := func(v float64) float64 { return math.Round(100*v) / 100 }
	at := map[int]int{}
	var list []Layer
	for i, m := range w.modules {
		k, ok := at[m.Layer]
		if !ok {
			k = len(list)
			at[m.Layer] = k
			list = append(list, Layer{Layer: m.Layer})
		}
		list[k].Modules = append(list[k].Modules, [3]float64{round(m.x), round(m.y), float64(of[i])})
	}
	slices.SortFunc(list, func(a, b Layer) int { return cmp.Compare(a.Layer, b.Layer) })
	return list
}

// A Kind of setting, links and thresholds apart, with the modules that have it.
type kindCount struct {
	label   string
	modules int
	emd     float64 // mean
	single  float64 // of the best single algorithm on the same modules
}

// kinds are the kinds of settings that are chosen, the most frequent first.
func (r *Results) kinds() []kindCount {
	var list []kindCount
	for i := range r.Classes {
		c := &r.Classes[i]
		label := c.chosen().Label()
		k := slices.IndexFunc(list, func(o kindCount) bool { return o.label == label })
		if k < 0 {
			k = len(list)
			list = append(list, kindCount{label: label})
		}
		list[k].modules += c.Modules
		list[k].emd += float64(c.Modules) * c.EMD
		list[k].single += float64(c.Modules) * c.Single
	}
	for k := range list {
		list[k].emd /= float64(list[k].modules)
		list[k].single /= float64(list[k].modules)
	}
	slices.SortStableFunc(list, func(a, b kindCount) int { return cmp.Compare(b.modules, a.modules) })
	return list
}

// Words say what the plan is for.
func (r *Results) Words() string {
	of := "geometry " + r.Plan.Geometry
	if r.Plan.Modules != "" {
		of = filepath.Base(r.Plan.Modules)
	}
	classes := fmt.Sprintf("%d classes", len(r.Classes))
	if len(r.Classes) == 1 {
		classes = "1 class"
	}
	return fmt.Sprintf("%s of %s in %s, %s", page.Of(r.Modules, "module"), of, classes, r.Plan.Source)
}

// figureWords are what was to be small.
func (p Plan) figureWords() string {
	switch p.Figure {
	case FigureCharge:
		return "mean EMD of the charge"
	case FigureWorst:
		return "mean EMD of the worst module"
	}
	return "mean EMD"
}

// Overview is a table of what is chosen, for text and page.
func (r *Results) Overview() (head []string, rows [][]string) {
	head = []string{"setting", "modules", "mean EMD", r.BestSingle.Label() + " there"}
	for _, k := range r.kinds() {
		rows = append(rows, []string{k.label, fmt.Sprint(k.modules), fmt.Sprintf("%.3f", k.emd), fmt.Sprintf("%.3f", k.single)})
	}
	all := 0.0
	for _, c := range r.Classes {
		all += float64(c.Modules) * c.Single / float64(r.Modules)
	}
	return head, append(rows, []string{"all", fmt.Sprint(r.Modules), fmt.Sprintf("%.3f", r.MeanEMD), fmt.Sprintf("%.3f", all)})
}

// Conclusion is what the plan gains in a sentence.
func (r *Results) Conclusion() string {
	weights := 0
	for _, s := range r.Sets {
		if s.Used > 0 {
			weights++
		}
	}
	text := fmt.Sprintf("The plan's %s is %.3f, that of the best single algorithm with its rule by hand (%s) %.3f: a ratio of %.3f, with %s of trained weights.",
		r.Plan.figureWords(), r.Value, r.BestSingle.Label(), r.BestSingle.Value, r.Ratio, page.Of(weights, "set"))
	if f := r.Filled; f.Modules > 0 && f.Modules < r.Modules {
		text += fmt.Sprintf(" Of the %d modules that see more than one MIP_T on average it is %.3f, that of the algorithm that is best there (%s) %.3f: a ratio of %.3f.",
			f.Modules, f.Value, f.BestSingle.Label(), f.BestSingle.Value, f.Ratio)
	}
	return text
}

// sortedClasses are the mean EMDs, of the best single algorithm and of the plan, of the classes
// with a kind of setting, by rising first.
func sortedClasses(r *Results, label string) (list [][2]float64) {
	for i := range r.Classes {
		if c := &r.Classes[i]; c.chosen().Label() == label {
			list = append(list, [2]float64{c.Single, c.EMD})
		}
	}
	slices.SortStableFunc(list, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
	return list
}
