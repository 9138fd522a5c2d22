package physics

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"barrow/internal/counter"
)

func values(list ...float64) []Value {
	var out []Value
	for _, v := range list {
		out = append(out, Value{Value: v, Draws: []float64{v, v + 0.01, v - 0.01}})
	}
	return out
}

func TestCorrelate(t *testing.T) {
	for n := 3; n <= 9; n++ {
		var x, y, z []float64
		fact := 1.0
		for i := range n {
			x, y, z = append(x, float64(i)), append(y, 3+2*float64(i)), append(z, -math.Exp(float64(i)))
			fact *= float64(i + 1)
		}
		c := Correlate(values(x...), values(y...), 1)
		if math.Abs(c.Pearson.Value-1) > 1e-12 || math.Abs(c.Spearman.Value-1) > 1e-12 || math.Abs(c.P.Value-2/fact) > 1e-15 || !c.Exact {
			t.Errorf("%d in order: %+v, want P %v", n, c, 2/fact)
		}
		c = Correlate(values(x...), values(z...), 1)
		if !(c.Pearson.Value > -0.99) || math.Abs(c.Spearman.Value+1) > 1e-12 || math.Abs(c.P.Value-2/fact) > 1e-15 {
			t.Errorf("%d in reverse order: %+v", n, c)
		}
	}
	// Known: Spearman's coefficient 0.8 of four has P 1/3 (8 of 24 orders).
	if c := Correlate(values(1, 2, 3, 4), values(1, 2, 4, 3), 1); math.Abs(c.Spearman.Value-0.8) > 1e-15 || math.Abs(c.P.Value-8./24) > 1e-15 {
		t.Errorf("four: %+v", c)
	}
}

// TestCorrelateSampled holds what is drawn for many contenders to a normal distribution.
func TestCorrelateSampled(t *testing.T) {
	r := counter.New(1, 1)
	var x, y []float64
	for i := range 40 {
		x, y = append(x, float64(i)), append(y, 0.02*float64(i)+r.Float64())
	}
	c := Correlate(values(x...), values(y...), 1)
	want := math.Erfc(math.Abs(c.Spearman.Value) * math.Sqrt(39) / math.Sqrt2)
	if c.Exact || math.Abs(c.P.Value-want) > 0.3*want+0.002 {
		t.Errorf("coefficient %v: P %v, want about %v", c.Spearman.Value, c.P.Value, want)
	}
	if Correlate(values(x...), values(y...), 1).P.Value != c.P.Value {
		t.Error("the same seed, another P")
	}
}

func TestCorrelateLittle(t *testing.T) {
	for want, c := range map[string][2][]Value{
		"2 contenders":             {values(1, 2, math.NaN()), values(1, 2, 3)},
		"all 3 contenders have th": {values(1, 1, 1), values(1, 2, 3)},
		"0 contenders":             {nil, nil},
	} {
		if got := Correlate(c[0], c[1], 1); !math.IsNaN(got.P.Value) || !strings.Contains(got.Pearson.Note, want) {
			t.Errorf("want %q, have %+v", want, got)
		}
	}
}

// Whether the EMD predicts the resolution, of the paper's three losses.
func ExampleCorrelate() {
	emd := []Value{{Value: 1.231}, {Value: 0.912}, {Value: 1.431}}
	resolution := []Value{{Value: 0.1125}, {Value: 0.1102}, {Value: 0.1231}}
	c := Correlate(emd, resolution, 1)
	fmt.Printf("Pearson %.2f, Spearman %.2f, p %.2f\n", c.Pearson.Value, c.Spearman.Value, c.P.Value)
	// Output: Pearson 0.88, Spearman 1.00, p 0.33
}
