package simulate

import (
	"math"
	"slices"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// The hard part of pile-up are the charged hadrons and neutral pions of all collisions
// from HardPt on. Their spectrum is Tsallis' as CMS fitted it to charged hadrons,
//
//	d²N/dη dp_T ∝ p_T²/m_T · (1 + (m_T − m)/(nT))^−n,
//
// at 7 TeV (Physical Review Letters 105, 2010, 022002); at 13 TeV n and T are much the
// same (Saraswat, Shukla and Singh, arXiv 1706.04860). Their density in η is that of
// inelastic collisions of 13 TeV (CMS, Physics Letters B 751, 2015, 143).
const (
	hardT, hardN = 0.145, 6.6 // GeV
	pionMass     = 0.1396
	neutralMass  = 0.135
	charged      = 5.49 // charged hadrons of a collision, a unit of η
	neutralShare = 0.4  // neutral pions for one charged hadron: half as many as charged pions
	hardest      = 100  // GeV
	minHardPt    = 0.5  // GeV: softer particles are too many, and curl up in the field
	// Particles beyond the modules reach into them.
	hardEtaMin, hardEtaMax = 1.3, 3.4
	// farthest is how far from the axis deposits are drawn, in mean radii: 0.3 % are lost.
	farthest = 8
	// capPerGeV is the energy in MIP_T of the main fragment of a group that stands for
	// particles below HardPt, for each GeV: what a photon leaves in the layer of its maximum.
	capPerGeV = 10
)

// hardSpectrum is the spectrum from a threshold on, and how many particles there are.
type hardSpectrum struct {
	threshold float64
	logTail   [hardBins + 1]float64 // logarithm of the share above each of the bins' edges
	step      float64               // of the bins, in ln p_T
	mean      float64               // hadrons and neutral pions of a collision
}

const hardBins = 256

// tsallis is the density of the spectrum, in any unit.
func tsallis(pt float64) float64 {
	mt := math.Hypot(pt, pionMass)
	return pt * (pt / mt) * math.Pow(1+(mt-pionMass)/(hardN*hardT), -hardN)
}

// tsallisIntegral is its integral, in steps of equal ratio.
func tsallisIntegral(from, to float64) float64 {
	const n = 2000
	step, sum := math.Log(to/from)/n, 0.0
	for i := range n {
		pt := from * math.Exp(step*(float64(i)+0.5))
		sum += float64(pt * tsallis(pt))
	}
	return sum * step
}

func newHardSpectrum(threshold float64) *hardSpectrum {
	h := &hardSpectrum{threshold: threshold, step: math.Log(hardest/threshold) / hardBins}
	above := 0.0
	var tail [hardBins]float64
	for i := hardBins - 1; i >= 0; i-- {
		from := threshold * math.Exp(h.step*float64(i))
		above += tsallisIntegral(from, from*math.Exp(h.step))
		tail[i] = above
	}
	for i := range tail {
		h.logTail[i] = math.Log(tail[i] / above)
	}
	h.logTail[hardBins] = h.logTail[hardBins-1] - 1 // the few in the last bin
	share := above / tsallisIntegral(1e-4, 1e3)
	h.mean = charged * (1 + neutralShare) * (hardEtaMax - hardEtaMin) * share
	return h
}

// pt is the transverse momentum that a share u of the particles exceeds.
func (h *hardSpectrum) pt(u float64) float64 {
	log := max(math.Log(u), h.logTail[hardBins])
	i, _ := slices.BinarySearchFunc(h.logTail[:], log, func(a, b float64) int {
		if a > b {
			return -1
		}
		return 1
	})
	i = min(max(i, 1), hardBins)
	t := (h.logTail[i-1] - log) / (h.logTail[i-1] - h.logTail[i])
	return h.threshold * math.Exp(h.step*(float64(i-1)+t))
}

// particles appends those of n collisions: pions, and photons two by two.
func (h *hardSpectrum) particles(s *counter.Stream, n float64) []Particle {
	var list []Particle
	for range poisson(s, h.mean*n) {
		p := Particle{Class: Pion, Pt: h.pt(s.Float64())}
		p.Eta = hardEtaMin + float64((hardEtaMax-hardEtaMin)*s.Float64())
		p.Phi = math.Pi * float64(2*s.Float64()-1)
		p.Energy = p.Pt * math.Cosh(p.Eta)
		if s.Float64()*(1+neutralShare) >= neutralShare {
			list = append(list, p)
			continue
		}
		list = append(list, decay(s, &p)...)
	}
	return list
}

// decay makes two photons of a neutral pion: each share of its momentum is as probable as
// any other, and the angle is that which its mass asks for.
func decay(s *counter.Stream, p *Particle) []Particle {
	share := s.Float64()
	d := direction(s)
	apart := neutralMass / (p.Pt * math.Sqrt(share*(1-share))) // in η and φ, small
	pair := make([]Particle, 0, 2)
	for _, part := range [2]float64{share, share - 1} { // away from the pion's direction by the other's share
		q := Particle{Class: Photon, Pt: p.Pt * math.Abs(part)}
		away := apart * math.Copysign(1-math.Abs(part), part)
		q.Eta = p.Eta + float64(away*d[0])
		q.Phi = math.Remainder(p.Phi+float64(away*d[1]), 2*math.Pi)
		q.Energy = q.Pt * math.Cosh(q.Eta)
		if q.Pt > 0.1 && math.Abs(away) < 1 {
			pair = append(pair, q)
		}
	}
	return pair
}

// hardPart is what NewEvents prepares.
type hardPart struct {
	spectrum *hardSpectrum
	pileUp   float64
	rate     []float64 // of groups, of each place, in place of its own
	energies *energies
}

const (
	hardStream       = 0x68617264
	hardShowerStream = 0x6873686f776572
	hardLayerStream  = 0x686c61796572
)

// newHardPart makes the spectrum and lowers the rates of groups so that the mean energy on
// each wafer stays what it is.
func newHardPart(g *Generator, pileUp float64) *hardPart {
	p := &g.settings.Parameters.PileUp
	h := &hardPart{spectrum: newHardSpectrum(p.HardPt), pileUp: pileUp}
	h.energies = newEnergies(p)
	h.energies.cap = float32(capPerGeV * p.HardPt)
	all, capped := p.meanTo(1e5), p.meanTo(float64(h.energies.cap))
	density := h.spectrum.deposits(g)
	for i := range g.detector.places {
		at := &g.detector.places[i]
		if at.sector > 0 {
			h.rate = append(h.rate, h.rate[i-at.sector])
			continue
		}
		groups := at.rate * at.library.area * at.library.meanShare(at.slope) * all
		area := hexagonInEta(math.Hypot(at.module.X, at.module.Y), at.module.Z)
		hard := pileUp * area * density.at(g.detector.perMap[at.module.Layer], at.eta)
		h.rate = append(h.rate, at.rate*max(0, (1-hard/groups)*all/capped))
	}
	return h
}

// A wafer's radius in cm, area in cm² and mean squared distance from the centre.
const (
	hexagonRadius = hgcal.DrawingRadius * cmPerUnit
	hexagonArea   = 2.598076211353316 * hexagonRadius * hexagonRadius // 3√3/2 R²
	hexagonSpread = 5. / 12 * hexagonRadius * hexagonRadius
)

// hexagonInEta is a wafer's area in η and φ at a distance r from the beam and z from the
// origin.
func hexagonInEta(r, z float64) float64 {
	return hexagonArea / (r * r * math.Sqrt(1+float64(r*r)/(z*z))) * (1 + hexagonSpread/(r*r))
}

// depositEtas are where the mean deposits are computed.
var depositEtas = [...]float64{1.5, 2, 2.5, 3.1}

// deposits is the mean energy in MIP_T that one collision's hard part leaves in a layer, a
// unit of η and a radian, at each of depositEtas.
type deposits [][len(depositEtas)]float64

// deposits averages over particles without the fluctuation of sampling.
func (h *hardSpectrum) deposits(g *Generator) deposits {
	const n = 1500
	shower := g.settings.Parameters.Shower
	shower.Sampling, shower.HadronSampling, shower.MaxSpots = 0, 0, 1
	all := make(deposits, len(g.detector.layers))
	density := h.mean / (hardEtaMax - hardEtaMin) / (2 * math.Pi) / n / (1 + neutralShare)
	var spots []spot
	for e, eta := range depositEtas {
		s := counter.New(hardStream, uint64(e))
		for i := range n {
			p := Particle{Class: Pion, Pt: h.pt((float64(i) + 0.5) / n), Eta: eta}
			p.Energy = p.Pt * math.Cosh(eta)
			for _, q := range append(decay(&s, &p), p) {
				weight := density
				if q.Class == Photon {
					weight *= neutralShare
				}
				one := newParticle(&s, q.Class, q.Pt*math.Cosh(eta), eta, 0, &shower)
				for l := range g.detector.layers {
					at := g.detector.places[g.detector.layers[l].first].depth
					spots = one.layerSpots(spots[:0], &s, at, &shower)
					for _, d := range spots {
						all[l][e] += float64(weight * d.energy)
					}
				}
			}
		}
	}
	return all
}

// at is linear between the η where deposits are known.
func (d deposits) at(layer int, eta float64) float64 {
	i := 1
	for i < len(depositEtas)-1 && eta > depositEtas[i] {
		i++
	}
	t := (eta - depositEtas[i-1]) / (depositEtas[i] - depositEtas[i-1])
	return d[layer][i-1] + float64(t*(d[layer][i]-d[layer][i-1]))
}

// meanTo is the mean energy of groups' main fragments where none has more than most.
func (p *PileUpParameters) meanTo(most float64) float64 {
	const n, least = 4000, 1e-4
	step, sum := math.Log(most/least)/n, least
	for i := range n {
		e := least * math.Exp(step*(float64(i)+0.5))
		sum += float64(step * e * p.exceed(e))
	}
	return sum
}

// meanShare is the mean of what a group gives all cells of a wafer across which the rate
// changes, in units of its main fragment's energy.
func (l *library) meanShare(g gradient) float64 {
	sum := 0.0
	for i := range l.pattern {
		p := &l.pattern[i]
		all := 0.0
		for _, n := range p.points {
			all += float64(share[n])
		}
		t := g.strength * math.Hypot(float64(p.x), float64(p.y))
		sum += float64(all * (1 + float64(t*t/4))) // exp(g·r) over all directions
	}
	return sum / patterns
}

// drawHard lets the hard part of event k cross the layers, and adds what falls on the
// places of reached to their cells. Only particles near those are followed: particles, and
// each in each layer, have streams of their own, and deposits end at some distance.
func (e *Events) drawHard(k uint64, activity float64, reached []int32, cells [][hgcal.Cells]float32) {
	d := e.g.detector
	slot := make([]int32, len(d.places)) // in cells, from 1 on
	for i, at := range reached {
		slot[at] = int32(i + 1)
	}
	boxes := d.boxes(reached)
	s := counter.New(e.settings.Seed^hardStream, k)
	shower := &e.g.settings.Parameters.Shower
	var spots []spot
	for i, p := range e.hard.spectrum.particles(&s, e.hard.pileUp*activity) {
		s := counter.New(e.settings.Seed^hardShowerStream^uint64(i+1)<<40, k)
		q := newParticle(&s, p.Class, p.Energy, p.Eta, p.Phi, shower)
		sin, cos := math.Sincos(p.Phi)
		slope := 1 / math.Sinh(p.Eta)
		for l := range d.layers {
			layer := &d.layers[l]
			depth := d.places[layer.first].depth
			x, y := float64(layer.z*slope*cos), float64(layer.z*slope*sin)
			most := farthest * emRadius(depth)
			if q.class == Pion {
				most = farthest * max(emRadius(min(depth, 28)), hadronRadius(depth))
			}
			if !boxes[l].near(x, y, most+hexagonRadius) {
				continue
			}
			s := counter.New(e.settings.Seed^hardLayerStream^uint64(i+1)<<40^uint64(l+1)<<32, k)
			spots = q.layerSpots(spots[:0], &s, depth, shower)
			for _, t := range spots {
				if float64(t.x*t.x)+float64(t.y*t.y) > most*most {
					continue
				}
				at, ok := d.find(layer, x+t.x, y+t.y)
				if !ok || slot[at] == 0 {
					continue
				}
				cell, _ := d.places[at].cell(x+t.x, y+t.y)
				cells[slot[at]-1][cell] += float32(t.energy)
			}
		}
	}
}

// box holds the centres of wafers.
type box struct{ left, right, low, high float64 }

// near reports whether a point is within a distance of it.
func (b *box) near(x, y, distance float64) bool {
	return x > b.left-distance && x < b.right+distance && y > b.low-distance && y < b.high+distance
}

// boxes are those of some places, layer by layer.
func (d *detector) boxes(places []int32) []box {
	boxes := make([]box, len(d.layers))
	for l := range boxes {
		boxes[l] = box{math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)}
	}
	for _, at := range places {
		p := &d.places[at]
		b := &boxes[d.perMap[p.module.Layer]]
		b.left, b.right, b.low, b.high = min(b.left, p.x), max(b.right, p.x), min(b.low, p.y), max(b.high, p.y)
	}
	return boxes
}
