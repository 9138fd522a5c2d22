package decoders

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"barrow/decoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/learned"
)

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // as many trainings at a time; 0: all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for; nil for nobody
	Stream   func(name string) io.Reader      // what a name of a file stands for that is none, as in images.Settings
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found
// wrong is found before the folder is made. Cancelling the context loses at most what a
// training has done since its last checkpoint.
func Start(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, _ *Times, err error) {
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	w := &work{plan: p, settings: s, start: time.Now()}
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, nil, fmt.Errorf("decoders: %w", err)
	}
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return nil, nil, err
	}
	if w.metric, err = emd.Euclidean(points); err != nil {
		return nil, nil, err
	}
	if _, err := w.loss(); err != nil {
		return nil, nil, err
	}
	if w.sets, err = w.plan.sets(ctx, images.Settings{Threads: w.threads, Remark: s.Remark, Stream: s.Stream}); err != nil {
		return nil, nil, err
	}
	encoders, err := p.encoders()
	if err != nil {
		return nil, nil, err
	}
	for _, k := range encoders {
		if err := k.encoder.check(p, w.sets, w.note); err != nil {
			return nil, nil, err
		}
	}
	for _, x := range w.sets {
		if x.train == nil {
			continue
		}
		if shared := learned.Shared(x.held, x.train, x.stop, x.validation); shared != "" {
			w.note(x.name + ": " + shared)
		}
	}
	w.kinds = append(w.plan.kinds(), encoders...)
	if left := w.plan.left(); len(left) > 0 && s.Remark != nil {
		s.Remark("not in the table, since they cannot use the links or leave nothing to a decoder: " + strings.Join(left, ", "))
	}
	id, err := w.plan.identity()
	if err != nil {
		return nil, nil, err
	}
	if w.folder, err = run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark}); err != nil {
		return nil, nil, err
	}
	defer w.folder.End(&err)
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return w.run(w.folder.Record(ctx))
}

// work is a run in progress.
type work struct {
	plan     Plan
	settings Settings
	threads  int
	folder   *run.Folder
	metric   *emd.Metric
	sets     []*set
	kinds    []kind
	remarks  []string // that the results keep
	start    time.Time

	jobs []job

	mu      sync.Mutex
	share   []float64 // done of each job
	lessons []lesson
}

// note makes a remark that the results keep.
func (w *work) note(text string) {
	w.remarks = append(w.remarks, text)
	if w.settings.Remark != nil {
		w.settings.Remark(text)
	}
}

// A job is the training of one decoder, for simulated images first and then for those of every
// file.
type job struct {
	kind
	seed uint64
}

// part is what a job's decoder of a set is called, 0 being the simulated images.
func (j job) part(set int) string {
	if set == 0 {
		return fmt.Sprintf("decoder-%s-seed%d", j.name(), j.seed)
	}
	return fmt.Sprintf("decoder-%s-set%d-seed%d", j.name(), set, j.seed)
}

// lesson is what is kept of a training.
type lesson struct {
	BestEpoch int      `json:"best_epoch"`
	Best      *float64 `json:"best_validation_loss"` // nil where nothing was trained, but the decoder taken over
	Seconds   float64  `json:"seconds"`              // of the call that finished it
}

// loss makes the plan's; a training has one of its own.
func (w *work) loss() (loss.Loss, error) {
	points, err := hgcal.Positions(w.plan.Metric)
	if err != nil {
		return nil, err
	}
	return loss.Parse(w.plan.Loss, loss.Resources{Metric: w.metric, Points: points, Threads: 1})
}

// run does what is not done yet and closes the run.
func (w *work) run(ctx context.Context) (*Results, *Times, error) {
	kinds := w.kinds
	for s := range w.plan.Seeds {
		for _, k := range kinds {
			w.jobs = append(w.jobs, job{k, w.plan.Seed + uint64(s)})
		}
	}
	w.share, w.lessons = make([]float64, len(w.jobs)), make([]lesson, len(w.jobs)*len(w.sets))
	err := w.parallel(ctx, len(w.jobs), func(ctx context.Context, n int) error {
		if err := w.train(ctx, n); err != nil {
			return fmt.Errorf("%s: %w", w.jobs[n].part(0), err)
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	rows := make([][]Row, len(kinds)*len(w.sets))
	done := 0
	err = w.parallel(ctx, len(rows), func(ctx context.Context, n int) (err error) {
		x := n / len(kinds)
		if rows[n], err = w.measure(ctx, x, kinds[n%len(kinds)]); err != nil {
			return fmt.Errorf("%s of %s: %w", kinds[n%len(kinds)].name(), w.sets[x].name, err)
		}
		w.mu.Lock()
		defer w.mu.Unlock()
		done++
		w.tell(shareTraining+(1-shareTraining)*float64(done)/float64(len(rows)), "measuring")
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	r := w.results(rows)
	times := &Times{Total: time.Since(w.start).Seconds()}
	for n, j := range w.jobs {
		for x := range w.sets {
			times.Trainings = append(times.Trainings, Training{j.part(x), w.lessons[n*len(w.sets)+x].Seconds})
		}
	}
	return r, times, w.finish(r, times)
}

// Times are the costs that differ from run to run.
type Times struct {
	Total     float64    `json:"total"` // seconds of the call that finished the run
	Trainings []Training `json:"trainings"`
}

// A Training took so many seconds of the call that finished it.
type Training struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
}

// parallel does n things, as many at a time as there are threads.
func (w *work) parallel(ctx context.Context, n int, do func(ctx context.Context, k int) error) error {
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(w.threads)
	for k := range n {
		group.Go(func() error {
			if err := inner.Err(); err != nil {
				return err
			}
			return do(inner, k)
		})
	}
	return group.Wait()
}

// shareTraining is that of a run's time.
const shareTraining = 0.95

func (w *work) tell(share float64, note string) {
	if w.settings.Progress != nil {
		w.settings.Progress(share, note)
	}
}

// progress notes how much of job n is done.
func (w *work) progress(n int, share float64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.share[n] = share
	sum, done := 0.0, 0
	for _, v := range w.share {
		sum += v
		if v == 1 {
			done++
		}
	}
	w.tell(shareTraining*sum/float64(len(w.jobs)), fmt.Sprintf("training %d of %d", min(done+1, len(w.jobs)), len(w.jobs)))
}

// train trains a job's decoders, unless they are there.
func (w *work) train(ctx context.Context, n int) error {
	weights := make([]float64, len(w.sets)) // images that are seen
	for x, set := range w.sets {
		weights[x] = float64(w.plan.Images)
		if set.train != nil {
			weights[x] = float64(tuned * set.train.Len() * w.plan.Tune)
		}
	}
	all, before := 0.0, 0.0
	for _, v := range weights {
		all += v
	}
	var first *decoder.Model
	for x := range w.sets {
		m, err := w.decoder(ctx, n, x, first, func(share float64, _ string) {
			w.progress(n, almost*(before+share*weights[x])/all)
		})
		if err != nil {
			return err
		}
		if x == 0 {
			first = m
		}
		before += weights[x]
	}
	w.progress(n, 1)
	return nil
}

// tuned is how many images stand for each of a file's in an epoch that goes on with those: turned
// ones and simulated ones.
const tuned = 7

// almost is the share of a job's work before it is saved.
const almost = 0.999

// weights is the file of a part's decoder.
func (w *work) weights(part string) string {
	return w.folder.Path(run.Weights, part+run.WeightsEnding)
}

// decoder trains the decoder of job n for a set, from that of simulated images if it is a
// file's, or opens it.
func (w *work) decoder(ctx context.Context, n, x int, first *decoder.Model, progress func(float64, string)) (*decoder.Model, error) {
	j, set := w.jobs[n], w.sets[x]
	part, start := j.part(x), time.Now()
	var m *decoder.Model
	err := w.folder.Once(part, j.part(0), &w.lessons[n*len(w.sets)+x], func() ([]string, error) {
		l, err := w.loss()
		if err != nil {
			return nil, err
		}
		chips, err := set.chips(j.kind)
		if err != nil {
			return nil, err
		}
		of := decoder.LearnSettings{
			Architecture: w.plan.Architecture, Course: w.plan.course(), Preset: w.plan.Preset, Seed: j.seed, Threads: 1,
			Checkpoint: w.folder.Path(run.Weights, part+run.CheckpointEnding), Progress: progress,
		}
		var h *nn.History
		switch {
		case set.train == nil:
			of.Preset = set.preset
			m, h, err = decoder.Pretrain(ctx, chips, l, of)
		case w.plan.Tune == 0:
			m = first
		default:
			m, h, err = decoder.Tune(ctx, first, chips, set.train, set.stop, l, of)
		}
		if err != nil {
			return nil, err
		}
		done := lesson{Seconds: time.Since(start).Seconds()}
		if h != nil {
			done.BestEpoch, done.Best = h.BestEpoch, &h.Best
		}
		w.lessons[n*len(w.sets)+x] = done
		return []string{part + run.WeightsEnding}, m.Save(w.weights(part))
	})
	if err == nil && m == nil {
		m, err = decoder.Load(w.weights(part), nn.Settings{Threads: 1})
	}
	return m, err
}
