package simulate

import (
	"math"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"
)

// TestHardSpectrum holds what is drawn to integrals, and photons to the mass and momentum of
// neutral pions.
func TestHardSpectrum(t *testing.T) {
	h := newHardSpectrum(2)
	for _, pt := range []float64{2.5, 4, 10, 30} {
		want := tsallisIntegral(pt, hardest) / tsallisIntegral(2, hardest)
		if got := h.pt(want); math.Abs(got/pt-1) > 0.01 {
			t.Errorf("%g of the particles are above %g GeV, want %g", want, got, pt)
		}
	}
	// 〈p_T〉 of the whole spectrum is published, 0.545 GeV.
	moment := 0.0
	for i := range 100000 {
		pt := 1e-3 * (float64(i) + 0.5)
		moment += pt * tsallis(pt) * 1e-3
	}
	if mean := moment / tsallisIntegral(1e-4, 100); math.Abs(mean-0.545) > 0.03 {
		t.Errorf("mean transverse momentum %.3f GeV, want 0.545", mean)
	}
	const n = 400
	var pions, photons, low float64
	for k := range uint64(n) {
		s := counter.New(1, k)
		for _, p := range h.particles(&s, 200) {
			if math.Abs(p.Energy/(p.Pt*math.Cosh(p.Eta))-1) > 1e-9 || math.Abs(p.Phi) > math.Pi {
				t.Fatalf("%+v", p)
			}
			switch {
			case p.Class == Photon:
				photons++
			case p.Pt < 2:
				t.Fatalf("a pion below the threshold: %+v", p)
			default:
				pions++
				if p.Eta < (hardEtaMin+hardEtaMax)/2 {
					low++
				}
			}
		}
	}
	want := 200 * h.mean / (1 + neutralShare)
	if got := pions / n; math.Abs(got-want) > 4*math.Sqrt(want/n) {
		t.Errorf("%.2f pions an event, want %.2f", got, want)
	}
	if got := photons / pions; got < 1.7*neutralShare || got > 2.1*neutralShare {
		t.Errorf("%.2f photons a pion", got)
	}
	if math.Abs(low/pions-0.5) > 4*0.5/math.Sqrt(pions) {
		t.Errorf("%.3f of the pions in the lower half of η", low/pions)
	}
	s := counter.New(2, 0)
	for range 100 {
		p := Particle{Pt: 20, Eta: 2.2, Phi: 3.1}
		pair := decay(&s, &p)
		if len(pair) < 2 {
			continue
		}
		a, b := pair[0], pair[1]
		phi := math.Remainder(a.Phi-b.Phi, 2*math.Pi)
		mass := math.Sqrt(2 * a.Pt * b.Pt * (math.Cosh(a.Eta-b.Eta) - math.Cos(phi)))
		if math.Abs(mass/neutralMass-1) > 0.01 || math.Abs(a.Pt+b.Pt-20) > 1e-9 || math.Abs(a.Pt*a.Eta+b.Pt*b.Eta-20*2.2) > 1e-9 {
			t.Errorf("mass %.4f GeV of %+v", mass, pair)
		}
	}
}

// TestHardMeans: with particles in pile-up the mean charge of wafers stays what it is with
// groups alone, in layers and η, and the mean number of cells what is published.
func TestHardMeans(t *testing.T) {
	const n, wide = 30, 0.4
	layers := []int{1, 5, 9, 13, 21, 29}
	type bin struct{ layer, eta int }
	type sums struct{ n, charge, square, cells, published float64 }
	measure := func(hardPt float64) map[bin]sums {
		p := DefaultParameters()
		p.PileUp.HardPt = hardPt
		e := events(t, EventSettings{Seed: 8, PileUp: 200, Layers: layers, Parameters: &p, KeepEmpty: true, Threads: 1})
		all := map[bin]sums{}
		var set wafer.Set
		for k := range uint64(n) {
			e.Draw(k, nil, &set)
			layer, eta := set.Column("layer").Float, set.Column("eta").Float
			for i := range set.Len() {
				at := bin{int(layer[i]), int((eta[i] - 1.5) / wide)}
				if eta[i] < 1.5 || eta[i] > 2.9 {
					continue
				}
				s := all[at]
				q := 0.0
				for _, c := range set.Image(i) {
					q += c / hgcal.CountsPerMIPT
					if c > cellThreshold*hgcal.CountsPerMIPT {
						s.cells++
					}
				}
				mean, _ := meanCells(layer[i], eta[i])
				s.n, s.charge, s.square, s.published = s.n+1, s.charge+q, s.square+q*q, s.published+mean
				all[at] = s
			}
		}
		return all
	}
	groups, hard := measure(0), measure(DefaultParameters().PileUp.HardPt)
	for at, g := range groups {
		h := hard[at]
		a, b := g.charge/g.n, h.charge/h.n
		noise := math.Sqrt((g.square/g.n-a*a)/g.n + (h.square/h.n-b*b)/h.n)
		if math.Abs(b/a-1) > 0.03+4*noise/a {
			t.Errorf("layer %d, η from %.1f: mean charge %.2f MIP_T, of groups alone %.2f ± %.2f", at.layer, 1.5+wide*float64(at.eta), b, a, noise)
		}
		// Poisson's error is nearly that of so few cells.
		if off := h.cells/h.published - 1; math.Abs(off) > 0.2+4/math.Sqrt(h.published) {
			t.Errorf("layer %d, η from %.1f: %.3f cells, published %.3f", at.layer, 1.5+wide*float64(at.eta), h.cells/h.n, h.published/h.n)
		}
	}
}

// TestHardSettings: no particles are no other event than before, and too soft ones an error.
func TestHardSettings(t *testing.T) {
	p := DefaultParameters()
	p.PileUp.HardPt = 0
	s := EventSettings{PileUp: 200, Layers: []int{9}, Parameters: &p}
	if e := events(t, s); e.hard != nil {
		t.Error("a hard part that was not asked for")
	}
	p.PileUp.HardPt = 0.2
	if _, err := NewEvents(s); err == nil || !strings.Contains(err.Error(), "hard_pt is 0.2, want 0, or 0.5 to 50") {
		t.Error(err)
	}
}
