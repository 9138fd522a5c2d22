package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/study/decode"
	"barrow/wafer"
)

// decoderEval is what "decoder eval" can be told.
type decoderEval struct {
	imageFlags
	weights, model, metric, density string
}

func newDecoderEval(c *common) *cobra.Command {
	f := &decoderEval{}
	cmd := &cobra.Command{
		Use:   "eval IMAGES",
		Short: "What a trained decoder makes of wafer images beside the rules by hand",
		Long: `Sends the images of a wafer file through the chip for whose frames a decoder was
trained and prints what the decoder and the rules by hand leave of them: the exact
EMD between image and decoded image, the energy response and the shifts of centre of
gravity and width. The ratio is that of the mean EMDs, with its 95 % interval by a
paired bootstrap. An image of which nothing arrives is scored as the same charge in
all cells.

The decoder is the folder of "barrow decoder train" or a weights file. The folder says
which chip it was; of a file the usual settings of its algorithm are taken.`,
		Example: `  barrow decoder eval --weights runs/bc3 images.csv
  barrow decoder eval --weights runs/ae --model runs/asic --density hd images.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.weights, "weights", "", "run folder or weights `file` of a decoder")
	flags.StringVar(&f.model, "model", "", "AE: run `folder` or weights file of the encoder (default: the one that the decoder's run names)")
	wordVar(flags, &f.density, "density", "", []string{"ld", "hd"}, "wafers' density: ld or hd (default: as in training, or what a column HD_LD says of each image, else ld)")
	metricVar(flags, &f.metric, "ground metric: benchmark, cmssw or a CSV file of x,y per cell")
	f.imageFlags.add(cmd)
	return cmd
}

func (f *decoderEval) run(cmd *cobra.Command, c *common, path string) error {
	if f.weights == "" {
		return errors.New("name the decoder: --weights, a folder of \"barrow decoder train\" or a weights file")
	}
	metricRemark(cmd, f.metric)
	images, err := f.open(path)
	if err != nil {
		return err
	}
	defer images.Close()
	bar := newProgress(cmd.ErrOrStderr(), c)
	n := 0
	watched := watchedReader{wafer.Counts(images, f.density == ""), func(got int) {
		n += got
		share, _ := images.Share()
		bar.set(share/10, fmt.Sprintf("%d images", n))
	}}
	e, err := decode.Eval(cmd.Context(), f.weights, watched, decode.EvalSettings{
		Density: f.density, Model: f.model, Metric: f.metric, Threads: c.threads,
		Progress: func(share float64, note string) { bar.set(0.1+0.9*share, note) },
	})
	bar.close()
	if errors.Is(err, evaluate.ErrNoImages) {
		return fmt.Errorf("%s: no image with charge", path)
	}
	if err != nil {
		return err
	}
	if e.Dropped > 0 {
		fmt.Fprintf(remarks(cmd, c), "%s: %d images without charge left out\n", path, e.Dropped)
	}
	seenRemark(remarks(cmd, c), path, e.Seen, e.Decodings[0].Fidelity.Of(evaluate.EMD).N)
	if c.json {
		return jsonout.Encode(cmd.OutOrStdout(), e)
	}
	if err := printDecodings(cmd.OutOrStdout(), e.Frames, "images", e.Density, e.Decodings); err != nil {
		return err
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), e.Verdict())
	return err
}

// seenRemark says that a decoder is measured by images that it has learned from.
func seenRemark(notes io.Writer, path string, seen, all int) {
	if seen > 0 {
		fmt.Fprintf(notes, "%s: %d of %d images are the same as ones that this decoder has learned from or was chosen by: of those the figures are too good\n", path, seen, all)
	}
}
