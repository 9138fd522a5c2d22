package physics

import (
	"testing"

	"barrow/internal/counter"
	"barrow/simulate"
)

// TestMatchInPileUp: in 200 collisions some cluster is within the match's distance of many
// directions, but hardly ever one of half of 10 GeV: by Poisson's law for as many as there
// are, and by the directions themselves.
func TestMatchInPileUp(t *testing.T) {
	const endcaps, directions, perMIP = 6, 3000, 0.02 // GeV/MIP_T, about that of all cells
	source, err := NewSimulated(SimulatedSettings{N: endcaps, Events: simulate.EventSettings{Class: simulate.PileUp, PileUp: 200, Seed: 5}})
	if err != nil {
		t.Fatal(err)
	}
	c := &Crossings{N: endcaps}
	b := measureAll(t, source, MeasureSettings{MinimumBias: true}, NewAllCells())[0]
	total := 0.0
	for _, r := range b.Records[0] {
		// What is around, an area as large, is taken off.
		c.Event, c.Zside, c.Eta, c.Phi = append(c.Event, r.Event), append(c.Zside, r.Zside), append(c.Eta, r.Eta), append(c.Phi, r.Phi)
		c.Pt = append(c.Pt, perMIP*(r.Sum-r.Around))
		total += 1. / endcaps
	}
	place := make(map[endcap]int32)
	for e := range endcaps {
		place[endcap{int64(e), 1}] = int32(e)
	}
	a := newAccidental(c, place, matched)
	some, enough := 0, 0
	for i := range directions {
		r := counter.New(3, uint64(i))
		eta := EtaMin + (EtaMax-EtaMin)*r.Float64()
		if a.finds(int32(i), -1e9, eta, 0) {
			some++
		}
		if a.finds(int32(i), 10, eta, 0) {
			enough++
		}
	}
	if share := float64(some) / directions; share < 0.2 || share > 0.6 {
		t.Errorf("%.3f of all directions have a cluster within %g, of %.0f an endcap: want about a third", share, matched, total)
	}
	if share := float64(enough) / directions; share > 0.05 {
		t.Errorf("%.3f of all directions have one of half of 10 GeV: want next to none", share)
	}
}
