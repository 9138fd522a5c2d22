package econt

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

func TestWeightsRoundTrips(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 20 {
		w := randomWeights(r)
		back, err := WeightsFromRegisters(w.Registers())
		if err != nil || *back != *w {
			t.Fatalf("registers: %v", err)
		}
		for _, order := range []DenseOrder{DenseKeras, DenseRegisters} {
			for _, r := range []Rounding{RoundNearest, RoundFloor} {
				q, changed, err := w.Float(order).Quantise(r)
				if err != nil || changed != (Quantised{}) || *q != *w {
					t.Fatalf("floats: %+v, %v", changed, err)
				}
			}
		}
		var buf bytes.Buffer
		if err := w.WriteCSV(&buf); err != nil {
			t.Fatal(err)
		}
		if back, err = ReadWeightsCSV(&buf); err != nil || *back != *w {
			t.Fatalf("CSV: %v", err)
		}
		var eb encoderBytes
		eb.encode(w)
		for n := range eb.given {
			for k := range eb.given[n] {
				eb.given[n][k] = true
			}
		}
		if back, err = eb.weights(DialectProd); err != nil || *back != *w {
			t.Fatalf("register bytes: %v", err)
		}
	}
}

// TestQuantise: both roundings, −1 to 31/32, what was off the grid.
func TestQuantise(t *testing.T) {
	f := new(Weights).Float(DenseKeras)
	copy(f.Conv, []float64{0.999, 1, 5, -1, -1.001, -0.001, 0.031, 1.0 / 32, -1.0 / 32, 2.5 / 32, 3.5 / 32, -2.5 / 32, -1.5 / 32, -32.5 / 32, 31.5 / 32})
	f.Dense[3*16+5] = 0.5 // input 3, output 5
	for r, want := range map[Rounding]struct {
		conv    [15]int8
		changed Quantised
	}{
		RoundNearest: {[15]int8{31, 31, 31, -32, -32, 0, 1, 1, -1, 2, 4, -2, -2, -32, 31}, Quantised{OffGrid: 10, Clipped: 4}},
		RoundFloor:   {[15]int8{31, 31, 31, -32, -32, -1, 0, 1, -1, 2, 3, -3, -2, -32, 31}, Quantised{OffGrid: 10, Clipped: 4}},
	} {
		w, changed, err := f.Quantise(r)
		if err != nil || changed != want.changed {
			t.Fatalf("%v: %+v, %v", r, changed, err)
		}
		if [15]int8(w.Conv[:15]) != want.conv {
			t.Errorf("%v: got %v, want %v", r, w.Conv[:15], want.conv)
		}
		if w.Dense[5][3] != 16 {
			t.Error("the Keras kernel was not transposed")
		}
	}
	if _, _, err := f.Quantise(RoundFloor + 1); err == nil {
		t.Error("a third rounding was accepted")
	}
	f.Conv[7] = math.NaN()
	if _, _, err := f.Quantise(RoundNearest); err == nil || !strings.Contains(err.Error(), "conv kernel, weight 7 is NaN") {
		t.Errorf("NaN: %v", err)
	}
	f.Conv = f.Conv[:71]
	if _, _, err := f.Quantise(RoundNearest); err == nil || !strings.Contains(err.Error(), "conv kernel has 71 weights; want 72") {
		t.Errorf("wrong count: %v", err)
	}
}

func TestWeightsCSVErrors(t *testing.T) {
	var buf bytes.Buffer
	if err := new(Weights).WriteCSV(&buf); err != nil {
		t.Fatal(err)
	}
	good := buf.String()
	for _, tc := range []struct{ name, text, want string }{
		{"empty", "", "empty file; want a header layer,output,input,weight"},
		{"long", "layer,output,input,weight\n" + strings.Repeat("\n", 1<<20), "more than 1 MB"},
		{"long line", strings.Repeat("x", 1<<21), "more than 1 MB"},
		{"header", strings.Replace(good, "layer", "name", 1), `column 1 of the header is "name"`},
		{"missing", strings.Replace(good, "dense_bias,15,,0\n", "", 1), "2143 weights; want 2144"},
		{"twice", good + "conv,0,0,1\n", "line 2146: conv 0 0 is given twice"},
		{"range", strings.Replace(good, "conv,0,0,0", "conv,0,0,32", 1), `weight "32"`},
		{"layer", strings.Replace(good, "conv,0,0,0", "cnv,0,0,0", 1), `layer "cnv"`},
		{"output", strings.Replace(good, "conv,0,0,0", "conv,8,0,0", 1), `output "8" of conv: want 0 to 7`},
		{"input", strings.Replace(good, "dense,0,0,0", "dense,0,128,0", 1), `input "128" of dense`},
		{"bias", strings.Replace(good, "conv_bias,0,,0", "conv_bias,0,0,0", 1), "a bias has none"},
		{"columns", "layer,output,input,weight\n1,2\n", "wrong number of fields"},
	} {
		if _, err := ReadWeightsCSV(strings.NewReader(tc.text)); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want … %s …", tc.name, err, tc.want)
		}
	}
}

func FuzzWeightsCSV(f *testing.F) {
	f.Add([]byte("layer,output,input,weight\nconv,7,8,-3\nconv_bias,0,,31\ndense,15,127,-32\ndense_bias,3,,0\n"))
	f.Add([]byte("layer,output,input,weight\nconv,0,0,1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if w, err := ReadWeightsCSV(bytes.NewReader(data)); err == nil {
			if err := w.Validate(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
