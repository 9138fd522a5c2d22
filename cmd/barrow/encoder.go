package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/loss"
	"barrow/run"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

func newEncoder(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "encoder",
		Short:   "Train and measure the autoencoder of the trigger chip",
		Example: "  barrow encoder train --loss emd --out runs/emd\n  barrow encoder eval --weights runs/emd images.csv",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newEncoderTrain(c), newEncoderEval(c))
	return cmd
}

// encoderConfig is what a training's result depends on.
type encoderConfig struct {
	Seed     uint64  `json:"seed"`
	Source   string  `json:"source"`
	Digest   string  `json:"digest"`
	Metric   string  `json:"metric"`
	Loss     string  `json:"loss"`
	CNN      string  `json:"emd_cnn,omitempty"`
	Epochs   int     `json:"epochs"`
	Batch    int     `json:"batch"`
	Rate     float64 `json:"learning_rate"`
	Patience int     `json:"patience"`
}

type encoderTrain struct {
	encoderConfig
	training trainingFlags
}

func newEncoderTrain(c *common) *cobra.Command {
	f := &encoderTrain{}
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train the autoencoder with any loss",
		Long: `Trains the encoder of the trigger chip with its decoder on wafer images,
simulated or yours. The folder keeps the weights, the training curve and the
evaluation on held-out images. Interrupted, the same command goes on.

Losses: ` + strings.Join(loss.Names(), ", ") + `, and weighted sums of
them such as emd+0.1*telescope.`,
		Example: `  barrow encoder train --loss emd --out runs/emd
  barrow encoder train --loss emd-cnn --emd-cnn runs/reproduce --out runs/cnn
  barrow encoder train --data ldm.csv --loss "emd+0.1*telescope" --out runs/both`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return f.run(cmd, c) },
	}
	flags := cmd.Flags()
	f.training.add(cmd, filepath.Join("runs", "encoder"))
	flags.StringVar(&f.Loss, "loss", "emd", "loss to train with")
	flags.StringVar(&f.CNN, "emd-cnn", "", "weights `file` or run folder of the EMD CNN, for the loss emd-cnn")
	flags.IntVar(&f.Epochs, "epochs", 100, "epochs at most")
	flags.IntVar(&f.Batch, "batch", 500, "images a step")
	flags.Float64Var(&f.Rate, "rate", 1e-3, "learning rate")
	flags.IntVar(&f.Patience, "patience", 30, "epochs without a better validation loss before stopping")
	return cmd
}

func (f *encoderTrain) run(cmd *cobra.Command, c *common) error {
	ctx := cmd.Context()
	if err := positive(cmd, "epochs", "batch", "patience"); err != nil {
		return err
	}
	if !(f.Rate > 0 && f.Rate < 1) {
		return fmt.Errorf("--rate %v: must be between 0 and 1", f.Rate)
	}
	metric, err := groundMetric(f.training.metric)
	if err != nil {
		return err
	}
	resources := loss.Resources{Metric: metric, Threads: c.threads}
	if f.CNN != "" {
		if resources.CNN, err = loadSurrogate(f.CNN, c); err != nil {
			return err
		}
	}
	l, err := loss.Parse(f.Loss, resources)
	if err != nil {
		return err
	}
	images, source, err := f.training.images(ctx, c, remarks(cmd, c))
	if err != nil {
		return err
	}
	f.Seed, f.Source, f.Digest, f.Metric = c.seed, source, images.Digest(), f.training.metric
	parts, err := images.Split(c.seed, 0.6, 0.2, 0.2)
	if err != nil {
		return err
	}
	folder, err := f.training.open(cmd, c, f.encoderConfig)
	if err != nil {
		return err
	}
	name := run.EncoderWeights + l.Name()
	bar := newProgress(cmd.ErrOrStderr(), c)
	model, history, err := autoencoder.Train(ctx, parts[0].Charge, parts[1].Charge, l, autoencoder.Settings{
		Seed: c.seed, Threads: c.threads, Epochs: f.Epochs, Batch: f.Batch, LearningRate: f.Rate, Patience: f.Patience,
		Checkpoint: folder.Path(run.Weights, name+run.CheckpointEnding), Progress: bar.training,
	})
	bar.close()
	if err != nil {
		return f.training.explain(err)
	}
	if err := model.Save(folder.Path(run.Weights, name+run.WeightsEnding)); err != nil {
		return err
	}
	decoded, err := model.Decode(ctx, parts[2].Charge)
	if err != nil {
		return err
	}
	e, err := evaluate.Images(ctx, metric, parts[2].Charge, decoded, evaluate.Settings{Threads: c.threads})
	if err != nil {
		return err
	}
	err = folder.WriteJSON(run.Results, struct {
		Config     encoderConfig     `json:"config"`
		Evaluation *evaluate.Encoder `json:"evaluation"`
		Best       int               `json:"best_epoch"`
		Curve      [][2]float64      `json:"curve"` // training and validation loss
	}{f.encoderConfig, e, history.BestEpoch, lossCurve(history)})
	if err != nil {
		return err
	}
	return printEncoder(cmd, c, e)
}

// decodeWith runs an autoencoder's weights file on images.
func decodeWith(ctx context.Context, c *common, path string, images []float64) ([]float64, error) {
	m, err := autoencoder.Load(path, c.threads)
	if err != nil {
		return nil, err
	}
	return m.Decode(ctx, images)
}

func newEncoderEval(c *common) *cobra.Command {
	var weights, metric, out, name string
	var threshold float64
	var force bool
	images := &imageFlags{}
	cmd := &cobra.Command{
		Use:   "eval FILE",
		Short: "What an encoder keeps of the images in a wafer file",
		Long: `Encodes and decodes the images of a wafer file and prints the exact EMD between
image and decoded image, by occupancy too, and the energy response. With --out it
writes the decoded images in the units of the file.`,
		Example: `  barrow encoder eval --weights runs/emd images.csv
  barrow encoder eval --weights runs/reproduce --loss telescope --out decoded.csv images.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := encoderWeights(weights, name)
			if err != nil {
				return err
			}
			m, err := groundMetric(metric)
			if err != nil {
				return err
			}
			set, err := images.read(args, remarks(cmd, c))
			if err != nil {
				return err
			}
			decoded, err := decodeWith(cmd.Context(), c, path, set.Charge)
			if err != nil {
				return err
			}
			if out != "" {
				if err := csvio.WriteFile(out, &wafer.Set{Charge: decoded}, force, csvio.Options{}); err != nil {
					return err
				}
			}
			e, err := evaluate.Images(cmd.Context(), m, set.Charge, decoded, evaluate.Settings{Threshold: threshold, Threads: c.threads})
			if err != nil {
				return err
			}
			return printEncoder(cmd, c, e)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&weights, "weights", "", "weights `file` or run folder of the encoder")
	flags.StringVar(&name, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	flags.StringVar(&metric, "metric", "benchmark", "ground metric: benchmark, cmssw or a CSV `file` of x,y per cell")
	flags.Float64Var(&threshold, "mip", evaluate.MIP, "charge above which a cell counts as occupied")
	flags.StringVar(&out, "out", "", "CSV `file` for the decoded images")
	flags.BoolVar(&force, "force", false, "replace the file that --out names")
	images.add(cmd)
	return cmd
}

// encoderWeights finds the weights file of an encoder in a run folder: the one
// trained with the named loss, or the only one there is.
func encoderWeights(path, lossName string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("name the encoder's weights: --weights FILE or a run folder, as \"barrow reproduce\" and \"barrow encoder train\" leave it")
	}
	if lossName == "" {
		found, err := filepath.Glob(filepath.Join(path, run.Weights, run.EncoderWeights+"*"+run.WeightsEnding))
		if err == nil && len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return "", fmt.Errorf("%s holds %d encoders: say which with --loss", path, len(found))
		}
	}
	return run.WeightsFile(path, run.EncoderWeights+lossName)
}

func printEncoder(cmd *cobra.Command, c *common, e *evaluate.Encoder) error {
	w := cmd.OutOrStdout()
	if c.json {
		return json.NewEncoder(w).Encode(e)
	}
	fmt.Fprintf(w, "%d images: mean EMD %.4f, median %.4f, 16–84 %% %.4f–%.4f; response %.3f ± %.3f\n",
		e.EMD.N, e.EMD.Mean, e.EMD.Median, e.EMD.P16, e.EMD.P84, e.Response.Mean, e.Response.Std)
	for _, b := range e.ByOccupancy {
		fmt.Fprintf(w, "%2.0f–%-2.0f cells hit: median %.3f, 16–84 %% %.3f–%.3f (%d images)\n", b.Low, b.High-1, b.Median, b.P16, b.P84, b.N)
	}
	return nil
}
