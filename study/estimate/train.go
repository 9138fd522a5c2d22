package estimate

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/loss"
	"barrow/model/file"
	"barrow/nn"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/page"
	"barrow/surrogate"
)

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0 means all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for
	Stream   func(name string) io.Reader      // what a name of Data stands for that is no file, as in images.Settings
	Cut      *run.Cut                         // the shard of a scan that is done; nil for all
	Trial    func(Trial)                      // told of every network of a scan as it is done
}

// Results are everything that a training found, without times.
type Results struct {
	Plan      Plan               `json:"config"`
	Accuracy  surrogate.Accuracy `json:"accuracy"` // on held-out pairs
	BestEpoch int                `json:"best_epoch"`
	Curve     [][2]float64       `json:"curve"` // training and validation loss of every epoch
	Pairs     PairSet            `json:"pairs"` // the held-out pairs, for drawing
}

// Times are the costs that differ from run to run.
type Times struct {
	Seconds []float64 `json:"seconds"` // of each training, in the call that finished it
}

// heldOut are the pairs that a network is measured on.
const heldOut = 5_000

// Train carries out a plan in a folder, resuming what is there. Everything that can
// be found wrong is found before the folder is made. Cancelling the context saves
// the training in hand.
func Train(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	w, err := p.Budget.begin(ctx, folder, Kind(), s, func(b Budget) any {
		p.Budget = b
		return p
	})
	if err != nil {
		return nil, err
	}
	defer w.folder.End(&err)
	ctx = w.folder.Record(ctx)
	t, err := w.train(ctx, run.SurrogateWeights, p, func(share float64, note string) { w.progress(0.98*share, note) })
	if err != nil {
		return nil, err
	}
	w.progress(0.98, "measuring")
	c, err := w.measure(ctx, run.SurrogateWeights)
	if err != nil {
		return nil, err
	}
	r := &Results{Plan: p, Accuracy: c.Accuracy, BestEpoch: t.BestEpoch, Curve: t.Curve}
	if r.Pairs, err = Measured("held-out", c); err != nil {
		return nil, err
	}
	if err := w.folder.WriteJSON(run.Times, Times{Seconds: []float64{t.Seconds}}); err != nil {
		return nil, err
	}
	if err := page.Write(w.folder, lay(r)); err != nil {
		return nil, err
	}
	return r, w.folder.WriteJSON(run.Results, r)
}

// work is a run in progress.
type work struct {
	folder   *run.Folder
	threads  int
	progress func(share float64, note string)
	metric   *emd.Metric
	sources  []*surrogate.Source // of training, validation and held-out pairs
	seed     uint64
}

// begin reads the images, notes in the budget what they are, and opens the folder
// for the settings that the budget completes.
func (b Budget) begin(ctx context.Context, folder string, kind run.Kind, s Settings, settings func(Budget) any) (*work, error) {
	w := &work{progress: s.Progress, seed: b.Seed}
	if w.progress == nil {
		w.progress = func(float64, string) {}
	}
	var err error
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, fmt.Errorf("estimate: %w", err)
	}
	points, err := hgcal.Positions(b.Metric)
	if err != nil {
		return nil, err
	}
	if w.metric, err = emd.Euclidean(points); err != nil {
		return nil, err
	}
	in, err := b.inputs()
	if err != nil {
		return nil, err
	}
	set, source, err := b.Input.Read(ctx, images.Settings{Seed: b.Seed, Threads: w.threads, Remark: s.Remark, Stream: s.Stream})
	if err != nil {
		return nil, err
	}
	models, err := b.encoders(w.threads, s.Remark)
	if err != nil {
		return nil, err
	}
	conditional := func(m *autoencoder.Model) bool { return m.Architecture().Conditional }
	if !slices.ContainsFunc(models, conditional) { // then columns change nothing
		set = set.WithoutColumns()
	}
	b.Source, b.Digest = source, set.Digest()
	parts, err := set.Split(b.Seed, 0.6, 0.2, 0.2)
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		var decoded [][]float64
		for _, model := range models {
			d, err := model.Decode(ctx, part)
			if err != nil {
				return nil, err
			}
			decoded = append(decoded, slices.Clone(d.Charge))
		}
		pairs, err := surrogate.NewSource(b.Kind, w.metric, part.Charge, decoded...)
		if err != nil {
			return nil, err
		}
		w.sources = append(w.sources, pairs)
	}
	w.folder, err = run.Open(folder, run.Identity{Kind: kind, Settings: settings(b), Inputs: in}, run.Settings{Force: s.Force, Remark: s.Remark, Cut: s.Cut})
	if err == nil && w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return w, err
}

// encoders are those whose decoded images are learnt from.
func (b Budget) encoders(threads int, remark func(string)) ([]*autoencoder.Model, error) {
	var models []*autoencoder.Model
	for _, name := range b.Encoders {
		m, err := file.Autoencoder(name, file.Settings{Threads: threads})
		if err != nil {
			return nil, err
		}
		if text := file.Assumed(name); text != "" && remark != nil {
			remark(text)
		}
		models = append(models, m)
	}
	if len(models) == 0 && b.Kind != surrogate.Pair {
		untrained, err := autoencoder.New(nn.Settings{Seed: b.Seed + 1, Threads: threads})
		if err != nil {
			return nil, err
		}
		models = append(models, untrained)
	}
	return models, nil
}

// trained is what is kept of a training that is done, beside the weights.
type trained struct {
	BestEpoch int          `json:"best_epoch"`
	Curve     [][2]float64 `json:"curve"`
	Seconds   float64      `json:"seconds"`
}

// train trains the network of a plan as a part of the run, unless it is there.
func (w *work) train(ctx context.Context, part string, p Plan, progress func(float64, string)) (trained, error) {
	var t trained
	start := time.Now()
	err := w.folder.Once(part, p, &t, func() ([]string, error) {
		h, err := w.fit(ctx, part, p, progress)
		if err != nil {
			return nil, err
		}
		t = trained{BestEpoch: h.BestEpoch, Seconds: time.Since(start).Seconds()}
		for _, e := range h.Epochs {
			t.Curve = append(t.Curve, [2]float64{e.Loss, e.Validation})
		}
		return []string{part + run.WeightsEnding}, nil
	})
	return t, err
}

// fit trains a network and saves its weights.
func (w *work) fit(ctx context.Context, part string, p Plan, progress func(float64, string)) (*nn.History, error) {
	weights, checkpoint := w.folder.Path(run.Weights, part+run.WeightsEnding), w.folder.Path(run.Weights, part+run.CheckpointEnding)
	cnn, potential, err := p.settings()
	if err != nil {
		return nil, err
	}
	if potential != nil {
		potential.Threads, potential.Checkpoint, potential.Progress = w.threads, checkpoint, progress
		m, h, err := surrogate.TrainPotential(ctx, w.sources[0], w.sources[1], w.metric, *potential)
		if err != nil {
			return nil, err
		}
		return h, outfile.Write(weights, true, func(out io.Writer) error { return m.Encode(out, p.Bits) })
	}
	cnn.Threads, cnn.Checkpoint, cnn.Progress = w.threads, checkpoint, progress
	m, h, err := surrogate.Train(ctx, w.sources[0], w.sources[1], w.metric, *cnn)
	if err != nil {
		return nil, err
	}
	return h, m.Save(weights)
}

// measure compares a trained network, as its file has it, with the exact EMD of
// held-out pairs.
func (w *work) measure(ctx context.Context, part string) (*surrogate.Comparison, error) {
	var m loss.Distance
	m, err := surrogate.Open(w.folder.Path(run.Weights, part+run.WeightsEnding), nn.Settings{Threads: w.threads})
	if err != nil {
		return nil, err
	}
	p, q := w.sources[2].Pairs(w.seed, heldOut)
	return surrogate.Compare(ctx, m, w.metric, p, q, emd.Settings{Threads: w.threads})
}
