package nn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// gradientCases are networks that together use every kind of layer with every
// option, in both layouts.
func gradientCases() []Spec {
	conv := func(filters, kernel, stride int, padding string) Layer {
		return Layer{Kind: KindConv2D, Filters: filters, Kernel: kernel, Stride: stride, Padding: padding}
	}
	turned := func(filters, kernel, stride int, padding string) Layer {
		l := conv(filters, kernel, stride, padding)
		l.Kind = KindConv2DTranspose
		return l
	}
	relu, bn := Layer{Kind: KindReLU}, Layer{Kind: KindBatchNorm}
	image := Shape{5, 4, 3}
	cases := []Spec{
		n1(20, 5, 2, 24), n1(32, 3, 1, 40), n1(8, 5, 1, 8), n2(),
		{Name: "conditional", Input: Vector(16), Layers: []Layer{
			{Kind: KindConcat, Channels: 8}, {Kind: KindDense, Units: 24}, relu, {Kind: KindDense, Units: 64}, relu,
			{Kind: KindDense, Units: 128}, relu, {Kind: KindReshape, Height: 4, Width: 4, Channels: 8},
			turned(1, 3, 2, PaddingValid), {Kind: KindCrop, Height: 8, Width: 8}, relu,
		}},
		{Name: "potentials", Input: Vector(48), Layers: []Layer{
			{Kind: KindNegatePair}, {Kind: KindDense, Units: 70, NoBias: true}, bn, relu,
			{Kind: KindDense, Units: 48}, {Kind: KindTanh}, {Kind: KindPairDifference},
		}},
		{Name: "normalised", Input: image, Layers: []Layer{
			turned(20, 3, 2, PaddingSame), bn, {Kind: KindTanh}, conv(17, 3, 2, PaddingValid), bn, relu,
			turned(6, 2, 1, PaddingSame), bn, {Kind: KindFlatten}, {Kind: KindDense, Units: 18, NoBias: true}, bn, relu, bn,
		}},
		{Name: "image concat in a pair", Input: image, Layers: []Layer{
			{Kind: KindNegatePair}, {Kind: KindConcat, Channels: 2}, conv(5, 3, 1, PaddingSame), {Kind: KindTanh},
			{Kind: KindPairMean},
		}},
		{Name: "residual", Input: Vector(12), Layers: []Layer{
			{Kind: KindDense, Name: "in", Units: 40},
			{Kind: KindDense, Units: 33}, {Kind: KindSiLU}, {Kind: KindDense, Units: 40}, {Kind: KindAdd, Name: "once", From: "in"},
			{Kind: KindDense, Units: 40}, {Kind: KindSiLU, Name: "smooth"}, {Kind: KindAdd, From: "smooth"}, {Kind: KindAdd, From: "in"},
			bn, {Kind: KindAdd, From: "once"}, {Kind: KindSiLU}, {Kind: KindDense, Units: 5}, {Kind: KindSquare},
		}},
		{Name: "residual image in a pair", Input: image, Layers: []Layer{
			{Kind: KindNegatePair}, conv(6, 3, 1, PaddingSame), {Kind: KindReLU, Name: "kept"},
			{Kind: KindConv2D, Name: "linear", Filters: 6, Kernel: 3, Padding: PaddingSame}, relu, {Kind: KindAdd, From: "kept"},
			conv(6, 2, 1, PaddingSame), bn, {Kind: KindAdd, From: "linear"}, {Kind: KindFlatten}, {Kind: KindDense, Units: 9}, {Kind: KindPairDifference},
		}},
		{Name: "reshape twice", Input: image, Layers: []Layer{
			conv(16, 2, 1, PaddingSame), relu, {Kind: KindReshape, Height: 4, Width: 10, Channels: 8}, bn,
			{Kind: KindFlatten}, {Kind: KindReshape, Height: 8, Width: 8, Channels: 5}, {Kind: KindSigmoid},
			{Kind: KindCrop, Height: 3, Width: 5, Top: 2, Left: 1}, conv(3, 3, 2, PaddingSame),
		}},
	}
	for _, filters := range []int{3, 17, 32, 50} {
		for _, l := range []Layer{
			conv(filters, 3, 1, PaddingSame), conv(filters, 3, 2, PaddingSame), conv(filters, 2, 2, PaddingValid),
			conv(filters, 4, 3, PaddingSame), turned(filters, 3, 1, PaddingSame), turned(filters, 3, 2, PaddingSame),
			turned(filters, 3, 2, PaddingValid), turned(filters, 2, 3, PaddingValid), turned(filters, 5, 2, PaddingSame),
		} {
			cases = append(cases, Spec{Name: fmt.Sprintf("%s %d %d/%d %s", l.Kind, l.Filters, l.Kernel, l.Stride, l.Padding),
				Input: image, Layers: []Layer{l, {Kind: KindTanh}, {Kind: KindDense, Units: 3}}})
		}
	}
	return cases
}

// prepare builds a network with random biases and running statistics, so that
// nothing sits on the kink of a ReLU.
func prepare(t *testing.T, spec Spec, s Settings) *Network {
	t.Helper()
	net, err := New(spec, s)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, p := range net.Params() {
		for i := range p.Value {
			if len(p.Shape) == 1 {
				p.Value[i] += 0.2 + 0.3*rng.Float32()
			}
		}
	}
	for _, l := range net.Layers() {
		if l.Kind == KindConcat {
			if err := net.SetSide(l.Name, randomTensor(7, Shape{l.In.H, l.In.W, l.Channels}, 4)); err != nil {
				t.Fatal(err)
			}
		}
	}
	return net
}

func TestGradientsAgainstFiniteDifferences(t *testing.T) {
	for _, spec := range gradientCases() {
		for _, mode := range []Mode{Training, Frozen} {
			t.Run(fmt.Sprintf("%s/%d", spec.Name, mode), func(t *testing.T) { checkGradients(t, spec, mode, 7) })
		}
	}
}

// TestGradientsOfLargeBatches goes beyond one piece of every reduction and one
// task of every operation.
func TestGradientsOfLargeBatches(t *testing.T) {
	// Among so many values some lie within float32's rounding of a ReLU's kink;
	// the widest network is therefore made smooth.
	smooth := n1(20, 5, 2, 24)
	for i, l := range smooth.Layers {
		if l.Kind == KindReLU {
			smooth.Layers[i].Kind = KindTanh
		}
	}
	checkGradients(t, smooth, Training, 67)
	checkGradients(t, n1(3, 3, 1, 17), Training, 75)
	checkGradients(t, n2(), Training, 133)
	checkGradients(t, residual(), Training, 133)
}

func checkGradients(t *testing.T, spec Spec, mode Mode, batch int) {
	net := prepare(t, spec, Settings{Seed: 1, Threads: 2, MaxBatch: batch + 2})
	x := randomTensor(batch, spec.Input, 2)
	proj := randomTensor(batch, net.OutputShape(), 3)
	ref, rows, weights := newReference(net, mode), samples(x), samples(proj)
	value := func() float64 {
		s := 0.0
		for n, y := range ref.forward(rows) {
			for i, v := range y {
				s += v * weights[n][i]
			}
		}
		return s
	}
	y, err := net.Forward(x, mode)
	if err != nil {
		t.Fatal(err)
	}
	want := ref.forward(rows)
	for n, got := range samples(y) {
		for i, v := range got {
			if math.Abs(v-want[n][i]) > 2e-5*(1+math.Abs(want[n][i])) {
				t.Fatalf("output %d[%d] = %v, want %v", n, i, v, want[n][i])
			}
		}
	}
	net.ZeroGrad()
	dx, err := net.Backward(proj)
	if err != nil {
		t.Fatal(err)
	}
	compare := func(name string, v *float64, got float64) {
		const h = 1e-6
		old := *v
		*v = old + h
		up := value()
		*v = old - h
		down := value()
		*v = old
		if num := (up - down) / (2 * h); math.Abs(num-got) > 1e-4*(1+math.Abs(num)) {
			t.Errorf("gradient of %s = %v, numerically %v", name, got, num)
		}
	}
	for _, p := range net.Params() {
		for k := range 5 {
			i := (k*7919 + 3) % len(p.Value)
			switch {
			case !p.Trainable:
			case mode == Training:
				compare(fmt.Sprintf("%s[%d]", p.Name, i), &ref.params[p.Name][i], float64(p.Grad[i]))
			case p.Grad[i] != 0:
				t.Errorf("frozen pass touched the gradient of %s", p.Name)
			}
		}
	}
	got := samples(dx)
	for k := range 8 {
		n, i := k*3%batch, (k*7919+1)%spec.Input.Size()
		compare(fmt.Sprintf("sample %d[%d]", n, i), &rows[n][i], got[n][i])
	}
}
