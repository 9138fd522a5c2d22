package simulate

import (
	"math"

	"barrow/internal/counter"
)

// A jet is hadronised with limited transverse momentum, as Field and Feynman (Nuclear
// Physics B 136, 1978) have it: hadrons share the momentum, and each has a small
// transverse momentum of its own against the axis, whatever the jet's. A third of
// the pions are neutral, and photons.
const (
	jetSpread  = 0.35 // GeV, of either component against the axis
	jetWidth   = 0.4  // farthest that a part is from the axis, in η and φ together
	jetBase    = 3.0  // parts of a jet: at least 2, on average jetBase + jetGrowth·ln(1 + p_T)
	jetGrowth  = 1.5
	minPartsPt = 0.3 // GeV: softer parts do not reach the endcap in the field
)

// hadronise replaces a jet's momentum, of which the axis is drawn, by particles, and
// returns their sum.
func hadronise(s *counter.Stream, axis *Particle) Particle {
	n := 2 + poisson(s, jetBase-2+float64(jetGrowth*math.Log1p(axis.Pt)))
	// Shares of exponential deviates are uniform among all that add up to 1.
	shares, total := make([]float64, n), 0.0
	for i := range shares {
		shares[i] = s.Exp()
		total += shares[i]
	}
	jet := Particle{Class: Jet}
	var px, py, pz float64
	for _, share := range shares {
		p := Particle{Class: Pion, Pt: axis.Pt * (share / total)}
		if s.IntN(3) == 0 {
			p.Class = Photon
		}
		dEta, dPhi := float64(jetSpread*normal(s))/p.Pt, float64(jetSpread*normal(s))/p.Pt
		if r := math.Hypot(dEta, dPhi); r > jetWidth {
			dEta, dPhi = dEta*(jetWidth/r), dPhi*(jetWidth/r)
		}
		if p.Pt < minPartsPt {
			continue
		}
		p.Eta, p.Phi = axis.Eta+dEta, math.Remainder(axis.Phi+dPhi, 2*math.Pi)
		p.Energy = p.Pt * math.Cosh(p.Eta)
		sin, cos := math.Sincos(p.Phi)
		px, py = px+float64(p.Pt*cos), py+float64(p.Pt*sin)
		pz += p.Pt * math.Sinh(p.Eta)
		jet.Energy += p.Energy
		jet.Parts = append(jet.Parts, p)
	}
	if jet.Parts == nil { // a jet so soft is one pion
		p := *axis
		p.Class = Pion
		jet.Parts = []Particle{p}
		jet.Pt, jet.Eta, jet.Phi, jet.Energy = p.Pt, p.Eta, p.Phi, p.Energy
		return jet
	}
	jet.Pt, jet.Phi = math.Hypot(px, py), math.Atan2(py, px)
	jet.Eta = math.Asinh(pz / jet.Pt)
	return jet
}
