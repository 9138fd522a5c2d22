package econt

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestFields: the parts of every algorithm's frame cover its bits of information without gap or
// overlap, and asking for them changes nothing.
func TestFields(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	weights := &Weights{}
	for a := ThresholdSum; a <= Autoencoder; a++ {
		w := weights
		if a != Autoencoder {
			w = nil
		}
		for links := 1; links <= MaxETx; links++ {
			c, err := BaselineConfig(a, links, false, w)
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewBaseline(c, BaselineSettings{})
			if err != nil {
				continue // of STC, which does not fill so many
			}
			for range 5 {
				image, out := make([]float64, Channels), make([]float64, Channels)
				for i := range image {
					if rng.IntN(3) == 0 {
						image[i] = float64(rng.IntN(4000))
					}
				}
				bits, err := b.Encode(image, out)
				if err != nil {
					t.Fatal(err)
				}
				words := slices.Clone(b.Words())
				at := 0
				for _, f := range b.Fields() {
					if f.Bit < at || f.Bit != at && a != Autoencoder || f.Width <= 0 || f.Name == "" {
						t.Fatalf("%v on %d links: %+v follows bit %d", a, links, f, at)
					}
					at = f.Bit + f.Width
				}
				// RPT's last charge may be cut on few links, AE's frame has unused bits.
				if a != Autoencoder && a != Repeater && at != bits || at < bits || at > 16*len(words) {
					t.Errorf("%v on %d links: fields of %d bits, the frame has %d in %d words", a, links, at, bits, len(words))
				}
				if !slices.Equal(words, b.Words()) {
					t.Errorf("%v on %d links: other words", a, links)
				}
			}
		}
	}
}
