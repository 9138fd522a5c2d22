package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/surrogate"
)

func newSurrogate(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "surrogate",
		Short:   "Train and measure networks that estimate the EMD",
		Example: "  barrow surrogate eval a.csv b.csv\n  barrow surrogate train --out runs/cnn\n  barrow surrogate eval --weights runs/cnn --json a.csv b.csv",
	}
	cmd.AddCommand(newSurrogateTrain(c), newSurrogateEval(c), newSurrogateScan(c))
	return cmd
}

func newSurrogateEval(c *common) *cobra.Command {
	var weights, metric string
	bound := false
	images := &imageFlags{}
	cmd := &cobra.Command{
		Use:   "eval A B",
		Short: "Predicted EMD of row i of A with row i of B",
		Long: `Prints a network's estimate for row i of A with row i of B, one number a line:
that of the built-in network, or of the weights that are named. These are a run
folder of "barrow surrogate train" or "barrow reproduce", a weights file of one,
or a Keras file with its architecture (.h5), such as the paper's.

With --json it prints one object that compares the estimates and their gradients
with the exact EMD: bias and spread are the mean and standard deviation of
(predicted-exact)/exact; the cosine is that of the gradients with respect to B,
on the cells where B has charge and centred there.

With --bound it prints the bound of a potential network instead: a number that is
certainly not above the EMD.`,
		Example: `  barrow surrogate eval a.csv b.csv
  barrow surrogate eval --weights ae_mse.h5 --json a.csv b.csv`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			model, err := loadSurrogate(weights, c.threads)
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
				metricRemark(cmd, metric)
				r, err := surrogate.Compare(cmd.Context(), model, m, a.Charge, b.Charge, emd.Settings{Threads: c.threads})
				if err != nil {
					return err
				}
				return json.NewEncoder(cmd.OutOrStdout()).Encode(r.Accuracy)
			}
			e := make([]float64, a.Len())
			if bound {
				p, ok := model.(*surrogate.Potential)
				if !ok {
					return fmt.Errorf("--bound: %s is no potential network; the built-in one is, and those of \"barrow surrogate train --architecture potential\"", weights)
				}
				err = p.Bound(cmd.Context(), a.Charge, b.Charge, e, nil)
			} else {
				err = model.Gradient(cmd.Context(), a.Charge, b.Charge, e, nil, nil)
			}
			if err != nil {
				return err
			}
			return printNumbers(cmd.OutOrStdout(), e)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&weights, "weights", "", "weights `file` or run folder; the built-in network by default")
	flags.BoolVar(&bound, "bound", false, "print the certified lower bound")
	flags.StringVar(&metric, "metric", "benchmark", "ground metric of the exact EMD, with --json")
	images.add(cmd)
	return cmd
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
