package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/wafer"
)

// even shares what arrives in sums evenly, as the rule by hand does, and looks at what it is
// told of the images: their number, in the column entry.
type even struct {
	misfit  error
	entries bool
	seen    []float32
}

func (e *even) Fits(*econt.Baseline) error { return e.misfit }

func (e *even) Conditions(images *wafer.Set) ([]float32, error) {
	if !e.entries {
		return nil, nil
	}
	v, err := images.Numbers(wafer.Entry)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(v))
	for i := range v {
		out[i] = float32(v[i])
	}
	return out, nil
}

func (e *even) Decode(_ context.Context, frames []econt.Decoded, conditions []float32, out []float64) error {
	if e.entries != (len(conditions) == len(frames)) || len(out) != len(frames)*Cells {
		return fmt.Errorf("%d frames, %d conditions, room for %d charges", len(frames), len(conditions), len(out))
	}
	e.seen = append(e.seen, conditions...)
	channel := hgcal.Map(hgcal.PostMux, hgcal.V9)
	for i := range frames {
		f := &frames[i]
		for c, ch := range channel {
			v := f.Image[ch]
			for _, g := range f.Groups() {
				if g.Cells>>ch&1 != 0 {
					n := 0
					for k := range Cells {
						n += int(g.Cells >> k & 1)
					}
					v = g.Sum / float64(n)
				}
			}
			out[i*Cells+c] = v
		}
	}
	return nil
}

// TestLearned: a decoder that does what the rule by hand does gives the rule's figures, and
// gets every image's conditions with its frame, over several batches.
func TestLearned(t *testing.T) {
	const n = chipBatch + 300
	images := &wafer.Set{Charge: hits(n, 7), Columns: []wafer.Column{{Name: "entry", Float: make([]float64, n)}}}
	for i := range n {
		images.Columns[0].Float[i] = float64(3 * i)
	}
	for _, s := range []Scheme{
		{Algorithm: econt.BestChoice, Links: 2},
		{Algorithm: econt.SuperTriggerCell, STCType: econt.STC4A4E3M, Links: 3},
		{Algorithm: econt.ThresholdSum, Links: 2},
	} {
		spread, learned, blind := s, s, s
		told := &even{entries: true}
		spread.Decoding, learned.Decoding, blind.Decoding = DecodeSpread, DecodeLearned, DecodeLearned
		learned.Decoder, blind.Decoder = told, &even{}
		list, err := Chip(context.Background(), metric(t), images, []Scheme{spread, learned, blind}, ChipSettings{Values: true})
		if err != nil {
			t.Fatal(err)
		}
		for k, r := range list[1:] {
			if r.Decoding != DecodeLearned || r.Bits != list[0].Bits || r.Empty != list[0].Empty || r.Threshold != list[0].Threshold {
				t.Errorf("%s, decoder %d: %+v", r.Name, k, r)
			}
			for i, v := range r.Fidelity.Of(EMD).Values {
				if want := list[0].Fidelity.Of(EMD).Values[i]; v != want {
					t.Fatalf("%s, decoder %d: EMD %v of image %d, by hand %v", r.Name, k, v, i, want)
				}
			}
		}
		if len(told.seen) != n {
			t.Fatalf("%s: conditions of %d images of %d", s.Name(), len(told.seen), n)
		}
		for i, v := range told.seen {
			if v != float32(3*i) {
				t.Fatalf("%s: image %d has the conditions of entry %v", s.Name(), i, v)
			}
		}
	}
}

func TestLearnedErrors(t *testing.T) {
	s := Scheme{Algorithm: econt.BestChoice, Links: 2, Decoding: DecodeLearned}
	of := func(d FrameDecoder, how Decoding) Scheme {
		s := s
		s.Decoder, s.Decoding = d, how
		return s
	}
	for _, tc := range []struct {
		scheme Scheme
		want   string
	}{
		{s, "there is no decoder"},
		{of(&even{}, DecodeKept), `the decoding is "kept": want learned`},
		{of(&even{misfit: errors.New("for STC")}, DecodeLearned), "best choice on 2 links: for STC"},
		{of(&even{entries: true}, DecodeLearned), "column entry"},
	} {
		if _, err := Chip(context.Background(), metric(t), &wafer.Set{Charge: point(2, 500)}, []Scheme{tc.scheme}, ChipSettings{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("got %v, want … %s …", err, tc.want)
		}
	}
}

// once reads a set in one part.
type once struct{ set *wafer.Set }

func (r *once) Read(s *wafer.Set, _ int) (int, error) {
	if r.set == nil {
		return 0, io.EOF
	}
	*s, r.set = *r.set, nil
	return s.Len(), nil
}

// TestTransmitLearned: what is sent by a chip is decoded by a decoder in place of its rule,
// of an algorithm and of an encoder.
func TestTransmitLearned(t *testing.T) {
	images := &wafer.Set{Charge: hits(200, 8)}
	send := func(a econt.Algorithm, order hgcal.Order, d FrameDecoder) (*Transmission, error) {
		c, err := econt.BaselineConfig(a, 2, false, new(econt.Weights))
		if err != nil {
			t.Fatal(err)
		}
		chip, err := econt.NewBaseline(c, econt.BaselineSettings{Order: order, Decoder: econt.DecoderSettings{Rest: d == nil}})
		if err != nil {
			t.Fatal(err)
		}
		return Transmit(context.Background(), chip, &once{images}, nil, TransmitSettings{Metric: metric(t), Decoder: d})
	}
	byHand, err := send(econt.BestChoice, hgcal.V9, nil)
	if err != nil {
		t.Fatal(err)
	}
	learned, err := send(econt.BestChoice, hgcal.V9, &even{})
	if err != nil {
		t.Fatal(err)
	}
	if *learned.MeanEMD != *byHand.MeanEMD || !(*learned.MeanEMD > 0) || learned.MeanBits != byHand.MeanBits {
		t.Errorf("EMD %v, by hand %v", *learned.MeanEMD, *byHand.MeanEMD)
	}
	// The encoder's frame gives the sum alone: the same charge everywhere.
	if learned, err = send(econt.Autoencoder, hgcal.V9, &even{}); err != nil {
		t.Fatal(err)
	}
	flat, err := Images(context.Background(), metric(t), images, &wafer.Set{Charge: flatImages(images.Len())}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if want := flat.Of(EMD).Mean; math.Abs(*learned.MeanEMD-want) > 1e-9 {
		t.Errorf("EMD %v of AE, want %v", *learned.MeanEMD, want)
	}
	if _, err := send(econt.BestChoice, hgcal.PostMux, &even{}); err == nil || !strings.Contains(err.Error(), "order") {
		t.Errorf("images in another order: %v", err)
	}
	if _, err := send(econt.BestChoice, hgcal.V9, &even{misfit: errors.New("for STC")}); err == nil || !strings.Contains(err.Error(), "for STC") {
		t.Errorf("a decoder of other frames: %v", err)
	}
}

func flatImages(n int) []float64 {
	all := make([]float64, n*Cells)
	for i := range all {
		all[i] = 1
	}
	return all
}

// TestSchemeChip: chips that are given count, of which the scheme sets the decoding alone.
func TestSchemeChip(t *testing.T) {
	images := &wafer.Set{Charge: hits(200, 8)}
	usual := Scheme{Algorithm: econt.BestChoice, Links: 2, Decoding: DecodeSpread}
	given, other := usual, usual
	for k := range given.Chip {
		config, err := econt.BaselineConfig(econt.BestChoice, 2, k == 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if given.Chip[k], err = econt.NewBaseline(config, econt.BaselineSettings{Order: hgcal.Raster}); err != nil {
			t.Fatal(err)
		}
		config.UseSum = true
		if other.Chip[k], err = econt.NewBaseline(config, econt.BaselineSettings{}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := Chip(context.Background(), metric(t), images, []Scheme{usual, given, other}, ChipSettings{})
	if err != nil {
		t.Fatal(err)
	}
	of := func(k int) float64 { return list[k].Fidelity.Of(EMD).Mean }
	if of(1) != of(0) || of(2) == of(0) {
		t.Errorf("EMD of the usual chip %v, given as such %v, sending the sum of all %v", of(0), of(1), of(2))
	}
	given.Algorithm = econt.ThresholdSum
	if _, err := given.Chips(); err == nil || !strings.Contains(err.Error(), "want TS") {
		t.Errorf("TS with chips of BC: %v", err)
	}
}

// TestLearnedSchemes: a decoder takes part on those links whose frames it reads.
func TestLearnedSchemes(t *testing.T) {
	list, err := Learned(5, "", only{links: 3})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 1 || list[0].Algorithm != econt.BestChoice || list[0].Links != 3 || list[0].Decoding != DecodeLearned {
		t.Errorf("%+v", list)
	}
	if _, err := Learned(2, "", only{links: 3}); err == nil || !strings.Contains(err.Error(), "none of the chip's algorithms") {
		t.Error(err)
	}
}

// TestLearnedWhy: of the reasons why a decoder reads none of the frames the one that is told is of
// its own algorithm; a decoder may be of a type that cannot be compared.
func TestLearnedWhy(t *testing.T) {
	d := picky{only{links: 3}, []string{LowDensity}}
	if _, err := Learned(5, "", d); err == nil || !strings.Contains(err.Error(), "usual settings: of low density") {
		t.Error(err)
	}
	if list, err := Learned(5, LowDensity, d); err != nil || len(list) != 1 {
		t.Errorf("%d schemes, %v", len(list), err)
	}
	if _, err := Learned(2, "", d); err == nil || !strings.Contains(err.Error(), "usual settings: other frames") {
		t.Error(err)
	}
}

// picky reads those of some densities.
type picky struct {
	only
	densities []string
}

func (p picky) Fits(chip *econt.Baseline) error {
	err := p.only.Fits(chip)
	if err == nil && chip.Config().HighDensity && !slices.Contains(p.densities, HighDensity) {
		return errors.New("of low density")
	}
	return err
}

// only reads best choice's frames on so many links.
type only struct {
	FrameDecoder
	links int
}

func (o only) Fits(chip *econt.Baseline) error {
	if c := chip.Config(); c.Algorithm != econt.BestChoice || c.ETx() != o.links {
		return otherFrames{}
	}
	return nil
}

type otherFrames struct{}

func (otherFrames) Error() string     { return "other frames" }
func (otherFrames) OtherFrames() bool { return true }
