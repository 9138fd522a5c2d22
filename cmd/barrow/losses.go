package main

import (
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/outfile"
	"barrow/internal/setting/bind"
	"barrow/loss"
	"barrow/report"
	"barrow/study/images"
	"barrow/study/losses"
)

func newLosses(c *common) *cobra.Command {
	var out string
	var force bool
	plan := losses.Default()
	cmd := &cobra.Command{
		Use:   "losses",
		Short: "Hold losses against the exact EMD: correlation, error, time",
		Long: `Distorts images in five ways, each with random strength (blur, displaced cells,
dropout and noise, gain noise, mixing with another image), and tells of each loss
between image and distorted image how it ranks the pairs beside the exact EMD
(Spearman's correlation), how far it is from it after one scale factor, or its root
(√) where that is nearer, and what value and gradient take on one processor.

Losses:
` + loss.Help(),
		Example: `  barrow losses
  barrow losses --data ldm.csv --losses mse,neighbourhood:radius=2,sliced --out losses.html
  barrow losses --metric cmssw --losses emd-cnn,sliced:directions=trained --json`,
		Args: cobra.NoArgs,
	}
	flags := bind.Flags(cmd.Flags(), &plan)
	cmd.Flags().StringVar(&out, "out", "", "HTML page to write")
	cmd.Flags().BoolVar(&force, "force", false, "overwrite --out")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		p := losses.Default()
		flags.Into(&p)
		if err := needless(cmd.Flags(),
			purpose{[]string{"order", "header", "layout", "tree", "charge", "quirk", "images"}, "wafer files, with --data", len(p.Data) > 0},
			purpose{[]string{"events", "preset"}, "simulated images, without --data", len(p.Data) == 0},
		); err != nil {
			return err
		}
		if out != "" {
			if err := outfile.Check(out, force); err != nil {
				return err
			}
		}
		bar := newProgress(cmd.ErrOrStderr(), c)
		r, err := losses.Run(cmd.Context(), p, losses.Settings{Seed: c.seed, Threads: c.threads, Progress: bar.set, Images: images.Settings{Remark: remark(cmd, c), Stream: stream(cmd)}})
		bar.close()
		if err != nil {
			return err
		}
		if out != "" {
			if err := outfile.Write(out, force, func(w io.Writer) error { return report.Write(w, r.Page()) }); err != nil {
				return err
			}
			fmt.Fprintf(remarks(cmd, c), "page: %s\n", filepath.Clean(out))
		}
		if c.json {
			return jsonout.Encode(cmd.OutOrStdout(), r)
		}
		w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintf(w, "%s, %d pairs, metric %s\n\n", r.Images, r.Pairs, r.Metric)
		fmt.Fprint(w, r.Text())
		return w.Flush()
	}
	return cmd
}
