package simulate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

func events(t testing.TB, s EventSettings) *Events {
	t.Helper()
	e, err := NewEvents(s)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// key is the place of wafer i of an event.
func key(set *wafer.Set, i int) (k [4]float64) {
	for j, name := range []string{"layer", "waferu", "waferv", "sector"} {
		k[j] = set.Column(name).Float[i]
	}
	return k
}

// TestReach draws the same events around their particles, with small and larger
// cones, and whole: a wafer has the same bits in all, and what is not drawn in the
// cone is out of its reach.
func TestReach(t *testing.T) {
	for _, class := range []Class{Electron, Jet} {
		s := EventSettings{Seed: 5, Class: class, Number: 2, PileUp: 100, Layers: []int{1, 9, 21, 33}, Threads: 1}
		e := events(t, s)
		s.Threads = 3
		threaded := events(t, s)
		for k := range uint64(4) {
			var whole, again wafer.Set
			truth := e.Draw(k, nil, &whole)
			threaded.Draw(k, nil, &again)
			if whole.Digest() != again.Digest() {
				t.Fatalf("%v event %d: three threads draw another one", class, k)
			}
			at := map[[4]float64]int{}
			for i := range whole.Len() {
				at[key(&whole, i)] = i
			}
			before := 0
			for _, radius := range []float64{0, 0.03, 0.12} {
				var cones []Cone
				for i := range truth {
					cones = append(cones, truth[i].Around(radius))
				}
				var part wafer.Set
				e.Draw(k, cones, &part)
				if part.Len() <= before || part.Len() >= whole.Len() {
					t.Fatalf("radius %g: %d wafers, with less %d, of %d", radius, part.Len(), before, whole.Len())
				}
				before = part.Len()
				for i := range part.Len() {
					j, ok := at[key(&part, i)]
					if !ok || !slices.Equal(part.Image(i), whole.Image(j)) {
						t.Fatalf("%v event %d, radius %g: wafer %v differs from the whole endcap's", class, k, radius, key(&part, i))
					}
					for c := range part.Columns {
						if part.Columns[c].Value(i) != whole.Columns[c].Value(j) {
							t.Fatalf("column %s of wafer %v differs", part.Columns[c].Name, key(&part, i))
						}
					}
				}
			}
		}
	}
}

// TestConeTouches holds the choice of wafers to one made of cells.
func TestConeTouches(t *testing.T) {
	e := events(t, EventSettings{PileUp: 1, Layers: []int{9}})
	cone := Cone{0.15, -0.1, 0.05}
	drawn := map[int32]bool{}
	for _, i := range e.g.detector.reached([]Cone{cone}) {
		drawn[i] = true
	}
	inside := 0
	for i := range e.g.detector.places {
		p := &e.g.detector.places[i]
		for _, c := range hgcal.CellCentres() {
			x, y := -c[0]*cmPerUnit, c[1]*cmPerUnit
			x, y = p.x+p.cos*x-p.sin*y, p.y+p.sin*x+p.cos*y
			if math.Hypot(x/p.module.Z-cone.X, y/p.module.Z-cone.Y) < cone.Radius {
				inside++
				if !drawn[int32(i)] {
					t.Fatalf("the cell at %g, %g is in the cone, but not its wafer", x, y)
				}
			}
		}
	}
	if inside < 100 || len(drawn) > 30 {
		t.Errorf("%d cells in the cone on %d wafers", inside, len(drawn))
	}
}

// TestParticles checks ranges, and jets against the sums of their parts.
func TestParticles(t *testing.T) {
	for name, s := range map[string]EventSettings{
		"pt":     {Class: Photon, Number: 3, PtMin: 2, PtMax: 200, EtaMin: 1.7, EtaMax: 2.1},
		"energy": {Class: Pion, EnergyMin: 20, EnergyMax: 30},
		"jets":   {Class: Jet, Number: 2, PtMin: 20, PtMax: 120},
	} {
		e := events(t, s)
		parts, jets := 0.0, 0.0
		for k := range uint64(300) {
			list := e.Particles(k)
			if len(list) != max(s.Number, 1) {
				t.Fatalf("%s: %d particles", name, len(list))
			}
			for _, p := range list {
				switch {
				case p.Class != s.Class, math.Abs(p.Phi) > math.Pi:
					t.Fatalf("%s: %+v", name, p)
				case p.Class == Jet:
					jets++
					parts += float64(len(p.Parts))
					checkJet(t, &p)
				case math.Abs(p.Energy/(p.Pt*math.Cosh(p.Eta))-1) > 1e-12,
					s.PtMax > 0 && (p.Pt < s.PtMin || p.Pt > s.PtMax || p.Eta < s.EtaMin || p.Eta > s.EtaMax),
					s.EnergyMax > 0 && (p.Energy < s.EnergyMin || p.Energy > s.EnergyMax):
					t.Fatalf("%s: %+v", name, p)
				}
			}
		}
		if jets > 0 && (parts/jets < 4 || parts/jets > 12) {
			t.Errorf("%g parts a jet", parts/jets)
		}
	}
	if p := events(t, EventSettings{PileUp: 200}).Particles(1); p != nil {
		t.Errorf("minimum bias has %v", p)
	}
}

func checkJet(t *testing.T, jet *Particle) {
	t.Helper()
	var x, y, z, energy float64
	for _, p := range jet.Parts {
		x, y, z = x+p.Pt*math.Cos(p.Phi), y+p.Pt*math.Sin(p.Phi), z+p.Pt*math.Sinh(p.Eta)
		energy += p.Energy
		if r := math.Hypot(p.Eta-jet.Eta, math.Remainder(p.Phi-jet.Phi, 2*math.Pi)); r > 2*jetWidth {
			t.Fatalf("a part is %g from the jet", r)
		}
	}
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-9*math.Abs(b) }
	if !near(jet.Pt, math.Hypot(x, y)) || !near(jet.Energy, energy) || !near(math.Sinh(jet.Eta), z/math.Hypot(x, y)) {
		t.Fatalf("%+v is not the sum of its parts", jet)
	}
}

// TestEventDeposits: what a photon leaves without pile-up is proportional to its
// energy, and its charges lie around its path.
func TestEventDeposits(t *testing.T) {
	sum := func(pt float64) float64 {
		e := events(t, EventSettings{Class: Photon, PtMin: pt, PtMax: pt, EtaMin: 2, EtaMax: 2.4})
		total := 0.0
		var set wafer.Set
		for k := range uint64(40) {
			p := e.Draw(k, nil, &set)
			signal := 0.0
			for i, v := range set.Column("SimEnergyTotal").Float {
				signal += v
				if v > 0 && set.Column("EventSimEnergy").Float[i] != p[0].Energy {
					t.Fatal("the event's energy is not that of its particle")
				}
			}
			total += signal / p[0].Pt
		}
		return total / 40
	}
	small, large := sum(20), sum(80)
	if math.Abs(large/small-1) > 0.05 {
		t.Errorf("%g MIP_T a GeV at 20 GeV, %g at 80 GeV", small, large)
	}
}

func TestParseClass(t *testing.T) {
	for c := PileUp; c < classes; c++ {
		if got, err := ParseClass(c.String()); err != nil || got != c {
			t.Errorf("%v is parsed as %v: %v", c, got, err)
		}
	}
	if _, err := ParseClass("muon"); err == nil || !strings.Contains(err.Error(), "electron") {
		t.Error(err)
	}
}

func TestEventSettings(t *testing.T) {
	for want, s := range map[string]EventSettings{
		"nothing to draw":                {},
		"both of energies":               {Class: Electron, PtMin: 5, EnergyMin: 3},
		"range 9:3 of transverse":        {Class: Electron, PtMin: 9, PtMax: 3},
		"range 0:3 of energy":            {Class: Electron, EnergyMax: 3},
		"range 1:2.9 of η":               {Class: Electron, EtaMin: 1},
		"pile-up NaN":                    {Class: Electron, PileUp: math.NaN()},
		"pile-up 1000: want at most 400": {Class: Electron, PileUp: 1000},
		"-1 particles an event":          {Class: Electron, Number: -1},
		"no such class of particles: 17": {Class: 17},
		"layer 2 makes no trigger data":  {Class: Electron, Layers: []int{2}},
	} {
		if _, err := NewEvents(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}
