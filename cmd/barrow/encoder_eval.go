package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/spf13/cobra"

	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/jsonout"
	"barrow/internal/outfile"
	"barrow/model/file"
)

// encoderEval is what "encoder eval" can be told.
type encoderEval struct {
	imageFlags
	weights, loss, against string
	metric, out, density   string
	threshold              float64
	force, baselines       bool
	decoders               []string
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
which nothing arrives is scored as the same charge in all cells. Decoders that have
learned ("barrow decoder train") take part where --decoder names them. On many images
this takes the most time: --baselines=false leaves it out.

The encoder is a run folder, a weights file, or an autoencoder of another program
with the layers of one that Barrow has:

` + readFormats(),
		Example: `  barrow encoder eval --weights runs/emd images.csv
  barrow encoder eval --weights runs/emd --against runs/telescope images.csv
  barrow encoder eval --weights runs/reproduce --loss telescope --out decoded.csv images.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.weights, "weights", "", "weights `file`, run folder or model of another program, encoder and decoder")
	flags.StringVar(&f.loss, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	flags.StringVar(&f.against, "against", "", "weights `file`, run folder or model of another program to compare with")
	metricVar(flags, &f.metric, "ground metric: benchmark, cmssw or a CSV file of x,y per cell")
	flags.Float64Var(&f.threshold, "mip", evaluate.MIP, "charge above which a cell counts as occupied")
	flags.BoolVar(&f.baselines, "baselines", true, "send the images through the chip's other algorithms, too")
	flags.StringArrayVar(&f.decoders, "decoder", nil, "run folder or weights `file` of a decoder of one of the chip's other algorithms, which takes part; may be repeated")
	wordVar(flags, &f.density, "density", "", []string{"ld", "hd"}, "wafers' density for the chip's other algorithms: ld or hd (default: what a column HD_LD says of each image, else ld)")
	flags.StringVar(&f.out, "out", "", "CSV `file` for the decoded images")
	flags.BoolVar(&f.force, "force", false, "replace the file that --out names")
	f.imageFlags.add(cmd)
	return cmd
}

func (f *encoderEval) run(cmd *cobra.Command, c *common, args []string) error {
	path, err := encoderWeights(f.weights, f.loss)
	if err != nil {
		return fmt.Errorf("--weights: %w", err)
	}
	models := []string{path}
	if f.against != "" {
		other, err := encoderWeights(f.against, "")
		if err != nil {
			return fmt.Errorf("--against: %w", err)
		}
		models = append(models, other)
	}
	if !(f.threshold > 0 && f.threshold <= math.MaxFloat64) {
		return fmt.Errorf("--mip %v: want a positive charge", f.threshold)
	}
	err = needless(cmd.Flags(),
		purpose{[]string{"density", "decoder"}, "the chip's other algorithms, without --baselines=false", f.baselines},
		purpose{[]string{"force"}, "a file, with --out", f.out != "" && f.out != "-"},
	)
	if err != nil {
		return err
	}
	metricRemark(cmd, f.metric)
	if f.out != "" && f.out != "-" {
		if err := outfile.Check(f.out, f.force); err != nil {
			return err
		}
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	result, dropped, err := f.evaluate(cmd, c, bar, args[0], models)
	bar.close()
	if errors.Is(err, evaluate.ErrNoImages) {
		return fmt.Errorf("%s: no image with charge", args[0])
	}
	if err != nil {
		return err
	}
	if dropped > 0 {
		fmt.Fprintf(remarks(cmd, c), "%s: %d images without charge left out, %d kept\n", args[0], dropped, result.Of(evaluate.EMD).N)
	}
	w := cmd.OutOrStdout()
	if f.out == "-" { // it has the images
		w = remarks(cmd, c)
	}
	if c.json {
		return jsonout.Encode(w, result)
	}
	return result.print(w, f.against)
}

// evaluate streams the images through the encoders and then through the chip.
func (f *encoderEval) evaluate(cmd *cobra.Command, c *common, bar *progressBar, path string, models []string) (r *evaluation, dropped int, err error) {
	metric, err := groundMetric(f.metric)
	if err != nil {
		return nil, 0, err
	}
	s := evaluate.StreamSettings{Settings: evaluate.Settings{Threshold: f.threshold, Threads: c.threads}}
	if s.Points, err = hgcal.Positions(f.metric); err != nil {
		return nil, 0, err
	}
	first := 1.0
	if f.baselines { // a scheme takes about as long as an encoder
		schemes, err := f.schemes()
		if err != nil {
			return nil, 0, err
		}
		first = float64(len(models)) / float64(len(models)+len(schemes))
		chip := evaluate.ChipSettings{Settings: s.Settings, Density: f.density}
		chip.Progress = func(share float64, note string) { bar.set(first+(1-first)*share, note) }
		if s.Chip, err = evaluate.NewChipMeter(metric, schemes, chip); err != nil {
			return nil, 0, err
		}
	}
	decoders, links, err := openEncoders(cmd, c, models)
	if err != nil {
		return nil, 0, err
	}
	if f.out != "" {
		out, bad := f.create(cmd, f.out, f.force)
		if bad != nil {
			return nil, 0, bad
		}
		// Put in place when all is done, so that what is interrupted leaves nothing.
		defer func() {
			if err == nil {
				err = out.Close()
			}
			out.Abort()
		}()
		s.Out = out
	}
	kept, dropped, err := f.measure(cmd, bar, first, path, metric, s, decoders)
	if err != nil {
		return nil, 0, err
	}
	r = &evaluation{Fidelity: kept[0]}
	if len(kept) > 1 {
		v, err := evaluate.Compare(kept[0].Of(evaluate.EMD).Values, kept[1].Of(evaluate.EMD).Values, 1000, c.seed)
		if err != nil {
			return nil, 0, err
		}
		r.Against = &v
	}
	if f.baselines {
		r.Chip, err = chipOf(cmd.Context(), s.Chip, links)
	}
	return r, dropped, err
}

// openEncoders opens models, with the links that the first one's outputs need.
func openEncoders(cmd *cobra.Command, c *common, models []string) (decoders []evaluate.Decoder, links int, err error) {
	for k, name := range models {
		m, err := openEncoder(name, c.threads)
		if err != nil {
			return nil, 0, err
		}
		modelRemark(cmd, name)
		decoderRemark(cmd, name)
		if k == 0 {
			links = m.Architecture().Links()
		}
		decoders = append(decoders, m)
	}
	return decoders, links, nil
}

// chipOf measures the chip's other algorithms, if the images can go through it.
func chipOf(ctx context.Context, m *evaluate.ChipMeter, links int) (*chipEval, error) {
	c := &chipEval{Links: links, Density: m.Density()}
	if err := m.Check(); err != nil {
		c.Missing = err.Error()
		return c, nil
	}
	var err error
	c.Baselines, err = m.Measure(ctx)
	return c, err
}

// schemes are the chip's other algorithms, those with given decoders last.
func (f *encoderEval) schemes() ([]evaluate.Scheme, error) {
	list := evaluate.Schemes(econt.MaxETx)
	for _, name := range f.decoders {
		m, err := file.Decoder(name, file.Settings{Threads: 1})
		if err != nil {
			return nil, fmt.Errorf("--decoder: %w", err)
		}
		if m.Chip().Algorithm == econt.Autoencoder.String() {
			return nil, fmt.Errorf("--decoder %s: it decodes frames of an encoder, not of another algorithm: \"barrow decoder eval\" measures it beside that encoder's own decoder", name)
		}
		learned, err := evaluate.Learned(econt.MaxETx, f.density, m)
		if err != nil {
			return nil, fmt.Errorf("--decoder %s: %w", name, err)
		}
		list = append(list, learned...)
	}
	return list, nil
}

// measure reads the file once, which is a share of the work.
func (f *encoderEval) measure(cmd *cobra.Command, bar *progressBar, share float64, path string, metric *emd.Metric, s evaluate.StreamSettings, decoders []evaluate.Decoder) (kept []*evaluate.Fidelity, dropped int, err error) {
	images, err := f.open(path)
	if err != nil {
		return nil, 0, err
	}
	defer images.Close()
	n, before := 0, 0.0
	watched := watchedReader{images, func(got int) {
		// What has been read now is not measured yet.
		bar.set(share*before, fmt.Sprintf("%d images", n))
		n += got
		before, _ = images.Share()
	}}
	return evaluate.Stream(cmd.Context(), metric, watched, s, decoders...)
}

// evaluation is what "encoder eval" finds.
type evaluation struct {
	*evaluate.Fidelity
	Against *evaluate.Versus
	Chip    *chipEval
}

// MarshalJSON writes it as one object, the figures of merit first.
func (r *evaluation) MarshalJSON() ([]byte, error) {
	return jsonout.Join(r.Fidelity, struct {
		Against *evaluate.Versus `json:"against,omitempty"`
		Chip    *chipEval        `json:"at_equal_bandwidth,omitempty"`
	}{r.Against, r.Chip})
}

func (r *evaluation) print(w io.Writer, other string) error {
	if err := printFidelity(w, r.Fidelity); err != nil {
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
	for _, b := range r.Chip.Baselines {
		if b.Decoding == evaluate.DecodeLearned && b.Links > r.Chip.Links {
			fmt.Fprintf(w, "not in the table: %s, learned, on %d links, which is more than the encoder needs: mean EMD %.4f\n", b.Name, b.Links, b.Fidelity.Of(evaluate.EMD).Mean)
		}
	}
	if n := evaluate.Reach(r.Chip.Baselines, "best choice", r.Of(evaluate.EMD).Mean); n > 0 {
		_, err := fmt.Fprintf(w, "fewest links on which best choice leaves no more than the encoder: %d\n", n)
		return err
	}
	_, err := fmt.Fprintln(w, "best choice leaves more than the encoder on any number of links")
	return err
}

// printFidelity prints the figures of merit, the EMD first, and the profiles of
// those that have them.
func printFidelity(w io.Writer, f *evaluate.Fidelity) error {
	e := f.Of(evaluate.EMD)
	fmt.Fprintf(w, "%d images: mean EMD %.4f, median %.4f, 16–84 %% %.4f–%.4f", e.N, e.Mean, e.Median, e.P16, e.P84)
	for _, m := range f.Others() {
		fmt.Fprintf(w, "; %s %s", m.Label, m.Print())
	}
	_, err := fmt.Fprintln(w)
	for _, m := range f.Figures {
		name := ""
		if m.Name != evaluate.EMD {
			name = m.Label + ", "
		}
		for _, b := range m.ByOccupancy {
			_, err = fmt.Fprintf(w, "%s%2.0f–%-2.0f cells hit: median %.3f, 16–84 %% %.3f–%.3f (%d images)\n", name, b.Low, b.High-1, b.Median, b.P16, b.P84, b.N)
		}
		for _, b := range m.ByEta {
			_, err = fmt.Fprintf(w, "%s|η| %.2f–%.2f: median %.3f, 16–84 %% %.3f–%.3f (%d images)\n", name, b.Low, b.High, b.Median, b.P16, b.P84, b.N)
		}
	}
	return err
}

// chipEval is the chip's other algorithms, on all numbers of links, and how many
// the encoder needs.
type chipEval struct {
	Links     int                   `json:"encoder_links"`
	Density   string                `json:"wafer_density"`
	Missing   string                `json:"missing,omitempty"` // why there are no baselines
	Baselines []evaluate.ChipResult `json:"baselines"`
}
