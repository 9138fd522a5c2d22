package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/run"
	"barrow/surrogate"
)

// paperScan is the last round of the paper's search, as in its public code.
var paperScan = []string{"32x5x3-256", "32x5x4-32", "64x5x4-32", "128x5x4-32", "128x5x3-64", "32x5x3-128", "128x3x4-256", "128x5x4-256"}

// scanConfig is what a scan's results depend on.
type scanConfig struct {
	surrogateConfig
	Architectures []string `json:"architectures"`
	Losses        []string `json:"losses"`
	Repeats       int      `json:"repeats"`
}

// A trial is one network of a scan.
type trial struct {
	Architecture string             `json:"architecture"`
	Loss         string             `json:"loss"`
	Repeat       int                `json:"repeat"` // from 1
	Best         int                `json:"best_epoch"`
	Accuracy     surrogate.Accuracy `json:"accuracy"`
}

func (t trial) name() string {
	return fmt.Sprintf("trial-%s-%s-%d", t.Architecture, t.Loss, t.Repeat)
}

// error is the root mean square of the relative difference, which trials are
// ordered by.
func (t trial) error() float64 { return math.Hypot(t.Accuracy.Bias, t.Accuracy.Spread) }

type surrogateScan struct {
	surrogateTrain
	scan scanConfig
}

func newSurrogateScan(c *common) *cobra.Command {
	f := &surrogateScan{}
	kind := ""
	cmd := &cobra.Command{
		Use:   "scan",
		Short: "Train a list of architectures with several losses, best first",
		Long: `Trains every architecture with every loss, --repeats times from different
starts, and prints a row for each as it is done; at the end all rows again, the
smallest root mean square of the relative difference on held-out pairs first.
Rows that are done are kept in the folder: interrupted, the same command goes on.

By default the paper's list of eight architectures, its three losses and three
repeats: 72 networks, the larger ones ten times as costly as the first.`,
		Example: `  barrow surrogate scan --pairs 50000 --epochs 20 --out runs/scan
  barrow surrogate scan --architectures n1,paper,potential --losses mse --repeats 1 --out runs/three`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if f.Kind, err = surrogate.ParseKind(kind); err != nil {
				return err
			}
			return f.runScan(cmd, c)
		},
	}
	flags := cmd.Flags()
	f.training.add(cmd, filepath.Join("runs", "scan"))
	flags.StringVar(&kind, "kind", "fresh", "pairs to learn from: pair, ae, app or fresh")
	flags.StringArrayVar(&f.Decoders, "encoder", nil, "weights `file` of an autoencoder whose decoded images are learnt from; may be repeated (default: an untrained one)")
	flags.StringSliceVar(&f.scan.Architectures, "architectures", paperScan, "architectures, as in \"barrow surrogate train\"")
	flags.StringSliceVar(&f.scan.Losses, "losses", []string{"huber", "msle", "mse"}, "losses; a potential network has its own and is trained once a repeat")
	flags.IntVar(&f.scan.Repeats, "repeats", 3, "networks of each architecture and loss")
	flags.Float64Var(&f.Gradient, "gradient", 0, "weight of the error of the network's gradient in the loss")
	flags.IntVar(&f.Pairs, "pairs", 50_000, "pairs an epoch")
	flags.IntVar(&f.Epochs, "epochs", 20, "epochs")
	flags.IntVar(&f.Batch, "batch", 0, "pairs a step (default 64, of a potential network 256)")
	return cmd
}

// trials lists the scan, repeats outermost so that an early stop has seen
// every architecture.
func (f *surrogateScan) trials() ([]trial, error) {
	const most = 1000
	if err := limit.Count("--repeats", f.scan.Repeats, most); err != nil {
		return nil, err
	}
	var out []trial
	for r := range f.scan.Repeats {
		for _, a := range f.scan.Architectures {
			t := surrogateTrain{surrogateConfig: surrogateConfig{Architecture: a}}
			_, potential, err := t.architecture()
			if err != nil {
				return nil, fmt.Errorf("--architectures: %w", err)
			}
			if potential != nil {
				out = append(out, trial{Architecture: a, Loss: "potential", Repeat: r + 1})
				continue
			}
			for _, l := range f.scan.Losses {
				if _, err := surrogate.ParseLoss(l); err != nil {
					return nil, fmt.Errorf("--losses: %w", err)
				}
				out = append(out, trial{Architecture: a, Loss: l, Repeat: r + 1})
			}
		}
	}
	if len(out) == 0 {
		return nil, errors.New("--architectures, --losses: nothing to train")
	}
	return out, nil
}

func (f *surrogateScan) runScan(cmd *cobra.Command, c *common) error {
	ctx := cmd.Context()
	if err := positive(cmd, "pairs", "epochs", "repeats"); err != nil {
		return err
	}
	if f.Batch < 0 {
		return fmt.Errorf("--batch %d: must be at least 1, or 0 for the default", f.Batch)
	}
	trials, err := f.trials()
	if err != nil {
		return err
	}
	images, source, err := f.training.images(ctx, c)
	if err != nil {
		return err
	}
	metric, err := groundMetric(f.training.metric)
	if err != nil {
		return err
	}
	f.Seed, f.Source, f.Digest, f.Metric, f.Bits = c.seed, source, images.Digest(), f.training.metric, 32
	parts, err := images.Split(c.seed, 0.6, 0.2, 0.2)
	if err != nil {
		return err
	}
	sources, err := f.sources(ctx, c, metric, parts)
	if err != nil {
		return err
	}
	f.scan.surrogateConfig = f.surrogateConfig
	folder, err := f.training.open(cmd, c, run.Identity{Kind: run.Kind{Name: "surrogate-scan", Version: 1}, Settings: f.scan})
	if err != nil {
		return err
	}
	defer folder.Close()
	out := cmd.OutOrStdout()
	if !c.json {
		fmt.Fprintln(out, scanHead)
	}
	for i := range trials {
		if err := f.one(ctx, cmd, c, &trials[i], sources, metric, folder, fmt.Sprintf("%d of %d", i+1, len(trials))); err != nil {
			return f.training.explain(err)
		}
		if !c.json {
			fmt.Fprintln(out, trials[i].row())
		}
	}
	slices.SortStableFunc(trials, func(a, b trial) int { return cmp.Compare(a.error(), b.error()) })
	if err := folder.WriteJSON(run.Results, map[string]any{"trials": trials}); err != nil {
		return err
	}
	if c.json {
		return json.NewEncoder(out).Encode(trials)
	}
	fmt.Fprintf(out, "\nBest first:\n")
	return scanTable(out, trials)
}

// one trains a trial, or reads it if it is done.
func (f *surrogateScan) one(ctx context.Context, cmd *cobra.Command, c *common, t *trial, sources []*surrogate.Source, metric *emd.Metric, folder *run.Folder, which string) error {
	name := t.name() + ".json"
	err := run.ReadJSON(folder.Path(), name, t)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	job := &surrogateTrain{surrogateConfig: f.surrogateConfig}
	job.Architecture, job.Loss = t.Architecture, t.Loss
	if t.Loss == "potential" {
		job.Loss = ""
	}
	own := *c
	own.seed += uint64(t.Repeat-1) * 1000
	bar := newProgress(cmd.ErrOrStderr(), c)
	model, history, err := job.train(ctx, &own, sources, metric, folder, func(share float64, note string) {
		bar.set(share, which+", "+note)
	})
	bar.close()
	if err != nil {
		return err
	}
	p, q := sources[2].Pairs(c.seed, 5_000)
	a, err := surrogate.Compare(ctx, model, metric, p, q, emd.Settings{Threads: c.threads})
	if err != nil {
		return err
	}
	t.Best, t.Accuracy = history.BestEpoch, a.Accuracy
	// The weights and the checkpoints go by the trial's name from here on.
	base := folder.Path(run.Weights, run.SurrogateWeights)
	if err := os.Rename(base+run.WeightsEnding, folder.Path(run.Weights, t.name()+run.WeightsEnding)); err != nil {
		return err
	}
	for _, ending := range []string{"", ".gap"} {
		if err := os.Remove(base + run.CheckpointEnding + ending); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return outfile.Write(folder.Path(name), true, func(w io.Writer) error { return json.NewEncoder(w).Encode(t) })
}

const scanHead = "architecture         loss       no.     bias  spread  cosine     p10  best epoch"

func (t trial) row() string {
	a := t.Accuracy
	return fmt.Sprintf("%-20s %-10s %3d  %+.4f  %.4f  %.4f  %.4f  %10d", t.Architecture, t.Loss, t.Repeat, a.Bias, a.Spread, a.CosineMedian, a.CosineP10, t.Best)
}

func scanTable(w io.Writer, trials []trial) error {
	lines := []string{scanHead}
	for _, t := range trials {
		lines = append(lines, t.row())
	}
	_, err := io.WriteString(w, strings.Join(lines, "\n")+"\n")
	return err
}
