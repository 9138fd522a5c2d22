package drift

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"testing"

	"barrow/internal/counter"
)

// TestBits: modules of any age measure what they measured when docs/adapt.md's figures were made.
func TestBits(t *testing.T) {
	d, err := Read("ageing")
	if err != nil {
		t.Fatal(err)
	}
	m := module(t)
	s, err := newSite(m, "pileup200")
	if err != nil {
		t.Fatal(err)
	}
	stream := counter.New(3, 4)
	for name, c := range map[string]struct {
		want uint64
		age  *age
	}{
		"new":        {0xb6c61f78b645c665, fresh()},
		"aged":       {0x5a8e24c3fae36a5e, d.at(m, 1, 5, 0.7)},
		"of a state": {0xa9e6a1569bce4c5a, anyAge([]float64{0.1, 0.05, -0.05, 1.5, 0}, &stream)},
	} {
		e, err := s.draw(40, 3, beam{pileUp: 200}, func(int, int) *age { return c.age })
		if err != nil {
			t.Fatal(err)
		}
		h := fnv.New64a()
		for _, q := range append(e.measured.Charge, e.truth.Charge...) {
			h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(q)))
		}
		if got := h.Sum64(); got != c.want {
			t.Errorf("%s: %#x, not %#x", name, got, c.want)
		}
	}
}
