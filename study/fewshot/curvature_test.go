package fewshot

import (
	"math"
	"testing"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/counter"
)

func benchmark(t *testing.T) *emd.Metric {
	t.Helper()
	points, err := hgcal.Positions(hgcal.Metrics()[0])
	if err != nil {
		t.Fatal(err)
	}
	m, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// bench is what tests of gradients need: a learner, images of a task, weights and a direction.
type bench struct {
	*learner
	task      Task
	images    *autoencoder.Prepared
	index     []int
	weights   []float64
	direction []float64
}

func newBench(t *testing.T, a autoencoder.Architecture, images int) *bench {
	t.Helper()
	l, err := newLearner(a, benchmark(t), 100)
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{learner: l, task: drawTask(3, taskTrain, 0)}
	set, err := b.task.images(t.Context(), images)
	if err != nil {
		t.Fatal(err)
	}
	w, err := l.of(0)
	if err != nil {
		t.Fatal(err)
	}
	if b.images, err = w.pass.Prepare(set); err != nil {
		t.Fatal(err)
	}
	if b.weights, err = l.begin(set, 5); err != nil {
		t.Fatal(err)
	}
	s := counter.New(1, 1)
	b.direction = make([]float64, l.size)
	for i := range b.direction {
		b.direction[i] = 2*s.Float64() - 1
		b.weights[i] += 0.02 * (2*s.Float64() - 1) // off the kinks of biases that are 0
	}
	for i := range images {
		b.index = append(b.index, i)
	}
	return b
}

func dot(a, b []float64) (s float64) {
	for i := range a {
		s += a[i] * b[i]
	}
	return s
}

func norm(a []float64) float64 { return math.Sqrt(dot(a, a)) }

// moved is weights a step along the direction.
func moved(w, v []float64, step float64) []float64 {
	out := make([]float64, len(w))
	for i := range w {
		out[i] = w[i] + step*v[i]
	}
	return out
}

// TestCurvatureGradient: value and gradient are those of the networks that are trained, in floating point,
// on the chip at every width, and of the other decoder.
func TestCurvatureGradient(t *testing.T) {
	metric := benchmark(t)
	for _, c := range []struct {
		a    autoencoder.Architecture
		bits int
	}{
		{autoencoder.Architecture{}, 0}, {autoencoder.Architecture{Precision: "asic"}, 3}, {autoencoder.Architecture{Precision: "asic"}, 9},
		{autoencoder.Architecture{Precision: "qkeras-5bit"}, 5}, {autoencoder.Architecture{Decoder: "dense", Output: "square"}, 0},
	} {
		b := newBench(t, c.a, 20)
		if c.bits > 0 {
			c.a.LatentBits = c.bits
		}
		curve, err := newCurvature(c.a, metric)
		if err != nil {
			t.Fatal(err)
		}
		want, got, product := make([]float64, b.size), make([]float64, b.size), make([]float64, b.size)
		// As the networks hold them.
		for i, v := range b.weights {
			b.weights[i] = float64(float32(v))
		}
		v, err := b.gradient(t.Context(), b.weights, c.bits, b.images, b.index, 1, want)
		if err != nil {
			t.Fatal(err)
		}
		e, err := curve.hessian(t.Context(), b.weights, b.direction, b.images, b.index, got, product)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(v-e) > 1e-5*v {
			t.Errorf("%v: EMD %v, in nn %v", c.a, e, v)
		}
		if d := norm(moved(got, want, -1)); d > 1e-3*norm(want) {
			t.Errorf("%v: the gradient differs by %v of %v", c.a, d, norm(want))
		}
	}
}

// TestCurvatureProduct: in floating point the product is what finite differences of the gradient give, and with
// every precision the Hessian is symmetric, as that of a function is.
func TestCurvatureProduct(t *testing.T) {
	metric := benchmark(t)
	for _, a := range []autoencoder.Architecture{{}, {Precision: "asic", LatentBits: 5}, {Decoder: "dense", Output: "square"}} {
		b := newBench(t, a, 8)
		c, err := newCurvature(a, metric)
		if err != nil {
			t.Fatal(err)
		}
		product := func(w, v []float64) (grad, out []float64) {
			grad, out = make([]float64, c.size), make([]float64, c.size)
			if _, err := c.hessian(t.Context(), w, v, b.images, b.index, grad, out); err != nil {
				t.Fatal(err)
			}
			return grad, out
		}
		other := make([]float64, c.size)
		s := counter.New(2, 2)
		for i := range other {
			other[i] = 2*s.Float64() - 1
		}
		_, hv := product(b.weights, b.direction)
		_, hu := product(b.weights, other)
		if x, y := dot(other, hv), dot(b.direction, hu); math.Abs(x-y) > 1e-9*(math.Abs(x)+norm(hv)) || x == 0 {
			t.Errorf("%v: uHv is %v, vHu %v", a, x, y)
		}
		if a.Precision != "" {
			continue
		}
		const step = 1e-7
		up, _ := product(moved(b.weights, b.direction, step), other)
		down, _ := product(moved(b.weights, b.direction, -step), other)
		want := moved(up, down, -1)
		for i := range want {
			want[i] /= 2 * step
		}
		if d := norm(moved(hv, want, -1)); d > 1e-4*norm(want) {
			t.Errorf("%v: the product differs by %v of %v", a, d, norm(want))
		}
	}
}
