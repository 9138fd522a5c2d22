package compare

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/study/internal/page"
	"barrow/wafer"
)

// Resources are what a comparison needs beside the plan and the images.
type Resources struct {
	Threads  int                              // processors, as many trainings at a time; 0 means all; never changes a result
	CNN      func() (loss.Distance, error)    // loads the EMD CNN anew; nil where there is none
	Progress func(share float64, note string) // share of the work that is done, in [0,1]; nil for none
	// Shared is set where every shard of the run needs all encoders: they share the trainings, and
	// only who does the whole run measures.
	Shared bool
	// Start is the weights file of an encoder to start from, of the same architecture but perhaps
	// for the widths of its outputs; "" for none.
	Start string
	// Further measures what more there is to the trained encoders of the table and puts it
	// there, before the run is closed; nil for nothing. It resumes what it has begun itself.
	Further func(ctx context.Context, folder string, t *Table) error
}

// record is what is kept of a finished training.
type record struct {
	Epochs    int     `json:"epochs"`
	BestEpoch int     `json:"best_epoch"`
	Best      float64 `json:"best_validation_loss"`
	// EMD is the mean EMD of the validation images at that epoch, where it is watched.
	EMD     float64 `json:"validation_emd,omitempty"`
	Seconds float64 `json:"seconds"` // of training, by the clock, of all calls that had a part in it; of the last one if it diverged
	// Curve is the training and validation loss of every epoch.
	Curve [][2]float64 `json:"curve"`
	// Diverged is why the training ended before its time: a number that is none, or nothing arrived. Under a protocol
	// that is a result, and the encoder is the untrained one.
	Diverged string `json:"diverged,omitempty"`
}

// Run carries out the plan in the folder, resuming what is there, and returns
// the table; it writes results.json, times.json and report.html. Cancelling the
// context saves the trainings in hand.
func Run(ctx context.Context, f *run.Folder, p Plan, d Data, r Resources) (*Table, *Times, error) {
	table, times, err := Train(ctx, f, p, d, r)
	if err != nil {
		return nil, nil, err
	}
	if table.Chip, err = chip(ctx, f, table.Plan, d, r); err != nil {
		return nil, nil, err
	}
	if r.Further != nil {
		if err := r.Further(ctx, f.Path(), table); err != nil {
			return nil, nil, err
		}
	}
	return table, times, finish(f, table, times)
}

// Best is Run for a plan of one kind of encoder: the one with the smallest
// validation loss of all seeds is kept under the name of its loss, and the table
// says which that is.
func Best(ctx context.Context, f *run.Folder, p Plan, d Data, r Resources) (*Table, *Times, error) {
	table, times, err := Train(ctx, f, p, d, r)
	if err != nil {
		return nil, nil, err
	}
	if table.Chip, err = chip(ctx, f, table.Plan, d, r); err != nil {
		return nil, nil, err
	}
	if err := Keep(f, table); err != nil {
		return nil, nil, err
	}
	return table, times, finish(f, table, times)
}

// Keep saves the encoder of the best seed of a table of one kind under the name of its loss, and
// says in the table which it is.
func Keep(f *run.Folder, table *Table) error {
	if len(table.Rows) != 1 {
		return fmt.Errorf("compare: %d kinds of encoders have no best seed", len(table.Rows))
	}
	j := table.Plan.Jobs()[best(table.Rows[0].Validation)]
	kept := run.EncoderWeights + loss.FileName(j.Loss) + run.WeightsEnding
	m, err := autoencoder.Load(Weights(f, j), nn.Settings{Threads: 1})
	if err != nil {
		return err
	}
	if err := m.Save(f.Path(run.Weights, kept)); err != nil {
		return err
	}
	table.Kept = &Kept{Seed: j.Seed, File: path.Join(run.Weights, kept)}
	return nil
}

// finish writes what closes a run.
func finish(f *run.Folder, table *Table, times *Times) error {
	if err := f.WriteJSON(run.Times, times); err != nil {
		return err
	}
	if err := page.Write(f, Lay(table, times)); err != nil {
		return err
	}
	// The results close the run: with them in place it counts as finished.
	return f.WriteJSON(run.Results, table)
}

// Train carries out the plan without closing the run, for studies of which it
// is a part. The table is nil for a shard of trainings that are [Resources.Shared].
func Train(ctx context.Context, f *run.Folder, p Plan, d Data, r Resources) (*Table, *Times, error) {
	p = p.Complete()
	if err := p.Check(r.CNN != nil); err != nil {
		return nil, nil, err
	}
	threads, err := limit.Threads(r.Threads)
	if err != nil {
		return nil, nil, fmt.Errorf("compare: %w", err)
	}
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return nil, nil, err
	}
	w := &work{plan: p, folder: f, resources: r, threads: threads, points: points, jobs: slices.Concat(p.Jobs(), p.trials(), p.lessons())}
	w.share = make([]float64, len(w.jobs))
	if w.metric, err = emd.Euclidean(points); err != nil {
		return nil, nil, err
	}
	for k, set := range []*wafer.Set{d.Train, d.Validation, d.Test} {
		if w.data[k], err = set, p.images(set); err != nil {
			return nil, nil, err
		}
	}
	if len(p.Pretrain) > 0 {
		if w.before, err = d.Pretraining, p.images(d.Pretraining); err != nil {
			return nil, nil, fmt.Errorf("pretraining: %w", err)
		}
	}
	w.records = make([]record, len(w.jobs))
	if err := w.train(f.Record(ctx)); err != nil {
		return nil, nil, err
	}
	if r.Shared && f.Sharded() {
		return nil, nil, nil
	}
	if err := f.EndShard(); err != nil {
		return nil, nil, err
	}
	return w.table(ctx)
}

// images checks that a set has what the plan's encoders need of it.
func (p Plan) images(set *wafer.Set) error {
	if set == nil || set.Len() == 0 {
		return errors.New("compare: no images to train on, to choose by or to measure")
	}
	if p.Conditional {
		_, err := autoencoder.Conditions(set)
		return err
	}
	return nil
}

type work struct {
	plan      Plan
	folder    *run.Folder
	resources Resources
	threads   int
	metric    *emd.Metric
	points    []hgcal.Point
	data      [3]*wafer.Set // training, validation, test
	before    *wafer.Set    // of the pretraining
	jobs      []Job         // the plan's, then its trials

	mu      sync.Mutex
	share   []float64 // done of each job
	records []record
}

// cost of a training with the loss, of those that Check has passed.
func cost(name string) float64 {
	t, err := loss.Describe(name)
	if err != nil {
		return 1
	}
	return t.Cost
}

// train does the jobs, as many at a time as there are threads.
func (w *work) train(ctx context.Context) error {
	if w.resources.Shared {
		var parts []string
		for _, j := range w.jobs {
			parts = append(parts, run.EncoderWeights+j.Name())
		}
		return w.folder.Share(ctx, parts, w.threads, w.named)
	}
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(w.threads)
	for k := range w.jobs {
		if !w.folder.Mine(k) {
			continue
		}
		group.Go(func() error {
			return w.named(inner, k)
		})
	}
	return group.Wait()
}

// named does a job, which an error names.
func (w *work) named(ctx context.Context, k int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := w.job(ctx, k); err != nil {
		return fmt.Errorf("%s: %w", w.jobs[k].Name(), err)
	}
	return nil
}

// each is how many threads one training gets.
func (w *work) each() int { return max(1, w.threads/len(w.jobs)) }

// file is one of a job's files.
func (w *work) file(prefix string, j Job, ending string) string {
	return w.folder.Path(run.Weights, prefix+j.Name()+ending)
}

// Weights is the file with the weights of a finished job in a run's folder.
func Weights(f *run.Folder, j Job) string {
	return f.Path(run.Weights, j.part()+run.WeightsEnding)
}

// saver is a trained network.
type saver interface{ Save(path string) error }

// network trains that of a job: an encoder, or a decoder of the chip's frames.
func (w *work) network(ctx context.Context, k int) (saver, *nn.History, error) {
	if w.jobs[k].Algorithm != "" {
		return w.lesson(ctx, k)
	}
	return w.fit(ctx, k)
}

// job trains one network, unless it is there.
func (w *work) job(ctx context.Context, k int) error {
	j, part, start := w.jobs[k], w.jobs[k].part(), time.Now()
	err := w.folder.Once(part, j, &w.records[k], func() ([]string, error) {
		m, h, err := w.network(ctx, k)
		var diverged *nn.DivergedError
		// An encoder of which nothing arrives has no EMD.
		if w.plan.Protocol != nil && (errors.As(err, &diverged) || errors.Is(err, emd.ErrEmpty)) {
			return w.untrained(ctx, k, err, time.Since(start).Seconds())
		}
		if err != nil {
			return nil, err
		}
		r := record{Epochs: len(h.Epochs), BestEpoch: h.BestEpoch, Best: h.Best, Seconds: h.Seconds}
		switch {
		case j.Algorithm != "":
			r.EMD = h.Best
		case h.BestEpoch > 0:
			r.EMD = h.Epochs[h.BestEpoch-1].Figures[run.MeasuredEMD]
		}
		for _, e := range h.Epochs {
			r.Curve = append(r.Curve, [2]float64{e.Loss, e.Validation})
		}
		w.records[k] = r
		return []string{part + run.WeightsEnding}, m.Save(Weights(w.folder, j))
	})
	if err == nil {
		w.progress(k, 1)
	}
	return err
}

// untrained keeps the encoder that a job started from, since its training diverged.
func (w *work) untrained(ctx context.Context, k int, why error, seconds float64) ([]string, error) {
	j := w.jobs[k]
	var m saver
	var err error
	if j.Algorithm != "" {
		m, err = w.unlearnt(ctx, k)
	} else {
		m, err = autoencoder.Begin(w.data[0], autoencoder.Settings{Architecture: j.Architecture, Seed: j.Seed, Threads: 1, Budget: w.plan.Budget, Start: w.start()})
	}
	if err != nil {
		return nil, err
	}
	w.records[k] = record{Best: math.MaxFloat64, EMD: math.MaxFloat64, Curve: [][2]float64{}, Diverged: why.Error(), Seconds: seconds}
	return []string{j.part() + run.WeightsEnding}, m.Save(Weights(w.folder, j))
}

// start is the weights file that trainings start from, "" for random weights.
func (w *work) start() string { return cmp.Or(w.resources.Start, w.plan.Start) }

// loss makes one by name.
func (w *work) loss(name string) (loss.Loss, error) {
	r := loss.Resources{Metric: w.metric, Threads: w.each(), Points: w.points}
	t, err := loss.Describe(name)
	if err != nil {
		return nil, err
	}
	if w.resources.CNN != nil && t.CNN {
		if r.CNN, err = w.resources.CNN(); err != nil {
			return nil, err
		}
	}
	return loss.Parse(name, r)
}

// fit trains the encoder of a job and, if the job's loss has two parts, another
// decoder for it.
func (w *work) fit(ctx context.Context, k int) (*autoencoder.Model, *nn.History, error) {
	j, p := w.jobs[k], w.plan
	s := autoencoder.Settings{
		Architecture: j.Architecture, Seed: j.Seed, Threads: w.each(),
		Budget: p.Budget, Start: w.start(),
	}
	var err error
	if s.Watch, err = w.loss(run.MeasuredEMD); err != nil {
		return nil, nil, err
	}
	if j.Rate != 0 {
		s.Rate = j.Rate
	}
	share := func(from, to float64) func(float64) {
		return func(done float64) { w.progress(k, (from+(to-from)*done)*almost) }
	}
	decoder, encoder, err := loss.Stages(j.Loss)
	if err != nil {
		return nil, nil, err
	}
	if encoder == "" {
		return w.phases(ctx, decoder, run.EncoderWeights, k, s, share(0, 1))
	}
	first := s
	first.Architecture = p.withOutput(s.Architecture, encoder)
	s.Encoder = w.file(encoderOf, j, run.WeightsEnding)
	before, err := w.once(encoderOf, j, func() (*autoencoder.Model, *nn.History, error) {
		return w.phases(ctx, encoder, encoderOf, k, first, share(0, 0.5))
	})
	if err != nil {
		return nil, nil, fmt.Errorf("its encoder: %w", err)
	}
	m, h, err := w.phases(ctx, decoder, run.EncoderWeights, k, s, share(0.5, 1))
	return m, later(h, before), err
}

// phases trains with a loss, on the images of the pretraining first if there are
// any. prefix begins the files' names; progress gets the share that is done.
func (w *work) phases(ctx context.Context, lossName, prefix string, k int, s autoencoder.Settings, progress func(float64)) (*autoencoder.Model, *nn.History, error) {
	l, err := w.loss(lossName)
	if err != nil {
		return nil, nil, err
	}
	before, first, all := 0.0, 0.0, float64(s.Epochs*w.data[0].Len())
	phase := func(from, to float64) func(float64, string) {
		return func(share float64, _ string) { progress((from + (to-from)*share) / all) }
	}
	if len(w.plan.Pretrain) > 0 {
		first = float64(w.plan.PretrainEpochs * w.before.Len())
		all += first
		named := pretrained
		if prefix == encoderOf {
			named += encoderOf
		}
		t := s
		t.Epochs, t.Checkpoint, t.Progress = w.plan.PretrainEpochs, w.file(named, w.jobs[k], run.CheckpointEnding), phase(0, first)
		s.Start = w.file(named, w.jobs[k], run.WeightsEnding)
		before, err = w.once(named, w.jobs[k], func() (*autoencoder.Model, *nn.History, error) {
			return autoencoder.Train(ctx, w.before, w.data[1], l, t)
		})
		if err != nil {
			return nil, nil, fmt.Errorf("pretraining: %w", err)
		}
		s.Rate /= 10
	}
	s.Checkpoint, s.Progress = w.file(prefix, w.jobs[k], run.CheckpointEnding), phase(first, all)
	m, h, err := autoencoder.Train(ctx, w.data[0], w.data[1], l, s)
	return m, later(h, before), err
}

// later is the history of a training, with the seconds of what went before it.
func later(h *nn.History, before float64) *nn.History {
	if h != nil {
		h.Seconds += before
	}
	return h
}

// once trains a model that a job starts from, unless it is there. prefix begins
// its files' names; seconds are the training's.
func (w *work) once(prefix string, j Job, train func() (*autoencoder.Model, *nn.History, error)) (seconds float64, err error) {
	part := prefix + j.Name()
	var took struct {
		Seconds float64 `json:"seconds"`
	}
	err = w.folder.Once(part, j, &took, func() ([]string, error) {
		m, h, err := train()
		if err != nil {
			return nil, err
		}
		took.Seconds = h.Seconds
		return []string{part + run.WeightsEnding}, m.Save(w.file(prefix, j, run.WeightsEnding))
	})
	return took.Seconds, err
}

// What the names of a job's further files begin with: those of its pretraining
// and those of the encoder that another decoder is trained for.
const (
	pretrained = "pretrained-"
	encoderOf  = "encoder-of-"
)

// almost is the share of a job's work after its last epoch: its weights are yet
// to be saved. trained is the share of all work after the last training: the
// encoders are yet to be measured.
const (
	almost  = 0.999
	trained = 0.98
)

func (w *work) progress(k int, share float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.share[k] = share
	if w.resources.Progress == nil {
		return
	}
	all, done, n := 0.0, 0.0, 0
	for i, j := range w.jobs {
		c := cost(j.Loss)
		all += c
		done += c * w.share[i]
		if w.share[i] == 1 {
			n++
		}
	}
	w.resources.Progress(trained*done/all, fmt.Sprintf("training %d of %d", min(n+1, len(w.jobs)), len(w.jobs)))
}
