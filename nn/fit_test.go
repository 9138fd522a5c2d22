package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// line is an objective: learn y = Σ w·x + noise-free curvature from samples
// that follow from their index.
type line struct {
	net   *Network
	x, y  *Tensor
	dy    *Tensor
	loss  Loss
	steps int
	after func(step int) // called before each step
	late  func(step int) // called within each step, after the forward pass
	judge func(step int) // called within each validation, after that step
}

func newLine(t testing.TB, threads int) *line {
	net, err := New(Spec{Name: "line", Input: Vector(4), Layers: []Layer{
		{Kind: KindDense, Units: 20, L2: 1e-5}, {Kind: KindBatchNorm}, {Kind: KindReLU}, {Kind: KindDense, Units: 1},
	}}, Settings{Seed: 1, Threads: threads, MaxBatch: 32})
	if err != nil {
		t.Fatal(err)
	}
	return &line{net: net, x: NewTensor(32, Vector(4)), y: NewTensor(32, Vector(1)), dy: NewTensor(32, Vector(1)), loss: MSE{}}
}

func (o *line) batch(idx []int, seed uint64) {
	o.x.Resize(len(idx))
	o.y.Resize(len(idx))
	o.dy.Resize(len(idx))
	for n, i := range idx {
		rng := rand.New(rand.NewPCG(seed, uint64(i)))
		sum := 0.0
		for k := range 4 {
			v := rng.NormFloat64()
			o.x.Data[4*n+k] = float32(v)
			sum += v * float64(k-1)
		}
		o.y.Data[n] = float32(sum + 0.3*sum*sum)
	}
}

func (o *line) Train(ctx context.Context, idx []int) (float64, error) {
	if o.after != nil {
		o.after(o.steps)
	}
	o.steps++
	o.batch(idx, 1)
	p, err := o.net.Forward(o.x, Training)
	if err != nil {
		return 0, err
	}
	if o.late != nil {
		o.late(o.steps)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	v, err := o.loss.Eval(o.y.Data, p.Data, o.dy.Data)
	if err != nil {
		return 0, err
	}
	return v, o.net.BackwardWeights(o.dy)
}

func (o *line) Validate(ctx context.Context) (float64, error) {
	if o.judge != nil {
		o.judge(o.steps)
	}
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	idx := make([]int, 32)
	for i := range idx {
		idx[i] = i
	}
	o.batch(idx, 2)
	p, err := o.net.Forward(o.x, Inference)
	if err != nil {
		return 0, err
	}
	return o.loss.Eval(o.y.Data, p.Data, nil)
}

func (o *line) fit(checkpoint string) *Fit {
	return &Fit{
		Net: o.net, Schedule: Cosine{Start: 3e-2, End: 1e-4, Warmup: 0.5}, Samples: 150, Batch: 32, Epochs: 6, Seed: 4,
		EMA: 0.8, Checkpoint: checkpoint, CheckpointSteps: 2, Resume: true,
	}
}

func weightsOf(net *Network) []float32 {
	var all []float32
	for _, p := range net.Params() {
		all = append(all, p.Value...)
	}
	return all
}

// losses strips a history of its times.
func losses(h *History) []EpochRecord {
	out := slices.Clone(h.Epochs)
	for i := range out {
		out[i].Seconds = 0
	}
	return out
}

func TestFitLearns(t *testing.T) {
	o := newLine(t, 1)
	calls, last, words := 0, 0.0, ""
	f := &Fit{Net: o.net, Schedule: Constant(1e-2), Samples: 640, Batch: 32, Epochs: 40,
		Progress: func(share float64, note string) {
			if calls++; share != float64(calls)/800 {
				t.Errorf("call %d: %v is done", calls, share)
			}
			last, words = share, note
		}}
	h, err := f.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	first := h.Epochs[0].Validation
	if !(h.Best < 0.05*first) {
		t.Errorf("validation loss %v after %v", h.Best, first)
	}
	if v, _ := o.Validate(context.Background()); v != h.Best {
		t.Errorf("the network left behind has loss %v, the best was %v", v, h.Best)
	}
	if calls != 800 || last != 1 || !strings.HasPrefix(words, "epoch 40/40, loss ") || h.Steps != 800 {
		t.Errorf("%d progress calls, the last of %v (%q), %d steps", calls, last, words, h.Steps)
	}
}

// TestResumeAfterCancelGivesSameBits interrupts a training again and again, at
// random steps, with new networks and optimisers each time.
func TestResumeAfterCancelGivesSameBits(t *testing.T) {
	whole := newLine(t, 1)
	want, err := whole.fit("").Run(context.Background(), whole)
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 7))
	for trial := range 12 {
		path, took := filepath.Join(t.TempDir(), "fit"), 0.0
		for attempt := 0; ; attempt++ {
			o := newLine(t, 1+trial%3)
			ctx, cancel := context.WithCancel(context.Background())
			stop := rng.IntN(9)
			end := func(step int) {
				if step == stop {
					cancel()
				}
			}
			switch attempt % 3 {
			case 0:
				o.after = end
			case 1:
				o.late = end
			default:
				o.judge = func(int) { end(stop) } // the first that comes
			}
			h, err := o.fit(path).Run(ctx, o)
			cancel()
			if !(h.Seconds > took) {
				t.Fatalf("trial %d: %v s after %d interruptions, %v before the last", trial, h.Seconds, attempt, took)
			}
			if err == nil {
				if !sameBits(weightsOf(o.net), weightsOf(whole.net)) {
					t.Fatalf("trial %d: other weights after %d interruptions", trial, attempt)
				}
				if !reflect.DeepEqual(losses(h), losses(want)) || h.Best != want.Best || h.Steps != want.Steps {
					t.Fatalf("trial %d: history %+v, uninterrupted %+v", trial, h, want)
				}
				break
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			c, err := ReadCheckpoint(path)
			if err != nil {
				t.Fatal(err)
			}
			took = c.training.History.Seconds
			if attempt > 200 {
				t.Fatal("no progress")
			}
		}
	}
}

// TestResumeAfterKillGivesSameBits runs this test binary as another process
// and kills it outright, at random moments, until it comes to its end.
func TestResumeAfterKillGivesSameBits(t *testing.T) {
	if path := os.Getenv("BARROW_NN_KILL_TEST"); path != "" {
		o := newLine(t, 2)
		o.after = func(int) { time.Sleep(time.Millisecond) }
		if _, err := o.fit(path).Run(context.Background(), o); err != nil {
			t.Fatal(err)
		}
		if err := o.net.Save(path+".done", nil); err != nil {
			t.Fatal(err)
		}
		return
	}
	whole := newLine(t, 1)
	if _, err := whole.fit("").Run(context.Background(), whole); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "fit")
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	kills := 0
	for attempt := 0; ; attempt++ {
		cmd := exec.Command(os.Args[0], "-test.run=^TestResumeAfterKillGivesSameBits$")
		cmd.Env = append(os.Environ(), "BARROW_NN_KILL_TEST="+path)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Longer from attempt to attempt, so that slow machines get there too.
		patience := 20 * math.Pow(1.15, float64(attempt)) * float64(time.Millisecond)
		timer := time.AfterFunc(time.Duration(patience*(0.5+rng.Float64())), func() { cmd.Process.Kill() })
		err := cmd.Wait()
		timer.Stop()
		if err == nil {
			break
		}
		kills++
		if attempt > 100 {
			t.Fatal("the training never came to its end: ", err)
		}
	}
	got, err := Load(path+".done", Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if !sameBits(weightsOf(got), weightsOf(whole.net)) {
		t.Errorf("other weights after %d kills", kills)
	}
	t.Logf("killed %d times", kills)
}

func TestResumeRefusesOtherSettings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "fit")
	o := newLine(t, 1)
	if _, err := o.fit(path).Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(f *Fit){
		func(f *Fit) { f.Seed++ }, func(f *Fit) { f.Batch = 10 }, func(f *Fit) { f.Samples++ },
		func(f *Fit) { f.EMA = 0 }, func(f *Fit) { f.Epochs++ }, func(f *Fit) { f.Schedule = Constant(1) }, func(f *Fit) { f.Schedule = Cosine{Start: 3e-2, End: 1e-4} },
	} {
		f := newLine(t, 1).fit(path)
		change(f)
		if _, err := f.Run(context.Background(), newLine(t, 1)); err == nil || !strings.Contains(err.Error(), "other settings") {
			t.Errorf("error %v", err)
		}
	}
	if err := o.net.Save(path, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := o.fit(path).Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "no training to resume") {
		t.Errorf("error %v", err)
	}
}

// diverging is a line whose labels or weights go bad at a step.
func TestDivergenceStopsAndKeepsCheckpoint(t *testing.T) {
	nan := float32(math.NaN())
	for _, c := range []struct {
		name  string
		spoil func(o *line)
		want  []string
	}{
		{"weights", func(o *line) { o.net.Param("dense_1/bias").Value[3] = nan },
			[]string{"loss is not finite at step 8 (epoch 2)", `first in the output of layer "dense_1"`, "last good checkpoint is"}},
		{"gradient", func(o *line) { o.loss = badGradient{} },
			[]string{"gradient of dense_1/kernel is not finite at step 8 (epoch 2)"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "fit")
			o := newLine(t, 1)
			o.after = func(step int) {
				if step == 7 {
					c.spoil(o)
				}
			}
			_, err := o.fit(path).Run(context.Background(), o)
			var d *DivergedError
			if !errors.As(err, &d) || d.Step != 8 || d.Checkpoint != path {
				t.Fatalf("error %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q lacks %q", err, want)
				}
			}
			// The checkpoint is good: the training goes on from it.
			o = newLine(t, 1)
			if _, err := o.fit(path).Run(context.Background(), o); err != nil {
				t.Error(err)
			}
		})
	}
}

type badGradient struct{ MSE }

func (badGradient) Eval(target, pred, grad []float32) (float64, error) {
	for i := range grad {
		grad[i] = float32(math.Inf(1))
	}
	return 1, nil
}

// scripted validates with given losses.
type scripted struct {
	*line
	values []float64
	epoch  int
}

func (s *scripted) Validate(context.Context) (float64, error) {
	s.epoch++
	return s.values[s.epoch-1], nil
}

func TestEarlyStopping(t *testing.T) {
	o := &scripted{line: newLine(t, 1), values: []float64{5, 3, 3.5, 3.1, 3, 3, 3, 3, 3, 3}}
	f := &Fit{Net: o.net, Samples: 64, Batch: 32, Epochs: 10, Patience: 4}
	h, err := f.Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if !h.Stopped || len(h.Epochs) != 6 || h.BestEpoch != 2 || h.Best != 3 {
		t.Errorf("%d epochs, best %v in %d, stopped %v", len(h.Epochs), h.Best, h.BestEpoch, h.Stopped)
	}
	o = &scripted{line: newLine(t, 1), values: []float64{1, math.NaN()}}
	f = &Fit{Net: o.net, Samples: 64, Batch: 32, Epochs: 2}
	if _, err := f.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "validation loss is not finite") {
		t.Errorf("error %v", err)
	}
}

// TestKeepStart: the weights that a training starts with are kept unless an epoch is better, and it
// goes on after an interruption, that of the first validation too, as if there had been none.
func TestKeepStart(t *testing.T) {
	ctx := context.Background()
	started := newLine(t, 1)
	if _, err := started.fit("").Run(ctx, started); err != nil {
		t.Fatal(err)
	}
	start := weightsOf(started.net)
	again := func() *line {
		o := newLine(t, 1)
		for _, p := range started.net.Params() {
			if err := o.net.SetParam(p.Name, p.Value); err != nil {
				t.Fatal(err)
			}
		}
		return o
	}
	o := again()
	before, err := o.Validate(ctx)
	if err != nil {
		t.Fatal(err)
	}
	worse := Fit{Schedule: Constant(0.5), Samples: 64, Batch: 32, Epochs: 3, KeepStart: true, Resume: true}
	f := worse
	f.Net = o.net
	h, err := f.Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	if h.BestEpoch != 0 || h.Best != before || len(h.Epochs) != 3 || !sameBits(weightsOf(o.net), start) {
		t.Errorf("best %v in epoch %d; the start has %v", h.Best, h.BestEpoch, before)
	}
	worse.Checkpoint = filepath.Join(t.TempDir(), "fit")
	for _, stop := range []int{0, 3, -1} { // steps that are done when it is interrupted
		some, cancel := context.WithCancel(ctx)
		o, f = again(), worse
		f.Net = o.net
		o.after = func(step int) {
			if step == stop {
				cancel()
			}
		}
		if stop == 0 {
			o.judge = func(int) { cancel() }
		}
		h, err = f.Run(some, o)
		cancel()
		if stop >= 0 && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if err != nil || h.BestEpoch != 0 || h.Best != before || !sameBits(weightsOf(o.net), start) {
		t.Errorf("interrupted: %+v, %v", h, err)
	}
	better := Fit{Net: started.net, Schedule: Constant(1e-4), Samples: 640, Batch: 32, Epochs: 2, KeepStart: true}
	if h, err := better.Run(ctx, started); err != nil || h.BestEpoch == 0 || !(h.Best < before) {
		t.Errorf("%+v, %v; the start has %v", h, err, before)
	}
}

// TestEMAValidatesTheAverage replays the average by hand.
func TestEMAValidatesTheAverage(t *testing.T) {
	o := newLine(t, 1)
	p := o.net.Param("dense_2/kernel")
	want := slices.Clone(p.Value)
	first := true
	o.after = func(int) {
		if !first {
			for i, v := range p.Value {
				want[i] = 0.9*want[i] + 0.1*v
			}
		}
		first = false
	}
	f := &Fit{Net: o.net, Samples: 96, Batch: 32, Epochs: 1, EMA: 0.9}
	if _, err := f.Run(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	// One more step's weights are in the average than after saw, so the
	// network, which holds the average, is between.
	for i, v := range p.Value {
		if math.Abs(float64(v-want[i])) > 2e-3 {
			t.Errorf("weight %d is %v, the average was %v", i, v, want[i])
		}
	}
}

func TestFitErrors(t *testing.T) {
	o := newLine(t, 1)
	for _, f := range []*Fit{
		{}, {Net: o.net}, {Net: o.net, Samples: 3, Batch: -1}, {Net: o.net, Samples: 3, Epochs: 1e10}, {Net: o.net, Samples: math.MaxInt},
		{Net: o.net, Samples: 3, Schedule: Constant(math.NaN())}, {Net: o.net, Samples: 3, Schedule: Cosine{Start: -1, End: 1}},
		{Net: o.net, Samples: 3, EMA: 1}, {Net: o.net, Samples: 64, Checkpoint: "/nonexistent/folder/file"},
	} {
		if _, err := f.Run(context.Background(), o); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
}

func TestSchedules(t *testing.T) {
	for _, c := range []struct {
		s             Schedule
		epoch, epochs float64
		want          float64
	}{
		{Constant(0.5), 3, 10, 0.5},
		{Cosine{Start: 1, End: 0.2}, 0, 10, 1}, {Cosine{Start: 1, End: 0.2}, 5, 10, 0.6}, {Cosine{Start: 1, End: 0.2}, 10, 10, 0.2},
		{Cosine{Start: 1, Warmup: 2}, 1, 10, 0.5}, {Cosine{Start: 1, Warmup: 2}, 6, 10, 0.5},
	} {
		if got := c.s.Rate(c.epoch, c.epochs); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%T%+v at %v of %v: %v, want %v", c.s, c.s, c.epoch, c.epochs, got, c.want)
		}
	}
}

func TestAdamByHand(t *testing.T) {
	for _, c := range []struct {
		grads []float32
		want  float64
	}{
		{[]float32{3}, 2 - 0.1},
		// m = 0.1·3·0.9 + 0.1, v = 0.001·9·0.999 + 0.001, each over 1−βᵗ.
		{[]float32{3, 1}, 2 - 0.1 - 0.1*(0.37/0.19)/math.Sqrt(0.009991/0.001999)},
	} {
		p := &Param{Name: "w", Shape: []int{1, 1}, Value: []float32{2}, Grad: []float32{0}, Trainable: true}
		still := &Param{Name: "mean", Value: []float32{7}}
		var o Adam
		for _, g := range c.grads {
			p.Grad[0] = g
			o.Update([]*Param{still, p}, 0.1)
		}
		if math.Abs(float64(p.Value[0])-c.want) > 1e-6 || still.Value[0] != 7 {
			t.Errorf("after %v: %v, want %v; a running mean is %v", c.grads, p.Value[0], c.want, still.Value[0])
		}
	}
}

func TestLosses(t *testing.T) {
	target, pred := []float32{1, 2, 0, 5}, []float32{1.5, -1, 0, 2.5}
	for _, c := range []struct {
		l    Loss
		want float64
	}{
		{MSE{}, (0.25 + 9 + 0 + 6.25) / 4},
		{Huber{}, (0.125 + 2.5 + 0 + 2) / 4},
		{MSLE{}, (math.Pow(math.Log(2.5/2), 2) + math.Pow(math.Log(3), 2) + math.Pow(math.Log(3.5/6), 2)) / 4},
	} {
		grad := make([]float32, 4)
		got, err := c.l.Eval(target, pred, grad)
		if err != nil || math.Abs(got-c.want) > 1e-6 {
			t.Errorf("%T = %v (%v), want %v", c.l, got, err, c.want)
		}
		for i := range pred {
			if i == 2 { // at MSLE's bound
				continue
			}
			up, down := slices.Clone(pred), slices.Clone(pred)
			up[i] += 1e-2
			down[i] -= 1e-2
			a, _ := c.l.Eval(target, up, nil)
			b, _ := c.l.Eval(target, down, nil)
			if num := (a - b) / (float64(up[i]) - float64(down[i])); math.Abs(num-float64(grad[i])) > 1e-3 {
				t.Errorf("%T: gradient %d = %v, numerically %v", c.l, i, grad[i], num)
			}
		}
		if _, err := c.l.Eval(target, pred[:3], nil); err == nil {
			t.Errorf("%T takes slices of unequal length", c.l)
		}
	}
}

func ExampleFit() {
	net, _ := New(Spec{Name: "mean", Input: Vector(2), Layers: []Layer{{Kind: KindDense, Units: 1}}}, Settings{Seed: 1, MaxBatch: 10})
	f := &Fit{Net: net, Schedule: Constant(0.05), Samples: 100, Batch: 10, Epochs: 30}
	h, err := f.Run(context.Background(), &meanOf{net: net, x: NewTensor(10, Vector(2)), y: make([]float32, 10), dy: NewTensor(10, Vector(1))})
	fmt.Println(len(h.Epochs), h.Best < 1e-4, err)
	fmt.Println(strconv.FormatFloat(float64(net.Param("dense_1/kernel").Value[0]), 'f', 2, 32))
	// Output:
	// 30 true <nil>
	// 0.50
}

// meanOf learns the mean of two numbers.
type meanOf struct {
	net   *Network
	x, dy *Tensor
	y     []float32
}

func (o *meanOf) run(idx []int, mode Mode) (*Tensor, error) {
	for n, i := range idx {
		a, b := float32(i%7)/7, float32(i%11)/11
		o.x.Data[2*n], o.x.Data[2*n+1], o.y[n] = a, b, (a+b)/2
	}
	return o.net.Forward(o.x.Resize(len(idx)), mode)
}

func (o *meanOf) Train(ctx context.Context, idx []int) (float64, error) {
	y, err := o.run(idx, Training)
	if err != nil {
		return 0, err
	}
	loss, err := MSE{}.Eval(o.y, y.Data, o.dy.Data)
	if err != nil {
		return 0, err
	}
	return loss, o.net.BackwardWeights(o.dy)
}

func (o *meanOf) Validate(context.Context) (float64, error) {
	y, err := o.run([]int{3, 14, 15, 92, 65, 35, 89, 79, 32, 38}, Inference)
	if err != nil {
		return 0, err
	}
	return MSE{}.Eval(o.y, y.Data, nil)
}
