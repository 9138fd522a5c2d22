package simulate

import (
	"math"
	"slices"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"
)

// Event replaces the contents of set by all wafers of endcap event k: those the
// settings allow, in all three sectors, layer by layer. One particle of the
// preset's mixture crosses all layers; pile-up has one activity for the event.
// Wafers without any charge are left out unless the settings keep them. The
// same event comes out whatever the number of threads.
func (g *Generator) Event(k uint64, set *wafer.Set) {
	s := counter.New(g.settings.Seed^eventStream, k)
	t := Truth{Class: g.class(&s)}
	activity := spreadActivity(g.settings.Parameters.PileUp.Activity, normal(&s))
	signal := map[int]*signalCells{}
	if t.Class != PileUp {
		eta := g.settings.EtaMin + float64((g.settings.EtaMax-g.settings.EtaMin)*s.Float64())
		q := g.particle(&s, t.Class, eta, 2*math.Pi*s.Float64())
		t.Energy, t.ParticleEta = q.energy, eta
		g.cross(&s, &q, signal)
	}
	places := g.detector.places
	reserve(set, len(places))
	g.share(len(places), func(from, to int) {
		var w drawing
		for i := from; i < to; i++ {
			own := t
			clear(w.cells[:])
			if c := signal[i]; c != nil {
				copy(w.cells[:], c.cells[:])
				own.SignalEnergy = c.sum
			}
			// One stream a wafer, so that threads do not matter.
			s := counter.New(g.settings.Seed^eventStream^uint64(i+1)<<32, k)
			g.finish(&w, &s, &places[i], places[i].rate*activity, g.energies, &own, set.Image(i))
			g.store(set, i, k, &own)
		}
	})
	if !g.settings.KeepEmpty {
		dropEmpty(set)
	}
}

// signalCells is what a particle leaves on one wafer.
type signalCells struct {
	cells [hgcal.Cells]float32
	sum   float64
}

// cross lets a particle deposit its energy in all layers.
func (g *Generator) cross(s *counter.Stream, q *particle, signal map[int]*signalCells) {
	var spots []spot
	sin, cos := math.Sincos(q.phi)
	for l := range g.detector.layers {
		layer := &g.detector.layers[l]
		r := layer.z / math.Sinh(q.eta)
		spots = q.layerSpots(spots[:0], s, g.detector.places[layer.first].depth, &g.settings.Parameters.Shower)
		for _, e := range spots {
			x, y := float64(r*cos)+e.x, float64(r*sin)+e.y
			at, ok := g.detector.find(layer, x, y)
			if !ok {
				continue
			}
			cell, _ := g.detector.places[at].cell(x, y)
			c := signal[at]
			if c == nil {
				c = &signalCells{}
				signal[at] = c
			}
			c.cells[cell] += float32(e.energy)
			c.sum += e.energy
		}
	}
}

// dropEmpty removes images without charge in place.
func dropEmpty(set *wafer.Set) {
	n := 0
	for i := range set.Len() {
		if slices.Max(set.Image(i)) == 0 {
			continue
		}
		copy(set.Image(n), set.Image(i))
		for c := range set.Columns {
			if col := &set.Columns[c]; col.Text != nil {
				col.Text[n] = col.Text[i]
			} else {
				col.Float[n] = col.Float[i]
			}
		}
		n++
	}
	*set = *set.Slice(0, n)
}
