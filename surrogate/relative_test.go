package surrogate

import (
	"math"
	"testing"
)

func TestRelative(t *testing.T) {
	target, pred, grad := []float32{2, 0.4, 0}, []float32{2.1, 0.3, 0.2}, make([]float32, 3)
	got, err := Relative{}.Eval(target, pred, grad)
	if err != nil {
		t.Fatal(err)
	}
	want := 1e4 / 3 * (math.Pow(0.1/2.1, 2) + math.Pow(0.1/0.5, 2) + math.Pow(0.2/0.1, 2))
	if math.Abs(got-want) > 1e-2 {
		t.Errorf("%v, want %v", got, want)
	}
	for i := range pred {
		const h = 1e-3
		value := func(v float32) float64 {
			p := append([]float32(nil), pred...)
			p[i] = v
			x, err := Relative{}.Eval(target, p, nil)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		num := (value(pred[i]+h) - value(pred[i]-h)) / (2 * h)
		if math.Abs(num-float64(grad[i])) > 1e-2*math.Abs(num) {
			t.Errorf("gradient %d: %v, differences %v", i, grad[i], num)
		}
	}
	if _, err := (Relative{}).Eval(target, pred[:2], nil); err == nil {
		t.Error("different lengths were accepted")
	}
}
