package fewshot

import (
	"context"
	"encoding/gob"
	"fmt"
	"io"
	"os"
	"path"
	"sync"

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

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // processors, as many trainings at a time; 0 means all
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for
}

// work is a run in progress.
type work struct {
	plan    Plan
	threads int
	folder  *run.Folder
	tell    func(share float64, note string)
	metric  *emd.Metric
	train   []lesson
	choice  []lesson // shots first, then the wafers that judge
	test    []lesson

	mu   sync.Mutex
	all  float64 // what all jobs cost
	done float64
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found wrong is found before
// the folder is made. Cancelling the context saves the trainings in hand.
func Start(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	w := &work{plan: p, tell: s.Progress}
	if w.tell == nil {
		w.tell = func(float64, string) {}
	}
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, fmt.Errorf("fewshot: %w", err)
	}
	points, err := hgcal.Positions(hgcal.Metrics()[0])
	if err != nil {
		return nil, err
	}
	if w.metric, err = emd.Euclidean(points); err != nil {
		return nil, fmt.Errorf("fewshot: %w", err)
	}
	if w.folder, err = run.Open(folder, run.Identity{Kind: Kind(), Settings: p}, run.Settings{Force: s.Force, Remark: s.Remark}); err != nil {
		return nil, err
	}
	defer w.folder.End(&err)
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	if err := w.draw(ctx); err != nil {
		return nil, err
	}
	r, err := w.run(ctx)
	if err != nil {
		return nil, err
	}
	if err := page.Write(w.folder, lay(r)); err != nil {
		return nil, err
	}
	return r, w.folder.WriteJSON(run.Results, r)
}

// shareDrawn is the share of all work that drawing the tasks' wafers is.
const shareDrawn = 0.03

// draw draws all tasks but the wafers of full trainings.
func (w *work) draw(ctx context.Context) error {
	p := &w.plan
	l, err := w.learner(p.Precisions[0])
	if err != nil {
		return err
	}
	pass, err := l.of(0)
	if err != nil {
		return err
	}
	n := 0
	for _, of := range []struct {
		lessons           *[]lesson
		kind, tasks, each int
	}{{&w.train, taskTrain, p.Tasks, p.Images}, {&w.choice, taskChoice, p.Choice, p.Shots + p.Judged}, {&w.test, taskTest, p.Test, p.Shots + p.Judged}} {
		*of.lessons = make([]lesson, of.tasks)
		group, inner := errgroup.WithContext(ctx)
		group.SetLimit(w.threads)
		for k := range of.tasks {
			group.Go(func() error {
				t, set, err := findTask(inner, p.Seed, of.kind, k, of.each)
				if err != nil {
					return err
				}
				images, err := pass.pass.Prepare(set)
				(*of.lessons)[k] = lesson{t, images}
				w.mu.Lock()
				defer w.mu.Unlock()
				n++
				w.tell(shareDrawn*float64(n)/float64(p.Tasks+p.Choice+p.Test), "drawing tasks")
				return err
			})
		}
		if err := group.Wait(); err != nil {
			return err
		}
	}
	return nil
}

// learner is one goroutine's, of a precision.
func (w *work) learner(precision string) (*learner, error) {
	return newLearner(w.plan.architecture(precision), w.metric, maxBatch)
}

// A job is a training of a start or pooled, or on a whole task.
type job struct {
	precision string
	contender string // pooled, a method, or one of those below
	seed      uint64
	task      int // of a full training
}

// Contenders that are no methods.
const (
	// ofPooled is training on the wafers of all tasks at once.
	ofPooled = "pooled"
	// ofCarried is the same, as a start that carries the moments of training along, by which its tuning may step.
	ofCarried = "pooled with moments"
	// first is what starts begin as: pooled training under way.
	first = "first"
	// full is training on all of a task.
	full = "full"
)

func (j job) name() string {
	if j.contender == full {
		return fmt.Sprintf("%s-%s-task%d", full, j.precision, j.task+1)
	}
	return fmt.Sprintf("%s-%s-seed%d", j.contender, j.precision, j.seed)
}

// cost is what a job costs in passes.
func (p *Plan) cost(j job) float64 {
	switch j.contender {
	case ofPooled:
		return float64(p.Budget)
	case full:
		return float64(p.Full * p.Epochs)
	}
	return (1 - p.First) * float64(p.Budget)
}

// contenders are those that are tuned.
func (p *Plan) contenders() []string { return append([]string{ofPooled, ofCarried}, p.Methods...) }

// tryCost is what a start's tuning on one task costs, with measuring after each step.
func (p *Plan) tryCost() float64 {
	return float64(p.Steps+1) * (float64(p.Shots) + float64(p.Judged)/3)
}

// stateEnding ends the names of the files that trainings leave.
const stateEnding = ".state"

func (w *work) run(ctx context.Context) (*Results, error) {
	p := &w.plan
	var before, after []job
	for _, precision := range p.Precisions {
		for s := range p.Seeds {
			seed := p.Seed + uint64(s)
			before = append(before, job{precision: precision, contender: ofPooled, seed: seed})
			for _, m := range p.Methods {
				after = append(after, job{precision: precision, contender: m, seed: seed})
			}
		}
		for k := range p.Test {
			if p.Full > 0 {
				before = append(before, job{precision: precision, contender: full, task: k})
			}
		}
	}
	for _, j := range append(append([]job{}, before...), after...) {
		w.all += p.cost(j)
	}
	for _, c := range p.contenders() {
		w.all += float64(p.Seeds*len(p.Precisions)*(p.Choice*len(p.tunings(c))+p.Test)) * p.tryCost()
	}
	for _, jobs := range [][]job{before, after} {
		group, inner := errgroup.WithContext(ctx)
		group.SetLimit(w.threads)
		for _, j := range jobs {
			group.Go(func() error {
				if err := w.job(inner, j); err != nil {
					return fmt.Errorf("%s: %w", j.name(), err)
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			return nil, err
		}
	}
	return w.measure(ctx)
}

// trained is the job that trains a contender's start.
func trained(precision, contender string, seed uint64) job {
	if contender == ofCarried {
		contender = ofPooled
	}
	return job{precision: precision, contender: contender, seed: seed}
}

// counted adds to what is done.
func (w *work) counted(cost float64, note string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done += cost
	w.tell(shareDrawn+(1-shareDrawn)*min(1, w.done/w.all), note)
}

// progress tells how far a job is, given as share of it.
func (w *work) progress(j job) func(share float64) {
	last, cost := 0.0, w.plan.cost(j)
	note := j.contender + ", " + j.precision
	return func(share float64) {
		w.counted((share-last)*cost, note)
		last = share
	}
}

// job does one, unless it is done.
func (w *work) job(ctx context.Context, j job) error {
	tell := w.progress(j)
	defer tell(1)
	if j.contender == full {
		var r fullRecord
		return w.folder.Once(j.name(), j.task, &r, func() ([]string, error) {
			file, err := w.full(ctx, j, &r, tell)
			return []string{file}, err
		})
	}
	var passes float64
	return w.folder.Once(j.name(), j.seed, &passes, func() ([]string, error) {
		s, err := w.course(ctx, j, tell)
		if err != nil {
			return nil, err
		}
		passes = s.Passes
		files := []string{j.name() + stateEnding}
		if j.contender == ofPooled {
			files = append(files, j.first().name()+stateEnding)
		}
		return files, w.write(j, s)
	})
}

// first is what a start of the job's precision and seed begins as.
func (j job) first() job { return job{precision: j.precision, contender: first, seed: j.seed} }

// write keeps what a job has come to.
func (w *work) write(j job, s *state) error {
	return w.folder.Write(path.Join(run.Weights, j.name()+stateEnding), func(to io.Writer) error { return gob.NewEncoder(to).Encode(s) })
}

// course trains a start, or pooled.
func (w *work) course(ctx context.Context, j job, tell func(float64)) (*state, error) {
	l, err := w.learner(j.precision)
	if err != nil {
		return nil, err
	}
	c := &course{plan: &w.plan, lessons: w.train, l: l, metric: w.metric, seed: j.seed, tell: tell,
		file: w.folder.Path(run.Weights, j.name()+run.CheckpointEnding), grad: make([]float64, l.size)}
	if j.contender == ofPooled {
		return c.pooled(ctx, func(s *state) error { return w.write(j.first(), s) })
	}
	s, err := w.state(j.first())
	if err != nil {
		return nil, err
	}
	return c.meta(ctx, j.contender, s)
}

// state reads what a finished job has left.
func (w *work) state(j job) (*state, error) {
	f, err := os.Open(w.folder.Path(run.Weights, j.name()+stateEnding))
	if err != nil {
		return nil, fmt.Errorf("fewshot: %w", err)
	}
	defer f.Close()
	s := &state{}
	if err := gob.NewDecoder(f).Decode(s); err != nil {
		return nil, fmt.Errorf("fewshot: %s: %w", f.Name(), err)
	}
	return s, nil
}

// fullRecord is what is kept of a full training.
type fullRecord struct {
	EMD    float64 `json:"emd"` // mean over the wafers that judge the task
	Epochs int     `json:"best_epoch"`
}

// full trains as any encoder is trained, on all of a held-out task; it returns the name of its file.
func (w *work) full(ctx context.Context, j job, r *fullRecord, tell func(float64)) (string, error) {
	p, t := &w.plan, w.test[j.task]
	seen := p.Shots + p.Judged
	set, err := t.task.images(ctx, seen+p.Full)
	if err != nil {
		return "", err
	}
	l, err := w.learner(j.precision)
	if err != nil {
		return "", err
	}
	a := l.arch
	if a.Precision != "float" {
		a.LatentBits = t.task.bits()
	}
	exact, err := loss.Parse("emd", loss.Resources{Metric: w.metric, Threads: 1})
	if err != nil {
		return "", err
	}
	file := j.name() + run.WeightsEnding
	stop := seen + max(1, p.Full/5)
	m, h, err := autoencoder.Train(ctx, set.Slice(stop, set.Len()), set.Slice(seen, stop), exact, autoencoder.Settings{
		Architecture: a, Budget: autoencoder.Budget{Epochs: p.Epochs, Batch: fullBatch, Rate: fullRate, Schedule: "warm-cosine"},
		Seed: p.Seed, Threads: 1, Checkpoint: w.folder.Path(run.Weights, j.name()+run.CheckpointEnding),
		Progress: func(share float64, _ string) { tell(share) },
	})
	if err != nil {
		return "", err
	}
	r.Epochs = h.BestEpoch
	if r.EMD, err = l.value(ctx, vector(m.Network()), t.task.bits(), t.images, numbers(p.Shots, seen)); err != nil {
		return "", err
	}
	return file, m.Save(w.folder.Path(run.Weights, file))
}

// The recipe of compare.Recipe for the decoder paper.
const (
	fullBatch = 20
	fullRate  = 3e-3
)

// numbers are those from one to before another.
func numbers(from, to int) []int {
	list := make([]int, to-from)
	for i := range list {
		list[i] = from + i
	}
	return list
}

// keep saves a start as the weights of an encoder with its decoder.
func (w *work) keep(precision string, s *state) (string, error) {
	m, err := w.plan.architecture(precision).New(nn.Settings{Threads: 1})
	if err != nil {
		return "", err
	}
	set(m.Network(), s.Weights)
	name := run.EncoderWeights + "meta-" + precision + run.WeightsEnding
	return path.Join(run.Weights, name), m.Save(w.folder.Path(run.Weights, name))
}
