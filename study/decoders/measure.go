package decoders

import (
	"context"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/study/compare"
	"barrow/wafer"
)

// A Row is an algorithm on a number of links on the held-out images of a set, or on those of
// one density.
type Row struct {
	Set       string `json:"set"`
	Density   string `json:"density"` // ld, hd or both
	Algorithm string `json:"algorithm"`
	Name      string `json:"name"` // in words
	Links     int    `json:"links"`
	Threshold uint32 `json:"threshold,omitempty"` // of TS
	Images    int    `json:"images"`

	Rules   []Rule  `json:"rules"` // by hand
	Learned Learned `json:"learned"`
	// Untuned are, on a file, the decoders that learned from simulated images alone.
	Untuned *Learned `json:"simulated_only,omitempty"`
	// Ratio is the learned mean EMD, of all seeds, over that of the rule by hand that is
	// better on these images; Interval draws images in pairs.
	Ratio    float64           `json:"ratio"`
	Interval evaluate.Interval `json:"ratio_interval"`
	// Chosen is what other images would have one take, of all wafers of the set. Best is what
	// is best on these.
	Chosen evaluate.Decoding `json:"chosen"`
	Best   evaluate.Decoding `json:"best"`
}

// A Rule is a decoding by hand: means over the images.
type Rule struct {
	Decoding evaluate.Decoding `json:"decoding"`
	EMD      float64           `json:"mean_emd"`
	Response float64           `json:"response"`
}

// Learned are the decoders of all seeds.
type Learned struct {
	EMD      compare.Spread `json:"mean_emd"`
	Response compare.Spread `json:"response"`
}

// both stands for wafers of any density.
const both = "both"

// better is the rule by hand with the smaller mean EMD.
func (r *Row) better() *Rule {
	least := 0
	for k := range r.Rules {
		if r.Rules[k].EMD < r.Rules[least].EMD {
			least = k
		}
	}
	return &r.Rules[least]
}

// emd is the mean EMD of a decoding.
func (r *Row) emd(d evaluate.Decoding) float64 {
	for _, rule := range r.Rules {
		if rule.Decoding == d {
			return rule.EMD
		}
	}
	return r.Learned.EMD.Mean
}

// least is the decoding with the smallest mean EMD; of equals the rule by hand.
func (r *Row) least() evaluate.Decoding {
	if rule := r.better(); rule.EMD <= r.Learned.EMD.Mean {
		return rule.Decoding
	}
	return evaluate.DecodeLearned
}

// rows is how rows are kept of a measurement.
type rows struct {
	Rows []Row `json:"rows"`
}

// measure measures an algorithm on a set, unless that is done.
func (w *work) measure(ctx context.Context, x int, k kind) ([]Row, error) {
	var kept rows
	err := w.folder.Once(fmt.Sprintf("measured-%s-set%d", k.name(), x), k.name(), &kept, func() ([]string, error) {
		var err error
		kept.Rows, err = w.rows(ctx, x, k)
		return nil, err
	})
	return kept.Rows, err
}

// rows measures.
func (w *work) rows(ctx context.Context, x int, k kind) ([]Row, error) {
	set := w.sets[x]
	var schemes []evaluate.Scheme // by hand
	if k.encoder == nil {
		schemes = k.Rules(k.links)
		for n := range schemes {
			schemes[n].Threshold = set.threshold(k)
		}
	}
	parts := []int{x}
	if set.train != nil && w.plan.Tune > 0 {
		parts = append(parts, 0)
	}
	for _, part := range parts {
		for s := range w.plan.Seeds {
			m, err := decoder.Load(w.weights(job{k, w.plan.Seed + uint64(s)}.part(part)), nn.Settings{Threads: 1})
			if err != nil {
				return nil, err
			}
			of := set.scheme(k)
			of.Decoding, of.Decoder = evaluate.DecodeLearned, m
			schemes = append(schemes, of)
		}
	}
	of := evaluate.ChipSettings{Settings: evaluate.Settings{Threads: 1}, Density: set.density, Values: true}
	results := func(images *wafer.Set) ([]evaluate.ChipResult, error) {
		list, err := evaluate.Chip(ctx, w.metric, images, schemes, of)
		if err != nil || k.encoder == nil {
			return list, err
		}
		own, err := w.own(ctx, k.encoder, images, list[0])
		return slices.Insert(list, 0, own), err
	}
	chosen, err := results(set.validation)
	if err != nil {
		return nil, err
	}
	list, err := results(set.held)
	if err != nil {
		return nil, err
	}
	rules := len(list) - len(parts)*w.plan.Seeds
	choice, err := w.row(chosen, rules, nil)
	if err != nil {
		return nil, err
	}
	var out []Row
	for _, part := range set.groups(k) {
		r, err := w.row(list, rules, part.images)
		if err != nil {
			return nil, err
		}
		r.Set, r.Density, r.Algorithm, r.Name, r.Links, r.Threshold = set.name, part.density, k.Word, k.title(), k.links, set.threshold(k)
		r.Chosen = choice.least()
		out = append(out, *r)
	}
	return out, nil
}

// A group is the held-out images of a density, all if images is nil.
type group struct {
	density string
	images  []int
}

// groups are those of a set for a kind: all, and those of either density where there are both. Of
// threshold sum there are all only: its threshold fits the mean frame of all to the links, so
// that one density would have more than they carry, and the other less.
func (x *set) groups(k kind) []group {
	if x.density != "" {
		return []group{{x.density, nil}}
	}
	low, high := group{evaluate.LowDensity, nil}, group{evaluate.HighDensity, nil}
	for i, h := range x.high {
		if h {
			high.images = append(high.images, i)
		} else {
			low.images = append(low.images, i)
		}
	}
	list := []group{{both, nil}}
	for _, g := range []group{low, high} {
		if len(g.images) == len(x.high) {
			return []group{{g.density, nil}}
		}
		list = append(list, g)
	}
	if k.Scheme.Algorithm == econt.ThresholdSum {
		return list[:1]
	}
	return list
}

// row sums up rules and decoders on some images or on all: the first results are those of the
// rules, then come those of the decoders of all seeds, and of those before they were tuned, if they are
// wanted.
func (w *work) row(list []evaluate.ChipResult, rules int, images []int) (*Row, error) {
	values := func(k int, figure string) []float64 {
		all := list[k].Fidelity.Of(figure).Values
		if images == nil {
			return all
		}
		some := make([]float64, len(images))
		for n, i := range images {
			some[n] = all[i]
		}
		return some
	}
	r := &Row{}
	best, least := 0, 0.0
	for k := range rules {
		emd := values(k, evaluate.EMD)
		rule := Rule{list[k].Decoding, stat.Mean(emd, nil), stat.Mean(values(k, evaluate.Response), nil)}
		if k == 0 || rule.EMD < least {
			best, least = k, rule.EMD
		}
		r.Rules, r.Images = append(r.Rules, rule), len(emd)
	}
	decoders := func(from int) Learned {
		var emds, responses []float64
		for k := from; k < from+w.plan.Seeds; k++ {
			emds, responses = append(emds, stat.Mean(values(k, evaluate.EMD), nil)), append(responses, stat.Mean(values(k, evaluate.Response), nil))
		}
		return Learned{compare.Over(emds), compare.Over(responses)}
	}
	r.Learned = decoders(rules)
	if before := rules + w.plan.Seeds; before < len(list) {
		untuned := decoders(before)
		r.Untuned = &untuned
	}
	mean := make([]float64, r.Images) // over seeds, image by image
	for k := range w.plan.Seeds {
		for i, v := range values(rules+k, evaluate.EMD) {
			mean[i] += v / float64(w.plan.Seeds)
		}
	}
	r.Best = r.least()
	if least == 0 { // nothing to be better than
		return r, nil
	}
	var err error
	r.Ratio = r.Learned.EMD.Mean / least
	r.Interval, err = evaluate.RatioOfMeans(mean, values(best, evaluate.EMD), w.plan.Draws, w.plan.Seed)
	return r, err
}
