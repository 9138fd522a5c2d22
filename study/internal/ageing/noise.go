package ageing

import (
	"math"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/simulate"
)

// Normal is noise of a trigger cell as a whole: its standard deviation, CALQ counts.
type Normal float64

// Add implements Noise.
func (n Normal) Add(s *counter.Stream, charge float64) float64 {
	if n == 0 {
		return charge
	}
	return charge + float64(float64(n)*s.Normal())
}

// Sensors are the sensor cells of a trigger cell, each behind a threshold that was set for its noise when it was new.
type Sensors struct {
	Sigma float64 // noise of a new one, CALQ counts
	Cut   float64 // the threshold, in units of Sigma
	Count float64 // of a trigger cell
}

// SensorsOf are those of a module.
func SensorsOf(m hgcal.Module) Sensors {
	p := simulate.DefaultParameters().Electronics
	i := map[int]int{120: 0, 200: 1, 300: 2}[m.Thickness()]
	// A count of noise is as much transverse charge as the module's place makes of it.
	e := Sensors{Sigma: p.Noise[i] / p.ChargePerMIP[i] / math.Cosh(m.Eta()) * hgcal.CountsPerMIPT, Cut: p.Cut, Count: 4}
	if m.HighDensity() {
		e.Count = 9
	}
	return e
}

// Fakes are sensor cells that are above the threshold by grown noise alone, beyond those of a new module.
type Fakes struct {
	Rate  float64 // mean number in a trigger cell
	sigma float64 // noise, CALQ counts
	least float64 // the threshold, in units of sigma
}

// Fakes of noise that is so many times what it was, 1 or more.
func (e Sensors) Fakes(growth float64) Fakes {
	above := func(x float64) float64 { return 0.5 * math.Erfc(x/math.Sqrt2) }
	least := e.Cut / growth
	return Fakes{Rate: e.Count * (above(least) - above(e.Cut)), sigma: e.Sigma * growth, least: least}
}

// Add implements Noise.
func (f Fakes) Add(s *counter.Stream, charge float64) float64 {
	if f.Rate > 0 {
		for range s.Poisson(f.Rate) {
			charge += float64(f.sigma * tail(s, f.least))
		}
	}
	return charge
}

// tail draws from what a standard normal distribution has above a > 0: G. Marsaglia, Technometrics 6
// (1964) 101.
func tail(s *counter.Stream, a float64) float64 {
	for {
		x := math.Sqrt(float64(a*a) - float64(2*math.Log(s.Float64())))
		if float64(x*s.Float64()) < a {
			return x
		}
	}
}
