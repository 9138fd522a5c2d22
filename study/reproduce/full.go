package reproduce

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/internal/page"
	"barrow/surrogate"
	"barrow/wafer"
)

// fullPrecisions are the number formats that Full compares by default.
func fullPrecisions() []string { return []string{"float", "qkeras-5bit", "asic"} }

// FullDefault is the full comparison: every encoder sees 1,200,000 images, whatever their
// number.
func FullDefault() Config {
	c := Default()
	c.Events, c.Precisions, c.Seeds = 20_000, fullPrecisions(), 5
	c.Seen, c.Pairs, c.CNNEpochs, c.CNNBatch = 1_200_000, 1_500_000, 30, 256
	return c
}

// FullResults are everything that a full run found.
type FullResults struct {
	*compare.Table
	// Bandwidth is the chip's other algorithms on the held-out images.
	Bandwidth *Bandwidth `json:"at_equal_bandwidth"`
}

// Full trains the EMD CNN on the training images and what two encoders make of
// them, then every encoder of the plan, and measures them on the held-out
// images; with a pretraining in the plan the EMD CNN and the encoders first learn
// from its images. It resumes what the folder holds; threads never change a
// result.
func Full(ctx context.Context, f *run.Folder, c Config, images, pretraining *wafer.Set, s Settings) (*FullResults, *compare.Times, error) {
	if err := c.check(images); err != nil {
		return nil, nil, err
	}
	data, err := compare.Split(images, c.Seed)
	if err != nil {
		return nil, nil, err
	}
	if data.Pretraining = pretraining; len(c.Pretrain) > 0 && (pretraining == nil || pretraining.Len() == 0) {
		return nil, nil, errors.New("reproduce: the plan has a pretraining, but there are no images for it")
	}
	if s, err = s.prepared(); err != nil {
		return nil, nil, err
	}
	ctx = f.Record(ctx)
	w := &full{folder: f, c: c, data: data, threads: s.Threads, progress: s.Progress}
	// First, because they take a second and may find the images at fault.
	chip, err := w.bandwidth(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := w.network(ctx); err != nil {
		return nil, nil, fmt.Errorf("EMD CNN: %w", err)
	}
	path := f.Path(run.Weights, run.SurrogateWeights+run.WeightsEnding)
	table, times, err := compare.Train(ctx, f, c.Plan, data, compare.Resources{
		Threads:  w.threads,
		CNN:      func() (loss.Distance, error) { return surrogate.LoadCNN(path, nn.Settings{Threads: 1}) },
		Progress: func(share float64, note string) { w.progress(shareCNN+(1-shareCNN)*share, "encoders: "+note) },
	})
	if err != nil {
		return nil, nil, err
	}
	if len(c.Learned) > 0 {
		decoded, err := decoders(ctx, f, c, data, w.threads, func(_ float64, note string) { w.progress(1, "decoders: "+note) })
		if err != nil {
			return nil, nil, fmt.Errorf("decoders: %w", err)
		}
		if chip, err = w.bandwidth(ctx, decoded...); err != nil {
			return nil, nil, err
		}
	}
	results := &FullResults{table, chip}
	return results, times, w.finish(results, times)
}

// finish writes what closes a run, the results last.
func (w *full) finish(r *FullResults, times *compare.Times) error {
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return err
	}
	if err := w.folder.Write(run.Tables, func(out io.Writer) error { return writeFull(out, r) }); err != nil {
		return err
	}
	if err := page.Write(w.folder, layFull(r, times)); err != nil {
		return err
	}
	return w.folder.WriteJSON(run.Results, r)
}

// bandwidth measures the chip's other algorithms on the held-out images, with decoders that
// learned for some.
func (w *full) bandwidth(ctx context.Context, decoded ...evaluate.Scheme) (*Bandwidth, error) {
	metric, err := groundMetric(w.c.Metric)
	if err != nil {
		return nil, err
	}
	points, err := hgcal.Positions(w.c.Metric)
	if err != nil {
		return nil, err
	}
	return baselines(ctx, metric, w.data.Test, w.c.Density, evaluate.Settings{Threshold: w.c.Threshold, Threads: w.threads, Points: points}, decoded...)
}

// Shares of a full run's time, measured.
const (
	shareDecoders = 0.01
	shareCNN      = 0.1 // with the decoders
)

type full struct {
	folder   *run.Folder
	c        Config
	data     compare.Data
	threads  int
	progress func(share float64, note string)
}

// network trains the EMD CNN unless it is there.
func (w *full) network(ctx context.Context) error {
	return w.folder.Once(run.SurrogateWeights, nil, &struct{}{}, func() ([]string, error) {
		file := run.SurrogateWeights + run.WeightsEnding
		m, err := w.train(ctx)
		if err != nil {
			return nil, err
		}
		return []string{file}, m.Save(w.folder.Path(run.Weights, file))
	})
}

// train trains the EMD CNN.
func (w *full) train(ctx context.Context) (*surrogate.CNN, error) {
	metric, err := groundMetric(w.c.Metric)
	if err != nil {
		return nil, err
	}
	train, epochs := w.data.Train, max(1, w.c.Epochs/3)
	if p := w.c; len(p.Pretrain) > 0 {
		train, epochs = w.data.Pretraining, max(1, p.PretrainEpochs/3)
	}
	var decoders []*autoencoder.Model
	for k, name := range []string{"telescope", "emd"} {
		m, err := w.decoder(ctx, metric, train, epochs, name, float64(k)/2)
		if err != nil {
			return nil, err
		}
		decoders = append(decoders, m)
	}
	var sources [2]*surrogate.Source
	for k, set := range []*wafer.Set{train, w.data.Validation} {
		var decoded [][]float64
		for _, m := range decoders {
			d, err := m.Decode(ctx, set)
			if err != nil {
				return nil, err
			}
			decoded = append(decoded, d.Charge)
		}
		if sources[k], err = surrogate.NewSource(surrogate.Fresh, metric, set.Charge, decoded...); err != nil {
			return nil, err
		}
	}
	m, _, err := surrogate.Train(ctx, sources[0], sources[1], metric, surrogate.Settings{
		Architecture: w.c.CNN, Seed: w.c.Seed, Threads: w.threads, Pairs: w.c.pairs(), Epochs: w.c.CNNEpochs, Batch: w.c.CNNBatch,
		Validation: max(200, min(5000, w.c.pairs()/10)), Checkpoint: w.folder.Path(run.Weights, run.SurrogateWeights+run.CheckpointEnding),
		Progress: func(share float64, note string) {
			w.progress(shareDecoders+share*(shareCNN-shareDecoders), "emd-cnn: "+note)
		},
	})
	return m, err
}

// decoder trains one of the encoders whose images the EMD CNN learns from.
func (w *full) decoder(ctx context.Context, metric *emd.Metric, train *wafer.Set, epochs int, name string, share float64) (*autoencoder.Model, error) {
	l, err := loss.Parse(name, loss.Resources{Metric: metric, Threads: w.threads})
	if err != nil {
		return nil, err
	}
	budget := w.c.Budget
	budget.Epochs, budget.Patience = epochs, 0
	m, _, err := once(w.folder, w.threads, "decoder-"+name, func(checkpoint string) (*autoencoder.Model, *nn.History, error) {
		return autoencoder.Train(ctx, train, w.data.Validation, l, autoencoder.Settings{
			Architecture: w.c.Encoder(name, "float", 0), Budget: budget, Seed: w.c.Seed + 1000, Threads: w.threads, Checkpoint: checkpoint,
			Progress: func(done float64, note string) {
				w.progress(shareDecoders*(share+done/2), "decoders: "+name+", "+note)
			},
		})
	}, autoencoder.Load)
	return m, err
}

// paperBin is a row of the paper's tables: the median EMD of its quantised
// encoders on its electrons (read off the figures, ±0.01).
type paperBin struct{ low, high, at, weighted, telescope, cnn float64 }

// Sources: the authors' executed plotting notebook (docs/results.md).
var paperOccupancy = []paperBin{
	{0, 4, 1.9, 1.736, 1.344, 0.955}, {4, 8, 5.9, 1.478, 1.284, 0.943}, {8, 12, 9.8, 1.335, 1.126, 0.863},
	{12, 16, 13.7, 1.302, 0.970, 0.750}, {16, 20, 17.6, 1.318, 0.886, 0.672}, {20, 24, 21.4, 1.282, 0.865, 0.655},
	{24, 28, 25.4, 1.150, 0.890, 0.675}, {28, 32, 29.3, 1.088, 0.865, 0.649}, {32, 36, 33.2, 1.051, 0.801, 0.620},
	{36, 40, 37.1, 1.009, 0.768, 0.575},
}

var paperEta = []paperBin{
	{1.6, 1.74, 1.67, 1.807, 1.378, 0.948}, {1.74, 1.88, 1.81, 1.656, 1.412, 0.988}, {1.88, 2.02, 1.95, 1.544, 1.392, 1.006},
	{2.02, 2.16, 2.09, 1.457, 1.330, 0.983}, {2.16, 2.3, 2.23, 1.386, 1.246, 0.943}, {2.3, 2.44, 2.37, 1.301, 1.141, 0.885},
	{2.44, 2.58, 2.51, 1.259, 1.083, 0.853}, {2.58, 2.72, 2.65, 1.175, 0.947, 0.764}, {2.72, 2.86, 2.79, 1.146, 0.890, 0.731},
	{2.86, 3, 2.93, 1.094, 0.859, 0.648},
}

// paperPrecision is that of the paper's figures.
const paperPrecision = "qkeras-5bit"

// writeFull writes the tables of a full run as Markdown: all encoders, then the
// paper's figures beside ours, row by row.
func writeFull(w io.Writer, r *FullResults) error {
	p, t := &printer{w: w}, r.Table
	p.line("%s: %d training, %d validation, %d held-out images, SHA-256 %.16s…; %d seeds; %d epochs in batches of %d.\n",
		t.Plan.Source, t.Images[0], t.Images[1], t.Images[2], t.Plan.Digest, t.Plan.Seeds, t.Plan.Epochs, t.Plan.Batch)
	p.line("| precision | loss | mean EMD | worst seed | median [16 %%, 84 %%] | ratio to telescope | made worse |%s", columns(t, func(f compare.FigureSpread) string { return f.Label }))
	p.line("|---|---|---|---|---|---|---|%s", columns(t, func(compare.FigureSpread) string { return "---" }))
	for _, r := range t.Rows {
		line := fmt.Sprintf("| %s | %s | %.3f ± %.3f | %.3f | %.3f [%.2f, %.2f] | %.3f ± %.3f | %.1f %% |", r.Precision, r.Loss,
			r.EMD.Mean, r.EMD.Std, r.Worst, r.Median.Mean, r.P16.Mean, r.P84.Mean, r.Ratio.Mean, r.Ratio.Std, 100*r.Worse)
		for _, f := range r.Figures {
			line += " " + f.Print() + " |"
		}
		p.line("%s", line)
	}
	p.line("")
	for _, precision := range t.Plan.Precisions {
		exact, cnn := t.Row("emd", precision, 0), t.Row("emd-cnn", precision, 0)
		if exact == nil || cnn == nil {
			continue
		}
		n := 0
		for k, v := range exact.EMD.Values {
			if v <= cnn.EMD.Values[k] {
				n++
			}
		}
		p.line("%s: the exact EMD's mean is not above the EMD CNN's for %d of %d seeds.\n", precision, n, t.Plan.Seeds)
	}
	p.bandwidth(r)
	p.beside(t, "cells above 1 MIP_T", "%.0f–%.0f", 1, paperOccupancy, func(r *compare.Row) []compare.Bin { return r.ByOccupancy })
	p.beside(t, "\\|η\\|", "%.2f–%.2f", 0, paperEta, func(r *compare.Row) []compare.Bin { return r.ByEta })
	return p.err
}

// columns says something of each of the rows' figures of merit in a column of its
// own.
func columns(t *compare.Table, say func(compare.FigureSpread) string) string {
	line := ""
	for _, f := range t.Figures() {
		line += " " + say(f) + " |"
	}
	return line
}

type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, a ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", a...)
	}
}

// bandwidth writes the chip's other algorithms beside the best encoder of each
// precision.
func (p *printer) bandwidth(r *FullResults) {
	b := r.Bandwidth
	if b == nil {
		return
	}
	if b.Missing != "" {
		p.line("The chip's other algorithms are not compared: %s.\n", b.Missing)
		return
	}
	p.line("The chip's other algorithms on the same held-out images, mean EMD by links of 32 bits (wafer density: %s); an encoder with 16 outputs of nine bits needs %d:\n", b.Density, b.EncoderLinks)
	p.line("| sent | decoded as | 1 link | 2 links | 3 links | 4 links | 5 links | response | nothing arrives |")
	p.line("|---|---|---|---|---|---|---|---|---|")
	for _, row := range b.kinds() {
		cells := [encoderLinks]string{"–", "–", "–", "–", "–"}
		last := row[0]
		for _, x := range row {
			if x.Result.Links <= b.EncoderLinks {
				cells[x.Result.Links-1], last = fmt.Sprintf("%.3f", x.emd().Mean), x
			}
		}
		p.line("| %s | %s | %s | %.3f | %.1f %% |", last.Result.Name, last.decoding(), strings.Join(cells[:], " | "), last.Result.Fidelity.Of(evaluate.Response).Mean, 100*last.Result.Empty)
	}
	p.line("\nResponse and empty images: on the most links of the row.\n")
}

// beside writes one of the paper's tables with ours beside it; bins that hold
// whole numbers up to high−less are named so.
func (p *printer) beside(t *compare.Table, x, edges string, less float64, paper []paperBin, bins func(*compare.Row) []compare.Bin) {
	w, te, cnn, exact := t.Row("weighted-mse", paperPrecision, 0), t.Row("telescope", paperPrecision, 0), t.Row("emd-cnn", paperPrecision, 0), t.Row("emd", paperPrecision, 0)
	if w == nil || te == nil || cnn == nil || exact == nil || len(bins(w)) == 0 {
		return
	}
	at := func(r *compare.Row, low float64) float64 {
		for _, b := range bins(r) {
			if b.Low > low-1e-6 && b.Low < low+1e-6 {
				return b.Median
			}
		}
		return 0
	}
	p.line("Median EMD against %s, %s, paper | ours:\n", x, paperPrecision)
	p.line("| %s | weighted MSE | telescope | EMD CNN | exact EMD | EMD CNN / telescope | EMD CNN / weighted | exact / telescope |", x)
	p.line("|---|---|---|---|---|---|---|---|")
	for _, b := range paper {
		a, c, d, e := at(w, b.low), at(te, b.low), at(cnn, b.low), at(exact, b.low)
		name := fmt.Sprintf(edges, b.low, b.high-less)
		if a == 0 || c == 0 {
			p.line("| %s | %.3f \\| – | %.3f \\| – | %.3f \\| – | – | %.2f \\| – | %.2f \\| – | – |", name, b.weighted, b.telescope, b.cnn, b.cnn/b.telescope, b.cnn/b.weighted)
			continue
		}
		p.line("| %s | %.3f \\| %.3f | %.3f \\| %.3f | %.3f \\| %.3f | %.3f | %.2f \\| %.2f | %.2f \\| %.2f | %.2f |", name,
			b.weighted, a, b.telescope, c, b.cnn, d, e, b.cnn/b.telescope, d/c, b.cnn/b.weighted, d/a, e/c)
	}
	p.line("")
}
