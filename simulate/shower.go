package simulate

import (
	"math"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// electronLayers is the mean energy per layer of 35 GeV electrons in the 28
// electromagnetic layers of V11, any unit. Source: HGCAL-FastShower of LLRCMS.
var electronLayers = [...]float64{
	1.59, 3.33, 6.12, 10.7, 14.4, 20.3, 22.8, 28.3, 31.4, 41.0, 36.9, 37.9, 31.2, 30.4,
	23.5, 22.4, 16.3, 15.1, 12.4, 12.2, 7.43, 5.95, 3.70, 2.92, 1.66, 1.41, 1.30, .90,
}

var electronTotal = func() (t float64) {
	for _, w := range electronLayers {
		t += w
	}
	return t
}()

// emDensity is the share of an electron's energy per layer at a depth in
// layers, for the shower of 35 GeV.
func emDensity(depth float64) float64 {
	i := int(math.Floor(depth)) - 1
	at := func(i int) float64 {
		switch {
		case i < 0:
			return 0
		case i >= len(electronLayers):
			// Beyond the measured layers the profile falls by e every 3.2 layers, as
			// it does in its last third.
			return electronLayers[len(electronLayers)-1] * math.Exp(-float64(i-len(electronLayers)+1)/3.2)
		}
		return electronLayers[i]
	}
	t := depth - math.Floor(depth)
	return (float64((1-t)*at(i)) + float64(t*at(i+1))) / electronTotal
}

const (
	// criticalEnergy of the absorber mix in GeV; with it the maximum of 35 GeV
	// electrons is at ln(E/critical) − 0.5 = 7.66 radiation lengths, layer 10.
	criticalEnergy = 0.010
	depth35        = 7.66
	layersPerX0    = 28.0 / 25
	// lambdaEM is the depth of the electromagnetic part in interaction lengths.
	lambdaEM = 1.4
)

// interactionDepth is the depth of a V11 layer in interaction lengths, thickness
// that of the layer alone: 28 electromagnetic layers, 12 fine and 10 coarse
// hadronic ones.
func interactionDepth(layer float64) (depth, thickness float64) {
	const fine, coarse = 0.34, 0.5
	switch {
	case layer <= 28:
		return layer / 28 * lambdaEM, lambdaEM / 28
	case layer <= 40:
		return lambdaEM + float64((layer-28)*fine), fine
	}
	return lambdaEM + float64(12*fine) + float64((layer-40)*coarse), coarse
}

// particle is what is random about a shower as a whole.
type particle struct {
	class    Class
	energy   float64 // GeV
	eta, phi float64
	cosh     float64
	stretch  float64 // of depth, against the 35 GeV profile
	shift    float64 // layers before the shower starts
	start    float64 // first nuclear interaction, in interaction lengths
	emShare  float64 // of a hadronic shower
	shape    float64 // of the hadronic profile
	shapeNor float64
}

func newParticle(s *counter.Stream, c Class, energy, eta, phi float64, p *ShowerParameters) particle {
	q := particle{class: c, energy: energy, eta: eta, phi: phi, cosh: math.Cosh(eta)}
	q.stretch = math.Max(0.2, (math.Log(energy/criticalEnergy)-0.5)/depth35) * math.Exp(p.DepthSpread*normal(s))
	switch c {
	case Photon:
		// Pair production after 9/7 radiation lengths on average.
		q.shift = 9. / 7 * s.Exp() * layersPerX0
	case Pion:
		q.start = s.Exp()
		q.emShare = min(max(p.EMFraction+float64(0.18*normal(s)), 0), 1)
		q.stretch = math.Max(0.2, (math.Log(0.5*energy/criticalEnergy)-0.5)/depth35)
		q.shape = 1.2 + float64(0.25*math.Log(1+energy))
		g, _ := math.Lgamma(q.shape)
		q.shapeNor = math.Exp(-g)
	}
	return q
}

// spot is a deposit in MIP_T at a distance from the shower's axis, in cm.
type spot struct {
	x, y, energy float64
}

// layerSpots appends the deposits in a layer at a depth given as V11 layer.
func (q *particle) layerSpots(spots []spot, s *counter.Stream, depth float64, p *ShowerParameters) []spot {
	if q.class != Pion {
		e := q.energy * emDensity((depth-q.shift)/q.stretch) / q.stretch
		return appendSpots(spots, s, e, emRadius(depth), p.Sampling, 1000/p.MeVPerMIP/q.cosh, p.MaxSpots)
	}
	at, thickness := interactionDepth(depth)
	if at < q.start {
		// A minimum-ionising track, with the tail of Landau's distribution.
		return append(spots, spot{0, 0, (0.9 + float64(0.15*s.Exp())) / q.cosh})
	}
	x := at - q.start
	em := 0.0
	// The electromagnetic core develops from the interaction point.
	if depth <= 28 {
		em = emDensity(1+(depth-float64(q.start/lambdaEM*28))/q.stretch) / q.stretch
	} else {
		const x0 = 10 // radiation lengths per interaction length of the hadronic part
		em = emDensity(1+x*x0*layersPerX0/q.stretch) / q.stretch * thickness * x0 * layersPerX0
	}
	had := q.shapeNor * math.Pow(x+1e-3, q.shape-1) * math.Exp(-x) * thickness
	perMIP := p.HadronMeVPerMIP
	if depth <= 28 {
		perMIP = p.MeVPerMIP
	}
	toMIPT := 1000 / perMIP / q.cosh
	spots = appendSpots(spots, s, q.energy*q.emShare*em, emRadius(min(depth, 28)), p.Sampling, toMIPT, p.MaxSpots)
	return appendSpots(spots, s, q.energy*(1-q.emShare)*had, hadronRadius(depth), p.HadronSampling, toMIPT, p.MaxSpots)
}

// emRadius and hadronRadius are the mean radii of showers at a layer, in cm.
// Source: HGCAL-FastShower of LLRCMS.
func emRadius(layer float64) float64 {
	return (8.93 + float64(layer*(0.046+float64(0.081*layer)))) * (2.8 / math.Ln10) / 28
}

func hadronRadius(layer float64) float64 {
	return (28 + float64(layer*(0.335+float64(0.052*layer)))) / 52
}

// appendSpots breaks an energy in GeV into spots with an exponential radius.
// Their number fluctuates as the sampling term says; beyond most spots each
// carries more.
func appendSpots(spots []spot, s *counter.Stream, energy, radius, sampling, toMIPT float64, most int) []spot {
	if energy <= 0 {
		return spots
	}
	quantum := sampling * sampling // GeV
	n := 0
	if quantum > 0 {
		n = poisson(s, energy/quantum)
		energy = float64(n) * quantum
	} else {
		n = most
	}
	n = min(n, most)
	for range n {
		r := radius * s.Exp()
		d := direction(s)
		spots = append(spots, spot{r * d[0], r * d[1], energy * toMIPT / float64(n)})
	}
	return spots
}

var directions = func() (t [1024][2]float64) {
	for i := range t {
		t[i][1], t[i][0] = math.Sincos(2 * math.Pi * (float64(i) + 0.5) / float64(len(t)))
	}
	return t
}()

func direction(s *counter.Stream) [2]float64 { return directions[s.Uint64()>>54] }

// cmPerUnit is half the trigger-cell pitch, the drawing's unit, in cm.
const cmPerUnit = 2.402366 / 2

// cellAt returns the cell at a position relative to a module's centre, in cm,
// in the detector's frame. The drawing's frame is its mirror image.
func cellAt(x, y float64) (int, bool) {
	return hgcal.CellAt(hgcal.Point{-x / cmPerUnit, y / cmPerUnit})
}
