package econt

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestDrops: dropped bits change what an algorithm sends if, and only if, it says that it drops some.
func TestDrops(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	image := make([]float64, Channels)
	for i := range image {
		image[i] = float64(r.IntN(500))
	}
	var registers [WeightCount]int8
	w, err := WeightsFromRegisters(&registers)
	if err != nil {
		t.Fatal(err)
	}
	for a := ThresholdSum; a <= Autoencoder; a++ {
		for stc := STC4A5E4M; stc <= CTC4N5E4M; stc++ {
			var sent [2][]byte
			for k, drop := range []uint8{0, MaxDropLSB} {
				c, err := BaselineConfig(a, 3, false, w)
				if err != nil {
					t.Fatal(err)
				}
				if c.STCType, c.DropLSB = stc, drop; a == SuperTriggerCell && stc.Groups(3) == 0 {
					c.Links = LinkMask(1)
				}
				b, err := NewBaseline(c, BaselineSettings{})
				if err != nil {
					t.Fatal(err)
				}
				out := make([]float64, Channels)
				if _, err := b.Encode(image, out); err != nil {
					t.Fatal(err)
				}
				for _, v := range b.words {
					sent[k] = append(sent[k], byte(v>>8), byte(v))
				}
			}
			if differ := !bytes.Equal(sent[0], sent[1]); differ != a.Drops(stc) {
				t.Errorf("%v, %v: frames differ %v, drops %v", a, stc, differ, a.Drops(stc))
			}
		}
	}
}
