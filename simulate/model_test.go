package simulate

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"
)

func TestSettingsErrors(t *testing.T) {
	bad := DefaultParameters()
	bad.PileUp.Tail = math.NaN()
	for want, s := range map[string]Settings{
		`unknown preset "x"`:                            {Preset: "x"},
		"range 0.2:2.9 of η":                            {EtaMin: 0.2},
		"range 2.9:1.7 of η":                            {EtaMin: 2.9, EtaMax: 1.7},
		"range NaN:2.9 of η":                            {EtaMin: math.NaN()},
		"range 5:1e+06 of energy":                       {EnergyMax: 1e6},
		"index -1 of the energies: want above 0":        {EnergyIndex: -1},
		"index NaN of the energies":                     {EnergyIndex: math.NaN()},
		"pile-up 1000: want at most 400":                {PileUp: 1000},
		"pile-up NaN":                                   {PileUp: math.NaN()},
		"threshold NaN":                                 {Threshold: math.NaN()},
		"threshold +Inf":                                {Threshold: math.Inf(1)},
		"-1 threads":                                    {Threads: -1},
		"no such unit: 7":                               {Unit: 7},
		"not of MIP_T":                                  {Unit: MIPT, Compress: true},
		"layer 4 makes no trigger data":                 {Layers: []int{4}},
		"layer 49 makes no trigger data":                {Geometry: hgcal.GeometryV16, Layers: []int{49}},
		"0 output links: want 1 to 13":                  {Links: []int{0}},
		"η 1.6:2.9, one of [9] links":                   {Links: []int{9}},
		"one of [[99 99]] as u, v":                      {Wafers: [][2]int{{99, 99}}},
		"parameter pileup.tail is NaN, want 1.05 to 20": {Parameters: &bad},
	} {
		if _, err := New(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	if _, err := Generate(-1, Settings{}); err == nil {
		t.Error("-1 images were drawn")
	}
	for _, f := range []func(string) error{
		func(s string) error { _, err := ParseUnit(s); return err },
		func(s string) error { _, err := ParseAllocation(s); return err },
	} {
		if f("nonsense") == nil {
			t.Error("nonsense was accepted")
		}
	}
}

func TestParameters(t *testing.T) {
	var b bytes.Buffer
	want := DefaultParameters()
	want.Shower.MaxSpots = 7
	want.PileUp.Spread[2] = 0.123
	if err := want.Write(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "p.toml")
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := ReadParameters(path)
	if err != nil || got.Shower != want.Shower || !slices.Equal(got.PileUp.Spread, want.PileUp.Spread) {
		t.Errorf("%+v, %v", got, err)
	}
	for text, want := range map[string]string{
		"[pileup]\nscale = -1":                        "parameter pileup.scale is -1, want 0.01 to 100",
		"[pileup]\nspread = [1, 2]":                   "parameter pileup.spread has 2 values, want 4",
		"[pileup]\nspread = [1, 2, 3, 99]":            "parameter pileup.spread is 99, want 0 to 5",
		"[electronics]\ncut = nan":                    "parameter electronics.cut is NaN",
		"[shower]\nmax_spots = 0":                     "parameter shower.max_spots is 0",
		"[shower]\nspots = 3":                         "unknown parameter shower.spots",
		"[pileup":                                     "toml",
		"[pileup]\nscale = \"wide\"":                  "incompatible types",
		"[electronics]\nnoise = [1, 2, 3]\nnoise = 4": "already been defined",
	} {
		if _, err := parseParameters(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", text, err, want)
		}
	}
	if _, err := ReadParameters(path + "x"); err == nil {
		t.Error("an absent file was read")
	}
}

func FuzzParameters(f *testing.F) {
	f.Add("[shower]\nmax_spots=9\n")
	f.Add("[pileup]\nscale = 1e300")
	f.Add("[electronics]\nnoise = [inf, nan, 0]")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := parseParameters(text)
		if err == nil && p.check() != nil {
			t.Error("parameters out of range were accepted")
		}
	})
}

// TestRate checks the analytic mean occupancy that pile-up is scaled by against
// what is drawn: dense and sparse, with and without a slope.
func TestRate(t *testing.T) {
	p := DefaultParameters()
	p.PileUp.Activity = 0
	l := newLibrary(p.PileUp.spread(9), &p.PileUp)
	c := &l.curve
	e := newEnergies(&p.PileUp)
	for _, mean := range []float64{0.2, 3, 15, 35} {
		for _, g := range []gradient{{}, {x: 0.6, y: -0.8, strength: 0.05}} {
			rate := c.solve(mean, g)
			s := counter.New(1, math.Float64bits(mean))
			n, sum, sumSq := 4000, 0.0, 0.0
			for range n {
				var cells [hgcal.Cells + 1]float32
				l.draw(&s, e, &cells, rate, g)
				k := 0.0
				for _, v := range cells[:hgcal.Cells] {
					if v > cellThreshold {
						k++
					}
				}
				sum, sumSq = sum+k, sumSq+k*k
			}
			got := sum / float64(n)
			sigma := math.Sqrt((sumSq/float64(n) - got*got) / float64(n))
			// 2 % beyond statistics: a library has finitely many positions, and the
			// slope is of its centres.
			if math.Abs(got-mean) > 4*sigma+0.02*mean {
				t.Errorf("mean %g with slope %g: drew %.3f ± %.3f", mean, g.strength, got, sigma)
			}
		}
	}
}

// TestScatter: points that are not drawn one by one are where they would be, and as many numbers are
// drawn.
func TestScatter(t *testing.T) {
	places := counter.New(5, 6)
	for k := range 20_000 {
		radius := [...]float64{0, 0.14, 0.3, 2}[k%4]
		x, y := 24*(places.Float64()-0.5), 24*(places.Float64()-0.5)
		points := 1 + places.IntN(samples)
		a, b := counter.New(1, uint64(k)), counter.New(1, uint64(k))
		var got, want [hgcal.Cells]int
		scatter(&got, &a, x, y, radius, points)
		for i := range points {
			r := -radius * math.Log1p(-(float64(i)+b.Float64())/float64(points))
			d := direction(&b)
			if cell, ok := hgcal.CellAt(hgcal.Point{x + float64(r*d[0]), y + float64(r*d[1])}); ok {
				want[cell]++
			}
		}
		if got != want || a.Uint64() != b.Uint64() {
			t.Fatalf("%d points around %g, %g of radius %g: %v, want %v", points, x, y, radius, got, want)
		}
	}
}

func TestEnergies(t *testing.T) {
	p := DefaultParameters().PileUp
	e := newEnergies(&p)
	s := counter.New(4, 4)
	const n = 400_000
	for _, threshold := range []float64{0.1, 1, 5, 50} {
		above := 0
		for range n {
			if e.at(uint32(s.Uint64())) > float32(threshold) {
				above++
			}
		}
		want := p.exceed(threshold)
		if z := (float64(above)/n - want) / math.Sqrt(want*(1-want)/n); math.Abs(z) > 5 {
			t.Errorf("%g of clusters exceed %g, want %g", float64(above)/n, threshold, want)
		}
	}
}

// TestShower checks energy conservation along the depth, the place of the
// maximum, and the lateral size.
func TestShower(t *testing.T) {
	p := DefaultParameters().Shower
	p.DepthSpread = 0
	var maximum []float64
	for _, energy := range []float64{5, 35, 200} {
		s := counter.New(1, uint64(energy))
		q := newParticle(&s, Electron, energy, 2, 0, &p)
		total, deepest, most := 0.0, 0.0, 0.0
		const n = 60
		for layer := 1.0; layer <= 60; layer++ {
			sum := 0.0
			for range n {
				for _, spot := range q.layerSpots(nil, &s, layer, &p) {
					sum += spot.energy / n
				}
			}
			total += sum
			if sum > most {
				deepest, most = layer, sum
			}
		}
		gev := total * q.cosh * p.MeVPerMIP / 1000
		if math.Abs(gev-energy) > 0.05*energy {
			t.Errorf("%g GeV: all layers hold %g GeV", energy, gev)
		}
		maximum = append(maximum, deepest)
	}
	if maximum[1] < 9 || maximum[1] > 12 || maximum[0] >= maximum[1] || maximum[1] >= maximum[2] {
		t.Errorf("shower maxima at layers %v, want rising with energy and 10 at 35 GeV", maximum)
	}
	s := counter.New(3, 3)
	q := newParticle(&s, Electron, 200, 2, 0, &p)
	r, n := 0.0, 0
	for range 200 {
		for _, spot := range q.layerSpots(nil, &s, 9, &p) {
			r += math.Hypot(spot.x, spot.y)
			n++
		}
	}
	if want := emRadius(9); math.Abs(r/float64(n)-want) > 0.03*want {
		t.Errorf("mean radius at layer 9 %.3f cm, want %.3f", r/float64(n), want)
	}
}

// TestHadrons checks that pions start late, leave a track before, and go deep.
func TestHadrons(t *testing.T) {
	p := DefaultParameters().Shower
	s := counter.New(9, 9)
	early, late := 0.0, 0.0
	const n = 400
	for range n {
		q := newParticle(&s, Pion, 100, 2, 0, &p)
		if at, _ := interactionDepth(1); at < q.start {
			spots := q.layerSpots(nil, &s, 1, &p)
			if len(spots) != 1 || spots[0].energy*q.cosh < 0.5 || spots[0].x != 0 {
				t.Fatalf("before its first interaction a pion leaves %v", spots)
			}
		}
		for _, spot := range q.layerSpots(nil, &s, 5, &p) {
			early += spot.energy
		}
		for _, spot := range q.layerSpots(nil, &s, 32, &p) {
			late += spot.energy
		}
	}
	if late <= early {
		t.Errorf("100 GeV pions leave %g in layer 5 and %g in layer 32", early/n, late/n)
	}
}

func TestFrontEnd(t *testing.T) {
	p := DefaultParameters().Electronics
	for _, m := range []hgcal.Module{
		{Kind: "FI", X: 40, Z: 335, Layer: 9}, {Kind: "FM", X: 80, Z: 335, Layer: 9}, {Kind: "FO", X: 120, Z: 335, Layer: 9},
	} {
		f := newFrontEnd(m, &p)
		s := counter.New(1, 1)
		const n = 20_000
		lit, mean := 0.0, 0.0
		for range n {
			var cells [hgcal.Cells + 1]float32
			cells[5] = 10 // MIP_T
			f.read(&s, &cells)
			mean += float64(cells[5]) / f.perMIPT[5] / n
			for i, v := range cells[:hgcal.Cells] {
				if v != float32(math.Trunc(float64(v))) || v < 0 {
					t.Fatalf("%s: cell %d has %g counts", m.Kind, i, v)
				}
				if i != 5 && v > 0 {
					lit++
				}
			}
		}
		if math.Abs(mean-10) > 0.1 {
			t.Errorf("%s: 10 MIP_T read as %g", m.Kind, mean)
		}
		// A normal exceeds 3σ with 0.00135.
		if want := 47 * f.sensorCells() * 0.00135; math.Abs(lit/n-want) > 0.1*want {
			t.Errorf("%s: %g cells of noise a wafer, want %g", m.Kind, lit/n, want)
		}
	}
}

func TestCompress(t *testing.T) {
	for _, c := range []struct {
		high     bool
		in, want float64
	}{
		{false, 0, 1}, {false, 2, 3}, {false, 15, 15}, {false, 16, 17}, {false, 31, 31}, {false, 32, 34},
		{false, 57, 58}, {false, 64, 68}, {false, 71, 68}, {false, 72, 76}, {true, 0, 4}, {true, 20, 20}, {true, 100, 100},
		{true, 3700, 3712},
	} {
		if got := compress(c.in, c.high); got != c.want {
			t.Errorf("compress(%g, %t) = %g, want %g", c.in, c.high, got, c.want)
		}
	}
	// Every code is reached from its own value, and errors stay within half a
	// step of an eighth.
	for v := 0.0; v < 1<<20; v += 17 {
		for _, high := range []bool{false, true} {
			got := compress(v, high)
			if compress(got, high) != got {
				t.Fatalf("%g reads as %g and that as %g", v, got, compress(got, high))
			}
			if math.Abs(got-v) > v/16+4.5 && v < 250_000 {
				t.Fatalf("%g reads as %g", v, got)
			}
		}
	}
}

// TestEvent draws whole events: the same with any number of threads, wafers of
// all sectors, a shower that is coherent through the layers.
func TestEvent(t *testing.T) {
	draw := func(threads int) *wafer.Set {
		g, err := New(Settings{Preset: "electrons", Seed: 3, Threads: threads, EnergyMin: 100, EnergyMax: 100, Whole: true})
		if err != nil {
			t.Fatal(err)
		}
		set := &wafer.Set{}
		// The first event whose particle stays clear of the endcap's rims, where
		// wafers are cut and not drawn.
		for k := uint64(0); ; k++ {
			g.Event(k, set)
			if eta := set.Column("gen_eta").Float[0]; eta > 1.9 && eta < 2.4 {
				return set
			}
		}
	}
	one, three := draw(1), draw(3)
	if !slices.Equal(one.Charge, three.Charge) {
		t.Error("three threads draw another event than one")
	}
	if err := one.Check(); err != nil || one.ZeroSum() != 0 {
		t.Errorf("%v, %d empty wafers", err, one.ZeroSum())
	}
	layers := map[float64]bool{}
	total := 0.0
	for i, e := range one.Column("SimEnergyTotal").Float {
		total += e
		if e > 0 {
			layers[one.Column("layer").Float[i]] = true
		}
	}
	// The trigger reads every second electromagnetic layer.
	eta := one.Column("gen_eta").Float[0]
	want := 100 * 1000 / DefaultParameters().Shower.MeVPerMIP / math.Cosh(eta) / 2
	if math.Abs(total-want) > 0.25*want || len(layers) < 8 {
		t.Errorf("the shower at η %g leaves %g MIP_T in %d layers, want about %g", eta, total, len(layers), want)
	}
	g, err := New(Settings{Preset: "pileup200", Seed: 3, KeepEmpty: true, Layers: []int{9}})
	if err != nil {
		t.Fatal(err)
	}
	set := &wafer.Set{}
	g.Event(1, set)
	if set.Len() != hgcal.Sectors*len(g.Modules()) {
		t.Errorf("%d wafers of %d modules in three sectors", set.Len(), len(g.Modules()))
	}
}

// TestPlaces checks that the wafer under a point is found, and its cell.
func TestPlaces(t *testing.T) {
	s, _, err := Settings{Layers: []int{9, 30}, EtaMin: 1.5, EtaMax: 3}.complete()
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDetector(&s)
	if err != nil {
		t.Fatal(err)
	}
	for n := range d.layers {
		l := &d.layers[n]
		for i := l.first; i < l.end; i++ {
			p := &d.places[i]
			if got, ok := d.find(l, p.x, p.y); !ok || got != i {
				t.Fatalf("layer %d: the centre of place %d is in %d, %t", l.layer, i, got, ok)
			}
			// A cell's centre in the detector's frame, in a turned sector too.
			c := hgcal.CellCentres()[7]
			x, y := -c[0]*cmPerUnit, c[1]*cmPerUnit
			if got, ok := p.cell(p.x+p.cos*x-p.sin*y, p.y+p.sin*x+p.cos*y); !ok || got != 7 {
				t.Fatalf("cell %d, %t; want 7", got, ok)
			}
		}
		if _, ok := d.find(l, 0, 0); ok {
			t.Error("a wafer in the beam pipe")
		}
	}
}

// TestTable checks the embedded reference.
func TestTable(t *testing.T) {
	all := ReferenceOccupancy()
	if len(all) != len(hgcal.GeometryV11.TriggerLayers()) {
		t.Fatalf("%d layers", len(all))
	}
	for _, o := range all {
		total := 0.0
		for _, p := range o.Share {
			total += p
		}
		if math.Abs(total-1) > 1e-3 || len(o.Bins) < 3 {
			t.Errorf("layer %d: shares sum to %g, %d bins", o.Layer, total, len(o.Bins))
		}
		for _, b := range o.Bins {
			if got, _ := meanCells(float64(o.Layer), b.Eta); math.Abs(got-b.Mean) > 0.12*b.Mean {
				t.Errorf("layer %d, η %.2f: mean %g, table %g", o.Layer, b.Eta, got, b.Mean)
			}
		}
	}
	// Published fit of layer 9 at η = 2: ln μ = −5.68 + 3.96 η − 0.29 η².
	if got, _ := meanCells(9, 2); math.Abs(math.Log(got)-(-5.68+3.96*2-0.29*4)) > 0.05 {
		t.Errorf("mean of layer 9 at η 2: %g", got)
	}
}
