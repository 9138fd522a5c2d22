package physics

import (
	"math"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/simulate"
	"barrow/wafer"
)

// TestTurnedNumbers: over the whole endcap every wafer of a layer has a number of its
// own, on the same lattice as the first sector's.
func TestTurnedNumbers(t *testing.T) {
	for _, version := range []hgcal.Geometry{hgcal.GeometryV11, hgcal.GeometryV16} {
		g := NewGeometry(version)
		if want := 3 * len(version.Modules()); g.Len() != want || len(g.turned) != want || len(g.index) != want {
			t.Fatalf("%v: %d wafers, %d and %d numbers: want %d", version, g.Len(), len(g.turned), len(g.index), want)
		}
		for i := range g.Len() {
			w := g.Wafer(i)
			m := w.Module
			if w.Sector == 0 && (w.U != m.U || w.V != m.V) {
				t.Fatalf("%v: wafer %d, %d of layer %d has the numbers %d, %d", version, m.U, m.V, m.Layer, w.U, w.V)
			}
			if j, err := g.findTurned(m.Layer, w.U, w.V); err != nil || j != i {
				t.Fatalf("%v: found %d for wafer %d: %v", version, j, i, err)
			}
			if j, err := g.Find(m.Layer, m.U, m.V, w.Sector); err != nil || j != i {
				t.Fatalf("%v: found %d for wafer %d: %v", version, j, i, err)
			}
		}
	}
	// By hand: in CMSSW x is (v − 2u)·83.8 mm and y is 145.2 mm·v in layer 1, where wafer
	// 0, 0 would be at the beam; wafer 0, 3 lies at φ = 60°.
	for _, c := range [][4]int{{0, 3, 3, 0}, {1, 4, 3, -1}, {2, 8, 6, -2}} {
		i, err := geometry.Find(1, c[0], c[1], 1)
		if err != nil {
			t.Fatal(err)
		}
		if w := geometry.Wafer(i); w.U != c[2] || w.V != c[3] {
			t.Errorf("wafer %d, %d turned by 120° is %d, %d, want %d, %d", c[0], c[1], w.U, w.V, c[2], c[3])
		}
	}
}

// TestGeometryErrors asks for what there is not.
func TestGeometryErrors(t *testing.T) {
	if _, err := geometry.Find(2, 0, 3, 0); err == nil || !strings.Contains(err.Error(), "layer 2 makes no trigger data") {
		t.Error(err)
	}
	if _, err := geometry.findTurned(1, 0, 0); err == nil || !strings.Contains(err.Error(), "no wafer 0, 0") {
		t.Error(err)
	}
	if _, err := geometry.Find(1, 0, 3, 3); err == nil || !strings.Contains(err.Error(), "sector 3") {
		t.Error(err)
	}
}

// TestShowersHit holds the cells' positions to the generator's: photons leave their
// energy around their path.
func TestShowersHit(t *testing.T) {
	e, err := simulate.NewEvents(simulate.EventSettings{Class: simulate.Photon, PtMin: 80, EtaMin: 1.7, EtaMax: 2.7})
	if err != nil {
		t.Fatal(err)
	}
	var set wafer.Set
	for k := range uint64(25) {
		p := e.Draw(k, nil, &set)[0]
		x, y := Direction(p.Eta, p.Phi)
		var sx, sy, sum float64
		for i := range set.Len() {
			at, err := geometry.Find(int(set.Column("layer").Float[i]), int(set.Column("waferu").Float[i]),
				int(set.Column("waferv").Float[i]), int(set.Column("sector").Float[i]))
			if err != nil {
				t.Fatal(err)
			}
			for c, q := range set.Image(i) {
				cx, cy := geometry.Cell(at, c)
				if math.Hypot(cx-x, cy-y) < 0.05 { // noise is everywhere
					sx, sy, sum = sx+q*cx, sy+q*cy, sum+q
				}
			}
		}
		if d := math.Hypot(sx/sum-x, sy/sum-y); !(d < 0.001) {
			t.Errorf("event %d: a photon at %.4f, %.4f is found %.4f away", k, x, y, d)
		}
	}
}

func TestDirections(t *testing.T) {
	for _, eta := range []float64{1.5, 2.3, 3} {
		for _, phi := range []float64{-3, -0.5, 0, 2.2} {
			if e, p := EtaPhi(Direction(eta, phi)); math.Abs(e-eta) > 1e-12 || math.Abs(p-phi) > 1e-12 {
				t.Errorf("η %g, φ %g come back as %g, %g", eta, phi, e, p)
			}
		}
	}
}
