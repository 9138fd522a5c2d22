package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/study/compare"
	"barrow/study/masks"
)

func newEncoderMask(c *common) *cobra.Command {
	plan := masks.Default()
	var f runFlags
	cmd := &cobra.Command{
		Use:   "mask",
		Short: "Find how many bits each of the encoder's outputs deserves on a number of links",
		Long: `Finds how the bits that the chip's links carry are best dealt out to the encoder's
16 outputs, and trains an encoder so. From an encoder with all bits, trained first,
encoders with different masks are trained for a while each: outputs of each width, as
many as fit, then the best of those with single bits moved. The best mask is trained at
the full budget; the folder keeps that encoder as one of encoder train.

Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow encoder mask --links 1 --data ldm.csv --decoder residual --out runs/mask
  barrow encoder mask --links 2 --trial-images 100000 --seeds 5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.read(cmd); err != nil {
				return err
			}
			bar := newProgress(cmd.ErrOrStderr(), c)
			defer bar.close()
			r, times, err := masks.Start(cmd.Context(), f.out, plan, masks.Settings{Threads: c.threads, Force: f.force, Remark: remark(cmd, c), Stream: stream(cmd), Progress: bar.set})
			if err != nil {
				return f.explain(err)
			}
			bar.close()
			return printMasks(cmd, c, f.out, r, times)
		},
	}
	f.add(cmd, "mask", bind.One(cmd.Flags(), &plan))
	return cmd
}

// printMasks prints what was tried, then the encoder.
func printMasks(cmd *cobra.Command, c *common, out string, r *masks.Results, times *compare.Times) error {
	w := cmd.OutOrStdout()
	if c.json {
		return jsonout.Encode(w, struct {
			*masks.Results
			Times *compare.Times `json:"times"`
		}{r, times})
	}
	if err := printAligned(w, withHead(r.Table())); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nthe best mask for %d bits on %d links is %s\n\n", r.Bits, r.Links, r.Mask)
	if err := printTable(cmd, c, r.Encoder, times); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\nthe encoder of seed %d is kept as %s\n", r.Encoder.Kept.Seed, filepath.Join(out, filepath.FromSlash(r.Encoder.Kept.File)))
	return err
}
