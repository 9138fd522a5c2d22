package drift

import (
	"context"
	"fmt"
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
)

// Settings of how a run is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0: all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for; nil for nobody
}

// Times are what the clock said: of this call, not of those before an interruption.
type Times struct {
	Seconds float64 `json:"seconds"`
}

// work is a run in progress.
type work struct {
	plan    Plan
	threads int
	folder  *run.Folder
	metric  *emd.Metric
	site    *site
	tell    func(share float64, note string)

	mu   sync.Mutex
	done float64 // of the work, in the units of total
	all  float64
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found wrong is
// found before the folder is made.
func Start(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, _ *Times, err error) {
	start := time.Now()
	w, err := begin(folder, p, s)
	if err != nil {
		return nil, nil, err
	}
	defer w.folder.End(&err)
	r, err := w.run(w.folder.Record(ctx))
	if err != nil {
		return nil, nil, err
	}
	times := &Times{Seconds: time.Since(start).Seconds()}
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return nil, nil, err
	}
	if err := page.Write(w.folder, lay(r)); err != nil {
		return nil, nil, err
	}
	return r, times, w.folder.WriteJSON(run.Results, r)
}

// begin opens all that the plan names, and the folder.
func begin(folder string, p Plan, s Settings) (*work, error) {
	w := &work{tell: s.Progress}
	if w.tell == nil {
		w.tell = func(float64, string) {}
	}
	var err error
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	if err := p.Check(); err != nil {
		return nil, err
	}
	if err := p.read(); err != nil {
		return nil, err
	}
	if w.site, err = p.site(); err != nil {
		return nil, err
	}
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return nil, err
	}
	if w.metric, err = emd.Euclidean(points); err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	w.plan = p
	id, err := p.identity()
	if err != nil {
		return nil, err
	}
	if w.folder, err = run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark}); err != nil {
		return nil, err
	}
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return w, nil
}

// further is the work of each training that goes on from the first one, in images that pass through a
// network, and following that of a drift's tuning.
func (p Plan) further() float64 { return float64(p.More) * float64(p.MoreFor) }

func (p Plan) following() float64 {
	return float64(p.Steps*len(p.Vectors)*len(p.Methods)) * float64(p.Tries*p.Events) / 4
}

// retrained are the steps at which decoder and all are trained anew.
func (p Plan) retrained() []int {
	var steps []int
	for s := p.Every; s <= p.Steps; s += p.Every {
		steps = append(steps, s)
	}
	return steps
}

// run does all parts: the detectors' trainings, then their drifts.
func (w *work) run(ctx context.Context) (*Results, error) {
	p := w.plan
	first := float64(p.Epochs*p.Train) + 2*p.further()
	if p.tunes() {
		first += p.further()
	}
	again := 3 * float64(len(p.retrained())) * p.further()
	w.all = float64(p.Seeds) * (first + float64(len(p.Changes))*(again+p.following()))
	detectors := make([]*detector, p.Seeds)
	err := w.each(ctx, p.Seeds, func(ctx context.Context, k int) (err error) {
		detectors[k], err = w.prepare(ctx, k)
		return err
	})
	if err != nil {
		return nil, err
	}
	tracks := make([]Track, p.Seeds*len(p.Changes))
	if err := w.each(ctx, len(tracks), func(ctx context.Context, k int) error {
		return w.follow(ctx, detectors[k%p.Seeds], &p.Changes[k/p.Seeds], k%p.Seeds, &tracks[k])
	}); err != nil {
		return nil, err
	}
	r := &Results{Plan: p}
	for i, d := range p.Changes {
		r.Courses = append(r.Courses, courseOf(p, d, tracks[i*p.Seeds:(i+1)*p.Seeds]))
	}
	return r, nil
}

// each does parts that do not depend on each other, as many at a time as there are threads.
func (w *work) each(ctx context.Context, n int, do func(ctx context.Context, k int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(w.threads)
	for k := range n {
		group.Go(func() error { return do(ctx, k) })
	}
	return group.Wait()
}

// progress is that of a part of so much work.
func (w *work) progress(size float64, note string) func(share float64, _ string) {
	at := 0.0
	return func(share float64, _ string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.done += size * max(0, share-at)
		at = max(at, share)
		w.tell(min(1, w.done/w.all), note)
	}
}

// once does a part and counts it as done, whether it was before or not.
func (w *work) once(part string, size float64, value any, do func(progress func(float64, string)) ([]string, error)) error {
	progress := w.progress(size, part)
	err := w.folder.Once(part, struct{}{}, value, func() ([]string, error) { return do(progress) })
	progress(1, "")
	return err
}

// A detector is one seed's: what was made of it when it was new.
type detector struct {
	seed    uint64
	first   string // weights of the autoencoder that all trainings go on from, a file
	weights string // of the autoencoder whose encoder is on the detector, a file
	model   *autoencoder.Model
	tunable string // weights of the decoder with conditions, a file
}

// Seeds of images are told apart by what they are for.
const (
	forTraining = iota + 1
	forChoice
	forTunable
	forTunableChoice
	forReference
	forExpectation
	forEvents
	forRetraining
	forRetrainingChoice
	forTest
	forAges
)

// seedOf is the seed of the images of a purpose, and of a step of it.
func seedOf(seed uint64, purpose, step int) uint64 {
	return seed<<24 ^ uint64(purpose)<<16 ^ uint64(step)
}

// chosen is how many images choose the epoch of a training on n.
func chosen(n int) int { return min(max(n/10, 50), 2000) }

func (p Plan) beam() beam { return beam{pileUp: p.PileUp} }

// exact is the loss of the trainings, the exact EMD. One is used by one training at a time.
func (w *work) exact() (loss.Loss, error) {
	b, err := emd.NewBatch(w.metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	return loss.FromDistance("emd", b), nil
}

// batch and rate of all trainings.
const (
	trainBatch = 50
	trainRate  = 1e-3
)

// prepare trains a new detector's autoencoder as those of later steps are, and the decoder with conditions.
func (w *work) prepare(ctx context.Context, k int) (*detector, error) {
	d := &detector{seed: w.plan.Seed + uint64(k)}
	part := fmt.Sprintf("first-seed%d", d.seed)
	d.first = w.folder.Path(run.Weights, part+run.WeightsEnding)
	err := w.once(part, float64(w.plan.Epochs*w.plan.Train), &struct{}{}, func(progress func(float64, string)) ([]string, error) {
		return []string{part + run.WeightsEnding}, w.trainFirst(ctx, d, part, progress)
	})
	if err != nil {
		return nil, err
	}
	new := &Drift{}
	encoder, _, err := w.goOn(ctx, d, new, 0, "", fmt.Sprintf("%s-seed%d", frozen, d.seed))
	if err != nil {
		return nil, err
	}
	if d.weights, _, err = w.goOn(ctx, d, new, 0, encoder, fmt.Sprintf("%s-seed%d", retrainedDecoder, d.seed)); err != nil {
		return nil, err
	}
	if d.model, err = autoencoder.Load(d.weights, nn.Settings{Threads: 1}); err != nil {
		return nil, err
	}
	if !w.plan.tunes() {
		return d, nil
	}
	part = fmt.Sprintf("tunable-seed%d", d.seed)
	d.tunable = w.folder.Path(run.Weights, part+run.WeightsEnding)
	return d, w.once(part, w.plan.further(), &struct{}{}, func(progress func(float64, string)) ([]string, error) {
		return []string{part + run.WeightsEnding}, w.trainTunable(ctx, d, part, progress)
	})
}

// tunes tells whether a decoder with conditions is needed.
func (p Plan) tunes() bool {
	return slices.Contains(p.Vectors, onConditions) || slices.Contains(p.Vectors, onBoth)
}

// trainFirst trains the autoencoder that all trainings go on from.
func (w *work) trainFirst(ctx context.Context, d *detector, part string, progress func(float64, string)) error {
	still := func(int, int) *age { return fresh() }
	train, err := w.site.draw(w.plan.Train, seedOf(d.seed, forTraining, 0), w.plan.beam(), still)
	if err != nil {
		return err
	}
	choice, err := w.site.draw(chosen(w.plan.Train), seedOf(d.seed, forChoice, 0), w.plan.beam(), still)
	if err != nil {
		return err
	}
	s := w.training(d, part, progress)
	s.Epochs = w.plan.Epochs
	return w.train(ctx, train, choice, s, d.first)
}

// training is what all trainings of autoencoders have in common.
func (w *work) training(d *detector, part string, progress func(float64, string)) autoencoder.Settings {
	return autoencoder.Settings{
		Architecture: w.plan.architecture(), Budget: autoencoder.Budget{Batch: trainBatch, Rate: trainRate, Schedule: "warm-cosine"}, Seed: d.seed, Threads: 1,
		Checkpoint: w.folder.Path(run.Weights, part+run.CheckpointEnding), Progress: progress,
	}
}

// train trains an autoencoder to decode what was measured as what it was, and saves it.
func (w *work) train(ctx context.Context, train, choice *events, s autoencoder.Settings, path string) error {
	l, err := w.exact()
	if err != nil {
		return err
	}
	s.Measured, s.MeasuredValidation = train.measured, choice.measured
	m, _, err := autoencoder.Train(ctx, train.truth, choice.truth, l, s)
	if err != nil {
		return err
	}
	return m.Save(path)
}
