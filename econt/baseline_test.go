package econt

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/hgcal"
)

func TestBaseline(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	var image, out, other [48]float64
	for i, q := range randomCALQ(r) {
		image[i] = float64(q) + 0.25
	}
	// RPT sends every cell: each comes back in its own place, in any order.
	for _, order := range hgcal.Orders() {
		c, err := BaselineConfig(Repeater, 11, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		b, err := NewBaseline(c, BaselineSettings{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		n, err := b.Encode(image[:], out[:])
		if err != nil || n != 341 || b.LinkBits() != 352 {
			t.Fatalf("%d bits of %d, %v", n, b.LinkBits(), err)
		}
		for i := range image {
			if q := uint64(image[i]); q > 1 && !contains(F4E3M, q, 1, out[i]) {
				t.Errorf("%v cell %d: %v decodes to %v", order, i, image[i], out[i])
			}
		}
	}
	// Encoding in place, and the entry through the readout's code.
	copy(other[:], image[:])
	c, err := BaselineConfig(Repeater, 11, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewBaseline(c, BaselineSettings{Entry: EntryERx})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Encode(other[:], other[:]); err != nil {
		t.Fatal(err)
	}
	for i := range image {
		q := uint64(image[i])
		lo, hi := F4E3M.Interval(F4E3M.Encode(q >> 3))
		if other[i] != 0 && (other[i] < float64(lo<<3) || other[i] > float64((hi+1)<<3)) {
			t.Errorf("cell %d: %v through the readout is %v", i, image[i], other[i])
		}
	}
}

func TestBaselineErrors(t *testing.T) {
	c, err := BaselineConfig(SuperTriggerCell, 6, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewBaseline(c, BaselineSettings{}); err == nil || !strings.Contains(err.Error(), "at most 5 links") {
		t.Errorf("STC on 6 links: %v", err)
	}
	if _, err := BaselineConfig(BestChoice, 14, false, nil); err == nil {
		t.Error("14 links were accepted")
	}
	if _, err := BaselineConfig(Autoencoder, 4, false, nil); err == nil {
		t.Error("AE without weights was accepted")
	}
	c.Links = LinkMask(5)
	if _, err := NewBaseline(c, BaselineSettings{Order: hgcal.Raster + 1}); err == nil || !strings.Contains(err.Error(), "order") {
		t.Errorf("an order that does not exist: %v", err)
	}
	b, err := NewBaseline(c, BaselineSettings{})
	if err != nil {
		t.Fatal(err)
	}
	image := make([]float64, 48)
	for _, v := range []float64{math.NaN(), math.Inf(1), -1, 1 << 22} {
		image[11] = v
		if _, err := b.Encode(image, image); err == nil || !strings.Contains(err.Error(), "cell 11") {
			t.Errorf("charge %v: %v", v, err)
		}
	}
	if _, err := b.Encode(image[:47], image); err == nil {
		t.Error("47 charges were accepted")
	}
}
