package physics

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/simulate"
)

func finder(t testing.TB, s FinderSettings) *Finder {
	t.Helper()
	f, err := NewFinder(geometry, s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func find(t testing.TB, f *Finder, e *Event) []Cluster {
	t.Helper()
	list, err := f.Find(e, e.Images.Charge)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// TestSingleDeposit: one cell is one cluster, at the cell, of its energy.
func TestSingleDeposit(t *testing.T) {
	f := finder(t, FinderSettings{})
	for _, at := range []int{0, 5000, geometry.Len() - 700} {
		for _, cell := range []int{0, 17, 47} {
			var e Event
			put(&e, at, cell, 35*40)
			list := find(t, f, &e)
			if len(list) != 1 {
				t.Fatalf("%d clusters of one cell", len(list))
			}
			c := list[0]
			x, y := geometry.Cell(at, cell)
			depth := geometry.Wafer(at).Depth
			if math.Hypot(c.X-x, c.Y-y) > 1e-12 || math.Abs(c.Sum-40) > 1e-12 || math.Abs(c.Seed-40) > 1e-12 || c.Cells != 1 ||
				math.Abs(c.Layers[depth]-40) > 1e-12 {
				t.Errorf("wafer %d, cell %d: %+v, want 40 MIP_T at %g, %g", at, cell, c, x, y)
			}
			k := float64(depth + 1)
			want := Shape{FirstLayer: k, MaxLayer: k, MeanDepth: k, Layer10: k - 0.9, Layer50: k - 0.5, Layer90: k - 0.1, Length: 1, Core: 1, TopCell: 1}
			for i, v := range c.Shape.Values() {
				if math.Abs(v-want.Values()[i]) > 1e-7 {
					t.Errorf("wafer %d: %s is %g, want %g", at, ShapeNames()[i], v, want.Values()[i])
				}
			}
		}
	}
	var e Event
	put(&e, 5000, 17, 35*19)
	if list := find(t, f, &e); len(list) != 0 {
		t.Errorf("19 MIP_T make %d clusters, the seed's threshold is 20", len(list))
	}
}

// crowd is an event of deposits around a few directions, and anywhere.
func crowd(seed uint64, whole bool) *Event {
	r := rand.New(rand.NewPCG(seed, 1))
	e := &Event{Number: int64(seed)}
	var dirs [][2]float64
	for range 4 {
		x, y := Direction(1.6+1.3*r.Float64(), 2*math.Pi*r.Float64())
		dirs = append(dirs, [2]float64{x, y})
	}
	for range 1500 {
		at, cell := r.IntN(geometry.Len()), r.IntN(hgcal.Cells)
		x, y := geometry.Cell(at, cell)
		near := slices.ContainsFunc(dirs, func(d [2]float64) bool { return math.Hypot(d[0]-x, d[1]-y) < 0.05 })
		charge := float64(r.IntN(200))
		if near {
			charge += float64(r.IntN(3000))
		} else if !whole {
			continue
		}
		put(e, at, cell, charge)
	}
	return e
}

// TestBruteForce holds the finder to one that goes through all pairs of bins and cells.
func TestBruteForce(t *testing.T) {
	total := 0
	for _, s := range []FinderSettings{{}, {BinsR: 20, BinsPhi: 72, Smooth: 0.04, Seed: 8, Radius: 0.05}, {Smooth: 0.001, Seed: 30, Radius: 0.01}} {
		f := finder(t, s)
		for seed := range uint64(8) {
			e := crowd(seed, seed%2 == 0)
			got, want := find(t, f, e), bruteForce(f.settings, e)
			if len(got) != len(want) {
				t.Fatalf("%+v, event %d: %d clusters, by brute force %d", s, seed, len(got), len(want))
			}
			total += len(got)
			for i, c := range got {
				w := want[i]
				if math.Abs(c.Sum-w.Sum) > 1e-9 || math.Abs(c.Seed-w.Seed) > 1e-9 || c.Cells != w.Cells || math.Hypot(c.X-w.X, c.Y-w.Y) > 1e-12 {
					t.Errorf("%+v, event %d: cluster %d is %+v, by brute force %+v", s, seed, i, c, w)
				}
			}
		}
	}
	if total < 50 {
		t.Errorf("%d clusters: too few to tell", total)
	}
}

// bruteForce finds clusters as the comment of Finder says, in the simplest way.
func bruteForce(s FinderSettings, e *Event) []Cluster {
	type point struct {
		r, p    int
		x, y, e float64
	}
	var points []point
	step := 2 * math.Pi / float64(s.BinsPhi)
	for i, at := range e.Wafers {
		for k, q := range e.Images.Image(i) {
			if q > 0 {
				x, y := geometry.Cell(int(at), k)
				phi := math.Mod(math.Atan2(y, x)+2*math.Pi, 2*math.Pi)
				r := int(math.Floor((math.Hypot(x, y) - minRZ) / (maxRZ - minRZ) * float64(s.BinsR)))
				points = append(points, point{r, int(phi/step+edge) % s.BinsPhi, x, y, q / 35})
			}
		}
	}
	width := func(r int) int {
		return int(math.Round(s.Smooth / ((minRZ + (float64(r)+0.5)*(maxRZ-minRZ)/float64(s.BinsR)) * step)))
	}
	around := func(a, b int) int { // from column a to b
		return int(math.Round(math.Remainder(float64(b-a), float64(s.BinsPhi))))
	}
	share := func(q point, r, p int) float64 {
		w, dr, dp := width(q.r), q.r-r, around(p, q.p)
		if q.r < 0 || q.r >= s.BinsR || dr*dr > 1 || dp < -w || dp > w {
			return 0
		}
		return map[int]float64{-1: 0.5, 0: 1, 1: 0.5}[dr] * (1 - math.Abs(float64(dp))/float64(w+1))
	}
	smooth := make([][]float64, s.BinsR)
	for r := range smooth {
		smooth[r] = make([]float64, s.BinsPhi)
	}
	for _, q := range points {
		for r := max(q.r-1, 0); r <= min(q.r+1, s.BinsR-1); r++ {
			for p := range s.BinsPhi {
				smooth[r][p] += share(q, r, p) * q.e
			}
		}
	}
	var seeds []seed
	for r := range smooth {
		for p, v := range smooth[r] {
			peak := v >= s.Seed
			for r2 := max(r-1, 0); peak && r2 <= min(r+1, s.BinsR-1); r2++ {
				for p2, o := range smooth[r2] {
					dp := around(p, p2)
					if w := max(width(r), 1); dp >= -w && dp <= w && (o > v+1e-9 || math.Abs(o-v) <= 1e-9 && (r2 > r || r2 == r && dp > 0)) {
						peak = false
					}
				}
			}
			if !peak {
				continue
			}
			n := seed{value: v}
			for _, q := range points {
				n.x += share(q, r, p) * q.e * q.x / v
				n.y += share(q, r, p) * q.e * q.y / v
			}
			seeds = append(seeds, n)
		}
	}
	slices.SortStableFunc(seeds, func(a, b seed) int { return int(math.Copysign(1, b.value-a.value)) })
	var clusters []Cluster
	for _, n := range seeds {
		if !slices.ContainsFunc(clusters, func(c Cluster) bool { return math.Hypot(c.Eta-n.x, c.Phi-n.y) <= s.Radius }) {
			clusters = append(clusters, Cluster{Seed: n.value, Eta: n.x, Phi: n.y}) // the seed's place for now
		}
	}
	for _, q := range points {
		best := -1
		for i, c := range clusters {
			if math.Hypot(q.x-c.Eta, q.y-c.Phi) <= s.Radius && (best < 0 || c.Seed > clusters[best].Seed) {
				best = i
			}
		}
		if best >= 0 {
			c := &clusters[best]
			c.Sum, c.X, c.Y, c.Cells = c.Sum+q.e, c.X+q.e*q.x, c.Y+q.e*q.y, c.Cells+1
		}
	}
	clusters = slices.DeleteFunc(clusters, func(c Cluster) bool { return c.Cells == 0 })
	for i := range clusters {
		clusters[i].X /= clusters[i].Sum
		clusters[i].Y /= clusters[i].Sum
	}
	return clusters
}

// TestTurn: an event turned by 120° has the same clusters, turned.
func TestTurn(t *testing.T) {
	f := finder(t, FinderSettings{})
	for seed := range uint64(6) {
		e := crowd(seed, true)
		want := find(t, f, e)
		for n := 1; n < hgcal.Sectors; n++ {
			got := find(t, f, turn(t, e, n))
			if len(got) != len(want) || len(want) == 0 {
				t.Fatalf("%d clusters, turned %d", len(want), len(got))
			}
			for i, c := range got {
				w := want[i]
				by := math.Remainder(c.Phi-w.Phi-float64(n)*2*math.Pi/3, 2*math.Pi)
				if math.Abs(by) > 1e-9 || math.Abs(c.Eta-w.Eta) > 1e-9 || math.Abs(c.Sum-w.Sum) > 1e-9 || math.Abs(c.Seed-w.Seed) > 1e-9 || c.Cells != w.Cells {
					t.Errorf("event %d, turned by %d: %+v, want %+v", seed, n*120, c, w)
				}
				for k, v := range c.Shape.Values() {
					if math.Abs(v-w.Shape.Values()[k]) > 1e-7 {
						t.Errorf("event %d, turned by %d: %s is %g, was %g", seed, n*120, ShapeNames()[k], v, w.Shape.Values()[k])
					}
				}
			}
		}
	}
}

// TestShape holds shapes to sums by hand: two cells of layers 3 and 7 of the list.
func TestShape(t *testing.T) {
	c := Cluster{X: 0.2, Y: 0.01, Layers: make([]float64, 10)}
	c.Eta, c.Phi = EtaPhi(c.X, c.Y)
	c.Layers[2], c.Layers[6] = 30, 10
	x1, y1 := Direction(2.1, 0.04)
	x2, y2 := Direction(2.5, 0.12)
	s := shapeOf([]deposit{{2, x1, y1, 30}, {6, x2, y2, 10}}, &c, 0.3)
	root := math.Sqrt(3. / 16) // standard deviation of a share of 1/4
	want := Shape{FirstLayer: 3, MaxLayer: 3, MeanDepth: 4, DepthSpread: 4 * root, Layer10: 2 + 4./30, Layer50: 2 + 20./30, Layer90: 6.6,
		Length: 1, SpreadR: root * (1/math.Sinh(2.1) - 1/math.Sinh(2.5)), SpreadEta: 0.4 * root, SpreadPhi: 0.08 * root, Core: 1, TopCell: 0.75}
	for i, v := range s.Values() {
		if math.Abs(v-want.Values()[i]) > 1e-9 {
			t.Errorf("%s is %g, want %g", ShapeNames()[i], v, want.Values()[i])
		}
	}
	if len(ShapeNames()) != len(s.Values()) {
		t.Error("names and values are not of one length")
	}
}

// TestPhotons: without pile-up a photon is one cluster at its direction, and the energy
// in it is proportional to its transverse momentum.
func TestPhotons(t *testing.T) {
	source, err := NewSimulated(SimulatedSettings{N: 60, Events: simulate.EventSettings{Class: simulate.Photon, PtMin: 30, EtaMin: 1.7, EtaMax: 2.7, Seed: 4}})
	if err != nil {
		t.Fatal(err)
	}
	f := finder(t, FinderSettings{})
	var sum, squares, n float64
	var e Event
	for k := range uint64(60) {
		if err := source.Event(k, &e); err != nil {
			t.Fatal(err)
		}
		list := find(t, f, &e)
		if len(list) == 0 {
			t.Fatalf("event %d: no cluster", k)
		}
		p := e.Truth[0]
		if d := math.Hypot(list[0].Eta-p.Eta, math.Remainder(list[0].Phi-p.Phi, 2*math.Pi)); d > 0.01 {
			t.Errorf("event %d: a cluster %.4f from its photon", k, d)
		}
		if len(list) > 1 && list[1].Sum > 0.1*list[0].Sum {
			t.Errorf("event %d: a second cluster of %g beside %g MIP_T", k, list[1].Sum, list[0].Sum)
		}
		r := list[0].Sum / p.Pt
		sum, squares, n = sum+r, squares+r*r, n+1
	}
	mean := sum / n
	if spread := math.Sqrt(squares/n-mean*mean) / mean; !(spread < 0.15) {
		t.Errorf("%.1f MIP_T a GeV, spread %.3f", mean, spread)
	}
}

func TestFinderErrors(t *testing.T) {
	for want, s := range map[string]FinderSettings{
		"multiple of 3":        {BinsPhi: 100},
		"bins in r/z":          {BinsR: -1},
		"seed threshold -1":    {Seed: -1},
		"cluster radius NaN":   {Radius: math.NaN()},
		"smoothing over 1 in ": {Smooth: 1},
	} {
		if _, err := NewFinder(geometry, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	f := finder(t, FinderSettings{})
	var e Event
	put(&e, 100, 3, math.NaN())
	if _, err := f.Find(&e, e.Images.Charge); err == nil || !strings.Contains(err.Error(), "charge NaN in cell 3 of image 1") {
		t.Error(err)
	}
	if _, err := f.Find(&e, nil); err == nil || !strings.Contains(err.Error(), "0 charges for the 1 wafers") {
		t.Error(err)
	}
	e.Wafers[0] = 1 << 30
	if _, err := f.Find(&e, e.Images.Charge); err == nil || !strings.Contains(err.Error(), "is of wafer") {
		t.Error(err)
	}
}

// TestReach: the cluster of an electron in pile-up is the same whether the whole endcap
// is drawn or what the settings reach, also where the largest seeds around are pile-up's.
func TestReach(t *testing.T) {
	for _, pt := range []float64{3, 15} {
		reaches(t, simulate.EventSettings{Class: simulate.Electron, PileUp: 200, PtMin: pt, PtMax: 2.5 * pt, Seed: 9}, 6)
	}
}

func reaches(t *testing.T, events simulate.EventSettings, n uint64) {
	t.Helper()
	s := SimulatedSettings{N: 1, Events: events}
	near, err := NewSimulated(s)
	if err != nil {
		t.Fatal(err)
	}
	s.Reach = -1
	whole, err := NewSimulated(s)
	if err != nil {
		t.Fatal(err)
	}
	f := finder(t, FinderSettings{})
	var a, b Event
	for k := range n {
		if err := errors.Join(near.Event(k, &a), whole.Event(k, &b)); err != nil {
			t.Fatal(err)
		}
		cluster := func(e *Event) Cluster {
			list := find(t, f, e)
			if k := match(e.Truth, list, matched)[0]; k >= 0 {
				return list[k]
			}
			return Cluster{}
		}
		got, want := cluster(&a), cluster(&b)
		if got.Cells == 0 || math.Abs(got.Sum-want.Sum) > 1e-9 || got.Cells != want.Cells || math.Hypot(got.X-want.X, got.Y-want.Y) > 1e-12 {
			t.Errorf("%g GeV, event %d: %+v, in the whole endcap %+v", events.PtMin, k, got, want)
		}
	}
}
