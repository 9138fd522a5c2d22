package simulate

import (
	"math"
	"math/bits"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// frontEnd is the electronics of one module.
type frontEnd struct {
	perMIP      float64              // ADC counts of a MIP on this sensor
	perMIPT     [hgcal.Cells]float64 // of a MIP_T, by cell: perMIP·cosh η
	noise       float64              // of a cell that is hit, ADC counts
	cut         float64              // least charge of a sensor cell, ADC counts
	lost        float64              // scale of the charge lost in sensor cells below the cut, ADC counts
	fakes       float64              // mean number of cells of the wafer with noise above the cut
	highDensity bool
}

// adcMax is the largest trigger sum: 17 bits, linearised.
const adcMax = 1<<17 - 1

func newFrontEnd(m hgcal.Module, p *ElectronicsParameters) *frontEnd {
	i := map[int]int{120: 0, 200: 1, 300: 2}[m.Thickness()]
	f := &frontEnd{
		perMIP: p.ChargePerMIP[i] / p.LSB, noise: p.Noise[i] / p.LSB, cut: p.Cut * p.Noise[i] / p.LSB,
		highDensity: m.HighDensity(),
	}
	for c, q := range hgcal.CellCentres() {
		// The drawing mirrors x.
		r := math.Hypot(m.X-float64(q[0]*cmPerUnit), m.Y+float64(q[1]*cmPerUnit))
		f.perMIPT[c] = f.perMIP * math.Hypot(r, m.Z) / r
	}
	f.lost = p.Lost * f.cut * f.sensorCells()
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

// read turns energies in MIP_T into the charges that the trigger gets, in whole
// ADC counts, not transverse: with noise and without cells below the front
// end's cut.
func (f *frontEnd) read(s *counter.Stream, cells *[hgcal.Cells + 1]float32) {
	for i := range hgcal.Cells {
		v := float64(cells[i]) * f.perMIPT[i]
		if v == 0 {
			continue
		}
		// Small sums are spread over sensor cells of which most stay below the cut.
		if v < keptRange*f.lost {
			v *= kept(v / f.lost)
		}
		if v += float64(f.noise * normal(s)); v < f.cut {
			v = 0
		}
		cells[i] = float32(min(math.Floor(v), adcMax))
	}
	for range poisson(s, f.fakes) {
		// The tail of a normal beyond 3σ falls by e every third of a σ.
		if i := s.IntN(hgcal.Cells); cells[i] == 0 {
			cells[i] = float32(math.Floor(f.cut + f.noise*s.Exp()/3))
		}
	}
}

// kept is 1 − exp(−x) below keptRange, where it is 1 but for 0.03 %.
func kept(x float64) float64 {
	t := float64(x * (keptBins / keptRange))
	i := int(t)
	return keptTable[i] + float64((t-float64(i))*(keptTable[i+1]-keptTable[i]))
}

const (
	keptRange = 8
	keptBins  = 512
)

var keptTable = func() (t [keptBins + 2]float64) {
	for i := range t {
		t[i] = -math.Expm1(-float64(i) * keptRange / keptBins)
	}
	return t
}()

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
