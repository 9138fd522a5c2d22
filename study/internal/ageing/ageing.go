// Package ageing is what the years make of a module: sensors lose charge with radiation, cells die or show charge
// without a particle, and noise grows. Which cells age how far is for the studies to say.
package ageing

import (
	"math"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// Cells are the trigger cells of a module of an age. Charges are transverse, in CALQ counts.
type Cells struct {
	Gain [hgcal.Cells]float64 // share of its charge that a cell keeps, 0 where it is dead
	Hot  []float64            // mean of the charge, exponential, that each cell shows by itself; nil where none does
}

// New are the cells of a new module.
func New() Cells {
	var c Cells
	for k := range c.Gain {
		c.Gain[k] = 1
	}
	return c
}

// Noise is what the electronics add to the charge of a trigger cell that is not dead.
type Noise interface {
	Add(s *counter.Stream, charge float64) float64
}

// Measure writes what a module makes of 48 charges: whole counts, those below least as 0. The two slices may be one.
func (c *Cells) Measure(s *counter.Stream, noise Noise, least float64, from, to []float64) {
	for k, v := range from {
		if c.Gain[k] == 0 && (c.Hot == nil || c.Hot[k] == 0) {
			to[k] = 0
			continue
		}
		v = float64(v * c.Gain[k])
		if c.Hot != nil {
			v += float64(c.Hot[k] * s.Exp())
		}
		if to[k] = math.Floor(noise.Add(s, v)); to[k] < least {
			to[k] = 0
		}
	}
}
