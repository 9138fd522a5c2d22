package main

import (
	"github.com/spf13/cobra"

	"barrow/internal/setting/bind"
	"barrow/study/estimate"
)

func newSurrogateTrain(c *common) *cobra.Command {
	plan := estimate.Default()
	var f runFlags
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train an EMD network on exact distances",
		Long: `Trains a network that estimates the EMD on pairs of wafer images, simulated or
yours, that are labelled with their exact EMD and its gradient as they are drawn.
The folder keeps the weights, the training curve, the accuracy on held-out pairs
and a report. Interrupted, the same command goes on. A TOML file (--config) may
hold any of the settings; flags outrank it.

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
			s, done, err := f.estimate(cmd, c)
			if err != nil {
				return err
			}
			r, err := estimate.Train(cmd.Context(), f.out, plan, s)
			done()
			if err != nil {
				return f.explain(err)
			}
			return printAccuracy(cmd, c, r.Accuracy)
		},
	}
	f.add(cmd, "emd-cnn", bind.Flags(cmd.Flags(), &plan))
	return cmd
}

// estimate reads the configuration file and prepares a training of EMD networks;
// done ends its progress.
func (f *runFlags) estimate(cmd *cobra.Command, c *common) (s estimate.Settings, done func(), err error) {
	if err := f.read(cmd); err != nil {
		return s, nil, err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	return estimate.Settings{Threads: c.threads, Force: f.force, Remark: remark(cmd, c), Stream: stream(cmd), Progress: bar.set}, bar.close, nil
}
