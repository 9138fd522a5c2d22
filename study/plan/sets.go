package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/internal/inputs"
)

// A Set is one set of trained weights: an encoder with its decoder, or a decoder of one of the
// chip's algorithms.
type Set struct {
	Name      string       `json:"name"` // of its file among the run's weights
	Algorithm string       `json:"algorithm"`
	For       int          `json:"for"`             // number of links of the modules that it was trained for
	Links     int          `json:"links"`           // that it uses
	Mask      string       `json:"mask,omitempty"`  // bits of an encoder's outputs
	Given     string       `json:"given,omitempty"` // where an encoder is from that is not trained here
	Drop      [2]int       `json:"drop_lsb"`        // of a decoder's algorithm, that is dropped at low and at high density
	Modules   int          `json:"modules"`         // that it was trained for
	Images    int          `json:"images"`          // simulated ones that its training saw, one as often as it did
	BestEpoch int          `json:"best_epoch"`
	Curve     [][2]float64 `json:"curve"` // training and validation loss of every epoch
	Used      int          `json:"used"`  // modules that the plan gives it to
}

// taught are the classes whose images a set learns from: those of so many links. An encoder for a
// number of links that no module has learns from the modules that no other encoder fits better.
func (w *work) taught(s *Set) []int {
	own := w.of(func(c *class) bool { return c.links == s.For })
	if own != nil || s.Algorithm != encoderName {
		return own
	}
	return w.of(func(c *class) bool {
		best := 0
		for _, n := range w.plan.encoderLinks() {
			if n <= c.links {
				best = max(best, n)
			}
		}
		return best == s.For
	})
}

// modulesIn is how many modules some classes have.
func (w *work) modulesIn(classes []int) (n int) {
	for _, k := range classes {
		n += len(w.classes[k].modules)
	}
	return n
}

// sets lists what is trained: encoders, and decoders of the algorithms that are best by hand; and
// the encoders that are given.
func (w *work) sets(hand []measure) []Set {
	list, seen := w.fixedSets(), w.seen()
	for _, n := range w.linkCounts() {
		for _, s := range w.best(n, hand) {
			name := strings.ToLower(strings.ReplaceAll(s.Short(), " ", "-"))
			one := Set{Name: fmt.Sprintf("%s-%s-%d-links", run.DecoderWeights, name, n), Algorithm: s.Short(), For: n, Links: s.Links, Drop: w.dropped(n, s, hand), Images: seen}
			one.Modules = w.modulesIn(w.taught(&one))
			list = append(list, one)
		}
	}
	return list
}

// fixedSets are those that do not depend on what rules by hand leave: the encoders.
func (w *work) fixedSets() []Set {
	list, _ := w.encoders()
	for k := range list {
		list[k].Images = w.seen()
	}
	for _, g := range w.given {
		list = append(list, g.Set)
	}
	return list
}

// seen is how many simulated images a training sees.
func (w *work) seen() int { return w.plan.Events * w.plan.Epochs }

// encoders are those that are trained, and the numbers of links for which none is, since no module
// would be given one.
func (w *work) encoders() (list []Set, none []int) {
	for _, n := range slices.Sorted(slices.Values(w.plan.encoderLinks())) {
		widths := w.plan.architecture(n).Widths()
		s := Set{Name: fmt.Sprintf("%s%d-links", run.EncoderWeights, n), Algorithm: encoderName, For: n, Links: n, Mask: widths.String()}
		if s.Modules = w.modulesIn(w.taught(&s)); s.Modules == 0 {
			none = append(none, n)
			continue
		}
		list = append(list, s)
	}
	return list, none
}

// linkCounts are the numbers of links that modules have.
func (w *work) linkCounts() (list []int) {
	for _, c := range w.classes {
		list = append(list, c.links)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// best are the algorithms that decoders are trained for on a number of links, with the better
// of their rules by hand: those that leave least with it, on the validation images of all
// modules of so many links.
func (w *work) best(n int, hand []measure) []evaluate.Scheme {
	type ranked struct {
		scheme evaluate.Scheme
		value  float64
	}
	in := w.of(func(c *class) bool { return c.links == n })
	var list []ranked
	for _, s := range evaluate.SchemesOn(n) {
		if !s.Learns() {
			continue
		}
		_, value := w.total(hand, in, func(k int) Errors { return scoreOf(hand[k], s.Short(), s.Decoding).Validation }, validation)
		i := slices.IndexFunc(list, func(r ranked) bool { return r.scheme.Short() == s.Short() })
		switch {
		case i < 0:
			list = append(list, ranked{s, value})
		case value < list[i].value:
			list[i] = ranked{s, value}
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.value, b.value) })
	var out []evaluate.Scheme
	for _, r := range list[:min(len(list), w.plan.Decoders)] {
		out = append(out, r.scheme)
	}
	return out
}

// dropped are the bits that a rule by hand drops best at low and at high density, on the
// validation images of all modules of so many links: those with which its decoder learns.
// A density that there is not has the other's.
func (w *work) dropped(n int, s evaluate.Scheme, hand []measure) (drop [2]int) {
	if !s.Drops() {
		return drop
	}
	for k := range drop {
		in := w.of(func(c *class) bool { return c.links == n && c.density() == k })
		if in == nil {
			in = w.of(func(c *class) bool { return c.links == n })
		}
		least := math.Inf(1)
		for d := range econt.MaxDropLSB + 1 {
			_, value := w.total(hand, in, func(k int) Errors { return scoreOf(hand[k], s.Short(), s.Decoding).ByDrop[d] }, validation)
			if value < least {
				drop[k], least = d, value
			}
		}
	}
	return drop
}

// given is an encoder that is not trained here.
type given struct {
	Set
	model *autoencoder.Model
}

// openGiven opens the encoders that the plan names, and lists their files.
func (p Plan) openGiven(threads int) (list []given, files []run.Input, err error) {
	for k, name := range p.Encoders {
		paths, err := file.AutoencoderFiles(name, "")
		if err != nil {
			return nil, nil, err
		}
		in, err := inputs.Files("the encoder", paths)
		if err != nil {
			return nil, nil, err
		}
		m, err := file.Autoencoder(name, file.Settings{Threads: threads})
		if err != nil {
			return nil, nil, err
		}
		if _, err := m.ChipWeights(); err != nil {
			return nil, nil, fmt.Errorf("plan: %s: %w", name, err)
		}
		widths := m.Architecture().Widths()
		keep := widths.Keep()
		n := keep.Links()
		files = append(files, in...)
		list = append(list, given{Set{Name: fmt.Sprintf("%sgiven-%d", run.EncoderWeights, k+1), Algorithm: encoderName, For: n, Links: n, Mask: widths.String(), Given: name}, m})
	}
	return list, files, nil
}
