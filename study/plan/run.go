package plan

import (
	"context"
	"fmt"
	"io"
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
	Stream   func(name string) io.Reader      // what a name of Data stands for that is no file, as in images.Settings
}

// Times are the costs that differ from run to run.
type Times struct {
	Total float64 `json:"total"` // seconds of the call that finished the run
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found
// wrong is found before the folder is made. Cancelling the context saves the trainings in hand.
func Start(ctx context.Context, folder string, p Plan, s Settings) (*Results, *Times, error) {
	began := time.Now()
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	w := &work{progress: s.Progress}
	if w.progress == nil {
		w.progress = func(float64, string) {}
	}
	var err error
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
	if p.Modules != "" {
		in, err := inputs.Files("the modules", []string{p.Modules})
		if err != nil {
			return nil, nil, err
		}
		id.Inputs = append(id.Inputs, in...)
	}
	w.folder, err = run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark})
	if err != nil {
		return nil, nil, err
	}
	defer w.folder.Close()
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	r, err := w.run(w.folder.Record(ctx))
	if err != nil {
		return nil, nil, err
	}
	t := &Times{Total: time.Since(began).Seconds()}
	if err := w.folder.WriteJSON(run.Times, t); err != nil {
		return nil, nil, err
	}
	return r, t, w.folder.WriteJSON(run.Results, r)
}

// work is a run in progress.
type work struct {
	folder   *run.Folder
	plan     Plan
	threads  int
	progress func(share float64, note string)
	metric   *emd.Metric
	modules  []module
	classes  []class
	measured *measured // nil where images are simulated
}

// prepare finds the modules, their classes and their images.
func (w *work) prepare(ctx context.Context, p Plan, s Settings) error {
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
		if w.modules, without = own(p.geometry()); without > 0 && s.Remark != nil {
			s.Remark(fmt.Sprintf("%d modules of geometry %s have no links, send nothing and are not planned for", without, p.Geometry))
		}
	}
	w.classes = p.classes(w.modules)
	p.Source = fmt.Sprintf("simulated images (%s)", p.Preset)
	if len(p.Data) > 0 {
		if w.measured, err = p.readMeasured(ctx, d, w.modules, w.classes, images.Settings{Seed: p.Seed, Threads: w.threads, Remark: s.Remark, Stream: s.Stream}); err != nil {
			return err
		}
	}
	w.plan = p
	return nil
}

// Shares of a run's time.
const (
	shareHand  = 0.15
	shareTrain = 0.85
)

// run does what is not done yet, all but the results' file.
func (w *work) run(ctx context.Context) (*Results, error) {
	hand, err := w.measureAll(ctx, "hand", 0, shareHand, w.handCandidates)
	if err != nil {
		return nil, err
	}
	sets, err := w.train(ctx, hand)
	if err != nil {
		return nil, err
	}
	learned, err := w.measureAll(ctx, "learned", shareTrain, 1, func(c *class, p *parts) ([]Candidate, error) { return candidatesOf(sets, c, p), nil })
	if err != nil {
		return nil, err
	}
	measures := make([]measure, len(w.classes))
	for k := range measures {
		measures[k] = hand[k]
		measures[k].Scores = append(append([]Score{}, hand[k].Scores...), learned[k].Scores...)
	}
	r := w.results(sets, measures)
	if err := w.write(r); err != nil {
		return nil, err
	}
	return r, page.Write(w.folder, lay(r))
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
