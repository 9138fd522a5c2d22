package physics

import (
	"math"
	"slices"

	"barrow/internal/counter"
)

// times says how often each event counts in a draw of the bootstrap: events by their
// place among all, particles' and minimum bias's on their own. Of n events one is not
// drawn more than 255 times: for n > 255 with a probability of less than 1/255!.
type times struct{ particles, crossings []uint8 }

// Seeds of the two kinds of events.
const (
	particleStream = 0x7061727469636c65
	crossingStream = 0x63726f7373696e67
)

// bootstrap is what was measured, every event once, and the draws.
type bootstrap struct {
	once  *times
	draws []*times
}

// newBootstrap draws as many events as there are, with replacement. Draw n is a function
// of the seed, n and how many events there are.
func newBootstrap(particles, crossings, draws int, seed uint64) *bootstrap {
	b := &bootstrap{once: &times{slices.Repeat([]uint8{1}, particles), slices.Repeat([]uint8{1}, crossings)}}
	for n := range draws {
		b.draws = append(b.draws, &times{
			resample(particles, seed^particleStream, uint64(n)), resample(crossings, seed^crossingStream, uint64(n))})
	}
	return b
}

// resample draws n of n events and counts them.
func resample(n int, seed, draw uint64) []uint8 {
	counts := make([]uint8, n)
	r := counter.New(seed, draw)
	for range counts {
		counts[r.IntN(n)]++
	}
	return counts
}

// value evaluates a statistic of n particles.
func (b *bootstrap) value(n int, s statistic) Value {
	x, note := s(b.once)
	if math.IsNaN(x) {
		return none(n, "%s", note)
	}
	draws := make([]float64, len(b.draws))
	for i, t := range b.draws {
		draws[i], _ = s(t)
	}
	v := drawn(x, n, draws)
	if v.Note == "" {
		v.Note = note
	}
	return v
}
