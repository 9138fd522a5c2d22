package main

import (
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/outfile"
	"barrow/run"
	"barrow/wafer"
	"barrow/wafer/csvio"
)

// encoderEval is what "encoder eval" can be told.
type encoderEval struct {
	imageFlags
	weights, loss, against string
	metric, out            string
	threshold              float64
	force                  bool
}

func newEncoderEval(c *common) *cobra.Command {
	f := &encoderEval{}
	cmd := &cobra.Command{
		Use:   "eval IMAGES",
		Short: "What a trained encoder keeps of wafer images",
		Long: `Encodes and decodes the images of a wafer file and prints the exact EMD between
image and decoded image, by occupancy too, and by |η| where the file has a
column eta, the energy response and the shifts of centre of gravity and width.
With --out it writes the decoded images in the units of the file. With --against
it compares with another encoder, image by image: the ratio of the mean EMDs
with its 95 % interval, the share of images made worse, and the significance, by
a paired bootstrap.`,
		Example: `  barrow encoder eval --weights runs/emd images.csv
  barrow encoder eval --weights runs/emd --against runs/telescope images.csv
  barrow encoder eval --weights runs/reproduce --loss telescope --out decoded.csv images.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.weights, "weights", "", "weights `file` or run folder of the encoder")
	flags.StringVar(&f.loss, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	flags.StringVar(&f.against, "against", "", "weights `file` or run folder of an encoder to compare with")
	flags.StringVar(&f.metric, "metric", "benchmark", "ground metric: benchmark, cmssw or a CSV `file` of x,y per cell")
	flags.Float64Var(&f.threshold, "mip", evaluate.MIP, "charge above which a cell counts as occupied")
	flags.StringVar(&f.out, "out", "", "CSV `file` for the decoded images")
	flags.BoolVar(&f.force, "force", false, "replace the file that --out names")
	f.imageFlags.add(cmd)
	return cmd
}

func (f *encoderEval) run(cmd *cobra.Command, c *common, args []string) error {
	path, err := encoderWeights(f.weights, f.loss)
	if err != nil {
		return err
	}
	other := ""
	if f.against != "" {
		if other, err = encoderWeights(f.against, ""); err != nil {
			return fmt.Errorf("--against: %w", err)
		}
	}
	if _, err := groundMetric(f.metric); err != nil {
		return err
	}
	if f.out != "" {
		if err := outfile.Check(f.out, f.force); err != nil {
			return err
		}
	}
	set, err := f.readLabelled(args, remarks(cmd, c))
	if err != nil {
		return err
	}
	e, decoded, err := f.measure(cmd.Context(), c, path, set)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := csvio.WriteFile(f.out, &wafer.Set{Charge: decoded}, f.force, csvio.Options{}); err != nil {
			return err
		}
	}
	if other == "" {
		return printEncoder(cmd, c, e)
	}
	base, _, err := f.measure(cmd.Context(), c, other, set)
	if err != nil {
		return err
	}
	v, err := evaluate.Compare(e.Values, base.Values, 1000, c.seed)
	if err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(cmd.OutOrStdout()).Encode(struct {
			*evaluate.Encoder
			Against evaluate.Versus `json:"against"`
		}{e, v})
	}
	if err := printEncoder(cmd, c, e); err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "against %s: ratio of mean EMDs %.4f (95 %% %.4f–%.4f), %.1f %% of the images made worse, p = %.3f\n",
		other, v.Ratio, v.Interval.Low, v.Interval.High, 100*v.Worse, v.P)
	return err
}

// measure decodes the images with an encoder's weights file and evaluates it.
func (f *encoderEval) measure(ctx context.Context, c *common, path string, set *wafer.Set) (*evaluate.Encoder, []float64, error) {
	m, err := groundMetric(f.metric)
	if err != nil {
		return nil, nil, err
	}
	points, err := hgcal.Positions(f.metric)
	if err != nil {
		return nil, nil, err
	}
	decoded, err := decodeSet(ctx, c, path, set)
	if err != nil {
		return nil, nil, err
	}
	e, err := evaluate.Images(ctx, m, set.Charge, decoded, evaluate.Settings{
		Threshold: f.threshold, Threads: c.threads, Points: points, Eta: etaOf(set)})
	return e, decoded, err
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
