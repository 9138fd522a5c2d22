package main

import (
	"context"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/run"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

func newEncoderEval(c *common) *cobra.Command {
	var weights, name, metric, out string
	var threshold float64
	var force bool
	images := &imageFlags{}
	cmd := &cobra.Command{
		Use:   "eval IMAGES",
		Short: "What a trained encoder keeps of wafer images",
		Long: `Encodes and decodes the images of a wafer file and prints the exact EMD between
image and decoded image, by occupancy too, and by |η| where the file has a
column eta, the energy response and the shifts of centre of gravity and width.
With --out it writes the decoded images in the units of the file.`,
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
			points, err := hgcal.Positions(metric)
			if err != nil {
				return err
			}
			set, err := images.readLabelled(args, remarks(cmd, c))
			if err != nil {
				return err
			}
			decoded, err := decodeSet(cmd.Context(), c, path, set)
			if err != nil {
				return err
			}
			if out != "" {
				if err := csvio.WriteFile(out, &wafer.Set{Charge: decoded}, force, csvio.Options{}); err != nil {
					return err
				}
			}
			e, err := evaluate.Images(cmd.Context(), m, set.Charge, decoded, evaluate.Settings{
				Threshold: threshold, Threads: c.threads, Points: points, Eta: etaOf(set)})
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

// decodeSet runs an autoencoder's weights file on images, with their conditions
// if it wants them.
func decodeSet(ctx context.Context, c *common, path string, set *wafer.Set) ([]float64, error) {
	m, err := autoencoder.Load(path, c.threads)
	if err != nil {
		return nil, err
	}
	d := autoencoder.Data{Images: set.Charge}
	if m.Architecture().Conditional {
		if d.Conditions, err = autoencoder.Conditions(set); err != nil {
			return nil, err
		}
	}
	return m.DecodeData(ctx, d)
}

// etaOf is the images' pseudorapidity where a column holds it, else nil.
func etaOf(set *wafer.Set) []float64 {
	for _, name := range []string{"eta", "tc_eta"} {
		if column := set.Column(name); column != nil {
			if v, err := column.Floats(); err == nil {
				return v
			}
		}
	}
	return nil
}

// ofSeed are the weights of one seed among several: the best of them lie beside
// them under the loss alone.
var ofSeed = regexp.MustCompile(`-seed\d+\.weights$`)

// encoderWeights finds the weights file of an encoder in a run folder: the one
// trained with the named loss, or the only one there is.
func encoderWeights(path, lossName string) (string, error) {
	if path == "" {
		return "", fmt.Errorf("name the encoder's weights: --weights FILE or a run folder, as \"barrow reproduce\" and \"barrow encoder train\" leave it")
	}
	if lossName == "" {
		found, err := filepath.Glob(filepath.Join(path, run.Weights, run.EncoderWeights+"*"+run.WeightsEnding))
		found = slices.DeleteFunc(found, ofSeed.MatchString)
		if err == nil && len(found) == 1 {
			return found[0], nil
		}
		if len(found) > 1 {
			return "", fmt.Errorf("%s holds %d encoders: say which with --loss", path, len(found))
		}
	}
	return run.WeightsFile(path, run.EncoderWeights+lossName)
}
