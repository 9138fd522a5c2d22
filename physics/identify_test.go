package physics

import (
	"context"
	"encoding/json"
	"math"
	"strings"
	"testing"

	"barrow/internal/counter"
)

// toyClusters are clusters whose core is normal about a mean and whose p_T falls by a power of a
// uniform number; all else is constant. Events have one each.
func toyClusters(n int, mean, power float64, seed uint64) *Table {
	r := counter.New(seed, 1)
	t := &Table{Events: n}
	for i := range n {
		c := Record{Event: int64(i), Found: true}
		c.Layers, c.Cells, c.Sum, c.Eta = []float64{1}, 1, 6+70*math.Pow(r.Float64(), power), 2
		c.Shape.Core = mean + math.Sqrt(2*r.Exp())*math.Cos(2*math.Pi*r.Float64())
		t.Records = append(t.Records, c)
	}
	return t
}

func sumOf(r *Record) float64 { return r.Sum }

func identify(t *testing.T, particles, crossings *Table, threads int) *Identification {
	t.Helper()
	id, err := Identify(context.Background(), particles, crossings, sumOf, IdentifySettings{Threads: threads, Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestIdentify holds the trees to the best that can be done with two normal distributions d
// apart, Φ(d/√2), though the spectra in p_T differ.
func TestIdentify(t *testing.T) {
	phi := func(x float64) float64 { return math.Erfc(-x/math.Sqrt2) / 2 }
	for _, d := range []float64{0, 1, 2} {
		id := identify(t, toyClusters(12000, d, 1, 1), toyClusters(12000, 0, 2, 2), 2)
		if want := phi(d / math.Sqrt2); math.Abs(id.AUC.Value-want) > 4*id.AUC.Error+0.01 {
			t.Errorf("%v apart: area %.4f ± %.4f, want %.4f", d, id.AUC.Value, id.AUC.Error, want)
		}
		if !(id.AUC.Error > 0 && id.AUC.Error < 0.02) {
			t.Errorf("%v apart: error of the area %v", d, id.AUC.Error)
		}
		// What is above the mean of signal minus z passes: signal 0.9 at z = 1.2816.
		if b, want := id.Background[0], phi(1.2816-d); math.Abs(b.Value.Value-want) > 4*b.Error+0.01 {
			t.Errorf("%v apart: background at 90 %% is %.4f ± %.4f, want %.4f", d, b.Value.Value, b.Error, want)
		}
		for k := 1; k < len(id.Curve); k++ {
			if id.Curve[k].Value.Value < id.Curve[k-1].Value.Value {
				t.Errorf("%v apart: the curve falls at %v", d, id.Curve[k].Low)
			}
		}
	}
}

func TestIdentifyThreads(t *testing.T) {
	var first string
	for _, threads := range []int{1, 2, 5} {
		text, err := json.Marshal(identify(t, toyClusters(1000, 1, 1, 1), toyClusters(1000, 0, 2, 2), threads))
		if err != nil {
			t.Fatal(err)
		}
		if first == "" {
			first = string(text)
		}
		if string(text) != first {
			t.Errorf("%d threads: other bytes", threads)
		}
	}
}

func TestIdentifyLittle(t *testing.T) {
	many := toyClusters(1000, 1, 1, 1)
	far := toyClusters(1000, 0, 1, 2)
	for i := range far.Records {
		far.Records[i].Eta = 2.8
	}
	for want, c := range map[string][2]*Table{
		"0 minimum-bias clusters":                     {many, {}},
		"1 particle clusters within range in even":    {toyClusters(1, 1, 1, 1), many},
		"particles and minimum bias of even events h": {many, far},
	} {
		id := identify(t, c[0], c[1], 1)
		if !math.IsNaN(id.AUC.Value) || !strings.Contains(id.AUC.Note, want) || len(id.Background) != 3 || id.Background[2].Note != id.AUC.Note {
			t.Errorf("want %q, have %+v", want, id)
		}
	}
	// All variables constant: nothing is told apart.
	flat := toyClusters(1000, 0, 1, 2)
	for i := range flat.Records {
		flat.Records[i].Shape.Core, flat.Records[i].Sum = 1, 10
	}
	if id := identify(t, flat, flat, 1); id.AUC.Value != 0.5 || id.AUC.Error != 0 {
		t.Errorf("constant variables: area %v ± %v, want ½", id.AUC.Value, id.AUC.Error)
	}
	apart := identify(t, toyClusters(1000, 50, 1, 1), flat, 1)
	if b := apart.Background[0]; b.Value.Value != 0 || !math.IsNaN(b.Error) || !strings.Contains(b.Note, "below") {
		t.Errorf("kinds that are far apart: %+v", b)
	}
	for _, s := range []IdentifySettings{{PT: []float64{1}}, {PT: []float64{2, 1}}, {Eta: []float64{1, math.NaN()}}, {Draws: -1}, {Threads: -1}} {
		if _, err := Identify(context.Background(), many, many, sumOf, s); err == nil {
			t.Errorf("%+v was taken", s)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Identify(ctx, many, many, sumOf, IdentifySettings{}); err == nil {
		t.Error("a cancelled context was not heeded")
	}
}
