package decoder

import (
	"context"
	"math"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// TestThresholds: a decoder of TS learns of frames that are cut where it is said image by image,
// by the same chip otherwise.
func TestThresholds(t *testing.T) {
	pair := chips(t, econt.ThresholdSum, 13, nil)
	m, err := New(Architecture{Units: 8}, pair[0], nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	images, err := simulate.Generate(60, simulate.Settings{Seed: 4, Preset: "pileup200"})
	if err != nil {
		t.Fatal(err)
	}
	images, _ = images.NonZero()
	of := func(set *wafer.Set) (list []uint32) {
		for i := range set.Len() {
			list = append(list, uint32(10+100*(i%3)))
		}
		return list
	}
	s, err := newSender(m, pair, of, 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := s.send(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	cut := 0
	for i := range got.frames {
		threshold := float64(10 + 100*(i%3))
		f := &got.frames[i]
		for c, v := range images.Image(i) {
			ch := m.channel[c]
			if sent := f.Known()>>ch&1 == 1; sent != (v >= threshold) {
				t.Fatalf("image %d, cell %d: %v counts, threshold %v, sent %v", i, c, v, threshold, sent)
			} else if !sent && v > 0 {
				cut++
			}
		}
		for _, g := range f.Groups() {
			if math.Abs(g.Limit-threshold) > threshold/8 {
				t.Fatalf("image %d: told that the rest is below %v, the threshold is %v", i, g.Limit, threshold)
			}
		}
	}
	if cut == 0 {
		t.Error("no charge below a threshold")
	}
	s.threshold = func(*wafer.Set) []uint32 { return []uint32{1} }
	if _, err := s.send(context.Background(), images); err == nil || !strings.Contains(err.Error(), "thresholds of 1 images") {
		t.Error(err)
	}
}
