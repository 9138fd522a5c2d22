package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/outfile"
	"barrow/wafer"
)

// encoderEval is what "encoder eval" can be told.
type encoderEval struct {
	imageFlags
	weights, loss, against string
	metric, out, density   string
	threshold              float64
	force, baselines       bool
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
a paired bootstrap.

It then sends the same images through the chip's other algorithms (best choice,
super trigger cells, threshold sum) on as many links as the encoder's outputs
need, and prints what they keep: the baselines at equal bandwidth. An image of
which nothing arrives is scored as the same charge in all cells. On many images
this takes the most time: --baselines=false leaves it out.`,
		Example: `  barrow encoder eval --weights runs/emd images.csv
  barrow encoder eval --weights runs/emd --against runs/telescope images.csv
  barrow encoder eval --weights runs/reproduce --loss telescope --out decoded.csv images.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.weights, "weights", "", "weights `file`, run folder or Keras file of the encoder")
	flags.StringVar(&f.loss, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	flags.StringVar(&f.against, "against", "", "weights `file`, run folder or Keras file of an encoder to compare with")
	flags.StringVar(&f.metric, "metric", "benchmark", "ground metric: benchmark, cmssw or a CSV `file` of x,y per cell")
	flags.Float64Var(&f.threshold, "mip", evaluate.MIP, "charge above which a cell counts as occupied")
	flags.BoolVar(&f.baselines, "baselines", true, "send the images through the chip's other algorithms, too")
	flags.StringVar(&f.density, "density", "", "wafers' density for the chip's other algorithms: ld or hd (default: what a column HD_LD says of each image, else ld)")
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
	metricRemark(cmd, f.metric)
	if f.out != "" {
		if err := outfile.Check(f.out, f.force); err != nil {
			return err
		}
	}
	set, err := f.readLabelled(args)
	if err != nil {
		return err
	}
	chip, err := f.newChipEval(path, set)
	if err != nil {
		return err
	}
	e, decoded, err := f.measure(cmd.Context(), c, path, set)
	if err != nil {
		return err
	}
	if f.out != "" {
		if err := f.write(cmd, f.out, f.force, &wafer.Set{Charge: decoded}); err != nil {
			return err
		}
	}
	result := evaluation{Encoder: e, Chip: chip}
	if other != "" {
		base, _, err := f.measure(cmd.Context(), c, other, set)
		if err != nil {
			return err
		}
		v, err := evaluate.Compare(e.Values, base.Values, 1000, c.seed)
		if err != nil {
			return err
		}
		result.Against = &v
	}
	if !f.baselines {
		result.Chip = nil
	} else if err := chip.measure(cmd.Context(), f, c, set); err != nil {
		return err
	}
	return result.print(cmd, c, other)
}

// evaluation is what "encoder eval" finds.
type evaluation struct {
	*evaluate.Encoder
	Against *evaluate.Versus `json:"against,omitempty"`
	Chip    *chipEval        `json:"at_equal_bandwidth,omitempty"`
}

func (r *evaluation) print(cmd *cobra.Command, c *common, other string) error {
	w := cmd.OutOrStdout()
	if c.json {
		return json.NewEncoder(w).Encode(r)
	}
	if err := printEncoder(cmd, c, r.Encoder); err != nil {
		return err
	}
	if v := r.Against; v != nil {
		fmt.Fprintf(w, "against %s: ratio of mean EMDs %.4f (95 %% %.4f–%.4f), %.1f %% of the images made worse, p = %.3f\n",
			other, v.Ratio, v.Interval.Low, v.Interval.High, 100*v.Worse, v.P)
	}
	if r.Chip == nil {
		return nil
	}
	if r.Chip.Missing != "" {
		_, err := fmt.Fprintf(w, "the chip's other algorithms are not compared: %s\n", r.Chip.Missing)
		return err
	}
	fmt.Fprintf(w, "the chip's other algorithms on up to %d links, as the encoder, wafer density %s:\n", r.Chip.Links, r.Chip.Density)
	if err := printBaselines(w, r.Chip.Links, r.Chip.Baselines); err != nil {
		return err
	}
	if n := evaluate.Reach(r.Chip.Baselines, "best choice", r.EMD.Mean); n > 0 {
		_, err := fmt.Fprintf(w, "fewest links on which best choice leaves no more than the encoder: %d\n", n)
		return err
	}
	_, err := fmt.Fprintln(w, "best choice leaves more than the encoder on any number of links")
	return err
}

// chipEval is the chip's other algorithms, on all numbers of links, and how many
// the encoder needs.
type chipEval struct {
	Links     int                 `json:"encoder_links"`
	Density   string              `json:"wafer_density"`
	Missing   string              `json:"missing,omitempty"` // why there are no baselines
	Baselines []evaluate.Baseline `json:"baselines"`

	high []bool
}

// newChipEval finds the encoder's links and the wafers' density.
func (f *encoderEval) newChipEval(path string, set *wafer.Set) (*chipEval, error) {
	m, err := openEncoder(path, 1)
	if err != nil {
		return nil, err
	}
	e := &chipEval{Links: linksFor(m.Architecture().LatentBits)}
	if e.high, e.Density, err = evaluate.Densities(set, f.density); err != nil {
		return nil, fmt.Errorf("--density: %w", err)
	}
	if err := evaluate.ChipTakes(set.Charge); err != nil {
		e.Missing = err.Error()
	}
	return e, nil
}

// linksFor is the fewest links that carry outputs of so many bits; 0 stands for
// the chip's nine.
func linksFor(bits int) int {
	for n := 1; n < 5; n++ {
		if b, err := autoencoder.LatentBits(n); err == nil && bits > 0 && bits <= b {
			return n
		}
	}
	return 5
}

func (e *chipEval) measure(ctx context.Context, f *encoderEval, c *common, set *wafer.Set) error {
	if e.Missing != "" {
		return nil
	}
	m, err := groundMetric(f.metric)
	if err != nil {
		return err
	}
	e.Baselines, err = evaluate.Baselines(ctx, m, set.Charge, evaluate.Schemes(econt.MaxETx), evaluate.ChipSettings{
		Settings: evaluate.Settings{Threshold: f.threshold, Threads: c.threads}, High: e.high})
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
	eta, _ := set.Numbers(wafer.Eta) // without it there is no division by |η|
	e, err := evaluate.Images(ctx, m, set.Charge, decoded, evaluate.Settings{
		Threshold: f.threshold, Threads: c.threads, Points: points, Eta: eta})
	return e, decoded, err
}

// decodeSet runs an autoencoder's weights file on images, with their conditions
// if it wants them.
func decodeSet(ctx context.Context, c *common, path string, set *wafer.Set) ([]float64, error) {
	m, err := openEncoder(path, c.threads)
	if err != nil {
		return nil, err
	}
	decoded, err := m.Decode(ctx, set)
	if err != nil {
		return nil, err
	}
	return decoded.Charge, nil
}
