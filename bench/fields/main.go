// Program fields asks which loss a small network is best trained with to foresee storms: the
// question of Lagerquist and Ebert-Uphoff (2022), on fields that it draws itself.
//
//	go run ./bench/fields
//	go run ./bench/fields -json docs/results/fields.json -picture docs/pictures/reliability.png
//
// A field has large and small storms on a background of waves of two scales. They drift, each with a velocity of its own, grow and decay. A network sees two
// pictures, blurred by noise, and says for each pixel how likely it is within a storm a step
// later. For each seed there are fields to train on and a start of the network, the same for every
// loss. Shown are, on other fields, the same for all seeds, the calibration error (the mean of |frequency − forecast| in ten bins
// of the forecast), the Brier score and its skill over climatology, the critical success index
// at ½ and the fractions skill score by scale; the mean over seeds and its deviation. The
// Brier score over the MSE's has an interval of 95 %, for other seeds and other fields. The picture has the reliability curves, how often storms come by how likely they were said to be.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"

	"barrow/loss"
	"barrow/nn"
)

var (
	trained = flag.Int("train", 2000, "fields to train on")
	epochs  = flag.Int("epochs", 8, "epochs")
	seeds   = flag.Int("seeds", 3, "seeds")
	rate    = flag.Float64("rate", 2e-3, "learning rate at the start, a hundredth of it at the end")
	threads = flag.Int("threads", 0, "processors, 0: all")
	list    = flag.String("losses", strings.Join(defaults, ","), "losses, with commas between")
	out     = flag.String("json", "", "file for the table and the reliability curves")
	picture = flag.String("picture", "", "file for the picture (PNG) of the reliability curves")
)

func main() {
	flag.Parse()
	if err := bench(); err != nil {
		fmt.Fprintln(os.Stderr, "fields:", err)
		os.Exit(1)
	}
}

func bench() error {
	fmt.Printf("%d fields of %d×%d km, %d epochs, %d seeds, kernel %s\n\n", *trained, side, side, *epochs, *seeds, nn.Kernels()[0])
	fmt.Println("| loss | calibration error | Brier score | skill | CSI at ½ | FSS, 1 km | 3 km | 7 km |\n|---|---|---|---|---|---|---|---|")
	var rows []result
	for _, name := range strings.Split(*list, ",") {
		r := result{Loss: name}
		for seed := range *seeds {
			s, each, err := run(name, setup{*trained, *epochs, *rate, *threads, uint64(seed + 1)}, &r.Reliability)
			if err != nil {
				return err
			}
			r.seeds, r.each = append(r.seeds, s), append(r.each, each)
		}
		r.Reliability.finish()
		r.summarise()
		rows = append(rows, r)
		fmt.Printf("| `%s` | %s |\n", name, strings.Join(r.cells(), " | "))
	}
	if err := compare(rows); err != nil {
		return err
	}
	for _, r := range rows {
		if p := r.Brier; p != nil && r.Loss != "mse" {
			fmt.Printf("\n`%s`: Brier score over the MSE's %.3f [%.3f, %.3f]", r.Loss, p.Ratio, p.Low, p.High)
		}
	}
	fmt.Println()
	if *out != "" {
		if err := writeJSON(*out, rows); err != nil {
			return err
		}
	}
	if *picture != "" {
		return drawCurves(*picture, rows)
	}
	return nil
}

// defaults: pixel by pixel, filters of one scale, and waves between two scales, those of the
// storms.
var defaults = []string{
	"mse", "l1", "neighbourhood", "neighbourhood:radius=3", "neighbourhood:filter=max", "spectral:shortest=6",
	"spectral:shortest=4:longest=24", "spectral:shortest=4:longest=24+0.1*mse", "spectral:shortest=12", "wavelet", "fss:threshold=0.5", "fss:radius=3:threshold=0.5", "csi:threshold=0.5", "ssim:range=1",
}

// task trains the network with a loss on fields.
type task struct {
	net               *nn.Network
	loss              loss.Loss
	train, validation []field
	in, dy            *nn.Tensor
	// target, what the network says and the gradient with respect to it, field after field.
	target, said, grad []float32
}

// A setup is what is the same for all losses.
type setup struct {
	train, epochs int // fields, epochs
	rate          float64
	threads       int
	seed          uint64
}

// run trains a network with a loss and tells its scores, and its Brier scores by field, on other fields.
func run(name string, s setup, curve *reliability) (scores, []float64, error) {
	lattice, err := loss.Grid(side, side, 1)
	if err != nil {
		return nil, nil, err
	}
	l, err := loss.Parse(name, loss.Resources{Lattice: lattice})
	if err != nil {
		return nil, nil, err
	}
	const batch = 20
	conv := func(filters int) nn.Layer {
		return nn.Layer{Kind: nn.KindConv2D, Filters: filters, Kernel: 5, Padding: nn.PaddingSame}
	}
	net, err := nn.New(nn.Spec{Name: "storms", Input: nn.Shape{H: side, W: side, C: 2}, Layers: []nn.Layer{
		conv(8), {Kind: nn.KindSiLU}, conv(8), {Kind: nn.KindSiLU}, conv(1), {Kind: nn.KindSigmoid},
	}}, nn.Settings{Seed: s.seed, MaxBatch: batch, Threads: s.threads})
	if err != nil {
		return nil, nil, err
	}
	t := &task{net: net, loss: l, train: draw(s.train, 2*s.seed), validation: draw(s.train/5, 2*s.seed+1)}
	t.said, t.grad = make([]float32, batch*pixels), make([]float32, batch*pixels)
	t.in, t.dy = nn.NewTensor(batch, net.InputShape()), nn.NewTensor(batch, net.OutputShape())
	fit := nn.Fit{Net: net, Samples: s.train, Batch: batch, Epochs: s.epochs, Seed: s.seed, Schedule: nn.Cosine{Start: s.rate, End: s.rate / 100}}
	if _, err := fit.Run(context.Background(), t); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	test := draw(s.train/2, 1<<32) // the same for all seeds
	forecast := make([]float32, 0, len(test)*pixels)
	for i := 0; i < len(test); i += batch {
		y, err := t.forward(test[i:min(i+batch, len(test))])
		if err != nil {
			return nil, nil, err
		}
		forecast = append(forecast, y...)
	}
	all, each := measure(test, forecast, curve)
	return all, each, nil
}

// forward is what the network says of some fields.
func (t *task) forward(fields []field) ([]float32, error) {
	t.in.Resize(len(fields))
	t.target = t.target[:0]
	for k := range fields {
		t.in.SetSample(k, fields[k].input)
		t.target = append(t.target, fields[k].storm...)
	}
	y, err := t.net.Forward(t.in, nn.Training)
	if err != nil {
		return nil, err
	}
	t.said = t.said[:len(t.target)]
	for k := range fields {
		y.Sample(k, t.said[k*pixels:][:pixels])
	}
	return t.said, nil
}

func (t *task) Train(ctx context.Context, idx []int) (float64, error) {
	fields := make([]field, len(idx))
	for k, i := range idx {
		fields[k] = t.train[i]
	}
	y, err := t.forward(fields)
	if err != nil {
		return 0, err
	}
	v, err := t.loss.Eval(ctx, t.target, y, t.grad[:len(y)])
	if err != nil {
		return 0, err
	}
	t.dy.Resize(len(idx))
	for k := range idx {
		t.dy.SetSample(k, t.grad[k*pixels:][:pixels])
	}
	return v, t.net.BackwardWeights(t.dy)
}

func (t *task) Validate(ctx context.Context) (float64, error) {
	sum, batch := 0.0, 20
	for i := 0; i < len(t.validation); i += batch {
		part := t.validation[i:min(i+batch, len(t.validation))]
		y, err := t.forward(part)
		if err != nil {
			return 0, err
		}
		v, err := t.loss.Eval(ctx, t.target, y, nil)
		if err != nil {
			return 0, err
		}
		sum += v * float64(len(part))
	}
	return sum / float64(len(t.validation)), nil
}
