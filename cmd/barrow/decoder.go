package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/loss"
	"barrow/study/decode"
)

func newDecoder(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "decoder",
		Short:   "Train and measure decoders of the trigger chip's frames",
		Example: "  barrow decoder train --algorithm BC --etx 3 --out runs/bc3\n  barrow decoder eval --weights runs/bc3 images.csv",
	}
	cmd.AddCommand(newDecoderTrain(c), newDecoderEval(c), newDecoderExport(c), newDecoderTable(c))
	return cmd
}

func newDecoderTrain(c *common) *cobra.Command {
	plan := decode.Default()
	var quick bool
	var f runFlags
	cmd := &cobra.Command{
		Use:   "train",
		Short: "Train a decoder of an algorithm's frames with any loss",
		Long: `Trains a network that makes images of the frames of an algorithm of the chip:
best choice (BC), super trigger cells (STC), threshold sum (TS) or an encoder (AE).
What arrived cell by cell stays as it was sent; of what arrived as a sum the network
says how it is shared among the cells. Algorithm and chip are said as to "barrow
econt encode".

It learns from simulated images, fresh ones in every epoch, and then, with --data,
from yours. The folder keeps the weights, the training curves and, in results.json,
what the decoder and the rules by hand leave on held-out images, which go through
the chip in its own integers. Interrupted, the same command goes on. With --seeds N
it trains N times and keeps the best. A TOML file (--config) may hold any of the
settings; flags outrank it. --quick takes a quarter to half a minute.

` + `Losses:

` + loss.Help() + `
and weighted sums of them such as emd+energy.`,
		Example: `  barrow decoder train --algorithm BC --etx 3 --out runs/bc3 --quick
  barrow decoder train --algorithm STC --stc-type 3 --etx 4 --data ldm.csv --out runs/stc
  barrow decoder train --algorithm AE --model runs/asic --etx 4 --seed 2 --out runs/ae`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.open(); err != nil {
				return err
			}
			p := plan
			if quick {
				p = decode.Quick()
				f.settings.Into(&p)
			}
			if err := decoderNeedless(cmd, &p); err != nil {
				return err
			}
			bar := newProgress(cmd.ErrOrStderr(), c)
			r, err := decode.Train(cmd.Context(), f.out, p, decode.Settings{Threads: c.threads, Force: f.force, Remark: remark(cmd, c), Stream: stream(cmd), Progress: bar.set})
			bar.close()
			if err != nil {
				return f.explain(err)
			}
			if c.json {
				return jsonout.Encode(cmd.OutOrStdout(), r)
			}
			return printDecoder(cmd.OutOrStdout(), r, f.out)
		},
	}
	f.add(cmd, "decoder", bind.Flags(cmd.Flags(), &plan))
	cmd.Flags().BoolVar(&quick, "quick", false, "fewer images, half a minute instead of some minutes")
	return cmd
}

// decoderNeedless refuses flags that would change nothing beside the other settings.
func decoderNeedless(cmd *cobra.Command, p *decode.Plan) error {
	data, first := len(p.Data) > 0, len(p.Pretrain) > 0
	return needless(cmd.Flags(),
		purpose{[]string{"events"}, "simulated images to measure by, without --data", !data},
		purpose{[]string{"preset", "images"}, "simulated images, without --pretrain", !first},
		purpose{[]string{"data-epochs", "data-batch", "order", "header", "layout", "tree", "charge", "quirk"}, "wafer files, with --data", data},
	)
}

// printDecoder prints a finished training.
func printDecoder(w io.Writer, r *decode.Results, out string) error {
	if err := printDecodings(w, r.Frames, "held-out images", r.Density, append(r.Rules[:len(r.Rules):len(r.Rules)], r.Learned)); err != nil {
		return err
	}
	if len(r.Trainings) > 1 {
		for _, t := range r.Trainings {
			fmt.Fprintf(w, "seed %d: mean EMD %.4f, on the images to choose by %.4f\n", t.Seed, t.EMD, t.Validation)
		}
	}
	which := fmt.Sprintf("the decoder of seed %d", r.Seed)
	if r.Together {
		which = "the mean of all seeds' decoders"
	}
	for _, text := range r.Remarks {
		fmt.Fprintln(w, text)
	}
	_, err := fmt.Fprintf(w, "%s\n%s is kept as %s\n", r.Verdict(), which, filepath.Join(out, filepath.FromSlash(r.File)))
	return err
}

// printDecodings is the table of decodings of the same frames.
func printDecodings(w io.Writer, frames, images, density string, list []evaluate.ChipResult) error {
	fmt.Fprintf(w, "%s, %d %s, wafer density %s:\n", frames, list[0].Fidelity.Of(evaluate.EMD).N, images, density)
	return printBaselines(w, list[0].Links, list)
}
