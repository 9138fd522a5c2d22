// Command surrogate measures what makes an EMD network good: it trains one for
// each kind of pairs, loss, input and supervision at an equal number of pairs,
// prints its accuracy in value and gradient on real images that no training
// saw, and trains an encoder with each as the loss.
//
//	go run ./bench/surrogate                     the table of docs/surrogate.md
//	go run ./bench/surrogate -only fresh         rows whose name has "fresh"
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
	"barrow/surrogate"
	"barrow/wafer"
	"barrow/wafer/file"
)

var (
	pairs   = flag.Int("pairs", 20_000, "pairs an epoch of each EMD network")
	epochs  = flag.Int("epochs", 8, "epochs of each EMD network")
	events  = flag.Int("events", 12_000, "simulated images")
	encode  = flag.Int("encode", 20, "epochs of each encoder; 0: none")
	threads = flag.Int("threads", 2, "processors")
	data    = flag.String("data", filepath.Join("..", "shared", "data", "wafers"), "folder of the real images")
	only    = flag.String("only", "", "rows whose name contains this")
)

// A row is one network of the table.
type row struct {
	name  string
	train func(b *bench) (loss.Distance, error)
}

// cnn trains a member of the paper's family.
func cnn(kind surrogate.Kind, s surrogate.Settings) func(*bench) (loss.Distance, error) {
	return func(b *bench) (loss.Distance, error) {
		train, validation, err := b.sources(kind)
		if err != nil {
			return nil, err
		}
		s.Seed, s.Threads, s.Pairs, s.Epochs, s.Validation = 1, *threads, *pairs, *epochs, 2000
		m, _, err := surrogate.Train(b.ctx, train, validation, b.metric, s)
		return m, err
	}
}

func potential(steps int) func(*bench) (loss.Distance, error) {
	return func(b *bench) (loss.Distance, error) {
		train, validation, err := b.sources(surrogate.Fresh)
		if err != nil {
			return nil, err
		}
		m, _, err := surrogate.TrainPotential(b.ctx, train, validation, b.metric, surrogate.PotentialSettings{
			Shape: surrogate.PotentialShape{Steps: steps}, Seed: 1, Threads: *threads, Pairs: *pairs, Epochs: *epochs, Validation: 2000})
		return m, err
	}
}

func rows() []row {
	s := func(a surrogate.Architecture, l nn.Loss, gradient float64) surrogate.Settings {
		return surrogate.Settings{Architecture: a, Loss: l, Gradient: gradient}
	}
	n1, paper := surrogate.N1(), surrogate.Paper()
	return []row{
		{"paper, pair, huber", cnn(surrogate.Pair, s(paper, nn.Huber{}, 0))},
		{"paper, ae, mse", cnn(surrogate.AE, s(paper, nn.MSE{}, 0))},
		{"paper, app, mse", cnn(surrogate.App, s(paper, nn.MSE{}, 0))},
		{"paper, fresh, huber", cnn(surrogate.Fresh, s(paper, nn.Huber{}, 0))},
		{"paper, fresh, huber, gradient", cnn(surrogate.Fresh, s(paper, nn.Huber{}, 0.3))},
		{"n1, pair, relative", cnn(surrogate.Pair, s(n1, nil, 0))},
		{"n1, ae, relative", cnn(surrogate.AE, s(n1, nil, 0))},
		{"n1, app, relative", cnn(surrogate.App, s(n1, nil, 0))},
		{"n1, fresh, relative", cnn(surrogate.Fresh, s(n1, nil, 0))},
		{"n1, fresh, huber", cnn(surrogate.Fresh, s(n1, nn.Huber{}, 0))},
		{"n1, fresh, mse", cnn(surrogate.Fresh, s(n1, nn.MSE{}, 0))},
		{"n1, fresh, msle", cnn(surrogate.Fresh, s(n1, nn.MSLE{}, 0))},
		{"n1, fresh, relative, gradient", cnn(surrogate.Fresh, s(n1, nil, 3))},
		{"potential, no dual steps", potential(-1)},
		{"potential", potential(0)},
		{"exact EMD", func(b *bench) (loss.Distance, error) {
			return emd.NewBatch(b.metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: *threads})
		}},
	}
}

type bench struct {
	ctx              context.Context
	metric           *emd.Metric
	parts            []*wafer.Set // training, validation, held out
	decoders         []*autoencoder.Model
	p, q, r, smeared []float64 // real images, and others
}

func (b *bench) sources(kind surrogate.Kind) (train, validation *surrogate.Source, err error) {
	var out []*surrogate.Source
	for _, part := range b.parts[:2] {
		var decoded [][]float64
		for _, d := range b.decoders {
			x, err := d.Decode(b.ctx, part)
			if err != nil {
				return nil, nil, err
			}
			decoded = append(decoded, x.Charge)
		}
		s, err := surrogate.NewSource(kind, b.metric, part.Charge, decoded...)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, s)
	}
	return out[0], out[1], nil
}

// prepare simulates the images, trains the decoder whose output the pairs of
// kinds ae, app and fresh have, and reads the real images.
func prepare(ctx context.Context) (*bench, error) {
	b := &bench{ctx: ctx}
	var err error
	if b.metric, err = emd.Euclidean(hgcal.Benchmark()); err != nil {
		return nil, err
	}
	set, err := simulate.Generate(*events, simulate.Settings{Seed: 1, Threads: *threads})
	if err != nil {
		return nil, err
	}
	set, _ = set.WithoutColumns().NonZero()
	if b.parts, err = set.Split(1, 0.6, 0.2, 0.2); err != nil {
		return nil, err
	}
	untrained, err := autoencoder.New(nn.Settings{Seed: 2, Threads: *threads})
	if err != nil {
		return nil, err
	}
	telescope, err := loss.Parse("telescope", loss.Resources{})
	if err != nil {
		return nil, err
	}
	trained, err := b.encoder(telescope, max(*encode, 5))
	if err != nil {
		return nil, err
	}
	b.decoders = []*autoencoder.Model{untrained, trained}
	for _, name := range []string{"ldm.csv", "hdm.csv"} {
		s, err := file.ReadAll(context.Background(), filepath.Join(*data, name), wafer.ReadSettings{})
		if err != nil {
			fmt.Fprintf(os.Stderr, "left out: %v\n", err)
			continue
		}
		s, _ = s.WithoutColumns().NonZero()
		pairs, err := wafer.IndependentPairs(s.Len(), s.Len(), 1)
		if err != nil {
			return nil, err
		}
		for _, x := range pairs {
			b.p, b.q = append(b.p, s.Image(x.A)...), append(b.q, s.Image(x.B)...)
		}
		b.r = append(b.r, s.Charge...)
	}
	if len(b.p) == 0 {
		return nil, fmt.Errorf("no real images in %s: name their folder with -data", *data)
	}
	b.smeared, err = surrogate.Smeared(b.metric, b.r)
	return b, err
}

// encoder trains an autoencoder.
func (b *bench) encoder(l loss.Loss, epochs int) (*autoencoder.Model, error) {
	m, _, err := autoencoder.Train(b.ctx, b.parts[0], b.parts[1], l, autoencoder.Settings{
		Seed: 1, Threads: *threads, Budget: autoencoder.Budget{Epochs: epochs, Batch: 125}})
	return m, err
}

// distance is the mean exact EMD between held-out images and decoded ones.
func (b *bench) distance(m *autoencoder.Model) (float64, error) {
	x := b.parts[2]
	y, err := m.Decode(b.ctx, x)
	if err != nil {
		return 0, err
	}
	exact, err := emd.NewBatch(b.metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: *threads})
	if err != nil {
		return 0, err
	}
	e := make([]float64, x.Len())
	if err := exact.Distance(b.ctx, x.Charge, y.Charge, e); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, v := range e {
		sum += v
	}
	return sum / float64(len(e)), nil
}

func (b *bench) print(r row) error {
	start := time.Now()
	est, err := r.train(b)
	if err != nil {
		return err
	}
	took := time.Since(start)
	line := "| " + r.name
	for _, c := range [][2][]float64{{b.p, b.q}, {b.r, b.smeared}} {
		a, err := surrogate.Compare(b.ctx, est, b.metric, c[0], c[1], emd.Settings{Threads: *threads})
		if err != nil {
			return err
		}
		line += fmt.Sprintf(" | %+.3f, %.3f, %.3f, %.3f", a.Bias, a.Spread, a.CosineMedian, a.CosineP10)
	}
	if *encode > 0 {
		m, err := b.encoder(loss.FromDistance(r.name, est), *encode)
		if err != nil {
			return err
		}
		d, err := b.distance(m)
		if err != nil {
			return err
		}
		line += fmt.Sprintf(" | %.3f", d)
	}
	fmt.Printf("%s | %.0f s |\n", line, took.Seconds())
	return nil
}

func run() error {
	b, err := prepare(context.Background())
	if err != nil {
		return err
	}
	fmt.Printf("%d pairs, %d simulated images, encoders of %d epochs\n\n", *pairs**epochs, *events, *encode)
	fmt.Println("| network, pairs, loss | real pairs: bias, spread, cosine, p10 | smeared: the same | encoder: mean EMD | training |\n|---|---|---|---|---|")
	if d, err := b.distance(b.decoders[1]); err == nil {
		fmt.Printf("| (telescope MSE, no EMD network) | | | %.3f | |\n", d)
	}
	for _, r := range rows() {
		if !strings.Contains(r.name, *only) {
			continue
		}
		if err := b.print(r); err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
	}
	return nil
}

func main() {
	flag.Parse()
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "surrogate:", err)
		os.Exit(1)
	}
}
