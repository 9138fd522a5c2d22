package simulate

import (
	"math"
	"math/bits"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// frontEnd is the electronics of one module.
type frontEnd struct {
	countPerMIPT float64 // ADC counts of a MIP_T on this sensor, transverse
	noise        float64 // of a cell that is hit, MIP_T
	cut          float64 // least energy of a sensor cell, MIP_T
	fakes        float64 // mean number of cells of the wafer with noise above the cut
	cosh         float64
	highDensity  bool
}

// adcMax is the largest trigger sum: 17 bits, linearised.
const adcMax = 1<<17 - 1

func newFrontEnd(m hgcal.Module, p *ElectronicsParameters) frontEnd {
	i := map[int]int{120: 0, 200: 1, 300: 2}[m.Thickness()]
	cosh := math.Cosh(m.Eta())
	perMIPT := p.ChargePerMIP[i] * cosh
	f := frontEnd{
		countPerMIPT: perMIPT / p.LSB, noise: p.Noise[i] / perMIPT, cut: p.Cut * p.Noise[i] / perMIPT,
		cosh: cosh, highDensity: m.HighDensity(),
	}
	f.fakes = hgcal.Cells * f.sensorCells() * 0.5 * math.Erfc(p.Cut/math.Sqrt2)
	return f
}

// sensorCells is the number of sensor cells of a trigger cell.
func (f *frontEnd) sensorCells() float64 {
	if f.highDensity {
		return 9
	}
	return 4
}

// read turns energies in MIP_T into what the chip gets, also in MIP_T: with
// noise, without cells below the front end's cut, in whole ADC counts.
func (f *frontEnd) read(s *counter.Stream, cells *[hgcal.Cells + 1]float32) {
	for range poisson(s, f.fakes) {
		i := s.IntN(hgcal.Cells)
		if cells[i] < float32(f.cut) {
			// The tail of a normal beyond 3σ falls by e every third of a σ.
			cells[i] = float32(f.cut + f.noise*s.Exp()/3)
		}
	}
	for i, e := range cells[:hgcal.Cells] {
		if e == 0 {
			continue
		}
		v := float64(e)
		if v += f.noise * normal(s); v < f.cut {
			cells[i] = 0
			continue
		}
		adc := min(math.Floor(v*f.countPerMIPT), adcMax)
		cells[i] = float32(adc / f.countPerMIPT)
	}
}

// dropped is the number of low bits that the front end's format leaves out.
func dropped(highDensity bool) uint {
	if highDensity {
		return 3
	}
	return 1
}

// compress passes a count through the 7-bit format of 4 exponent and 3 mantissa
// bits, truncated, and back to the middle of what the code stands for.
func compress(count float64, highDensity bool) float64 {
	const mantissa, maxExponent = 3, 15
	d := dropped(highDensity)
	v := uint64(count) >> d
	exponent := max(bits.Len64(v)-mantissa-1, -1) + 1
	if exponent == 0 {
		return float64(v<<d + 1<<(d-1))
	}
	m := v >> (exponent - 1) & (1<<mantissa - 1)
	if exponent > maxExponent {
		exponent, m = maxExponent, 1<<mantissa-1
	}
	e := uint(exponent)
	return float64((1<<mantissa+m)<<(e-1+d) + 1<<(e+d-2))
}
