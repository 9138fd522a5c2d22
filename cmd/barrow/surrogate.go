package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
	"barrow/wafer"
)

func newSurrogate(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "surrogate",
		Short:   "Train and measure the EMD CNN",
		Example: "  barrow surrogate train --out runs/cnn\n  barrow surrogate eval --weights runs/cnn a.csv b.csv",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newSurrogateTrain(c), newSurrogateEval(c))
	return cmd
}

// surrogateConfig is what a training's result depends on.
type surrogateConfig struct {
	Seed         uint64                 `json:"seed"`
	Source       string                 `json:"source"`
	Digest       string                 `json:"digest"`
	Metric       string                 `json:"metric"`
	Kind         surrogate.Kind         `json:"kind"`
	Architecture surrogate.Architecture `json:"architecture"`
	Loss         string                 `json:"loss"`
	Pairs        int                    `json:"pairs"`
	Epochs       int                    `json:"epochs"`
	Batch        int                    `json:"batch"`
}

type surrogateTrain struct {
	surrogateConfig
	training trainingFlags
	decoders []string
}

func newSurrogateTrain(c *common) *cobra.Command {
	f := &surrogateTrain{}
	f.Architecture = surrogate.N1
	kind := ""
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train the EMD CNN on exact distances",
		Long: `Trains the paper's EMD CNN on pairs of wafer images, simulated or yours, that
are labelled with their exact EMD as they are drawn. The folder keeps the
weights, the training curve and the accuracy on held-out pairs. Interrupted, the
same command goes on.`,
		Example: `  barrow surrogate train --out runs/cnn
  barrow surrogate train --data ldm.csv --kind pair --epochs 20 --out runs/pair`,
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
	flags.StringArrayVar(&f.decoders, "encoder", nil, "weights `file` of an autoencoder whose decoded images are learnt from; may be repeated")
	flags.StringVar(&f.Loss, "loss", "huber", "loss on the distance: huber, mse or msle")
	flags.IntVar(&f.Pairs, "pairs", 50_000, "pairs an epoch")
	flags.IntVar(&f.Epochs, "epochs", 30, "epochs")
	flags.IntVar(&f.Batch, "batch", 256, "pairs a step")
	flags.IntVar(&f.Architecture.Filters, "filters", f.Architecture.Filters, "filters of each convolution")
	flags.IntVar(&f.Architecture.Kernel, "kernel", f.Architecture.Kernel, "side of each convolution's kernel")
	flags.IntVar(&f.Architecture.Convs, "convs", f.Architecture.Convs, "number of convolutions")
	flags.IntVar(&f.Architecture.Dense, "dense", f.Architecture.Dense, "units of the hidden dense layer")
	return cmd
}

var surrogateLosses = map[string]nn.Loss{"huber": nn.Huber{}, "mse": nn.MSE{}, "msle": nn.MSLE{}}

func (f *surrogateTrain) run(cmd *cobra.Command, c *common) error {
	ctx := cmd.Context()
	loss, ok := surrogateLosses[f.Loss]
	if !ok {
		return fmt.Errorf("--loss %q: the losses are huber, mse and msle", f.Loss)
	}
	if err := positive(cmd, "pairs", "epochs", "batch"); err != nil {
		return err
	}
	images, source, err := f.training.images(ctx, c, remarks(cmd, c))
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
	folder, err := f.training.open(cmd, c, f.surrogateConfig)
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	model, history, err := surrogate.Train(ctx, sources[0], sources[1], metric, surrogate.Settings{
		Architecture: f.Architecture, Seed: c.seed, Threads: c.threads, Loss: loss, Pairs: f.Pairs, Epochs: f.Epochs, Batch: f.Batch,
		Checkpoint: folder.Path(run.Weights, run.SurrogateWeights+run.CheckpointEnding),
		Progress:   bar.training,
	})
	bar.close()
	if err != nil {
		return f.training.explain(err)
	}
	if err := model.Save(folder.Path(run.Weights, run.SurrogateWeights+run.WeightsEnding)); err != nil {
		return err
	}
	p, q := heldOutPairs(sources[2], c.seed, 5_000)
	accuracy, err := surrogate.Compare(ctx, model, metric, p, q, c.threads)
	if err != nil {
		return err
	}
	err = folder.WriteJSON(run.Results, struct {
		Config   surrogateConfig    `json:"config"`
		Accuracy surrogate.Accuracy `json:"accuracy"`
		Best     int                `json:"best_epoch"`
		Curve    [][2]float64       `json:"curve"` // training and validation loss
	}{f.surrogateConfig, accuracy.Accuracy, history.BestEpoch, lossCurve(history)})
	if err != nil {
		return err
	}
	return printAccuracy(cmd, c, accuracy.Accuracy)
}

// sources are the pairs of the training, validation and held-out images.
func (f *surrogateTrain) sources(ctx context.Context, c *common, m *emd.Metric, parts []*wafer.Set) ([]*surrogate.Source, error) {
	var out []*surrogate.Source
	for _, part := range parts {
		var decoded [][]float64
		for _, path := range f.decoders {
			d, err := decodeWith(ctx, c, path, part.Charge)
			if err != nil {
				return nil, err
			}
			decoded = append(decoded, d)
		}
		s, err := surrogate.NewSource(f.Kind, m, part.Charge, decoded...)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func heldOutPairs(s *surrogate.Source, seed uint64, n int) (p, q []float64) {
	p, q = make([]float64, n*surrogate.Cells), make([]float64, n*surrogate.Cells)
	for k := range n {
		at := k * surrogate.Cells
		s.Draw(seed, uint64(k), p[at:at+surrogate.Cells], q[at:at+surrogate.Cells])
	}
	return p, q
}

func newSurrogateEval(c *common) *cobra.Command {
	var weights, metric string
	images := &imageFlags{}
	cmd := &cobra.Command{
		Use:   "eval A B",
		Short: "Predicted EMD of row i of A with row i of B",
		Long: `Prints the EMD CNN's estimate for row i of A with row i of B, one number a line.
With --json it prints one object that compares the estimates and their gradients
with the exact EMD: bias and spread are the mean and standard deviation of
(predicted-exact)/exact; the cosine is that of the gradients with respect to B,
on the cells where B has charge and centred there.`,
		Example: `  barrow surrogate eval --weights runs/reproduce a.csv b.csv
  barrow surrogate eval --weights runs/reproduce --json a.csv b.csv`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			model, err := loadSurrogate(weights, c)
			if err != nil {
				return err
			}
			a, err := images.readAll(args[0])
			if err != nil {
				return err
			}
			b, err := images.readAll(args[1])
			if err != nil {
				return err
			}
			if a.Len() != b.Len() {
				return fmt.Errorf("%s has %d images, %s has %d: row i of one is compared with row i of the other", args[0], a.Len(), args[1], b.Len())
			}
			if c.json {
				m, err := groundMetric(metric)
				if err != nil {
					return err
				}
				r, err := surrogate.Compare(cmd.Context(), model, m, a.Charge, b.Charge, c.threads)
				if err != nil {
					return err
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r.Accuracy)
			}
			e := make([]float64, a.Len())
			if err := model.Predict(cmd.Context(), a.Charge, b.Charge, e); err != nil {
				return err
			}
			return printNumbers(cmd.OutOrStdout(), e)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&weights, "weights", "", "weights `file` or run folder of the EMD CNN")
	flags.StringVar(&metric, "metric", "benchmark", "ground metric of the exact EMD, with --json")
	images.add(cmd)
	return cmd
}

func loadSurrogate(weights string, c *common) (*surrogate.Model, error) {
	if weights == "" {
		return nil, errors.New("name the EMD CNN's weights: --weights FILE or a run folder, as \"barrow reproduce\" and \"barrow surrogate train\" leave it")
	}
	path, err := run.WeightsFile(weights, run.SurrogateWeights)
	if err != nil {
		return nil, err
	}
	return surrogate.Load(path, c.threads)
}

func groundMetric(name string) (*emd.Metric, error) {
	points, err := hgcal.Positions(name)
	if err != nil {
		return nil, err
	}
	if len(points) != hgcal.Cells {
		return nil, fmt.Errorf("--metric %s: %d cells, an image has %d", name, len(points), hgcal.Cells)
	}
	return emd.Euclidean(points)
}

func printAccuracy(cmd *cobra.Command, c *common, a surrogate.Accuracy) error {
	if c.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(a)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d held-out pairs: bias %+.4f, spread %.4f, mean |error| %.4f, correlation %.5f, gradient cosine %.3f (10th percentile %.3f)\n",
		a.N, a.Bias, a.Spread, a.MAE, a.Correlation, a.CosineMedian, a.CosineP10)
	return err
}

// positive checks that the named integer flags are at least 1.
func positive(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if v, err := cmd.Flags().GetInt(name); err != nil || v < 1 {
			return fmt.Errorf("--%s %s: must be at least 1", name, strings.TrimSpace(cmd.Flag(name).Value.String()))
		}
	}
	return nil
}
