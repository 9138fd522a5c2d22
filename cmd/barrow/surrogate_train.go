package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/internal/outfile"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
	"barrow/wafer"
)

// surrogateConfig is what a training's result depends on.
type surrogateConfig struct {
	Seed         uint64         `json:"seed"`
	Source       string         `json:"source"`
	Digest       string         `json:"digest"`
	Metric       string         `json:"metric"`
	Kind         surrogate.Kind `json:"pairs_kind"`
	Decoders     []string       `json:"decoders,omitempty"`
	Architecture string         `json:"architecture"`
	Loss         string         `json:"loss"`
	Gradient     float64        `json:"gradient"`
	Pairs        int            `json:"pairs"`
	Epochs       int            `json:"epochs"`
	Batch        int            `json:"batch"`
	Bits         int            `json:"bits"`
}

type surrogateTrain struct {
	surrogateConfig
	training trainingFlags
}

func newSurrogateTrain(c *common) *cobra.Command {
	f := &surrogateTrain{}
	kind := ""
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train an EMD network on exact distances",
		Long: `Trains a network that estimates the EMD on pairs of wafer images, simulated or
yours, that are labelled with their exact EMD and its gradient as they are drawn.
The folder keeps the weights, the training curve, the accuracy on held-out pairs
and a report. Interrupted, the same command goes on.

Architectures: n1 is the paper's network on what the two images do not share;
paper the same on the images themselves; FxKxC-D, such as 128x3x4-256 or
64x5x4-32-surplus, others of that family: F filters of KxK, C convolutions, a
dense layer of D. potential answers with Kantorovich potentials, which give a
certified bound and the gradient; WxL, such as 768x3, is one of L layers of width
W.`,
		Example: `  barrow surrogate train --out runs/cnn
  barrow surrogate train --architecture potential --out runs/potential
  barrow surrogate train --data ldm.csv --architecture paper --kind pair --loss mse --out runs/pair`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if f.Kind, err = surrogate.ParseKind(kind); err != nil {
				return err
			}
			return f.run(cmd, c)
		},
	}
	flags := cmd.Flags()
	f.training.add(cmd, filepath.Join("runs", "emd-cnn"))
	flags.StringVar(&kind, "kind", "fresh", "pairs to learn from: pair, ae, app (the paper's) or fresh")
	flags.StringArrayVar(&f.Decoders, "encoder", nil, "weights `file` of an autoencoder whose decoded images are learnt from; may be repeated (default: an untrained one)")
	flags.StringVar(&f.Architecture, "architecture", "n1", "n1, paper, FxKxC-D[-surplus], potential or WxL")
	flags.StringVar(&f.Loss, "loss", "", "loss on the distance: huber, mse, msle or relative (default: relative for n1, huber where the network sees whole images)")
	flags.Float64Var(&f.Gradient, "gradient", 0, "weight of the error of the network's gradient in the loss")
	flags.IntVar(&f.Pairs, "pairs", 100_000, "pairs an epoch")
	flags.IntVar(&f.Epochs, "epochs", 15, "epochs")
	flags.IntVar(&f.Batch, "batch", 0, "pairs a step (default 64, of a potential network 256)")
	flags.IntVar(&f.Bits, "bits", 32, "bits of a saved weight of a potential network: 32 or 16")
	return cmd
}

// architecture tells which sort of network is meant.
func (f *surrogateTrain) architecture() (cnn *surrogate.Architecture, potential *surrogate.PotentialShape, err error) {
	if f.Architecture == "potential" {
		return nil, &surrogate.PotentialShape{}, nil
	}
	if !strings.Contains(f.Architecture, "-") && strings.Count(f.Architecture, "x") == 1 {
		a, err := surrogate.ParsePotentialShape(f.Architecture)
		return nil, &a, err
	}
	a, err := surrogate.ParseArchitecture(f.Architecture)
	return &a, nil, err
}

func (f *surrogateTrain) check(cmd *cobra.Command) error {
	loss, err := f.loss()
	if err != nil {
		return fmt.Errorf("--loss: %w", err)
	}
	cnn, potential, err := f.architecture()
	if err != nil {
		return fmt.Errorf("--architecture: %w", err)
	}
	if f.Batch < 0 {
		return fmt.Errorf("--batch %d: must be at least 1, or 0 for the default", f.Batch)
	}
	for flag, set := range map[string]bool{"loss": f.Loss != "", "gradient": f.Gradient != 0} {
		if set && potential != nil {
			return fmt.Errorf("--%s: a potential network learns potentials and has no such setting", flag)
		}
	}
	if f.Bits != 32 && (f.Bits != 16 || potential == nil) {
		return fmt.Errorf("--bits %d: 32, or 16 for a potential network", f.Bits)
	}
	if err := positive(cmd, "pairs", "epochs"); err != nil {
		return err
	}
	if potential != nil {
		return surrogate.PotentialSettings{Shape: *potential, Pairs: f.Pairs, Epochs: f.Epochs, Batch: f.Batch}.Check()
	}
	return surrogate.Settings{Architecture: *cnn, Loss: loss, Gradient: f.Gradient, Pairs: f.Pairs, Epochs: f.Epochs, Batch: f.Batch}.Check()
}

// loss is the one that is asked for, nil where that is the default.
func (f *surrogateTrain) loss() (nn.Loss, error) {
	if f.Loss == "" {
		return nil, nil
	}
	return surrogate.ParseLoss(f.Loss)
}

func (f *surrogateTrain) run(cmd *cobra.Command, c *common) error {
	ctx := cmd.Context()
	if err := f.check(cmd); err != nil {
		return err
	}
	images, source, err := f.training.images(ctx, c)
	if err != nil {
		return err
	}
	metric, err := groundMetric(f.training.metric)
	if err != nil {
		return err
	}
	f.Seed, f.Source, f.Digest, f.Metric = c.seed, source, images.Digest(), f.training.metric
	parts, err := images.Split(c.seed, 0.6, 0.2, 0.2)
	if err != nil {
		return err
	}
	sources, err := f.sources(ctx, c, metric, parts)
	if err != nil {
		return err
	}
	folder, err := f.training.open(cmd, c, run.Identity{Kind: run.Kind{Name: "emd-cnn", Version: 1}, Settings: f.surrogateConfig})
	if err != nil {
		return err
	}
	defer folder.Close()
	bar := newProgress(cmd.ErrOrStderr(), c)
	model, history, err := f.train(ctx, c, sources, metric, folder, bar.set)
	bar.close()
	if err != nil {
		return f.training.explain(err)
	}
	p, q := sources[2].Pairs(c.seed, 5_000)
	accuracy, err := surrogate.Compare(ctx, model, metric, p, q, emd.Settings{Threads: c.threads})
	if err != nil {
		return err
	}
	results := &surrogateResults{Config: f.surrogateConfig, Accuracy: accuracy.Accuracy, Best: history.BestEpoch, Curve: lossCurve(history)}
	if err := results.write(folder, accuracy); err != nil {
		return err
	}
	return printAccuracy(cmd, c, accuracy.Accuracy)
}

// train trains the network and saves its weights.
func (f *surrogateTrain) train(ctx context.Context, c *common, sources []*surrogate.Source, metric *emd.Metric, folder *run.Folder, progress func(float64, string)) (loss.Distance, *nn.History, error) {
	weights := folder.Path(run.Weights, run.SurrogateWeights+run.WeightsEnding)
	checkpoint := folder.Path(run.Weights, run.SurrogateWeights+run.CheckpointEnding)
	cnn, potential, err := f.architecture()
	if err != nil {
		return nil, nil, err
	}
	if potential != nil {
		m, h, err := surrogate.TrainPotential(ctx, sources[0], sources[1], metric, surrogate.PotentialSettings{
			Shape: *potential, Seed: c.seed, Threads: c.threads, Pairs: f.Pairs, Epochs: f.Epochs, Batch: f.Batch,
			Checkpoint: checkpoint, Progress: progress,
		})
		if err != nil {
			return nil, nil, err
		}
		return m, h, outfile.Write(weights, true, func(w io.Writer) error { return m.Encode(w, f.Bits) })
	}
	l, err := f.loss()
	if err != nil {
		return nil, nil, err
	}
	m, h, err := surrogate.Train(ctx, sources[0], sources[1], metric, surrogate.Settings{
		Architecture: *cnn, Seed: c.seed, Threads: c.threads, Loss: l, Gradient: f.Gradient,
		Pairs: f.Pairs, Epochs: f.Epochs, Batch: f.Batch, Checkpoint: checkpoint, Progress: progress,
	})
	if err != nil {
		return nil, nil, err
	}
	return m, h, m.Save(weights)
}

// sources are the pairs of the training, validation and held-out images.
func (f *surrogateTrain) sources(ctx context.Context, c *common, m *emd.Metric, parts []*wafer.Set) ([]*surrogate.Source, error) {
	var models []*autoencoder.Model
	for _, path := range f.Decoders {
		model, err := openEncoder(path, c.threads)
		if err != nil {
			return nil, err
		}
		models = append(models, model)
	}
	if len(models) == 0 && f.Kind != surrogate.Pair {
		untrained, err := autoencoder.New(nn.Settings{Seed: c.seed + 1, Threads: c.threads})
		if err != nil {
			return nil, err
		}
		models = append(models, untrained)
	}
	var out []*surrogate.Source
	for _, part := range parts {
		var decoded [][]float64
		for _, model := range models {
			d, err := model.Decode(ctx, part)
			if err != nil {
				return nil, err
			}
			decoded = append(decoded, d.Charge)
		}
		s, err := surrogate.NewSource(f.Kind, m, part.Charge, decoded...)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}
