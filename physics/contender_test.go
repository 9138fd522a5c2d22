package physics

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// some events of electrons in pile-up, and one wafer without charge.
func someEvents(t testing.TB, n int) []*Event {
	t.Helper()
	source, err := NewSimulated(SimulatedSettings{Events: simulate.EventSettings{Seed: 4, Class: simulate.Electron, PileUp: 140}})
	if err != nil {
		t.Fatal(err)
	}
	events := make([]*Event, n)
	for k := range events {
		events[k] = &Event{}
		if err := source.Event(uint64(k), events[k]); err != nil {
			t.Fatal(err)
		}
	}
	clear(events[0].Images.Image(3))
	events[0].Images.Image(4)[7] += 0.75 // which no chip counts
	return events
}

func sameLinks(t testing.TB, n int) *LinkTable {
	t.Helper()
	links, err := SameLinks(geometry, n)
	if err != nil {
		t.Fatal(err)
	}
	return links
}

// contenders are one of every kind that 3 links can have, TS fitted to events.
func contenders(t testing.TB, links *LinkTable, events []*Event) []Contender {
	t.Helper()
	list := []Contender{NewAllCells()}
	for _, s := range []evaluate.Scheme{
		{Algorithm: econt.ThresholdSum, Decoding: evaluate.DecodeKept},
		{Algorithm: econt.ThresholdSum, Decoding: evaluate.DecodeSpread},
		{Algorithm: econt.SuperTriggerCell, STCType: econt.STC4A5E4M, Decoding: evaluate.DecodeKept},
		{Algorithm: econt.SuperTriggerCell, STCType: econt.STC16A5E4M, Decoding: evaluate.DecodeKept},
		{Algorithm: econt.SuperTriggerCell, STCType: econt.CTC4N4E3M, Decoding: evaluate.DecodeSpread},
		{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeKept},
		{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeSpread},
	} {
		c, err := NewAlgorithm(s, links)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.(Fitter).Fit(events); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	for _, s := range learnedSchemes() {
		c, err := NewLearned(s, untrained(t, s, decoder.Architecture{Units: 16, Conditions: s.Algorithm == econt.BestChoice}), links)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.(Fitter).Fit(events); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	for _, s := range []EncoderSettings{
		{Name: "asic", Model: asic(t, autoencoder.Architecture{}, 3)},
		{Name: "conditional", Model: asic(t, autoencoder.Architecture{Conditional: true}, 3)},
		{Name: "float", Model: asic(t, autoencoder.Architecture{Precision: "float"}, 3)},
	} {
		s.Links = links
		c, err := NewEncoder(s)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	return list
}

func decode(t testing.TB, c Contender, events ...*Event) [][]float64 {
	t.Helper()
	out := make([][]float64, len(events))
	if err := c.Decode(context.Background(), events, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// learnedSchemes are algorithms whose frames a decoder can learn from.
func learnedSchemes() []evaluate.Scheme {
	return []evaluate.Scheme{
		{Algorithm: econt.ThresholdSum, Decoding: evaluate.DecodeLearned},
		{Algorithm: econt.SuperTriggerCell, STCType: econt.STC16A5E4M, Decoding: evaluate.DecodeLearned},
		{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeLearned},
	}
}

// untrained are decoders for a scheme, on every number of links that it can use.
func untrained(t testing.TB, s evaluate.Scheme, a decoder.Architecture) map[int]*decoder.Model {
	t.Helper()
	list := map[int]*decoder.Model{}
	s.Decoding = evaluate.DecodeKept
	for n := 1; n <= econt.MaxETx; n++ {
		if s.Links = n; LinksUsed(s, n) < n {
			continue
		}
		chips, err := s.Chips()
		if err != nil {
			t.Fatal(err)
		}
		if list[n], err = decoder.New(a, chips[0], nn.Settings{Seed: uint64(n), Threads: 1}); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// TestLearnedIsEvaluates: what arrives is what evaluate's decoding of the same frames gives,
// with the conditions of the events' own columns.
func TestLearnedIsEvaluates(t *testing.T) {
	events := someEvents(t, 2)
	for _, s := range learnedSchemes() {
		if s.Algorithm == econt.ThresholdSum {
			s.Threshold = 60
		}
		for _, conditions := range []bool{false, true} {
			models := untrained(t, s, decoder.Architecture{Units: 16, Conditions: conditions})
			c, err := NewLearned(s, models, sameLinks(t, 2))
			if err != nil {
				t.Fatal(err)
			}
			got := decode(t, c, events...)
			of := s
			of.Links, of.Decoder = 2, models[2]
			chips, err := of.Chips()
			if err != nil {
				t.Fatal(err)
			}
			seen := 0
			for k, e := range events {
				high, err := e.Images.HighDensity()
				if err != nil {
					t.Fatal(err)
				}
				for i := range e.Wafers {
					image, chip := e.Images.Select([]int{i}), chips[0]
					if some, err := counts(image.Image(0)); err != nil || !some {
						continue
					}
					if high[i] {
						chip = chips[1]
					}
					want := make([]float64, hgcal.Cells)
					if _, err := chip.Encode(image.Image(0), want); err != nil {
						t.Fatal(err)
					}
					told, err := models[2].Conditions(image)
					if err == nil {
						err = models[2].Decode(context.Background(), []econt.Decoded{*chip.Decoded()}, told, want)
					}
					if err != nil {
						t.Fatal(err)
					}
					if !slices.Equal(got[k][i*hgcal.Cells:][:hgcal.Cells], want) {
						t.Fatalf("%s: event %d, wafer %d: %v, want %v", c.Name(), k, i, got[k][i*hgcal.Cells:][:hgcal.Cells], want)
					}
					seen++
				}
			}
			if seen < 100 {
				t.Fatalf("%d wafers with charge", seen)
			}
		}
	}
}

// TestAllCells: what arrives is the input in whole counts.
func TestAllCells(t *testing.T) {
	events := someEvents(t, 2)
	out := decode(t, NewAllCells(), events...)
	for k, e := range events {
		for i, v := range e.Images.Charge {
			if out[k][i] != math.Floor(v) {
				t.Fatalf("event %d, charge %d: %v of %v", k, i, out[k][i], v)
			}
		}
	}
}

// TestAlgorithmsAreTheChip: every scheme that evaluate has on every number of links gives
// what the chip gives of every wafer, the density being that of the events' own column.
func TestAlgorithmsAreTheChip(t *testing.T) {
	e := someEvents(t, 1)[0]
	high, err := e.Images.HighDensity()
	if err != nil {
		t.Fatal(err)
	}
	got, want := [][]float64{nil}, make([]float64, hgcal.Cells)
	for _, s := range evaluate.Schemes(econt.MaxETx) {
		links := s.Links
		if s.Algorithm == econt.ThresholdSum {
			s.Threshold = 60
		}
		var chips [2]*econt.Baseline
		for k := range chips {
			n := links
			if s.Algorithm == econt.ThresholdSum {
				n = econt.MaxETx
			}
			c, err := econt.BaselineConfig(s.Algorithm, n, k == 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			c.STCType = s.STCType
			for ch := range c.Threshold {
				c.Threshold[ch] = s.Threshold
			}
			d := econt.DecoderSettings{}
			if s.Decoding == evaluate.DecodeSpread {
				d = econt.DecoderSettings{Rest: true, Share: econt.ShareEqual}
			}
			if chips[k], err = econt.NewBaseline(c, econt.BaselineSettings{Decoder: d}); err != nil {
				t.Fatal(err)
			}
		}
		s.Links = 0
		c, err := NewAlgorithm(s, sameLinks(t, links))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Decode(context.Background(), []*Event{e}, got); err != nil {
			t.Fatal(err)
		}
		for i := range e.Wafers {
			chip := chips[0]
			if high[i] {
				chip = chips[1]
			}
			if _, err := chip.Encode(e.Images.Image(i), want); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got[0][i*hgcal.Cells:][:hgcal.Cells], want) {
				t.Fatalf("%s: wafer %d is not the chip's", c.Name(), i)
			}
		}
	}
}

// TestThresholdIsEvaluates: the threshold that fits 1 to 5 links is evaluate's of the same
// images, and later events do not move it.
func TestThresholdIsEvaluates(t *testing.T) {
	events := someEvents(t, 3)
	var all wafer.Set
	for _, e := range events {
		if err := all.Append(&e.Images); err != nil {
			t.Fatal(err)
		}
	}
	images, _ := all.NonZero()
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	last := uint32(1 << 22)
	for n := 1; n <= 5; n++ {
		s := evaluate.Scheme{Algorithm: econt.ThresholdSum, Decoding: evaluate.DecodeKept}
		c, err := NewAlgorithm(s, sameLinks(t, n))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Decode(context.Background(), events, make([][]float64, 3)); err == nil || !strings.Contains(err.Error(), "no threshold yet") {
			t.Errorf("before any event was seen: %v", err)
		}
		if err := c.(Fitter).Fit(events); err != nil {
			t.Fatal(err)
		}
		s.Links = n
		r, err := evaluate.Chip(context.Background(), metric, images.Slice(0, images.Len()), []evaluate.Scheme{s}, evaluate.ChipSettings{})
		if err != nil {
			t.Fatal(err)
		}
		got := c.(*algorithm).thresholds[n]
		if got != r[0].Threshold || got > last {
			t.Errorf("%d links: threshold %d, evaluate's is %d, that of a link less %d", n, got, r[0].Threshold, last)
		}
		last = got
		copied, err := c.Clone()
		if err != nil {
			t.Fatal(err)
		}
		if !equal(decode(t, copied, events...), decode(t, c, events...)) {
			t.Errorf("%d links: a clone decodes otherwise", n)
		}
	}
}

// TestThresholdOfFew: numbers of links that few wafers have get the threshold of all.
func TestThresholdOfFew(t *testing.T) {
	events := someEvents(t, 2)
	links := sameLinks(t, 2)
	rare, n := events[0].Wafers[0], 0
	links.links[rare] = 4
	for _, e := range events {
		for i, w := range e.Wafers {
			if w == rare && wafer.Sum(e.Images.Image(i)) > 0 {
				n++
			}
		}
	}
	if n == 0 || n >= fewWafers {
		t.Fatalf("%d wafers on 4 links", n)
	}
	fit := func(l *LinkTable) *algorithm {
		c, err := NewAlgorithm(evaluate.Scheme{Algorithm: econt.ThresholdSum, Decoding: evaluate.DecodeKept}, l)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.(Fitter).Fit(events); err != nil {
			t.Fatal(err)
		}
		return c.(*algorithm)
	}
	if got, want := fit(links).thresholds[4], fit(sameLinks(t, 4)).thresholds[4]; got != want {
		t.Errorf("threshold on 4 links is %d, of all wafers %d", got, want)
	}
}

func equal(a, b [][]float64) bool { return slices.EqualFunc(a, b, slices.Equal[[]float64]) }

// TestLinksByWafer: every wafer arrives as with its own number of links for all, and not at
// all without any.
func TestLinksByWafer(t *testing.T) {
	events := someEvents(t, 2)
	own := ModuleLinks(geometry)
	models := map[int]*autoencoder.Model{}
	for n := 1; n <= fullLinks; n++ {
		bits, err := autoencoder.LatentBits(n)
		if err != nil {
			t.Fatal(err)
		}
		models[n] = asic(t, autoencoder.Architecture{LatentBits: bits}, uint64(n))
	}
	for _, build := range []func(l *LinkTable) (Contender, error){
		func(l *LinkTable) (Contender, error) {
			return NewAlgorithm(evaluate.Scheme{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeSpread}, l)
		},
		func(l *LinkTable) (Contender, error) {
			return NewAlgorithm(evaluate.Scheme{Algorithm: econt.SuperTriggerCell, STCType: econt.STC16A5E4M, Decoding: evaluate.DecodeSpread}, l)
		},
		func(l *LinkTable) (Contender, error) {
			return NewAlgorithm(evaluate.Scheme{Algorithm: econt.ThresholdSum, Threshold: 47, Decoding: evaluate.DecodeKept}, l)
		},
		func(l *LinkTable) (Contender, error) {
			s := learnedSchemes()[1]
			return NewLearned(s, untrained(t, s, decoder.Architecture{Units: 16}), l)
		},
		func(l *LinkTable) (Contender, error) {
			return NewEncoder(EncoderSettings{Name: "one", Model: models[5], Links: l})
		},
		func(l *LinkTable) (Contender, error) {
			return NewEncoder(EncoderSettings{Name: "own", ByLinks: models, Links: l})
		},
	} {
		c, err := build(own)
		if err != nil {
			t.Fatal(err)
		}
		got := decode(t, c, events...)
		seen := 0
		for n := range econt.MaxETx + 1 {
			want := make([][]float64, len(events))
			for k := range events {
				want[k] = make([]float64, len(events[k].Images.Charge))
			}
			if n > 0 {
				all, err := build(sameLinks(t, n))
				if err != nil {
					t.Fatal(err)
				}
				want = decode(t, all, events...)
			}
			for k, e := range events {
				for i, w := range e.Wafers {
					if own.Links(int(w)) != n {
						continue
					}
					seen++
					if at := i * hgcal.Cells; !slices.Equal(got[k][at:at+hgcal.Cells], want[k][at:at+hgcal.Cells]) {
						t.Fatalf("%s: wafer %d of %d links differs", c.Name(), i, n)
					}
				}
			}
		}
		if seen != len(events[0].Wafers)+len(events[1].Wafers) {
			t.Errorf("%d wafers", seen)
		}
	}
}

// onLinks are the outputs that the chip sends of images on n links.
func onLinks(t *testing.T, m *autoencoder.Model, images *wafer.Set, n int) []float32 {
	t.Helper()
	w, err := m.ChipWeights()
	if err != nil {
		t.Fatal(err)
	}
	config, err := econt.BaselineConfig(econt.Autoencoder, n, false, w)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
	if err != nil {
		t.Fatal(err)
	}
	var outputs []float32
	image := make([]float64, hgcal.Cells)
	for i := range images.Len() {
		if _, err := chip.Encode(images.Image(i), image); err != nil {
			t.Fatal(err)
		}
		for _, v := range chip.Decoded().Latent {
			outputs = append(outputs, float32(v)/256)
		}
	}
	return outputs
}

// TestDecodeTogether: the same bits arrive of events by themselves, of all together, of
// clones at once, and of the endcap turned by 120°.
func TestDecodeTogether(t *testing.T) {
	events := someEvents(t, 16)
	wafers := 0
	for _, e := range events {
		wafers += len(e.Wafers)
	}
	if wafers < encoderBatch {
		t.Fatalf("%d wafers are not enough to try", wafers)
	}
	for _, links := range []*LinkTable{sameLinks(t, 3), ModuleLinks(geometry)} {
		for _, c := range contenders(t, links, events) {
			want := decode(t, c, events...)
			group := errgroup.Group{}
			got := make([][]float64, len(events))
			for from := 0; from < len(events); from += 5 {
				own, err := c.Clone()
				if err != nil {
					t.Fatal(err)
				}
				group.Go(func() error {
					for k := from; k < min(from+5, len(events)); k++ {
						if err := own.Decode(context.Background(), events[k:k+1], got[k:k+1]); err != nil {
							return err
						}
					}
					return nil
				})
			}
			if err := group.Wait(); err != nil {
				t.Fatal(err)
			}
			if !equal(got, want) {
				t.Errorf("%s: clones decode event by event otherwise", c.Name())
			}
			if !equal(decode(t, c, turn(t, events[1], 1), turn(t, events[2], 2)), want[1:3]) {
				t.Errorf("%s: turned endcaps are decoded otherwise", c.Name())
			}
			if !equal(decode(t, c, events...), want) {
				t.Errorf("%s: it depends on what was decoded before", c.Name())
			}
		}
	}
}

// TestContenderErrors: what cannot be sent names where it is.
func TestContenderErrors(t *testing.T) {
	one := asic(t, autoencoder.Architecture{}, 1)
	of := func(c Contender, err error) error { return err }
	bc := evaluate.Scheme{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeLearned}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{of(NewAlgorithm(evaluate.Scheme{Algorithm: econt.BestChoice}, nil)), "best choice without a table of links"},
		{of(NewAlgorithm(evaluate.Scheme{Algorithm: econt.BestChoice, Links: 2}, sameLinks(t, 2))), "the table of links says"},
		{of(NewAlgorithm(evaluate.Scheme{Algorithm: econt.Autoencoder}, sameLinks(t, 2))), "AE is none of the algorithms"},
		{of(NewAlgorithm(evaluate.Scheme{Algorithm: econt.BestChoice}, sameLinks(t, 2))), `decoding ""`},
		{of(NewAlgorithm(evaluate.Scheme{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeLearned, Decoder: &decoder.Model{}}, sameLinks(t, 2))), "NewLearned has one for each number of links"},
		{of(NewLearned(bc, nil, sameLinks(t, 2))), "best choice learned, 2 links has no decoder for [2] links"},
		{of(NewLearned(bc, untrained(t, learnedSchemes()[1], decoder.Architecture{}), sameLinks(t, 2))), "trained for frames of STC type"},
		{of(NewLearned(evaluate.Scheme{Algorithm: econt.BestChoice, Decoding: evaluate.DecodeKept}, nil, sameLinks(t, 2))), `the decoding is "kept": want learned`},
		{of(NewAlgorithm(evaluate.Scheme{Algorithm: econt.Repeater, Decoding: evaluate.DecodeKept}, ModuleLinks(geometry))), "48 charges need 11 links, not 1"},
		{of(NewEncoder(EncoderSettings{Name: "E", Links: sameLinks(t, 2)})), "E without an encoder"},
		{of(NewEncoder(EncoderSettings{Name: "E", Model: one})), "E without a table of links"},
		{of(NewEncoder(EncoderSettings{Name: "E", Model: one, ByLinks: map[int]*autoencoder.Model{2: one}, Links: sameLinks(t, 2)})), "one or the other"},
		{of(NewEncoder(EncoderSettings{Name: "E", ByLinks: map[int]*autoencoder.Model{2: one, 5: one}, Links: ModuleLinks(geometry)})), "E, modules' links has no encoder for [1 3 4] links"},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%v, want %q", tc.err, tc.want)
		}
	}
	for _, bad := range []float64{-1, math.NaN(), math.Inf(1), maxCharge} {
		e := &Event{Number: 9}
		put(e, 5, 1, 100)
		put(e, 6, 2, bad)
		for _, c := range contenders(t, sameLinks(t, 3), someEvents(t, 1)) {
			if err := c.Decode(context.Background(), []*Event{e}, make([][]float64, 1)); err == nil || !strings.Contains(err.Error(), "event 9, wafer 2: cell 2: charge") {
				t.Errorf("%s, charge %v: %v", c.Name(), bad, err)
			}
			if f, ok := c.(Fitter); ok && strings.HasPrefix(c.Name(), "threshold") {
				if err := f.Fit([]*Event{e}); err == nil || !strings.Contains(err.Error(), "event 9, wafer 2: cell 2: charge") {
					t.Errorf("%s fitted to charge %v: %v", c.Name(), bad, err)
				}
			}
		}
	}
}
