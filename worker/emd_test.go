//go:build unix

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
)

// images are rows of masses of total 1, a third of them 0.
func images(rng *rand.Rand, rows, cells int) []float64 {
	x := make([]float64, rows*cells)
	for i := range rows {
		row, total := x[i*cells:(i+1)*cells], 0.0
		for k := range row {
			if k == 0 || rng.IntN(3) > 0 {
				row[k] = rng.ExpFloat64()
				total += row[k]
			}
		}
		for k := range row {
			row[k] /= total
		}
	}
	return x
}

// metricOn opens a metric and solvers on it.
func (c *client) metricOn(in []array, ground, settings string) (m, solvers answer, err error) {
	if m, err = c.ask(typeOpen, 0, "metric", in, nil, ground); err == nil {
		solvers, err = c.ask(typeOpen, m.handle, "emd", nil, nil, settings)
	}
	return m, solvers, err
}

// TestEMD holds the object's answers to the library's, bit by bit.
func TestEMD(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 4))
	c := dial(t, fresh())
	if err := c.file.Truncate(1 << 16); err != nil {
		t.Fatal(err)
	}
	_, o, err := c.metricOn(nil, `{"ground":"hgcal","name":"cmssw"}`, `{"unequal":"normalise"}`)
	if err != nil {
		t.Fatal(err)
	}
	points, err := hgcal.Positions("cmssw")
	if err != nil {
		t.Fatal(err)
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	batch, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	const rows, n = 5, 48
	x, y := images(rng, rows, n), images(rng, rows, n)
	for k := range x {
		x[k] *= 3
	}
	e, dp, dq := make([]float64, rows), make([]float64, rows*n), make([]float64, rows*n)
	p, q := put(t, c, "p", 0, x, rows, n), put(t, c, "q", 4096, y, rows, n)
	same := func(what string, got, want []float64) {
		t.Helper()
		for k := range want {
			if got[k] != want[k] {
				t.Fatalf("%s[%d] is %v, want %v", what, k, got[k], want[k])
			}
		}
	}
	for method, names := range map[string][2]string{"gradient": {"dp", "dq"}, "potentials": {"f", "h"}} {
		solve := batch.Gradient
		if method == "potentials" {
			solve = batch.Potentials
		}
		if err := solve(context.Background(), x, y, e, dp, dq); err != nil {
			t.Fatal(err)
		}
		left := array{name: names[0], offset: 8192, dtype: tFloat64, shape: []int{rows, n}}
		right := array{name: names[1], offset: 12288, dtype: tFloat64, shape: []int{rows, n}}
		value := array{name: "value", offset: 16384, dtype: tFloat64, shape: []int{rows}}
		if _, err := c.ask(typeCall, o.handle, method, []array{p, q}, []array{value, left, right}, ""); err != nil {
			t.Fatal(err)
		}
		same("value", get[float64](t, c, value), e)
		same(names[0], get[float64](t, c, left), dp)
		same(names[1], get[float64](t, c, right), dq)
	}

	a, err := c.ask(typeCall, o.handle, "flow", []array{p, q}, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	cost := make([]float64, rows)
	pair, mass := get[int64](t, c, a.arrays[0]), get[float64](t, c, a.arrays[3])
	for k, i := range pair {
		cost[i] += mass[k] * metric.At(int(get[int64](t, c, a.arrays[1])[k]), int(get[int64](t, c, a.arrays[2])[k]))
	}
	if a, err = c.ask(typeCall, o.handle, "certificate", []array{p, q}, nil, ""); err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		f := get[float64](t, c, a.arrays[0])[7*i:]
		proof := emd.Certificate{Primal: f[0], Dual: f[1], Violation: f[2], Imbalance: f[3], Negative: f[4], Mass: f[5], Distance: f[6]}
		if err := proof.Check(0); err != nil || math.Abs(cost[i]-e[i]) > 1e-13 || math.Abs(proof.Primal-e[i]) > 1e-13 {
			t.Errorf("row %d: %v; the plan costs %v, the distance is %v", i, err, cost[i], e[i])
		}
	}
}

// TestEMDGrounds opens every kind of ground and looks at a distance of each.
func TestEMDGrounds(t *testing.T) {
	c := dial(t, fresh())
	points := func(x []float64, shape ...int) func() array {
		return func() array { return put(t, c, "points", 0, x, shape...) }
	}
	costs := func(x ...float64) func() array {
		return func() array { return put(t, c, "costs", 0, x, 2, len(x)/2) }
	}
	space, line := points([]float64{0, 0, 0, 1, 2, 2}, 2, 3), points([]float64{0, 3}, 2, 1)
	for _, test := range []struct {
		recipe string
		in     func() array
		want   float64 // from cell 0 to cell 1
		metric bool
	}{
		{`{"ground":"hgcal","name":"benchmark"}`, nil, 2, true},
		{`{"ground":"points"}`, space, 3, true},
		{`{"ground":"points","periods":[0,0,3]}`, space, math.Sqrt(6), true},
		{`{"ground":"points"}`, line, 3, true},
		{`{"ground":"points","periods":[4]}`, line, 1, true},
		{`{"ground":"grid","height":2,"width":1,"norm":"l1"}`, nil, 1, true},
		{`{"ground":"grid","height":9,"width":11,"norm":"l2"}`, nil, 1, true},
		{`{"ground":"matrix"}`, costs(1, -2, 3, 4), -2, false},
		{`{"ground":"matrix"}`, costs(0, 2, 2, 0), 2, true},
		{`{"ground":"matrix"}`, costs(0, 2, 1, 2, 0, 3), 2, false},
	} {
		var in []array
		if test.in != nil {
			in = append(in, test.in())
		}
		o, err := c.ask(typeOpen, 0, "metric", in, nil, test.recipe)
		if err != nil {
			t.Errorf("%s: %v", test.recipe, err)
			continue
		}
		a, err := c.ask(typeCall, o.handle, "costs", nil, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ Metric bool }
		if err := json.Unmarshal(a.params, &r); err != nil {
			t.Fatal(err)
		}
		if d := get[float64](t, c, a.arrays[0])[1]; math.Abs(d-test.want) > 1e-14 || r.Metric != test.metric {
			t.Errorf("%s: distance %v, metric %v; want %v, %v", test.recipe, d, r.Metric, test.want, test.metric)
		}
	}
	for recipe, want := range map[string]string{
		`{"ground":"hgcal","name":"none"}`:                            "none",
		`{"ground":"sphere"}`:                                         "sphere",
		`{"ground":"points"}`:                                         `"points" is missing`,
		`{"ground":"grid","height":0,"width":3,"norm":"l1"}`:          "0×3",
		`{"ground":"grid","height":99999,"width":99999,"norm":"l1"}`:  "too many",
		`{"ground":"grid","height":2,"width":2,"norm":"l3"}`:          "l3",
		`{"ground":"grid","height":2,"width":2,"norm":"l2","size":3}`: "size",
	} {
		if _, err := c.ask(typeOpen, 0, "metric", nil, nil, recipe); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", recipe, err, want)
		}
	}
	for settings, want := range map[string]string{
		`{"unequal":"some"}`:    "some",
		`{"empty":"some"}`:      "some",
		`{"unequal":"penalty"}`: "Penalty",
		`{"threads":-1}`:        "hreads",
		`{"max_pivots":-1}`:     "MaxPivots",
		`{"ground":"hgcal"}`:    "ground",
	} {
		if _, _, err := c.metricOn(nil, `{"ground":"hgcal","name":"benchmark"}`, settings); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", settings, err, want)
		}
	}
	echo, err := c.ask(typeOpen, 0, "echo", nil, nil, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, on := range []uint64{0, 987, echo.handle} {
		if _, err := c.ask(typeOpen, on, "emd", nil, nil, ""); err == nil {
			t.Errorf("solvers on the object %d", on)
		}
	}
}

// TestRoundedMetric has distances as their type rounds them, and what goes beyond that.
func TestRoundedMetric(t *testing.T) {
	c := dial(t, fresh())
	if err := c.file.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(19, 8))
	const n = 60
	points := make([][2]float64, n)
	for i := range points {
		points[i] = [2]float64{math.Round(5 * rng.Float64()), 0} // on a line: no inequality is strict
		points[i][1] = points[i][0] / 3
	}
	exact, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	for name, ulp := range map[string]float64{"float32": 0x1p-23, "float16": 0x1p-10, "bfloat16": 0x1p-7} {
		d := make([]float64, n*n)
		for k := range d {
			d[k] = exact.At(k/n, k%n) * (1 + ulp*(rng.Float64()-0.5))
		}
		opened := func(dtype string, want bool) answer {
			t.Helper()
			o, err := c.ask(typeOpen, 0, "metric", []array{put(t, c, "costs", 0, d, n, n)}, nil, `{"ground":"matrix","dtype":"`+dtype+`"}`)
			if err != nil {
				t.Fatal(err)
			}
			var said struct {
				N, M   int
				Metric bool
			}
			if err := json.Unmarshal(o.params, &said); err != nil || said.Metric != want || said.N != n || said.M != n {
				t.Errorf("%s as %q: %s, %v; want metric %v", name, dtype, o.params, err, want)
			}
			return o
		}
		opened("float64", false)
		a, err := c.ask(typeCall, opened(name, true).handle, "costs", nil, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		for k, x := range get[float64](t, c, a.arrays[0]) {
			if math.Abs(x-d[k]) > 4*ulp*exact.Max() {
				t.Fatalf("%s: the distance %d is %v, was %v", name, k, x, d[k])
			}
		}
		for _, k := range []int{1, n + 1} { // not symmetric; a cell that is far from itself
			was := d[k]
			d[k] += 5 * ulp * exact.Max()
			opened(name, false)
			d[k] = was
		}
		for _, k := range []int{1, n} { // beyond the sum of two others
			d[k] += 20 * ulp * exact.Max()
		}
		opened(name, false)
	}
	if _, err := c.ask(typeOpen, 0, "metric", []array{put(t, c, "costs", 0, []float64{0}, 1, 1)}, nil, `{"ground":"matrix","dtype":"int8"}`); err == nil || !strings.Contains(err.Error(), "int8") {
		t.Errorf("int8: %v", err)
	}
}

// TestEMDErrors names row and cell.
func TestEMDErrors(t *testing.T) {
	c := dial(t, fresh())
	costs := put(t, c, "costs", 0, []float64{1, 2, 3, 4, 5, 6}, 2, 3)
	_, o, err := c.metricOn([]array{costs}, `{"ground":"matrix"}`, "")
	if err != nil {
		t.Fatal(err)
	}
	p := put(t, c, "p", 0, []float64{.5, .5, .5, .5}, 2, 2)
	q := put(t, c, "q", 64, []float64{.5, .5, 0, .5, .5, math.NaN()}, 2, 3)
	for _, method := range []string{"gradient", "potentials", "flow", "certificate"} {
		var f *failure
		if _, err := c.ask(typeCall, o.handle, method, []array{p, q}, nil, ""); !errors.As(err, &f) {
			t.Fatalf("%s: error %v", method, err)
		}
		if f.Kind != kindEMD || f.Row == nil || *f.Row != 1 || f.Cell == nil || *f.Cell != 2 {
			t.Errorf("%s: %+v, want row 1, cell 2", method, f)
		}
	}
	q.shape = []int{3, 2}
	if _, err := c.ask(typeCall, o.handle, "gradient", []array{p, q}, nil, ""); err == nil {
		t.Error("no error for another shape")
	}
}

// TestEMDOptimum has a pair of which all is wanted, also one cut short.
func TestEMDOptimum(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 5))
	c := dial(t, fresh())
	if err := c.file.Truncate(1 << 20); err != nil {
		t.Fatal(err)
	}
	const n = 70
	m := make([]float64, n*n)
	for k := range m {
		m[k] = rng.Float64()
	}
	x, y := images(rng, 1, n), images(rng, 1, n)
	best := math.NaN()
	for _, limit := range []string{"0", "3"} {
		_, o, err := c.metricOn([]array{put(t, c, "costs", 0, m, n, n)}, `{"ground":"matrix"}`, `{"max_pivots":`+limit+`}`)
		if err != nil {
			t.Fatal(err)
		}
		a, err := c.ask(typeCall, o.handle, "solve", []array{put(t, c, "p", 0, x, n), put(t, c, "q", 1024, y, n)}, nil, "")
		if err != nil {
			t.Fatal(err)
		}
		var r struct{ Optimal bool }
		if err := json.Unmarshal(a.params, &r); err != nil {
			t.Fatal(err)
		}
		found := map[string]array{}
		for _, one := range a.arrays {
			found[one.name] = one
		}
		value, cost := get[float64](t, c, found["value"])[0], 0.0
		source, target := get[int64](t, c, found["source"]), get[int64](t, c, found["target"])
		for k, mass := range get[float64](t, c, found["mass"]) {
			cost += mass * m[int(source[k])*n+int(target[k])]
		}
		dual := 0.0
		f, h := get[float64](t, c, found["f"]), get[float64](t, c, found["h"])
		for k := range n {
			dual += x[k]*f[k] + y[k]*h[k]
		}
		if math.Abs(cost-value) > 1e-13 {
			t.Errorf("the plan costs %v, the value is %v", cost, value)
		}
		if limit == "0" {
			best = value
			if !r.Optimal || math.Abs(dual-value) > 1e-13 {
				t.Errorf("optimal %v, dual %v, value %v", r.Optimal, dual, value)
			}
		} else if r.Optimal || !(value > best && dual <= best+1e-13) {
			t.Errorf("after 3 pivots: optimal %v, between %v and %v; the optimum is %v", r.Optimal, dual, value, best)
		}
	}
}

// TestEvents compares a pair of events with the same as masses on costs.
func TestEvents(t *testing.T) {
	c := dial(t, fresh())
	// Two events: (2 at 0, 1 at 3), and (4 at 1).
	particles := put(t, c, "particles0", 0, []float64{2, 0, 1, 3, 4, 1}, 3, 2)
	starts := put(t, c, "starts0", 256, []int64{0, 2, 3}, 3)
	o, err := c.ask(typeOpen, 0, "emd.events", []array{particles, starts}, nil, `{"r":2,"beta":1}`)
	if err != nil {
		t.Fatal(err)
	}
	a, err := c.ask(typeCall, o.handle, "rows", nil, nil, `{"from":0,"to":2}`)
	if err != nil {
		t.Fatal(err)
	}
	// 2·1/2 + 1·2/2, and one unit that has no partner.
	if e := get[float64](t, c, a.arrays[0]); e[0] != 0 || math.Abs(e[1]-3) > 1e-14 || e[2] != 0 || e[3] != 0 {
		t.Errorf("distances %v, want 0 3 0 0", e)
	}
	for params, want := range map[string]string{
		`{"r":0,"beta":1}`:                 "R = 0",
		`{"r":1,"beta":0}`:                 "beta = 0",
		`{"r":1,"beta":1,"periods":[1,2]}`: "2 periods",
		`{"r":1,"beta":1,"periods":[-1]}`:  "period -1",
		`{"r":1,"beta":1,"threads":-2}`:    "threads",
	} {
		put(t, c, "", 0, []float64{2, 0, 1, 3, 4, 1})
		put(t, c, "", 256, []int64{0, 2, 3})
		if _, err := c.ask(typeOpen, 0, "emd.events", []array{particles, starts}, nil, params); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", params, err, want)
		}
	}
	put(t, c, "", 256, []int64{0, 2, 4})
	if _, err := c.ask(typeOpen, 0, "emd.events", []array{particles, starts}, nil, `{"r":1,"beta":1}`); err == nil {
		t.Error("no error for particles beyond the last")
	}
	if _, err := c.ask(typeCall, o.handle, "rows", nil, nil, `{"from":1,"to":3}`); err == nil {
		t.Error("no error for events beyond the last")
	}
	put(t, c, "", 256, []int64{0, 2, 3})
	for what, test := range map[string]struct {
		x    []float64
		want string
	}{
		"mass":       {[]float64{2, 0, 1, 3, -4, 1}, "emd: events0: row 1: particle[0] = -4: a mass must be finite and not negative"},
		"coordinate": {[]float64{2, 0, 1, math.NaN(), 4, 1}, "emd: events0: row 0: particle 1: coordinate 0 is NaN: must be finite, at most 1e+200"},
	} {
		put(t, c, "", 0, test.x)
		var f *failure
		_, err := c.ask(typeOpen, 0, "emd.events", []array{particles, starts}, nil, `{"r":1,"beta":1}`)
		if !errors.As(err, &f) || f.Kind != kindEMD || f.Message != test.want || f.Row == nil || f.Cell == nil || *f.Row+*f.Cell != 1 {
			t.Errorf("%s: %+v", what, err)
		}
	}
	put(t, c, "", 0, []float64{2, 0, 1, 3, 0, 1})
	if o, err = c.ask(typeOpen, 0, "emd.events", []array{particles, starts}, nil, `{"r":1,"beta":1,"norm":true}`); err != nil {
		t.Fatal(err)
	}
	var f *failure
	_, err = c.ask(typeCall, o.handle, "rows", nil, nil, `{"from":0,"to":2}`)
	if want := "emd: events0: row 1: no mass"; !errors.As(err, &f) || f.Kind != kindEMD || f.Message != want || f.Row == nil || *f.Row != 1 {
		t.Errorf("%+v, want %s", err, want)
	}
}

// TestEventsFirstError: of many pairs that cannot be, on many threads, the first is told.
func TestEventsFirstError(t *testing.T) {
	o := &eventPairs{d: 1, threads: 8, recipe: eventRecipe{R: 1, Beta: 1, Norm: true}}
	o.a = &events{}
	for k := range 64 {
		x := []float64{1, float64(k), 1, 0}
		if k >= 20 {
			x[0], x[2] = 0, 0
		}
		if err := o.a.add(x, 1); err != nil {
			t.Fatal(err)
		}
	}
	o.b = &events{}
	for range 3 {
		if err := o.b.add([]float64{1, 0}, 1); err != nil {
			t.Fatal(err)
		}
	}
	for range 200 {
		if err := o.distances(context.Background(), 0, 64, make([]float64, 64*3)); err == nil || !strings.Contains(err.Error(), "row 20: no mass") {
			t.Fatalf("%v, want row 20", err)
		}
	}
}

// TestOnce holds pairs on their own costs to those on costs that are kept, bit by bit.
func TestOnce(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 5))
	c := dial(t, fresh())
	if err := c.file.Truncate(1 << 16); err != nil {
		t.Fatal(err)
	}
	once, err := c.ask(typeOpen, 0, "emd.once", nil, nil, `{"max_pivots":0}`)
	if err != nil {
		t.Fatal(err)
	}
	const n = 48
	points, err := hgcal.Positions("cmssw")
	if err != nil {
		t.Fatal(err)
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	for _, stay := range []float64{0, 0.25} { // a metric, and costs that are none
		m := make([]float64, n*n)
		for k := range m {
			m[k] = stay + metric.At(k/n, k%n)
		}
		x, y := images(rng, 1, n), images(rng, 1, n)
		costs := put(t, c, "costs", 0, m, n, n)
		_, o, err := c.metricOn([]array{costs}, `{"ground":"matrix","quick":true}`, "")
		if err != nil {
			t.Fatal(err)
		}
		value := array{name: "value", offset: 32768, dtype: tFloat64, shape: []int{1}}
		if _, err := c.ask(typeCall, o.handle, "gradient", []array{put(t, c, "p", 24576, x, 1, n), put(t, c, "q", 28672, y, 1, n)}, []array{value}, ""); err != nil {
			t.Fatal(err)
		}
		want := get[float64](t, c, value)[0]
		p, q := put(t, c, "p", 24576, x, n), put(t, c, "q", 28672, y, n)
		if _, err := c.ask(typeCall, once.handle, "value", []array{p, q, costs}, []array{value}, ""); err != nil {
			t.Fatal(err)
		}
		if got := get[float64](t, c, value)[0]; got != want {
			t.Errorf("costs from %v on: once %v, kept %v", stay, got, want)
		}
	}
}
