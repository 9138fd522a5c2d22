package plan

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/inputs"
	"barrow/study/internal/page"
)

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0: all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // share of the whole run that is done, in [0,1]; nil for none
	Remark   func(string)                     // told what the user should know but did not ask for; nil for nobody
	Cut      *run.Cut                         // the shard of the trainings that is done; nil for all
	Stream   func(name string) io.Reader      // what a name of Data stands for that is no file, as in images.Settings
}

// Times are the costs that differ from run to run.
type Times struct {
	Total float64 `json:"total"` // seconds of the call that finished the run
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found
// wrong is found before the folder is made. Cancelling the context saves the trainings in hand.
func Start(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, _ *Times, err error) {
	began := time.Now()
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	w := &work{progress: s.Progress}
	if w.progress == nil {
		w.progress = func(float64, string) {}
	}
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, nil, fmt.Errorf("plan: %w", err)
	}
	if err := w.prepare(ctx, p, s); err != nil {
		return nil, nil, err
	}
	id := run.Identity{Kind: Kind(), Settings: w.plan}
	if id.Inputs, err = inputs.Metric(p.Metric); err != nil {
		return nil, nil, err
	}
	id.Inputs = append(id.Inputs, w.files...)
	if p.Modules != "" {
		in, err := inputs.Files("the modules", []string{p.Modules})
		if err != nil {
			return nil, nil, err
		}
		id.Inputs = append(id.Inputs, in...)
	}
	w.folder, err = run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark, Cut: s.Cut})
	if err != nil {
		return nil, nil, err
	}
	defer w.folder.End(&err)
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	ctx = w.folder.Record(ctx)
	if w.folder.Sharded() {
		return nil, nil, w.shard(ctx)
	}
	r, err := w.run(ctx)
	if err != nil {
		return nil, nil, err
	}
	t := &Times{Total: time.Since(began).Seconds()}
	if err := w.folder.WriteJSON(run.Times, t); err != nil {
		return nil, nil, err
	}
	return r, t, w.folder.WriteJSON(run.Results, r)
}

// work is a run in progress, of one seed.
type work struct {
	folder   *run.Folder
	plan     Plan
	prefix   string // of the names of what the run keeps
	threads  int
	progress func(share float64, note string)
	metric   *emd.Metric
	modules  []module
	classes  []class
	measured *measured // nil where images are simulated
	given    []given   // encoders that are not trained here
	files    []run.Input
	hits     [2][]hits // by side and class, for the figure resolution
}

// prepare finds the modules, their classes and their images.
func (w *work) prepare(ctx context.Context, p Plan, s Settings) error {
	if s.Remark == nil {
		s.Remark = func(string) {}
	}
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return err
	}
	if w.metric, err = emd.Euclidean(points); err != nil {
		return err
	}
	d := newDetector(p.geometry())
	if p.Modules != "" {
		if w.modules, err = d.read(p.Modules); err != nil {
			return err
		}
	} else {
		var without int
		if w.modules, without = own(p.geometry()); without > 0 {
			s.Remark(fmt.Sprintf("%d modules of geometry %s have no links, send nothing and are not planned for", without, p.Geometry))
		}
	}
	w.classes = p.classes(w.modules)
	p.Source = fmt.Sprintf("simulated images (%s)", p.Preset)
	if len(p.Data) > 0 {
		if w.measured, err = p.readMeasured(ctx, d, images.Settings{Seed: p.Seed, Threads: w.threads, Remark: s.Remark, Stream: s.Stream}); err != nil {
			return err
		}
		for k := p.Seeds - 1; k >= 0; k-- { // the first one's parts are wanted first
			remark := s.Remark
			if k > 0 {
				remark = nil
			}
			if err := w.measured.deal(p.Seed+uint64(k), w.classes, remark); err != nil {
				return err
			}
		}
	}
	w.plan = p
	return w.prepareEncoders(s.Remark)
}

// prepareEncoders opens the encoders that are given, and tells of those that are asked for and that
// no module would have.
func (w *work) prepareEncoders(remark func(string)) (err error) {
	if w.given, w.files, err = w.plan.openGiven(w.threads); err != nil {
		return err
	}
	for k := range w.given {
		g := &w.given[k]
		if g.Modules = w.modulesIn(w.of(func(c *class) bool { return c.links >= g.For })); g.Modules == 0 {
			return fmt.Errorf("plan: %s: the encoder's bits take %s, and no module has as many", g.Given, links(g.For))
		}
	}
	if _, none := w.encoders(); none != nil {
		text := strings.Trim(strings.ReplaceAll(fmt.Sprint(none), " ", ", "), "[]")
		remark(fmt.Sprintf("encoder_links: none is trained for %s links: no module has so many, or so many more that another encoder would not serve it better", text))
	}
	return nil
}

// Shares of a seed's time.
const (
	shareHand    = 0.15
	shareTrain   = 0.80
	shareLearned = 0.95
)

// run does what is not done yet, all but the results' file.
func (w *work) run(ctx context.Context) (*Results, error) {
	var list []*outcome
	for k := range w.plan.Seeds {
		o, err := w.seed(k).outcome(ctx)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	r := w.results(list)
	if err := w.write(r); err != nil {
		return nil, err
	}
	return r, page.Write(w.folder, lay(r))
}

// seed is the work of the k-th seed, with images and trainings of its own.
func (w *work) seed(k int) *work {
	own := *w
	own.plan.Seed += uint64(k)
	if k > 0 {
		own.prefix = fmt.Sprintf("seed-%d-", own.plan.Seed)
	}
	if n := w.plan.Seeds; n > 1 {
		own.progress = func(share float64, note string) {
			w.progress((float64(k)+share)/float64(n), fmt.Sprintf("seed %d, %s", own.plan.Seed, note))
		}
	}
	return &own
}

// tally adds up what is done of works side by side.
type tally struct {
	mutex    sync.Mutex
	done     []float64
	weights  []float64
	from, to float64
	progress func(float64, string)
}

func (w *work) tally(from, to float64, weights []float64) *tally {
	return &tally{done: make([]float64, len(weights)), weights: weights, from: from, to: to, progress: w.progress}
}

// set tells that of work i a share is done.
func (t *tally) set(i int, share float64, note string) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	t.done[i] = max(t.done[i], share)
	sum, all := 0.0, 0.0
	for k, v := range t.weights {
		sum, all = sum+v*t.done[k], all+v
	}
	t.progress(t.from+(t.to-t.from)*sum/all, note)
}
