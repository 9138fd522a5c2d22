package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/setting/bind"
	"barrow/run"
	"barrow/study/cluster"
)

func newCluster(c *common) *cobra.Command {
	var f runFlags
	quick := false
	plan := cluster.Default()
	cmd := &cobra.Command{
		Use:   "cluster [FILE...]",
		Short: "Kinds of images found without labels, and which images are odd",
		Long: `Finds kinds of images without labels. A network learns to tell images apart but not
two views of one, which differ by what physics makes of the same wafer: a third of a
turn, Poisson numbers of quanta, gains, a slope. What it makes of images is cut into
clusters, and a linear head learns them from its own confident labels. Every image gets
a score of how odd it is, too: a monitor of defects.

Without files, modules of ten kinds are simulated, each the mean of many events with the
agreement of every cell with its neighbours: electrons, photons, pions, pile-up, noise
and five defects; what is found is held against the truth, k-means on pixels and the
outputs of the chip's encoder, and defects are sought among modules of which few have any.

Files are wafer files, every image for itself or, with --by, as modules; with --grid
tables of images of any size. A column --truth is measured by, never learned from. The
folder gets clusters.csv, a line for every row of the input in its order: cluster,
confidence, score, the cell that is oddest, place in the map; and a page.

Interrupted (Ctrl-C), it saves; the same command goes on from there.`,
		Example: `  barrow cluster --quick --out runs/cluster
  barrow cluster wafers.csv --classes 6 --out runs/wafers
  barrow cluster events.root --by layer,waferu,waferv --classes 4
  barrow cluster images.csv --grid 28x28 --truth label --shift 1.5 --rotate 10`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.open(); err != nil {
				return err
			}
			p := cluster.Default()
			if quick {
				p = cluster.Quick()
			}
			f.settings.Into(&p)
			p.Data = append(p.Data, args...)
			data := len(p.Data) > 0
			if err := needless(cmd.Flags(),
				purpose{[]string{"rows", "events", "monitored", "contamination"}, "simulated modules, without files", !data},
				purpose{[]string{"contamination"}, "modules to monitor, of which there are none", p.Monitored > 0},
				purpose{[]string{"order", "header", "layout", "tree", "charge"}, "wafer files", data && p.Grid == ""},
				purpose{[]string{"quantum"}, "rows that are single images", data && len(p.By) == 0},
			); err != nil {
				return err
			}
			bar := newProgress(cmd.ErrOrStderr(), c)
			defer bar.close()
			r, times, err := cluster.Start(cmd.Context(), f.out, p, cluster.Settings{Threads: c.threads, Force: f.force, Progress: bar.set, Remark: remark(cmd, c), Stream: stream(cmd)})
			if err != nil {
				return f.explain(err)
			}
			bar.close()
			return printCluster(cmd.OutOrStdout(), c, f.out, r, times)
		},
	}
	f.add(cmd, "cluster", bind.Flags(cmd.Flags(), &plan))
	cmd.Flags().BoolVar(&quick, "quick", false, "a small run, of less than two minutes on two cores")
	return cmd
}

// printCluster is the closing text.
func printCluster(w io.Writer, c *common, out string, r *cluster.Results, times *cluster.Times) error {
	if c.json {
		return jsonout.Encode(w, struct {
			*cluster.Results
			Times *cluster.Times `json:"times"`
		}{r, times})
	}
	fmt.Fprintln(w, r.Verdict())
	if len(r.Classes) > 0 {
		fmt.Fprintln(w)
		if err := printAligned(w, withHead(r.Table())); err != nil {
			return err
		}
		for _, g := range r.Gains {
			fmt.Fprintf(w, "%s: %+.1f points", g.Name, 100*g.Mean)
			if g.Spread != nil {
				fmt.Fprintf(w, " ± %.1f", 100**g.Spread)
			}
			fmt.Fprintln(w)
		}
	}
	if d := r.Defects(); d != nil {
		fmt.Fprintln(w)
		if err := printAligned(w, withHead(*d)); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nevery row is in %s; the report is %s\n", filepath.Join(out, run.Clusters), filepath.Join(out, run.Report))
	return err
}
