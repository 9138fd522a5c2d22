package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/jsonout"
	"barrow/surrogate"
	"barrow/wafer"
)

func newSurrogate(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "surrogate",
		Short:   "Train and measure networks that estimate the EMD",
		Example: "  barrow surrogate eval a.csv b.csv\n  barrow surrogate train --out runs/cnn\n  barrow surrogate eval --weights runs/cnn --json a.csv b.csv",
	}
	cmd.AddCommand(newSurrogateTrain(c), newSurrogateEval(c), newSurrogateScan(c), newSurrogateExport(c))
	return cmd
}

// surrogateEval is what "surrogate eval" can be told.
type surrogateEval struct {
	imageFlags
	weights, metric string
	bound           bool
}

func newSurrogateEval(c *common) *cobra.Command {
	f := &surrogateEval{}
	cmd := &cobra.Command{
		Use:   "eval A B",
		Short: "Predicted EMD of row i of A with row i of B",
		Long: `Prints a network's estimate for row i of A with row i of B, one number a line:
that of the built-in network, or of the weights that are named. These are a run
folder of "barrow surrogate train" or "barrow reproduce", a weights file of one,
or a network of another program, such as the paper's:

` + readFormats() + `
With --json it prints one object that compares the estimates and their gradients
with the exact EMD: bias and spread are the mean and standard deviation of
(predicted-exact)/exact; the cosine is that of the gradients with respect to B,
on the cells where B has charge and centred there.

With --bound it prints the bound of a potential network instead: a number that is
certainly not above the EMD.`,
		Example: `  barrow surrogate eval a.csv b.csv
  barrow surrogate eval --weights ae_mse.h5 --json a.csv b.csv`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0], args[1]) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.weights, "weights", "", "weights `file`, run folder or model of another program, or builtin, the network that comes with Barrow and is the default")
	flags.BoolVar(&f.bound, "bound", false, "print the certified lower bound")
	metricVar(flags, &f.metric, "ground metric of the exact EMD, with --json")
	f.imageFlags.add(cmd)
	return cmd
}

func (f *surrogateEval) run(cmd *cobra.Command, c *common, pathA, pathB string) error {
	switch {
	case f.bound && c.json:
		return errors.New("--bound prints bounds alone, --json compares estimates with the exact EMD: leave one out")
	case !c.json && cmd.Flags().Changed("metric"):
		return errors.New("--metric is that of the exact EMD, which only --json computes: add --json, or leave --metric out")
	}
	model, err := loadSurrogate(f.weights, c.threads)
	if err != nil {
		return err
	}
	estimate := func(p, q, e []float64) error { return model.Gradient(cmd.Context(), p, q, e, nil, nil) }
	if f.bound {
		p, ok := model.(*surrogate.Potential)
		if !ok {
			return fmt.Errorf("--bound: %s is no potential network; the built-in one is, and those of \"barrow surrogate train --architecture potential\"", f.weights)
		}
		estimate = func(a, b, e []float64) error { return p.Bound(cmd.Context(), a, b, e, nil) }
	}
	if pathA == "-" && pathB == "-" {
		return errors.New("both files cannot be standard input")
	}
	if !c.json {
		return f.pairs(cmd, c, pathA, pathB, func(p, q []float64) error {
			e := make([]float64, len(p)/hgcal.Cells)
			if err := estimate(p, q, e); err != nil {
				return err
			}
			return printNumbers(cmd.OutOrStdout(), e)
		})
	}
	m, err := groundMetric(f.metric)
	if err != nil {
		return err
	}
	metricRemark(cmd, f.metric)
	meter, err := surrogate.NewMeter(model, m, emd.Settings{Threads: c.threads})
	if err != nil {
		return err
	}
	err = f.pairs(cmd, c, pathA, pathB, func(p, q []float64) error { return meter.Add(cmd.Context(), p, q) })
	if err != nil {
		return err
	}
	return jsonout.Encode(cmd.OutOrStdout(), meter.Comparison().Accuracy)
}

// pairs hands the images of two files on, row by row, a batch at a time.
func (f *surrogateEval) pairs(cmd *cobra.Command, c *common, pathA, pathB string, do func(p, q []float64) error) error {
	j := &pairing{cellsA: hgcal.Cells, cellsB: hgcal.Cells, row: "image", mass: "charge"}
	defer j.close()
	var err error
	if j.a, err = f.stream(pathA, ""); err != nil {
		return err
	}
	if j.b, err = f.stream(pathB, ""); err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	for {
		if err := errors.Join(cmd.Context().Err(), j.a.next(j.some()), j.b.next(j.some())); err != nil {
			return err
		}
		n := j.a.len()
		if n != j.b.len() {
			return j.lengths()
		}
		if n == 0 {
			return nil
		}
		if err := j.charged(); err != nil {
			return err
		}
		if err := do(j.a.values(), j.b.values()); err != nil {
			return err
		}
		bar.set(j.share(), fmt.Sprintf("%d pairs", j.a.before()+n))
	}
}

// charged names the first image that has no charge.
func (j *pairing) charged() error {
	for i := range j.a.len() {
		for _, r := range []rows{j.a, j.b} {
			if !(wafer.Sum(r.values()[i*hgcal.Cells:][:hgcal.Cells]) > 0) {
				return fmt.Errorf("%s: the image has no charge, so it has no distance to another; leave the pair out", r.Place(i))
			}
		}
	}
	return nil
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
		return jsonout.Encode(cmd.OutOrStdout(), a)
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d held-out pairs: bias %+.4f, spread %.4f, mean |error| %.4f, correlation %.5f, gradient cosine %.3f (10th percentile %.3f)\n",
		a.N, a.Bias, a.Spread, a.MAE, a.Correlation, a.CosineMedian, a.CosineP10)
	return err
}
