package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/internal/setting/bind"
	"barrow/loss"
	"barrow/run"
	"barrow/study/compare"
)

func newEncoder(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "encoder",
		Short:   "Train and measure the autoencoder of the trigger chip",
		Example: "  barrow encoder train --loss emd+energy --precision asic --out runs/asic\n  barrow encoder eval --weights runs/asic images.csv",
	}
	cmd.AddCommand(newEncoderTrain(c), newEncoderMask(c), newEncoderMeta(c), newEncoderEval(c), newEncoderExport(c))
	return cmd
}

func newEncoderTrain(c *common) *cobra.Command {
	plan := compare.Default()
	plan.Losses = []string{"emd"}
	var f runFlags
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train the autoencoder with any loss, in floating point or quantised",
		Long: `Trains the encoder of the trigger chip with its decoder on wafer images,
simulated or yours. The folder keeps the weights, the training curves and the
evaluation on held-out images. Interrupted, the same command goes on.

With --seeds N it trains N times, from N starts on the same images, and keeps
the one with the smallest validation loss. --start meta starts from weights that come
with Barrow and learn new wafers in few steps (barrow encoder meta). A TOML file (--config) may hold any
of the settings; flags outrank it. The precision asic computes what the chip
computes, bit for bit.

` + lossHelp,
		Example: `  barrow encoder train --loss emd+energy --out runs/emd
  barrow encoder train --precision asic --links 3 --seeds 5 --out runs/asic
  barrow encoder train --config encoder.toml --data ldm.csv --out runs/ldm`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			table, times, err := f.compare(cmd, c, compare.EncoderKind(), &plan, compareParts{})
			if err != nil {
				return f.ended(cmd, c, err)
			}
			if err := printTable(cmd, c, table, times); err != nil || c.json {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "\nthe encoder of seed %d is kept as %s\n", table.Kept.Seed, filepath.Join(f.out, filepath.FromSlash(table.Kept.File)))
			return err
		},
	}
	f.add(cmd, "encoder", bind.One(cmd.Flags(), &plan))
	f.cuts(cmd)
	return cmd
}

var lossHelp = `Losses:

` + loss.Help() + `
What stands behind colons are options with their defaults, as in neighbourhood:radius=2:filter=max or
fss:threshold=1/5. Weighted sums of losses are losses, such as emd+energy or emd+0.1*telescope. emd@telescope
keeps the encoder that the telescope MSE trains and trains another decoder for
it, with the EMD. Precisions: ` + strings.Join(autoencoder.PresetNames(), ", ") + `.`

// compareParts are what a comparison has besides; each may be nil.
type compareParts struct {
	physics  *physicsPart
	protocol *protocolPart
}

// compare carries out a plan, and measures physics where that is asked for.
func (f *runFlags) compare(cmd *cobra.Command, c *common, kind run.Kind, plan *compare.Plan, parts compareParts) (*compare.Table, *compare.Times, error) {
	if err := f.read(cmd); err != nil {
		return nil, nil, err
	}
	if parts.protocol != nil {
		if err := parts.protocol.into(plan, f.settings); err != nil {
			return nil, nil, err
		}
	}
	cut, err := f.cut(cmd)
	if err != nil {
		return nil, nil, err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	s := compare.Settings{Cut: cut, Threads: c.threads, Force: f.force, Remark: remark(cmd, c), Stream: stream(cmd), Progress: bar.set}
	if parts.physics != nil {
		if err := parts.physics.into(&s, bar); err != nil {
			return nil, nil, err
		}
	}
	table, times, err := compare.Start(cmd.Context(), f.out, kind, *plan, s)
	return table, times, f.explain(err)
}
