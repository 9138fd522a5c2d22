package physics

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"
)

// gauss draws from a normal distribution.
func gauss(r *counter.Stream) float64 {
	return math.Sqrt(2*r.Exp()) * math.Cos(2*math.Pi*r.Float64())
}

// Toy detectors measure p_T with a known width, and find nearly all.
const toyResponse, toyFound = 0.9, 0.95

var toySigmas = []float64{0.08, 0.12}

// toys are n particles of 10 to 60 GeV in toy detectors, of which the second adds noise
// to what the first sees. Of minimum bias they see an exponential spectrum.
func toys(n, endcaps int) []Columns {
	var list []Columns
	for k, sigma := range toySigmas {
		c := Columns{Contender: []string{"all cells", "toy"}[k], Shapes: make([][]float64, len(shapeKeys)), Crossings: &Crossings{N: endcaps}}
		for i := range n {
			r := counter.New(1, uint64(i))
			pt, eta, phi := 10+50*r.Float64(), 1.6+1.3*r.Float64(), math.Pi*(2*r.Float64()-1)
			c.Event, c.Zside = append(c.Event, int64(100+i/2)), append(c.Zside, 1-2*(i%2))
			c.TruthPt, c.TruthEta, c.TruthPhi = append(c.TruthPt, pt), append(c.TruthEta, eta), append(c.TruthPhi, phi)
			c.Found = append(c.Found, r.Float64() < toyFound)
			noise := toySigmas[0] * gauss(&r)
			if k == 1 {
				noise += math.Sqrt(sigma*sigma-toySigmas[0]*toySigmas[0]) * gauss(&r)
			}
			c.Pt, c.Raw = append(c.Pt, pt*(1+noise)), append(c.Raw, toyResponse*pt*(1+noise))
			c.Eta, c.Phi = append(c.Eta, eta+0.01+0.02*gauss(&r)), append(c.Phi, wrap(phi+0.03*gauss(&r)))
			for s := range c.Shapes {
				c.Shapes[s] = append(c.Shapes[s], 5+gauss(&r)+0.5*float64(k))
			}
			c.EMD, c.Wafers = append(c.EMD, float64(k)), append(c.Wafers, 1+i%3)
			c.ChargeEMD, c.Charge = append(c.ChargeEMD, float64(k*(1+i%2))), append(c.Charge, float64(1+i%2))
		}
		for i := range endcaps {
			r := counter.New(2, uint64(i))
			for range 1 + r.IntN(3) {
				c.Crossings.Event, c.Crossings.Zside = append(c.Crossings.Event, int64(i)), append(c.Crossings.Zside, 1)
				c.Crossings.Pt = append(c.Crossings.Pt, 5*r.Exp())
			}
		}
		list = append(list, c)
	}
	return list
}

func summarise(t *testing.T, list []Columns, s SummarySettings) *Summary {
	t.Helper()
	out, err := Summarise(context.Background(), list, s)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// near checks a value against what it should be, within some of its errors.
func checkNear(t *testing.T, what string, v *Value, want, errors float64) {
	t.Helper()
	if !(math.Abs(v.Value-want) <= errors*v.Error) || v.Error == 0 {
		t.Errorf("%s is %.5f ± %.5f (n %d %s), want %.5f", what, v.Value, v.Error, v.N, v.Note, want)
	}
}

func TestToyDetector(t *testing.T) {
	const n = 8000
	s := summarise(t, toys(n, 2000), SummarySettings{Seed: 3})
	// Half the shortest interval with 68 % of a normal distribution, in σ.
	half := math.Sqrt2 * math.Erfinv(contained)
	for k, sigma := range toySigmas {
		c := &s.Contenders[k]
		at := func(name string) *Value { return c.Figure(name).Value }
		checkNear(t, "response", at("response"), 1, 4)
		checkNear(t, "raw response", at("response_raw"), toyResponse, 4)
		checkNear(t, "resolution", at("resolution"), sigma, 4)
		checkNear(t, "raw resolution", at("resolution_raw"), sigma, 4)
		checkNear(t, "68 %", at("resolution_68"), sigma*half, 4)
		checkNear(t, "efficiency", at("efficiency"), toyFound, 4)
		checkNear(t, "bias in η", at("eta_bias"), 0.01, 4)
		checkNear(t, "resolution in η", at("eta_resolution"), 0.02*half, 4)
		checkNear(t, "bias in φ", at("phi_bias"), 0, 4)
		checkNear(t, "resolution in φ", at("phi_resolution"), 0.03*half, 4)
		// 5·Exp from 5 GeV on, 1 to 3 clusters an endcap.
		checkNear(t, "clusters of minimum bias", at("fakes_5"), 2*math.Exp(-1), 4)
		checkNear(t, "clusters of minimum bias", at("fakes_10"), 2*math.Exp(-2), 4)
		checkNear(t, "within 30 %", at("within_30"), toyFound*math.Erf(0.3/sigma/math.Sqrt2), 4)
		m := float64(at("response").N)
		for _, e := range []struct {
			name string
			want float64
		}{{"response", sigma / math.Sqrt(m)}, {"resolution", sigma / math.Sqrt(2*m) * math.Sqrt(1+2*sigma*sigma)},
			{"efficiency", math.Sqrt(toyFound * (1 - toyFound) / n)}} {
			if got := at(e.name).Error; math.Abs(got/e.want-1) > 0.2 {
				t.Errorf("%s: error %g, closed form %g", e.name, got, e.want)
			}
		}
		for _, b := range c.Figure("resolution").ByPt {
			checkNear(t, "resolution in a bin", &b.Value, sigma, 4.5)
		}
	}
	toy := &s.Contenders[1]
	ratio := toy.Figure("resolution").Ratio
	checkNear(t, "ratio", ratio, toySigmas[1]/toySigmas[0], 4)
	// The two share a part of their noise: apart they would have a larger error.
	a, b := s.Contenders[0].Figure("resolution").Value, toy.Figure("resolution").Value
	if apart := ratio.Value * math.Hypot(a.Error/a.Value, b.Error/b.Value); !(ratio.Error < 0.95*apart) {
		t.Errorf("error of the ratio %g, of independent samples %g", ratio.Error, apart)
	}
	if one := s.Contenders[0].Figure("resolution").Ratio; one.Value != 1 || one.Error != 0 {
		t.Errorf("the reference over itself: %v", one)
	}
	if v := toy.Figure("emd").Value; math.Abs(v.Value-1) > 1e-12 {
		t.Errorf("EMD %g, want 1", v.Value)
	}
	// Half of the particles have a wafer's charge of 1 and the EMD 1, half 2 and 2.
	if v := toy.Figure("emd_charge").Value; math.Abs(v.Value-5./3) > 1e-12 {
		t.Errorf("EMD weighted by charge %g, want 5/3", v.Value)
	}
	for _, key := range shapeKeys {
		checkNear(t, key, toy.Figure(key+"_bias").Value, 0.5, 4)
		if v := s.Contenders[0].Figure(key + "_bias").Value; v.Value != 0 {
			t.Errorf("%s of the reference is off by %g", key, v.Value)
		}
	}
	checkNear(t, "longitudinal", toy.Figure("longitudinal_bias").Value, 0.5, 4)
	checkNear(t, "transverse", toy.Figure("transverse_bias").Value, 0.5, 4)
}

func TestTurnOn(t *testing.T) {
	// With a threshold that is known, the efficiency is an error function.
	const threshold, sigma = 25.0, 0.1
	c := toys(40000, 0)[0]
	for i := range c.Pt {
		r := counter.New(9, uint64(i))
		c.Found[i], c.Pt[i] = true, c.TruthPt[i]*(1+sigma*gauss(&r))
	}
	c.Crossings = &Crossings{N: 4000}
	for i := range 4000 {
		c.Crossings.Event, c.Crossings.Zside = append(c.Crossings.Event, int64(i)), append(c.Crossings.Zside, 1)
		pt := 1.0
		if i < 100 {
			pt = threshold
		}
		c.Crossings.Pt = append(c.Crossings.Pt, pt)
	}
	// 50 endcaps of 4000 are half of those that have a cluster there.
	each := 50. / 4000
	s := summarise(t, []Columns{c}, SummarySettings{Rate: collisions * each * (2 - each), Draws: 50})
	m := &s.Contenders[0]
	if v := m.Figure("threshold").Value; v.Value != threshold {
		t.Fatalf("threshold %v, want %g", v, threshold)
	}
	at := func(e float64) float64 { return threshold / (1 + sigma*math.Sqrt2*math.Erfinv(1-2*e)) }
	for name, e := range map[string]float64{"turn_on_50": 0.5, "turn_on_95": 0.95} {
		if v := m.Figure(name).Value; math.Abs(v.Value-at(e)) > 4*v.Error+0.15 || !(v.Error > 0 && v.Error < 1) {
			t.Errorf("%s at %.3f ± %.3f, want %.3f", name, v.Value, v.Error, at(e))
		}
	}
	for _, b := range m.Figure("turn_on").ByPt {
		middle := (b.Low + b.High) / 2
		want := 0.5 * math.Erfc((threshold-middle)/(sigma*middle*math.Sqrt2))
		if math.Abs(b.Value.Value-want) > 4*b.Error+0.02 || b.Error == 0 {
			t.Errorf("efficiency at %.2f GeV %.3f ± %.4f, want %.3f", middle, b.Value.Value, b.Error, want)
		}
	}
}

func TestRate(t *testing.T) {
	// Clusters fall on endcaps by Poisson's law, with p_T exponential.
	const n, mean, slope = 20000, 0.3, 10.0
	c := &Crossings{N: n}
	for i := range n {
		r := counter.New(4, uint64(i))
		for at := r.Exp(); at < mean; at += r.Exp() {
			c.Event, c.Zside, c.Pt = append(c.Event, int64(i)), append(c.Zside, 1), append(c.Pt, slope*r.Exp())
		}
	}
	one := toys(20, 0)[0]
	one.Crossings = c
	merit := summarise(t, []Columns{one}, SummarySettings{Rate: 500}).Contenders[0]
	share := func(threshold float64) float64 { return -math.Expm1(-mean * math.Exp(-threshold/slope)) }
	for _, b := range merit.Figure("rate").ByThreshold {
		if b.Low > 40 {
			continue
		}
		f := share(b.Low)
		checkNear(t, "rate", &b.Value, collisions*(1-(1-f)*(1-f)), 4)
		if b.Low == 20 {
			binomial := collisions * 2 * (1 - f) * math.Sqrt(f*(1-f)/n)
			if math.Abs(b.Error/binomial-1) > 0.2 {
				t.Errorf("error of the rate %g, the binomial's %g", b.Error, binomial)
			}
		}
	}
	want := slope * math.Log(mean/(-math.Log1p(-500/collisions)/2))
	checkNear(t, "threshold", merit.Figure("threshold").Value, want, 4)
}

func TestRateAndBack(t *testing.T) {
	for _, rate := range []float64{0.1, 100, 20000} {
		if got := rateOf(shareOf(rate)); math.Abs(got/rate-1) > 1e-9 {
			t.Errorf("%g kHz become %g", rate, got)
		}
	}
}

func TestShortest(t *testing.T) {
	r := counter.New(5, 0)
	for range 300 {
		var s sample
		counts := make([]uint8, 1+r.IntN(30))
		for e := range counts {
			counts[e] = uint8(r.IntN(4))
			s.add(float64(r.IntN(50)), int32(e))
		}
		// Every value as often as it counts.
		var all []float64
		for i, v := range s.value {
			all = append(all, slices.Repeat([]float64{v}, int(counts[i]))...)
		}
		if len(all) == 0 {
			continue
		}
		want := math.Inf(1)
		for _, low := range all {
			for _, high := range all {
				inside := 0
				for _, v := range all {
					if v >= low && v <= high {
						inside++
					}
				}
				if high >= low && float64(inside) >= contained*float64(len(all)) {
					want = math.Min(want, high-low)
				}
			}
		}
		s.sort()
		if got := s.shortest(counts, float64(len(all))); got != want {
			t.Fatalf("%v: %g, want %g", all, got, want)
		}
	}
}

func TestThreadsAndSeeds(t *testing.T) {
	list := toys(2000, 500)
	text := func(s SummarySettings) string {
		b, err := json.Marshal(summarise(t, list, s))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	one := text(SummarySettings{Threads: 1, Draws: 20})
	for _, threads := range []int{2, 5} {
		if text(SummarySettings{Threads: threads, Draws: 20}) != one {
			t.Errorf("%d threads: other figures", threads)
		}
	}
	if text(SummarySettings{Seed: 1, Draws: 20}) == one {
		t.Error("another seed makes no difference")
	}
}

func TestFewParticles(t *testing.T) {
	list := toys(12, 5)
	for i := range list {
		list[i].TruthPhi = slices.Repeat([]float64{math.NaN()}, 12)
	}
	s := summarise(t, list, SummarySettings{Pt: []float64{10, 12, 60, 70}})
	for i := range s.Contenders {
		c := &s.Contenders[i]
		for k := range c.Figures {
			f := &c.Figures[k]
			values := []Value{}
			for _, v := range []*Value{f.Value, f.Ratio} {
				if v != nil {
					values = append(values, *v)
				}
			}
			for _, bins := range [][]Bin{f.ByPt, f.ByEta, f.ByThreshold} {
				for _, b := range bins {
					values = append(values, b.Value)
				}
			}
			for _, v := range values {
				if math.IsNaN(v.Value) && v.Note == "" {
					t.Errorf("%s: no value, and no note", f.Figure.Name)
				}
			}
		}
	}
	toy := &s.Contenders[1]
	for name, want := range map[string]string{"phi_resolution": "not known", "threshold": "want at least 10"} {
		if v := toy.Figure(name).Value; !strings.Contains(v.Note, want) {
			t.Errorf("%s: note %q, want %q", name, v.Note, want)
		}
	}
	if v := toy.Figure("efficiency").ByPt[2]; !strings.Contains(v.Note, "0 particles") {
		t.Errorf("an empty bin: %v", v)
	}
	if b, err := json.Marshal(toy); err != nil || !strings.Contains(string(b), `"phi_bias":{"value":null,"error":null,"n":0,"note":"not known`) {
		t.Errorf("%v: %s", err, b)
	}
}

func TestMeritJSON(t *testing.T) {
	s := summarise(t, toys(200, 50), SummarySettings{Draws: 10})
	first, err := json.Marshal(s.Contenders[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{`"response":{"value":`, `"resolution_ratio":`, `"resolution_by_pt":[{"low":10,"high":15,"value":`,
		`"turn_on_by_pt":`, `"rate_by_threshold":`} {
		if !strings.Contains(string(first), key) {
			t.Errorf("no %s in %s", key, first)
		}
	}
	var m Merit
	if err := json.Unmarshal(first, &m); err != nil {
		t.Fatal(err)
	}
	if again, err := json.Marshal(m); err != nil || string(again) != string(first) {
		t.Errorf("read and written: %v\n%s\n%s", err, again, first)
	}
	if m.Figure("nothing") != nil || m.Figure("rate").Value != nil {
		t.Error("figures that there are not")
	}
}

func TestSummaryErrors(t *testing.T) {
	for want, change := range map[string]func(list []Columns, s *SummarySettings){
		"want at least two":    func(_ []Columns, s *SummarySettings) { s.Pt = []float64{1} },
		"do not rise":          func(_ []Columns, s *SummarySettings) { s.Eta = []float64{2, 2} },
		"draws":                func(_ []Columns, s *SummarySettings) { s.Draws = 1 },
		"at most 1000 kHz":     func(_ []Columns, s *SummarySettings) { s.Rate = 1001 },
		"match within":         func(_ []Columns, s *SummarySettings) { s.Match = -1 },
		"a rate":               func(_ []Columns, s *SummarySettings) { s.Rate = 1e6 },
		"threads":              func(_ []Columns, s *SummarySettings) { s.Threads = -1 },
		`no contender`:         func(_ []Columns, s *SummarySettings) { s.Reference = "x" },
		"want one for each":    func(l []Columns, _ *SummarySettings) { l[1].Pt = l[1].Pt[:3] },
		"is not the one":       func(l []Columns, _ *SummarySettings) { l[1].Event[4] = 7 },
		"want a momentum":      func(l []Columns, _ *SummarySettings) { l[0].TruthPt[2], l[1].TruthPt[2] = 0, 0 },
		"all must have seen":   func(l []Columns, _ *SummarySettings) { l[1].Crossings.N++ },
		"has no p_T":           func(l []Columns, _ *SummarySettings) { l[1].Crossings.Pt[0] = math.NaN() },
		"of which there are 3": func(l []Columns, _ *SummarySettings) { l[0].Crossings.N, l[1].Crossings.N = 3, 3 },
	} {
		list, s := toys(20, 20), SummarySettings{}
		change(list, &s)
		if _, err := Summarise(context.Background(), list, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Summarise(ctx, toys(20, 20), SummarySettings{}); err != context.Canceled {
		t.Errorf("cancelled: %v", err)
	}
}

func TestIsotonic(t *testing.T) {
	got := isotonic([]float64{0, 2, 1, 0, 4}, []float64{4, 4, 4, 0, 4})
	want := []float64{0, 0.375, 0.375, 0.375, 1}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
