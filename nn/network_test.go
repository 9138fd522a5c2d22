package nn

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"barrow/internal/simd"
)

// eachKernel runs f with every kernel of this machine.
func eachKernel(t *testing.T, f func(t *testing.T, kernel string)) {
	for _, name := range Kernels() {
		t.Run(name, func(t *testing.T) { f(t, name) })
	}
}

// trainSome does a few steps on changing batch sizes and returns the weights.
func trainSome(t *testing.T, spec Spec, kernel string, threads int) []float32 {
	t.Helper()
	net := prepare(t, spec, Settings{Seed: 3, Threads: threads, Kernel: kernel, MaxBatch: 300})
	adam := &Adam{}
	for step := range 3 {
		x := randomTensor(300-97*step, spec.Input, uint64(step))
		net.ZeroGrad()
		y, err := net.Forward(x, Training)
		if err != nil {
			t.Fatal(err)
		}
		if err := net.BackwardWeights(randomTensor(y.N, y.Shape, 9)); err != nil {
			t.Fatal(err)
		}
		net.Penalty()
		adam.Update(net.Params(), 1e-2)
	}
	var all []float32
	for _, p := range net.Params() {
		all = append(all, p.Value...)
	}
	y, err := net.Forward(randomTensor(41, spec.Input, 8), Inference)
	if err != nil {
		t.Fatal(err)
	}
	return append(all, y.Data...)
}

func sameBits(a, b []float32) bool {
	return slices.EqualFunc(a, b, func(x, y float32) bool { return math.Float32bits(x) == math.Float32bits(y) })
}

func TestThreadsLeaveBits(t *testing.T) {
	eachKernel(t, func(t *testing.T, kernel string) {
		for _, spec := range []Spec{n1(32, 5, 2, 24), n1(5, 3, 1, 4), n2(), residual()} {
			if kernel == simd.Portable && spec.Name == "n1" && spec.Layers[1].Filters == 32 {
				continue // slow, and no other code than the next one
			}
			want := trainSome(t, spec, kernel, 1)
			for _, threads := range []int{2, 4, 7} {
				if !sameBits(trainSome(t, spec, kernel, threads), want) {
					t.Errorf("%s: %d threads give other bits than one", spec.Name, threads)
				}
			}
		}
	})
}

func TestKernelsAgree(t *testing.T) {
	x := randomTensor(20, Shape{4, 4, 6}, 1)
	var want []float32
	eachKernel(t, func(t *testing.T, kernel string) {
		net := prepare(t, n1(24, 5, 2, 20), Settings{Seed: 1, Kernel: kernel, MaxBatch: 20})
		y, err := net.Forward(x, Training)
		if err != nil {
			t.Fatal(err)
		}
		if want == nil {
			want = slices.Clone(y.Data)
		}
		for i, v := range y.Data {
			if math.Abs(float64(v-want[i])) > 1e-4*(1+math.Abs(float64(want[i]))) {
				t.Errorf("output %d = %v, %s gave %v", i, v, Kernels()[0], want[i])
			}
		}
	})
}

func TestNoAllocationsAfterWarmUp(t *testing.T) {
	for _, spec := range []Spec{n1(32, 5, 2, 24), n2(), residual()} {
		for _, threads := range []int{1, 2} {
			net := prepare(t, spec, Settings{Seed: 3, Threads: threads, MaxBatch: 64})
			x, dy := randomTensor(64, spec.Input, 1), randomTensor(64, net.OutputShape(), 2)
			small, dySmall := randomTensor(63, spec.Input, 1), randomTensor(63, net.OutputShape(), 2)
			adam := &Adam{}
			step := func(x, dy *Tensor) {
				net.ZeroGrad()
				if _, err := net.Forward(x, Training); err != nil {
					t.Fatal(err)
				}
				if _, err := net.Backward(dy); err != nil {
					t.Fatal(err)
				}
				net.Penalty()
				adam.Update(net.Params(), 1e-3)
				if _, err := net.Forward(x, Inference); err != nil {
					t.Fatal(err)
				}
			}
			step(x, dy)
			if n := testing.AllocsPerRun(10, func() { step(x, dy); step(small, dySmall) }); n != 0 {
				t.Errorf("%s, %d threads: %v allocations a step", spec.Name, threads, n)
			}
		}
	}
}

func TestViewIsFirstLayers(t *testing.T) {
	net := prepare(t, n2(), Settings{Seed: 1, Threads: 2, MaxBatch: 10})
	latent := net.LayerIndex("latent") + 2 // with its ReLU
	encoder, err := net.View(0, latent, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	decoder, err := net.View(latent, len(net.Layers()), Settings{MaxBatch: 10})
	if err != nil {
		t.Fatal(err)
	}
	x := randomTensor(10, net.InputShape(), 1)
	y, err := net.Forward(x, Inference)
	if err != nil {
		t.Fatal(err)
	}
	code, err := encoder.Forward(x, Inference)
	if err != nil {
		t.Fatal(err)
	}
	if code.Shape != Vector(16) {
		t.Fatalf("the encoder makes %v", code.Shape)
	}
	again, err := decoder.Forward(code, Inference)
	if err != nil {
		t.Fatal(err)
	}
	if !sameBits(y.Data, again.Data) {
		t.Error("encoder and decoder in turn differ from the whole")
	}
	if encoder.Param("latent/kernel") != net.Param("latent/kernel") {
		t.Error("a view has weights of its own")
	}
	if _, err := net.View(3, 99, Settings{}); err == nil {
		t.Error("a view beyond the last layer is accepted")
	}
}

func TestViewsOnSeveralGoroutines(t *testing.T) {
	net := prepare(t, n1(16, 5, 1, 8), Settings{Seed: 1, Threads: 2, MaxBatch: 32})
	net.Lock()
	x := randomTensor(32, net.InputShape(), 1)
	y, err := net.Forward(x, Inference)
	if err != nil {
		t.Fatal(err)
	}
	want := slices.Clone(y.Data)
	var wait sync.WaitGroup
	for range 4 {
		view, err := net.View(0, len(net.Layers()), Settings{MaxBatch: 32, Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		wait.Go(func() {
			for range 20 {
				if y, err := view.Forward(x, Inference); err != nil || !sameBits(y.Data, want) {
					t.Errorf("a view on another goroutine gives another result (%v)", err)
				}
			}
		})
	}
	wait.Wait()
}

func TestLockedGivesTheSame(t *testing.T) {
	net := prepare(t, n1(16, 3, 1, 8), Settings{Seed: 1, MaxBatch: 4})
	x := randomTensor(4, net.InputShape(), 1)
	run := func() []float32 {
		y, err := net.Forward(x, Frozen)
		if err != nil {
			t.Fatal(err)
		}
		dx, err := net.Backward(randomTensor(4, net.OutputShape(), 2))
		if err != nil {
			t.Fatal(err)
		}
		return append(slices.Clone(y.Data), dx.Data...)
	}
	want := run()
	net.Lock()
	for range 2 {
		if !sameBits(run(), want) {
			t.Error("a locked network gives other results")
		}
	}
	if _, err := net.Forward(x, Training); err == nil {
		t.Error("a locked network trains")
	}
}

func TestBatchNormStatistics(t *testing.T) {
	net, err := New(Spec{Input: Vector(2), Layers: []Layer{{Kind: KindBatchNorm, Momentum: 0.75}}}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	x := NewTensor(4, Vector(2))
	copy(x.Data, []float32{1, 10, 2, 10, 3, 10, 6, 10}) // mean 3 and 10, variance 3.5 and 0
	y, err := net.Forward(x, Training)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{-2, 0, -1, 0, 0, 0, 3, 0} {
		if got := float64(y.Data[i]); math.Abs(got-want/math.Sqrt(3.5+1e-3)) > 1e-6 {
			t.Errorf("normalised value %d = %v", i, got)
		}
	}
	mean, variance := net.Param("batch_norm_1/moving_mean").Value, net.Param("batch_norm_1/moving_variance").Value
	for i, want := range []float32{0.25 * 3, 0.25 * 10} {
		if mean[i] != want {
			t.Errorf("running mean %v, want %v", mean[i], want)
		}
	}
	for i, want := range []float32{0.75 + 0.25*3.5, 0.75} {
		if variance[i] != want {
			t.Errorf("running variance %v, want %v", variance[i], want)
		}
	}
	if y, err = net.Forward(x, Inference); err != nil {
		t.Fatal(err)
	}
	if got, want := float64(y.Data[0]), (1-0.75)/math.Sqrt(1.625+1e-3); math.Abs(got-want) > 1e-6 {
		t.Errorf("inference gives %v, want %v", got, want)
	}
	if mean[0] != 0.75 {
		t.Error("inference moved the running mean")
	}
}

func TestInitialWeights(t *testing.T) {
	a, _ := New(n1(32, 5, 2, 64), Settings{Seed: 1})
	b, _ := New(n1(32, 5, 2, 64), Settings{Seed: 1, Threads: 3})
	c, _ := New(n1(32, 5, 2, 64), Settings{Seed: 2})
	k := a.Param("conv2d_2/kernel")
	if !sameBits(k.Value, b.Param("conv2d_2/kernel").Value) || sameBits(k.Value, c.Param("conv2d_2/kernel").Value) {
		t.Error("the initial weights do not follow the seed alone")
	}
	limit, largest, sum := math.Sqrt(6./(25*64)), 0.0, 0.0
	for _, v := range k.Value {
		largest = max(largest, math.Abs(float64(v)))
		sum += float64(v) * float64(v)
	}
	if largest > limit || largest < 0.99*limit || math.Abs(sum/float64(len(k.Value))*3/limit/limit-1) > 0.05 {
		t.Errorf("kernel is not uniform in ±%v: largest %v", limit, largest)
	}
	if !k.Trainable || k.L2 != 1e-4 || a.Param("conv2d_2/bias").L2 != 0 || a.Param("dense_2/kernel").L2 != 0 {
		t.Error("L2 is not on the kernels that ask for it")
	}
}

func TestSpecErrorsNameLayerAndShapes(t *testing.T) {
	image := Shape{4, 4, 6}
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{}, "input shape 0×0×0"},
		{Spec{Input: image}, "no layers"},
		{Spec{Name: "x", Input: image, Layers: []Layer{{Kind: "dence"}}}, `network "x": layer 0 "dence_1" (dence) after shape 4×4×6: unknown kind`},
		{Spec{Input: image, Layers: []Layer{{Kind: KindFlatten}, {Kind: KindReshape, Height: 5, Width: 5, Channels: 4}}},
			`layer 1 "reshape_1" (reshape) after shape 1×1×96: 96 values cannot become 5×5×4`},
		{Spec{Input: image, Layers: []Layer{{Kind: KindConv2D, Filters: 3, Kernel: 5}}}, "a valid 5×5 kernel does not fit"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindConv2D, Filters: 3}}}, "kernel is 0"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindConv2D, Filters: 3, Kernel: 3, Padding: "full"}}}, `padding is "full"`},
		{Spec{Input: image, Layers: []Layer{{Kind: KindDense, Units: -1}}}, "units is -1"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindDense, Units: 1, L2: math.NaN()}}}, "l2 is NaN"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindCrop, Height: 3, Width: 3, Top: 2}}}, "the 3×3 crop at (2,0) does not fit"},
		{Spec{Input: Vector(3), Layers: []Layer{{Kind: KindSwapPair}}}, "3 channels have no two halves"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindPairMean}}}, "no pair was opened"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindSwapPair}, {Kind: KindSwapPair}}}, "a pair inside a pair"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindReLU, Name: "a"}, {Kind: KindReLU, Name: "a"}}}, "used twice"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindAdd}}}, "from is empty"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindReLU, From: "x"}}}, "only an add layer has"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindAdd, From: "x"}}}, `adds the output of "x", which is no layer before it`},
		{Spec{Input: image, Layers: []Layer{{Kind: KindReLU, Name: "a"}, {Kind: KindFlatten}, {Kind: KindAdd, From: "a"}}}, `"a", which has shape 4×4×6`},
		{Spec{Input: image, Layers: []Layer{{Kind: KindReLU, Name: "a"}, {Kind: KindSwapPair}, {Kind: KindAdd, From: "a"}}}, "outside this pair"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindQuantizedBits}}}, "bits is 0"},
		{Spec{Input: image, Layers: []Layer{{Kind: KindQuantizedReLU, Bits: 3, Rounding: "up"}}}, `rounding is "up"`},
		{Spec{Input: image, Layers: []Layer{{Kind: KindBatchNorm, Momentum: 1}}}, "momentum 1"},
	} {
		if _, err := New(c.spec, Settings{}); err == nil || !strings.HasPrefix(err.Error(), "nn: ") || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
	for _, s := range []Settings{{Threads: -1}, {MaxBatch: -1}} {
		if _, err := New(n2(), s); err == nil {
			t.Errorf("settings %+v are accepted", s)
		}
	}
}

func TestCallErrors(t *testing.T) {
	spec := Spec{Name: "cae", Input: Vector(3), Layers: []Layer{{Kind: KindConcat, Name: "conditions", Channels: 2}, {Kind: KindDense, Units: 4}}}
	net, err := New(spec, Settings{MaxBatch: 5})
	if err != nil {
		t.Fatal(err)
	}
	dy := NewTensor(2, Vector(4))
	fails := func(want string, err error) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	forward := func(x *Tensor) error { _, err := net.Forward(x, Training); return err }
	fails("needs a Training or Frozen Forward", net.BackwardWeights(dy))
	fails("no tensor", forward(nil))
	fails(`input of network "cae" has shape 1×1×4, want 1×1×3`, forward(NewTensor(2, Vector(4))))
	fails("6 samples, want 1 to 5", forward(NewTensor(6, Vector(3))))
	fails("holds 5 values, want 2×3", forward(&Tensor{N: 2, Shape: Vector(3), Data: make([]float32, 5)}))
	fails(`layer "conditions" has no side input`, forward(NewTensor(2, Vector(3))))
	fails(`no concat layer "nothing"`, net.SetSide("nothing", NewTensor(2, Vector(2))))
	fails(`side input of layer "conditions" has shape 1×1×3, want 1×1×2`, net.SetSide("conditions", NewTensor(2, Vector(3))))
	if err := net.SetSide("conditions", NewTensor(2, Vector(2))); err != nil {
		t.Fatal(err)
	}
	fails("2 samples in the side input, 3 in the batch", forward(NewTensor(3, Vector(3))))
	if err := forward(NewTensor(2, Vector(3))); err != nil {
		t.Fatal(err)
	}
	fails("output gradient has 3 samples, the forward pass had 2", net.BackwardWeights(NewTensor(3, Vector(4))))
	fails("has shape 1×1×5, want 1×1×4", net.BackwardWeights(NewTensor(2, Vector(5))))
	if _, err := net.Forward(NewTensor(2, Vector(3)), Frozen); err != nil {
		t.Fatal(err)
	}
	fails("no weight gradients after a Frozen", net.BackwardWeights(dy))
	fails(`no array "dense_9/kernel"`, net.SetParam("dense_9/kernel", nil))
	fails(`"dense_1/kernel" takes [5 4] = 20 values, not 3`, net.SetParam("dense_1/kernel", make([]float32, 3)))
}

// TestStraightThrough checks the gradients that are defined, not derived: the
// fake quantisers'.
func TestStraightThrough(t *testing.T) {
	for _, c := range []struct {
		layer      Layer
		x, y, grad []float32
	}{
		{Layer{Kind: KindQuantizedBits, Bits: 4, Integer: 1}, // steps of ¼ from −2 to 1.75
			[]float32{-9, -0.3, 0.1, 0.125, 0.375, 1.8, 5}, []float32{-2, -0.25, 0, 0, 0.5, 1.75, 1.75}, []float32{1, 1, 1, 1, 1, 1, 1}},
		{Layer{Kind: KindQuantizedBits, Bits: 4, Integer: 1, Rounding: RoundFloor},
			[]float32{-9, -0.3, 0.1, 0.249, 0.375, 1.8, 5}, []float32{-2, -0.5, 0, 0, 0.25, 1.75, 1.75}, []float32{1, 1, 1, 1, 1, 1, 1}},
		{Layer{Kind: KindQuantizedBits, Bits: 3, Integer: 1, Unsigned: true}, // steps of ¼ from 0 to 1.75
			[]float32{-1, 0.3, 1.7, 3}, []float32{0, 0.25, 1.75, 1.75}, []float32{1, 1, 1, 1}},
		{Layer{Kind: KindQuantizedReLU, Bits: 3, Integer: 1},
			[]float32{-1, 0.3, 1.7, 1.75, 1.8}, []float32{0, 0.25, 1.75, 1.75, 1.75}, []float32{0, 1, 1, 1, 0}},
		{Layer{Kind: KindQuantizedReLU, Bits: 3, Integer: 1, Rounding: RoundFloor},
			[]float32{-1, 0.49, 1.7, 1.75, 1.8}, []float32{0, 0.25, 1.5, 1.75, 1.75}, []float32{0, 1, 1, 1, 0}},
	} {
		net, err := New(Spec{Input: Vector(len(c.x)), Layers: []Layer{c.layer}}, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		one := NewTensor(1, Vector(len(c.x)))
		for i := range one.Data {
			one.Data[i] = 1
		}
		y, err := net.Forward(&Tensor{N: 1, Shape: one.Shape, Data: c.x}, Training)
		if err != nil {
			t.Fatal(err)
		}
		dx, err := net.Backward(one)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(y.Data, c.y) || !slices.Equal(dx.Data, c.grad) {
			t.Errorf("%+v: %v → %v with gradient %v; want %v, %v", c.layer, c.x, y.Data, dx.Data, c.y, c.grad)
		}
	}
}

// TestQuantisedWeights compares a layer with quantised weights with a plain
// one that holds the quantised values: outputs and all gradients agree.
func TestQuantisedWeights(t *testing.T) {
	for _, l := range []Layer{
		{Kind: KindConv2D, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame}, {Kind: KindDense, Units: 16},
		{Kind: KindConv2DTranspose, Filters: 20, Kernel: 3, Stride: 2},
	} {
		for _, rounding := range []string{RoundNearest, RoundFloor} {
			q := l
			q.Bits, q.Integer, q.Rounding = 6, 0, rounding
			with := prepare(t, Spec{Input: Shape{5, 5, 2}, Layers: []Layer{q}}, Settings{Seed: 1, Threads: 2})
			plain := prepare(t, Spec{Input: Shape{5, 5, 2}, Layers: []Layer{l}}, Settings{Seed: 1, Threads: 2})
			for _, p := range plain.Params() {
				for i, v := range p.Value {
					p.Value[i] = float32(quantiseExactly(q, float64(v)))
				}
			}
			x, dy := randomTensor(6, with.InputShape(), 1), randomTensor(6, with.OutputShape(), 2)
			var got [2][]float32
			for i, net := range []*Network{with, plain} {
				y, err := net.Forward(x, Training)
				if err != nil {
					t.Fatal(err)
				}
				got[i] = append(got[i], y.Data...)
				dx, err := net.Backward(dy)
				if err != nil {
					t.Fatal(err)
				}
				got[i] = append(got[i], dx.Data...)
				for _, p := range net.Params() {
					got[i] = append(got[i], p.Grad...)
				}
			}
			if !sameBits(got[0], got[1]) {
				t.Errorf("%s with weights of 6 bits (%s) differs from the same with rounded weights", l.Kind, rounding)
			}
		}
	}
}

func TestFirstNonFiniteNamesLayer(t *testing.T) {
	net := prepare(t, n2(), Settings{MaxBatch: 3})
	net.Param("dense_2/bias").Value[5] = float32(math.Inf(1))
	x := randomTensor(3, net.InputShape(), 1)
	if _, err := net.Forward(x, Training); err != nil {
		t.Fatal(err)
	}
	// dense_2 and the ReLU after it are one operation.
	if got := net.firstNonFinite(); got != "relu_3" {
		t.Errorf("the fault is found in %q", got)
	}
	x.Data[0] = float32(math.NaN())
	if _, err := net.Forward(x, Training); err != nil {
		t.Fatal(err)
	}
	if got := net.firstNonFinite(); got != "input" {
		t.Errorf("the fault is found in %q", got)
	}
}

// potentials is an odd network of wide dense layers.
func potentials(width int) Spec {
	s := Spec{Name: fmt.Sprintf("potentials%d", width), Input: Vector(48), Layers: []Layer{{Kind: KindNegatePair}}}
	for range 3 {
		s.Layers = append(s.Layers, Layer{Kind: KindDense, Units: width}, Layer{Kind: KindReLU})
	}
	s.Layers = append(s.Layers, Layer{Kind: KindDense, Units: 48}, Layer{Kind: KindPairDifference})
	return s
}

func BenchmarkStep(b *testing.B) {
	for _, spec := range []Spec{n1(32, 5, 3, 256), n1(128, 5, 4, 64), n2(), potentials(768), potentials(1024)} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/%d", spec.Name, threads), func(b *testing.B) {
				net, err := New(spec, Settings{Threads: threads, MaxBatch: 256})
				if err != nil {
					b.Fatal(err)
				}
				x, dy := randomTensor(256, spec.Input, 1), randomTensor(256, net.OutputShape(), 2)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := net.Forward(x, Training); err != nil {
						b.Fatal(err)
					}
					if err := net.BackwardWeights(dy); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
				if spec.Input == Vector(48) {
					weights := 0
					for _, p := range net.Params() {
						weights += len(p.Value)
					}
					b.ReportMetric(12e-9*float64(weights)*256*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
				}
			})
		}
	}
}
