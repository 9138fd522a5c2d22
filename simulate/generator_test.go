package simulate

import (
	gocmp "cmp"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"
)

func generate(t testing.TB, n int, s Settings) *wafer.Set {
	t.Helper()
	set, err := Generate(n, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Check(); err != nil {
		t.Fatal(err)
	}
	return set
}

// TestReproducible asks for the same images in several ways.
func TestReproducible(t *testing.T) {
	const n = 500
	want := generate(t, n, Settings{Seed: 7})
	if got := generate(t, n, Settings{Seed: 7, Threads: 3}); !cmp.Equal(got, want) {
		t.Error("three threads draw other images than one")
	}
	g, err := New(Settings{Seed: 7, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	r := g.Reader(0, n)
	var part wafer.Set
	at := 0
	for {
		k, err := r.Read(&part, 37)
		if err != nil {
			break
		}
		if !slices.Equal(part.Charge, want.Charge[at*hgcal.Cells:(at+k)*hgcal.Cells]) ||
			part.Column("entry").Float[0] != float64(at) {
			t.Fatalf("the stream differs at image %d", at)
		}
		at += k
	}
	if at != n {
		t.Errorf("the stream ends after %d images", at)
	}
	dst := make([]float64, hgcal.Cells)
	for k := n - 1; k >= 0; k -= 13 {
		truth := g.Image(uint64(k), dst)
		if !slices.Equal(dst, want.Image(k)) || truth.Class.String() != want.Column("class").Text[k] {
			t.Fatalf("image %d differs when asked for alone", k)
		}
	}
	if other := generate(t, n, Settings{Seed: 8}); slices.Equal(other.Charge, want.Charge) {
		t.Error("two seeds draw the same images")
	}
}

// TestPresets checks the truth of every preset against its promise.
func TestPresets(t *testing.T) {
	for _, name := range Presets() {
		s := generate(t, 3000, Settings{Preset: name, Seed: 1})
		count := map[string]int{}
		for i, c := range s.Column("class").Text {
			count[c]++
			energy, share := s.Column("EventSimEnergy").Float[i], s.Column("SimEnergyFraction").Float[i]
			if (c == "pileup") != (energy == 0) || share < 0 || share > 1.0001 {
				t.Fatalf("%s, image %d: %s of %g GeV with share %g", name, i, c, energy, share)
			}
			if energy != 0 && (energy < 5 || energy > 500) {
				t.Fatalf("%s: %g GeV", name, energy)
			}
			if eta := s.Column("eta").Float[i]; eta < 1.6 || eta > 2.9 {
				t.Fatalf("%s: wafer at η %g", name, eta)
			}
		}
		switch name {
		case "mixed":
			if len(count) != 4 || math.Abs(float64(count["pileup"])-1500) > 150 {
				t.Errorf("mixed: %v", count)
			}
		default:
			if len(count) != 1 {
				t.Errorf("%s: %v", name, count)
			}
		}
		if s.ZeroSum() != 0 {
			t.Errorf("%s: %d images without charge", name, s.ZeroSum())
		}
	}
}

func TestPoisson(t *testing.T) {
	const n = 200_000
	for _, mean := range []float64{0.03, 0.7, 5, 11.9, 12.1, 40, 300} {
		s := counter.New(2, math.Float64bits(mean))
		m, v := 0.0, 0.0
		for range n {
			x := float64(poisson(&s, mean)) - mean
			m, v = m+x/n, v+x*x/n
		}
		if z := m / math.Sqrt(mean/n); math.Abs(z) > 5 {
			t.Errorf("mean %g: off by %g", mean, m)
		}
		if want := math.Sqrt((mean + 2*mean*mean) / n); math.Abs(v-mean) > 5*want {
			t.Errorf("mean %g: variance %g", mean, v)
		}
	}
	s := counter.New(1, 1)
	if poisson(&s, 0) != 0 {
		t.Error("Poisson of mean 0")
	}
}

func BenchmarkImage(b *testing.B) {
	for _, name := range Presets() {
		b.Run(name, func(b *testing.B) {
			g, err := New(Settings{Preset: name, Seed: 1})
			if err != nil {
				b.Fatal(err)
			}
			var w drawing
			dst := make([]float64, hgcal.Cells)
			b.ReportAllocs()
			k := uint64(0)
			for b.Loop() {
				g.image(&w, k, dst)
				k++
			}
			b.ReportMetric(float64(k)/b.Elapsed().Seconds(), "wafers/s")
		})
	}
}

// TestFallingEnergy holds drawn energies against the integral of their density.
func TestFallingEnergy(t *testing.T) {
	const lo, hi = 5, 500
	for _, index := range []float64{0.5, 1, 1 + 1e-12, 2, 3.7} {
		integral := func(e float64) float64 {
			if math.Abs(index-1) < 1e-9 {
				return math.Log(e / lo)
			}
			return (math.Pow(e, 1-index) - math.Pow(lo, 1-index)) / (1 - index)
		}
		for _, u := range []float64{0, 0.1, 0.5, 0.999, 1} {
			e := fallingEnergy(u, lo, hi, index)
			if got := integral(e) / integral(hi); math.Abs(got-u) > 1e-9 || e < lo || e > hi {
				t.Errorf("index %g: the share %g lies below %g, want %g", index, got, e, u)
			}
		}
	}
	for name, low := range map[string]float64{"mixed": 0.85, "electrons": 0.4} {
		s := generate(t, 4000, Settings{Preset: name, Seed: 2})
		below, all := 0.0, 0.0
		for _, e := range s.Column("EventSimEnergy").Float {
			if e > 0 {
				all++
				if e < 50 {
					below++
				}
			}
		}
		// Between 5 and 500 GeV half of a flat ln E lies below 50 GeV, of E^−3 99 %.
		if share := below / all; share < low || share > low+0.2 {
			t.Errorf("%s: a share of %.3f lies below 50 GeV", name, share)
		}
	}
}

// TestModules: the modules that are named are drawn, each about as often as any other, cut
// ones too and at any pseudorapidity; what the geometry lacks is an error.
func TestModules(t *testing.T) {
	var cut, outer, inner hgcal.Module
	for _, m := range hgcal.GeometryV11.Modules() {
		switch eta := m.Eta(); {
		case !m.Full() && cut.Layer == 0:
			cut = m
		case m.Full() && eta < 2 && outer.Layer == 0:
			outer = m
		case m.Full() && eta > 2.9 && inner.Layer == 0:
			inner = m
		}
	}
	s := Settings{Seed: 3}
	for _, m := range []hgcal.Module{cut, outer, inner} {
		s.Modules = append(s.Modules, [3]int{m.Layer, m.U, m.V})
	}
	const n = 3000
	set := generate(t, n, s)
	seen := map[[3]int]int{}
	u, v, layer := set.Column("waferu").Float, set.Column("waferv").Float, set.Column("layer").Float
	for i := range n {
		seen[[3]int{int(layer[i]), int(u[i]), int(v[i])}]++
	}
	for _, m := range s.Modules {
		if k := seen[m]; math.Abs(float64(k)-n/3) > 5*math.Sqrt(n) {
			t.Errorf("module %v: %d of %d images", m, k, n)
		}
	}
	if len(seen) != 3 {
		t.Errorf("modules %v", seen)
	}
	s.Modules = append(s.Modules, [3]int{9, 99, 99})
	if _, err := New(s); err == nil || err.Error() != "simulate: no module 99, 99 in layer 9 of geometry v11" {
		t.Error(err)
	}
}

// TestRim: modules nearer to the beam than those that are published see as much as they go on
// growing by, never what no occupancy could be solved for.
func TestRim(t *testing.T) {
	charge := func(u, v, layer int) float64 {
		set, total := generate(t, 50, Settings{Seed: 3, Preset: "pileup200", Modules: [][3]int{{layer, u, v}}, KeepEmpty: true}), 0.0
		for _, q := range set.Charge {
			total += q
		}
		return total / hgcal.CountsPerMIPT / float64(set.Len())
	}
	for _, layer := range []int{3, 5, 7, 9} {
		var inner []hgcal.Module
		for _, m := range hgcal.GeometryV11.Modules() {
			if m.Layer == layer {
				inner = append(inner, m)
			}
		}
		slices.SortFunc(inner, func(a, b hgcal.Module) int { return gocmp.Compare(b.Eta(), a.Eta()) })
		last := 0.0
		for k := 6; k >= 0; k -= 2 { // towards the beam; there are two of the same η
			m := inner[k]
			q := charge(m.U, m.V, layer)
			if q < 0.8*last || last > 0 && q > 2.5*last {
				t.Errorf("layer %d, η %.2f: %.0f MIP_T, the module before %.0f", layer, m.Eta(), q, last)
			}
			last = q
		}
		if last > 500 {
			t.Errorf("layer %d: %.0f MIP_T at the rim", layer, last)
		}
		t.Logf("layer %d: %.0f MIP_T at η %.2f", layer, last, inner[0].Eta())
	}
}

// TestSpot: where the beam comes nearer to a module there is more pile-up, in the sector across less, and
// where it is in the middle nothing changes.
func TestSpot(t *testing.T) {
	rates := func(spot [2]float64) (out [hgcal.Sectors]float64) {
		g, err := New(Settings{Preset: "pileup200", Modules: [][3]int{{9, 6, 8}}, Spot: spot})
		if err != nil {
			t.Fatal(err)
		}
		for i := range g.detector.places {
			out[g.detector.places[i].sector] = g.detector.places[i].rate
		}
		return out
	}
	still := rates([2]float64{})
	g, err := New(Settings{Preset: "pileup200", Modules: [][3]int{{9, 6, 8}}})
	if err != nil {
		t.Fatal(err)
	}
	m := g.Modules()[0]
	r := math.Hypot(m.X, m.Y)
	towards := rates([2]float64{3 * m.X / r, 3 * m.Y / r})
	if !(towards[0] > still[0]*1.02) || !(towards[1] < still[1]) || !(towards[2] < still[2]) {
		t.Errorf("rates %v with the beam in the middle, %v with it 3 cm towards sector 0", still, towards)
	}
	// A third of a turn makes the next sector of this one.
	sin, cos := math.Sincos(2 * math.Pi / 3)
	turned := rates([2]float64{3 * (cos*m.X - sin*m.Y) / r, 3 * (sin*m.X + cos*m.Y) / r})
	if math.Abs(turned[1]/towards[0]-1) > 1e-9 {
		t.Errorf("rates %v and %v: sectors are not alike", turned, towards)
	}
	if _, err := New(Settings{Spot: [2]float64{20, 0}}); err == nil {
		t.Error("a beam 20 cm away was taken")
	}
}
