package plan

import (
	"cmp"
	"fmt"
	"math"
	"path/filepath"
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/evaluate"
	"barrow/study/internal/page"
)

// Results are all that a plan found, without times, of the first seed but for OverSeeds. The
// modules themselves are in the table.
type Results struct {
	Plan Plan `json:"config"`
	// MeanEMD of a Comparison is that of the modules, each counting the same: of a module that
	// of the held-out images of its class, as the plan sets it. Value is the figure that was to
	// be small.
	Comparison
	Singles []Single `json:"singles"` // all of them, the best first
	// Filled is the same of the classes whose images have more than one MIP_T on average: in
	// others images of a few counts decide, of which some algorithms send nothing. The best single
	// algorithm is that of these classes' validation images.
	Filled *Comparison `json:"filled,omitempty"`
	// WithoutTS is the same where no module may have TS, whose links are its on average only.
	WithoutTS    *Comparison `json:"without_ts"`
	ThresholdSum *Buffered   `json:"threshold_sum,omitempty"` // of the modules that have TS
	// Clusters are, with the figure resolution, what comes of the clusters. Value takes the errors
	// of different classes to be independent.
	Clusters  *Clusters     `json:"clusters,omitempty"`
	OverSeeds OverSeeds     `json:"over_seeds"`
	Sets      []Set         `json:"sets"` // of trained weights
	Classes   []ClassResult `json:"classes"`
	Layers    []Layer       `json:"layers"`
}

// A Comparison holds a plan for some modules against the best single algorithm there: the one that
// with its rule by hand is best, by the validation images, where all modules have the same.
type Comparison struct {
	Modules    int     `json:"modules"`
	MeanEMD    float64 `json:"mean_emd"`
	Value      float64 `json:"value"`
	BestSingle Single  `json:"best_single"`
	Ratio      float64 `json:"ratio"` // of the values
}

// Buffered is what becomes of the frames of modules with TS, each counting the same.
type Buffered struct {
	Modules int `json:"modules"`
	Buffer
}

// OverSeeds are the plans of all seeds, by images and trainings of their own.
type OverSeeds struct {
	Seeds     []SeedResult `json:"seeds"`
	All       Spread       `json:"all"`
	Filled    *Spread      `json:"filled,omitempty"`
	WithoutTS *Spread      `json:"without_ts"`
}

// A SeedResult is one seed's plan.
type SeedResult struct {
	Seed      uint64      `json:"seed"`
	All       Comparison  `json:"all"`
	Filled    *Comparison `json:"filled,omitempty"`
	WithoutTS *Comparison `json:"without_ts"`
}

// A Spread is what the seeds' comparisons are together.
type Spread struct {
	MeanEMD Moments `json:"mean_emd"`
	Value   Moments `json:"value"`
	Ratio   Moments `json:"ratio"`
	// Interval is that of the ratio over all seeds: images are drawn anew within every class, in
	// pairs.
	Interval evaluate.Interval `json:"interval"`
}

// Moments are mean and standard deviation, which is 0 of one value.
type Moments struct {
	Mean float64 `json:"mean"`
	Std  float64 `json:"std"`
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
	Registers string  `json:"registers"`        // folder of the register files
	Buffer    *Buffer `json:"buffer,omitempty"` // of TS' frames, where it has TS
}

// chosen is the score of the choice.
func (c *ClassResult) chosen() *Score { return &c.Scores[c.Choice] }

// A Layer is where its modules are: x and y of the centre in cm, and the number of the class.
type Layer struct {
	Layer   int          `json:"layer"`
	Modules [][3]float64 `json:"modules"`
}

// results puts together what was found of all seeds.
func (w *work) results(list []*outcome) *Results {
	o := list[0]
	all := o.compared[everything]
	r := &Results{
		Plan: w.plan, Comparison: all.Comparison, Singles: w.singles(o.measures, all.in, nil),
		Filled: o.comparison(filled), WithoutTS: o.comparison(thresholdOut), OverSeeds: overSeeds(list), Sets: o.sets, Layers: w.layers(), Clusters: o.clustersOf(all),
	}
	var ts Buffered
	for k := range w.classes {
		c, m, i := &w.classes[k], o.measures[k], all.choice[k]
		one := ClassResult{
			Name: c.name(), Links: c.links, Density: density(c.high), Layers: c.layers, Eta: c.etas, Modules: len(c.modules),
			measure: m, Choice: i, EMD: m.Scores[i].HeldOut.EMD, Single: m.Scores[all.single[k]].HeldOut.EMD, Buffer: o.held[k].buffer,
		}
		for i := range r.Sets {
			if r.Sets[i].Name == one.chosen().Set {
				r.Sets[i].Used += one.Modules
			}
		}
		if b := one.Buffer; b != nil {
			n := float64(one.Modules)
			ts.Modules, ts.Longer, ts.Truncated = ts.Modules+one.Modules, ts.Longer+n*b.Longer, ts.Truncated+n*b.Truncated
		}
		r.Classes = append(r.Classes, one)
	}
	if n := float64(ts.Modules); n > 0 {
		ts.Longer, ts.Truncated = ts.Longer/n, ts.Truncated/n
		r.ThresholdSum = &ts
	}
	return r
}

// comparison is what came of a contest, nil if there was none.
func (o *outcome) comparison(i int) *Comparison {
	if o.compared[i] == nil {
		return nil
	}
	c := o.compared[i].Comparison
	return &c
}

// overSeeds are the seeds' plans side by side.
func overSeeds(list []*outcome) (out OverSeeds) {
	for _, o := range list {
		out.Seeds = append(out.Seeds, SeedResult{o.work.plan.Seed, o.compared[everything].Comparison, o.comparison(filled), o.comparison(thresholdOut)})
	}
	of := intervals(list)
	spread := func(i int) *Spread {
		var means, values, ratios []float64
		for _, o := range list {
			if c := o.compared[i]; c != nil {
				means, values, ratios = append(means, c.MeanEMD), append(values, c.Value), append(ratios, c.Ratio)
			}
		}
		if means == nil {
			return nil
		}
		return &Spread{moments(means), moments(values), moments(ratios), of[i]}
	}
	out.All, out.Filled, out.WithoutTS = *spread(everything), spread(filled), spread(thresholdOut)
	return out
}

func moments(values []float64) (m Moments) {
	if m.Mean, m.Std = stat.MeanStdDev(values, nil); len(values) == 1 {
		m.Std = 0
	}
	return m
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

// everyClass are all classes, by number.
func (w *work) everyClass() []int { return w.of(func(*class) bool { return true }) }

// total is the mean EMD of the modules of some classes, and the plan's figure.
func (w *work) total(measures []measure, in []int, of func(class int) Errors, side int) (mean, value float64) {
	var n, emd, charge, emdCharge, worst, energy float64
	for _, k := range in {
		e, modules := of(k), float64(len(w.classes[k].modules))
		n, emd = n+modules, emd+modules*e.EMD
		charge, emdCharge = charge+modules*measures[k].Charge[side], emdCharge+modules*e.Charge
		worst, energy = max(worst, e.EMD), energy+modules*e.Energy
	}
	mean = emd / n
	switch w.plan.Figure {
	case figureCharge:
		return mean, emdCharge / charge
	case figureWorst:
		return mean, worst
	case figureResolution: // errors of different classes as if they were independent
		return mean, math.Sqrt(energy)
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
// best on the validation images of those first, and none that without leaves out.
func (w *work) singles(measures []measure, in []int, without func(Candidate) bool) []Single {
	var list []Single
	for _, s := range measures[0].Scores {
		one := Single{Algorithm: s.Algorithm, Decoding: s.Decoding}
		if s.Set != "" || without != nil && without(s.Candidate) || slices.ContainsFunc(measures, func(m measure) bool { return single(m, one) < 0 }) {
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
	case figureCharge:
		return "mean EMD of the charge"
	case figureWorst:
		return "mean EMD of the worst module"
	case figureResolution:
		return "addition to the resolution of clusters"
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

// Conclusion is what the plan gains in some sentences.
func (r *Results) Conclusion() string {
	weights := 0
	for _, s := range r.Sets {
		if s.Used > 0 {
			weights++
		}
	}
	of, once := &r.OverSeeds, len(r.OverSeeds.Seeds) == 1
	ratio := func(c Comparison, s *Spread) string {
		if !once {
			return fmt.Sprintf("a ratio of %.3f", c.Ratio)
		}
		return fmt.Sprintf("a ratio of %.3f (95 %% interval %.3f–%.3f)", c.Ratio, s.Interval.Low, s.Interval.High)
	}
	say := r.Plan.say
	text := fmt.Sprintf("The plan's %s is %s, that of the best single algorithm with its rule by hand (%s) %s: %s, with %s of trained weights.",
		r.Plan.figureWords(), say(r.Value), r.BestSingle.Label(), say(r.BestSingle.Value), ratio(r.Comparison, &of.All), page.Of(weights, "set"))
	if f := r.Filled; f != nil && f.Modules < r.Modules {
		text += fmt.Sprintf(" Of the %d modules that see more than one MIP_T on average it is %s, that of the algorithm that is best there (%s) %s: %s.",
			f.Modules, say(f.Value), f.BestSingle.Label(), say(f.BestSingle.Value), ratio(*f, of.Filled))
	}
	if b := r.ThresholdSum; b != nil {
		text += fmt.Sprintf(" Of the frames of the %s with threshold sum, which has its links on average, %.1f %% are longer than what they carry in a crossing, and the chip's buffer cuts %.2f %% off; without it the %s is %s: %s.",
			page.Of(b.Modules, "module"), 100*b.Longer, 100*b.Truncated, r.Plan.figureWords(), say(r.WithoutTS.Value), ratio(*r.WithoutTS, of.WithoutTS))
	}
	if !once {
		text += fmt.Sprintf(" Over %d seeds it is %s, a ratio of %s.", len(of.Seeds), r.Plan.sayAll(of.All.Value), of.All.ratio())
	}
	if c := r.Clusters; c != nil {
		text += fmt.Sprintf(" With all that is off in an event's modules together, clusters' energies are spread by %s, with the best single algorithm by %s.", say(c.Plan), say(c.BestSingle))
	}
	return text
}

// say is a value of the figure, or of what is off in clusters.
func (p Plan) say(v float64) string {
	if p.Figure == figureResolution {
		return fmt.Sprintf("%.2f %%", 100*v)
	}
	return fmt.Sprintf("%.3f", v)
}

// sayAll is that of several seeds.
func (p Plan) sayAll(m Moments) string { return p.say(m.Mean) + " ± " + p.say(m.Std) }

// String is mean ± standard deviation.
func (m Moments) String() string { return fmt.Sprintf("%.3f ± %.3f", m.Mean, m.Std) }

// ratio is that of all seeds with its interval.
func (s *Spread) ratio() string {
	return fmt.Sprintf("%v (95 %% interval %.3f–%.3f)", s.Ratio, s.Interval.Low, s.Interval.High)
}

// Seeds is a table of what the plans of several seeds leave, for text and page; none of one seed.
func (r *Results) Seeds() (head []string, rows [][]string) {
	of := &r.OverSeeds
	if len(of.Seeds) < 2 {
		return nil, nil
	}
	figure := r.Plan.figureWords()
	head = []string{"seed", figure, "best single algorithm", "its " + figure, "ratio", "where there is charge", "without threshold sum"}
	of3 := func(c *Comparison) string {
		if c == nil {
			return "–"
		}
		return fmt.Sprintf("%.3f", c.Ratio)
	}
	for _, s := range of.Seeds {
		c := &s.All
		rows = append(rows, []string{fmt.Sprint(s.Seed), r.Plan.say(c.Value), c.BestSingle.Label(), r.Plan.say(c.BestSingle.Value), of3(c), of3(s.Filled), of3(s.WithoutTS)})
	}
	all := func(s *Spread) string {
		if s == nil {
			return "–"
		}
		return s.ratio()
	}
	return head, append(rows, []string{"all", r.Plan.sayAll(of.All.Value), "", "", all(&of.All), all(of.Filled), all(of.WithoutTS)})
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
