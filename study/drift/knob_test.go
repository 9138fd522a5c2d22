package drift

import (
	"context"
	"errors"
	"math"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"barrow/internal/counter"
	"barrow/nn"
	"barrow/wafer"
)

// TestMinimise: every method finds the least of a quadratic whose parameters matter together and
// unequally, from measurements with noise, and keeps within bounds.
func TestMinimise(t *testing.T) {
	want := []float64{0.8, -0.5, 0.3, -0.9, 0.4}
	for _, method := range methods() {
		s := counter.New(1, 1)
		cost := func(p []float64) (float64, error) {
			c := 1 + 0.02*s.Normal()
			for i := range p {
				d := p[i] - want[i]
				c += float64(i+2) * d * d
				if i > 0 {
					c += d * (p[i-1] - want[i-1])
				}
			}
			return max(c, 0.01), nil
		}
		start, axes := make([]float64, 5), make([][]float64, 5)
		for j := range axes {
			axes[j] = make([]float64, 5)
			axes[j][j] = 1
		}
		got, err := search{Method: method, Measurements: 2000, Seed: 1}.minimise(context.Background(), cost, start, axes)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if math.Abs(got[i]-want[i]) > 0.15 {
				t.Errorf("%s: %.3f, want %v", method, got, want)
				break
			}
		}
		low, high := slices.Repeat([]float64{0}, 5), slices.Repeat([]float64{0.5}, 5)
		bounded := search{Method: method, Measurements: 500, Seed: 1, Low: low, High: high}
		got, err = bounded.minimise(context.Background(), cost, start, axes)
		if err != nil || slices.Min(got) < 0 || slices.Max(got) > 0.5 {
			t.Errorf("%s: %v beyond its bounds (%v)", method, got, err)
		}
		stopped, stop := context.WithCancel(context.Background())
		stop()
		if _, err := bounded.minimise(stopped, cost, start, axes); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v after an interruption", method, err)
		}
		if _, err := bounded.minimise(context.Background(), func([]float64) (float64, error) { return 0, os.ErrClosed }, start, axes); !errors.Is(err, os.ErrClosed) {
			t.Errorf("%s: %v where the cost fails", method, err)
		}
	}
	if _, err := (search{Method: "luck"}).minimise(context.Background(), nil, nil, nil); err == nil {
		t.Error("no method is called luck")
	}
}

// TestNoTruth: from what tunes no path leads to events or to the drift, and frames have nothing but what
// arrives.
func TestNoTruth(t *testing.T) {
	seen := map[reflect.Type]bool{}
	var walk func(t reflect.Type, path string)
	walk = func(of reflect.Type, path string) {
		if seen[of] {
			return
		}
		seen[of] = true
		switch of {
		case reflect.TypeFor[events](), reflect.TypeFor[Drift](), reflect.TypeFor[follower](), reflect.TypeFor[work](), reflect.TypeFor[site](), reflect.TypeFor[age](), reflect.TypeFor[pupils](), reflect.TypeFor[wafer.Set]():
			t.Errorf("the tuner has a %v at %s", of, path)
		}
		switch of.Kind() {
		case reflect.Pointer, reflect.Slice, reflect.Array:
			walk(of.Elem(), path)
		case reflect.Map:
			walk(of.Elem(), path)
		case reflect.Struct:
			if strings.HasSuffix(of.PkgPath(), "/nn") {
				return // a network is weights
			}
			for i := range of.NumField() {
				walk(of.Field(i).Type, path+"."+of.Field(i).Name)
			}
		case reflect.Func, reflect.Interface:
			t.Errorf("whatever the tuner has at %s, a %v, could know all", path, of)
		}
	}
	walk(reflect.TypeFor[knob](), "knob")
	var fields []string
	for i := range reflect.TypeFor[frames]().NumField() {
		fields = append(fields, reflect.TypeFor[frames]().Field(i).Name)
	}
	if want := []string{"outputs", "sums", "readout"}; !slices.Equal(fields, want) {
		t.Errorf("frames have %v; what arrives is %v", fields, want)
	}
}

// TestExpectation: what statistics do along a condition is found again between the values that were
// simulated, and where they do what is expected nothing is left; else the squares of the deviations are those
// of the statistics by the inverse of their covariance.
func TestExpectation(t *testing.T) {
	of := func(v float64) *summary {
		s := &summary{mean: make([]float64, 5)}
		for i := range s.mean {
			s.mean[i] = float64(i) + 0.5*float64(i+1)*v - 0.2*v*v
		}
		return s
	}
	new, covariance := of(0), mat.NewSymDense(5, nil)
	for i := range 5 {
		covariance.SetSym(i, i, 4)
		for j := range i {
			covariance.SetSym(i, j, 1)
		}
	}
	new.covariance = []*mat.SymDense{covariance}
	e, err := expect(new, 50, 500, 1)
	if err != nil {
		t.Fatal(err)
	}
	e.curve[onNoise] = &curve{at: []float64{0.7, 2}}
	for _, v := range e.curve[onNoise].at {
		s := of(v)
		for i := range s.mean {
			s.mean[i] -= new.mean[i]
		}
		e.curve[onNoise].change = append(e.curve[onNoise].change, s.mean)
	}
	told := make([]float64, conditions)
	for _, v := range []float64{0, 0.3, 1.4, 2} {
		told[onNoise] = v
		d, err := e.deviations(of(v), told, nil)
		if err != nil || slices.Max(d) > 1e-9 || slices.Min(d) < -1e-9 {
			t.Errorf("deviations %v at %v (%v)", d, v, err)
		}
	}
	told[onNoise] = 0
	d, err := e.deviations(&summary{mean: []float64{1, 1, 2, 3, 5}}, told, nil) // 1 too much in the first and the last
	if err != nil {
		t.Fatal(err)
	}
	got := 0.0
	for _, v := range d {
		got += v * v
	}
	// The covariance is (a−b)·1 + b·11ᵀ with a = 4 and the least, b = 0.9.
	diagonal := 4 + leastImage*leastImage - 0.9
	want := (2 - 0.9*4/(diagonal+5*0.9)) / diagonal / (1.0/50 + 1.0/500)
	if math.Abs(got/want-1) > 1e-9 {
		t.Errorf("squares of the deviations %v, want %v", got, want)
	}
	if _, err := e.deviations(&summary{mean: make([]float64, 3)}, told, nil); err == nil {
		t.Error("statistics of another kind were taken")
	}
}

// TestTune: outputs that arrive with an offset are set right again over the steps by every method.
func TestTune(t *testing.T) {
	s, err := Default().site()
	if err != nil {
		t.Fatal(err)
	}
	m, err := Default().architecture().New(nn.Settings{Seed: 5, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDecoder(m, s.conditions)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.net.Params() { // what an untrained decoder makes hardly depends on the outputs
		for i := range p.Value {
			p.Value[i] *= 3
		}
	}
	arrived := func(n int, seed uint64) *frames {
		e, err := s.draw(n, seed, Default().beam(), func(int, int) *age { return fresh() })
		if err != nil {
			t.Fatal(err)
		}
		f, err := arrive(context.Background(), m, e.measured, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	of := func(f *frames) *summary {
		shapes, err := d.decode(f, shift{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return summarise(f, shapes, true)
	}
	sent := arrived(1000, 3)
	expected, err := expect(of(sent), 200, 1000, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, method := range methods() {
		k := &knob{decoder: d, expected: expected, method: method, measurements: 100, seed: 1}
		k.set(onOutputs, sent)
		cost := func(f *frames) float64 {
			d, err := k.deviations(f, k.at)
			if err != nil {
				t.Fatal(err)
			}
			return mat.Dot(mat.NewVecDense(len(d), d), mat.NewVecDense(len(d), d))
		}
		var first, last float64
		for step := range 4 {
			f := arrived(200, uint64(10+step))
			for i := range f.sums {
				f.outputs[i*latent+2] -= float32(3 * k.scale[2])
			}
			if step == 0 {
				first = cost(f)
			}
			if _, err := k.tune(context.Background(), f); err != nil {
				t.Fatal(err)
			}
			last = cost(f)
		}
		if last > first/5 || k.at[2] < 0.3*k.scale[2] {
			t.Errorf("%s: a cost of %v became %v at %v", method, first, last, k.at)
		}
		if right := cost(arrived(200, 13)); right < last {
			t.Errorf("%s: of frames without an offset the vector costs %v, of those with one %v", method, right, last)
		}
	}
}
