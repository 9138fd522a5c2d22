package physics

import (
	"math"
	"strings"
	"testing"

	"barrow/internal/counter"
)

// TestLossy: a contender that sees what the reference does, but loses showers that are
// measured low, the more the lower their energy, has the reference's resolution, not a
// better one; what it loses shows in efficiency and the share within 30 %.
func TestLossy(t *testing.T) {
	list := toys(8000, 20)[:1]
	lossy := list[0]
	lossy.Contender, lossy.Found = "lossy", nil
	kept, enough := 0., 0.
	for i, found := range list[0].Found {
		p := list[0].TruthPt[i]
		r := counter.New(8, uint64(i))
		found = found && (list[0].Pt[i] > p || r.Float64() < p/60)
		lossy.Found = append(lossy.Found, found)
		if found {
			enough++
			if math.Abs(list[0].Pt[i]/p-1) < 0.3 {
				kept++
			}
		}
	}
	s := summarise(t, append(list, lossy), SummarySettings{Draws: 50})
	all, m := &s.Contenders[0], &s.Contenders[1]
	if a, b := all.Figure("resolution").Value, m.Figure("resolution").Value; !(b.Value < a.Value-3*a.Error) {
		t.Fatalf("of what it finds its resolution is %v, all cells' %v: the toy loses nothing", b, a)
	}
	for _, name := range []string{"response", "resolution", "resolution_68", "resolution_raw", "eta_resolution", "phi_resolution"} {
		if v := m.Figure(name).Ratio; v.Value != 1 || v.Error != 0 {
			t.Errorf("ratio of %s %v, want 1", name, v)
		}
	}
	n := float64(len(lossy.Found))
	for name, want := range map[string]float64{"efficiency": enough / n, "within_30": kept / n} {
		v := m.Figure(name)
		if math.Abs(v.Value.Value-want) > 1e-12 || !(v.Ratio.Value < 1-5*v.Ratio.Error) {
			t.Errorf("%s %v, ratio %v, want %g", name, v.Value, v.Ratio, want)
		}
	}
}

// TestEnough: a cluster of less than half the particle's p_T is none of its.
func TestEnough(t *testing.T) {
	c := toys(100, 20)[0]
	for i := range c.Pt {
		c.Found[i], c.Pt[i] = true, c.TruthPt[i]*float64(i%4)/4 // 0, ¼, ½, ¾
	}
	m := summarise(t, []Columns{c}, SummarySettings{Draws: 10}).Contenders[0]
	if v := m.Figure("efficiency").Value; v.Value != 0.5 {
		t.Errorf("efficiency %v, want ½", v)
	}
	if v := m.Figure("within_30").Value; v.Value != 0.25 {
		t.Errorf("within 30 %%: %v, want ¼", v)
	}
	for i := range c.Pt {
		c.Pt[i] = math.NaN()
	}
	m = summarise(t, []Columns{c}, SummarySettings{Draws: 10}).Contenders[0]
	if v := m.Figure("efficiency").Value; !strings.Contains(v.Note, "not calibrated") {
		t.Errorf("efficiency without a calibration: %v", v)
	}
}

// TestByChance: clusters that fall on x/z, y/z by Poisson's law are found by chance with
// 1 − e^(−λ), λ being what is expected within the radius; of those that are not recorded
// nothing is said.
func TestByChance(t *testing.T) {
	const density, half, radius, endcaps = 300.0, 0.5, 0.02, 400
	c := toys(6000, 0)[0]
	x := &Crossings{N: endcaps}
	for e := range endcaps {
		r := counter.New(12, uint64(e))
		// Half of the clusters in a square have 20 GeV, more than half of any p_T's half.
		for at := r.Exp(); at < density*4*half*half; at += r.Exp() {
			eta, phi := EtaPhi(half*(2*r.Float64()-1), half*(2*r.Float64()-1))
			x.Event, x.Zside, x.Eta, x.Phi = append(x.Event, int64(e)), append(x.Zside, 1), append(x.Eta, eta), append(x.Phi, phi)
			pt := 4.0
			if r.Float64() < 0.5 {
				pt = 40
			}
			x.Pt = append(x.Pt, pt)
		}
	}
	c.Crossings = x
	want := -math.Expm1(-density / 2 * math.Pi * radius * radius)
	m := summarise(t, []Columns{c}, SummarySettings{Draws: 50}).Contenders[0]
	v := m.Figure("accidental").Value
	// The endcaps that there are, are drawn from, too.
	if checkNear(t, "found by chance", v, want, 4); v.N != 6000 {
		t.Errorf("of %d particles", v.N)
	}
	x.Floor = 15
	m = summarise(t, []Columns{c}, SummarySettings{Draws: 50}).Contenders[0]
	if v := m.Figure("accidental").Value; v.N < 3300 || v.N > 3900 { // of 10 to 60 GeV those above 30
		t.Errorf("of %d particles, want three in five of 6000", v.N)
	}
	for name, want := range map[string]string{"fakes_5": "below 15 GeV", "fakes_20": ""} {
		if v := m.Figure(name).Value; !strings.Contains(v.Note, want) || want == "" && math.IsNaN(v.Value) {
			t.Errorf("%s: %v", name, v)
		}
	}
	for _, b := range m.Figure("rate").ByThreshold {
		if (b.Low < 15) != strings.Contains(b.Note, "below 15 GeV") {
			t.Errorf("rate at %g GeV: %v", b.Low, b.Value)
		}
	}
	c.Crossings = &Crossings{N: x.N, Event: x.Event, Zside: x.Zside, Pt: x.Pt}
	m = summarise(t, []Columns{c}, SummarySettings{Draws: 10}).Contenders[0]
	if v := m.Figure("accidental").Value; !strings.Contains(v.Note, "directions") {
		t.Errorf("without directions: %v", v)
	}
}

// TestHighestRate: a turn-on is at no more than 1 MHz, and where minimum bias does not tell
// that, there is none, and a note says how much would.
func TestHighestRate(t *testing.T) {
	for endcaps, want := range map[int]float64{500: 0, 610: 0, 620: 1000, 1300: 500, 3200: 200, 6300: 100, 20000: 100} {
		s := summarise(t, toys(20, endcaps), SummarySettings{Draws: 10})
		v := s.Contenders[0].Figure("threshold").Value
		if s.Rate != want || math.IsNaN(v.Value) != (want == 0) {
			t.Errorf("%d endcaps: %g kHz, threshold %v; want %g kHz", endcaps, s.Rate, v, want)
		}
		if want == 0 && !strings.Contains(v.Note, "that takes 616, and 100 kHz 6203") {
			t.Errorf("%d endcaps: %s", endcaps, v.Note)
		}
	}
}
