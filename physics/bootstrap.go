package physics

import (
	"barrow/internal/counter"
)

// times says how often each event counts in a draw of the bootstrap: events by their
// place among all, particles' and minimum bias's on their own.
type times struct{ particles, crossings []uint16 }

// Seeds of the two kinds of events.
const (
	particleStream = 0x7061727469636c65
	crossingStream = 0x63726f7373696e67
)

// resample draws as many events as there are, with replacement, and counts them. It is a
// function of the seed, the draw's number and how many events there are.
func resample(counts []uint16, seed, draw uint64) {
	clear(counts)
	r := counter.New(seed, draw)
	for range counts {
		counts[r.IntN(len(counts))]++
	}
}

// draw fills t for a draw of the bootstrap.
func (t *times) draw(seed uint64, number int) {
	resample(t.particles, seed^particleStream, uint64(number))
	resample(t.crossings, seed^crossingStream, uint64(number))
}

// once is every event once: what was measured.
func once(particles, crossings int) *times {
	t := newTimes(particles, crossings)
	for i := range t.particles {
		t.particles[i] = 1
	}
	for i := range t.crossings {
		t.crossings[i] = 1
	}
	return t
}

func newTimes(particles, crossings int) *times {
	return &times{make([]uint16, particles), make([]uint16, crossings)}
}
