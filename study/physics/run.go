package physics

import (
	"context"
	"errors"
	"fmt"
	"time"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/physics"
	"barrow/run"
	"barrow/study/compare"
)

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0: all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // share of the whole run that is done, in [0,1]; nil for none
	Remark   func(string)                     // told what the user should know but did not ask for; nil for nobody
	Cut      *run.Cut                         // the shard of the events that is measured; trainings are shared with the others; nil for all
}

// prepared has all processors counted, and functions to tell things to.
func (s Settings) prepared() (Settings, error) {
	if s.Progress == nil {
		s.Progress = func(float64, string) {}
	}
	if s.Remark == nil {
		s.Remark = func(string) {}
	}
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return s, fmt.Errorf("physics: %w", err)
	}
	return s, nil
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found
// wrong is found before the folder is made. Cancelling the context loses at most a block of
// events, or what a training has done since its last checkpoint.
func Start(ctx context.Context, folder string, p Plan, s Settings) (r *Results, t *Times, err error) {
	s, err = s.prepared()
	if err != nil {
		return nil, nil, err
	}
	p = p.Complete()
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	w := &work{threads: s.Threads, progress: s.Progress, start: time.Now(), geometry: physics.NewGeometry(p.geometry())}
	if w.links, err = p.table(w.geometry); err != nil {
		return nil, nil, err
	}
	if w.metric, err = metric(p.Metric); err != nil {
		return nil, nil, err
	}
	given, files, err := p.givenEncoders()
	if err != nil {
		return nil, nil, err
	}
	// Made once before the run, so that what does not fit is found now.
	if _, err := p.contenders(w.geometry, w.links, given, nil); err != nil {
		return nil, nil, err
	}
	if _, err := p.lessons(w.links); err != nil {
		return nil, nil, err
	}
	if err := p.distinct(); err != nil {
		return nil, nil, err
	}
	if w.samples, err = p.samples(ctx, s.Remark); err != nil {
		return nil, nil, err
	}
	if err := p.enough(w.samples[0].n); err != nil {
		return nil, nil, fmt.Errorf("physics: %w", err)
	}
	id, err := p.identity(files)
	if err != nil {
		return nil, nil, err
	}
	if err := p.room(folder, w.samples, len(given)); err != nil {
		return nil, nil, err
	}
	f, err := run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark, Cut: s.Cut})
	if err != nil {
		return nil, nil, err
	}
	defer f.End(&err)
	if f.Resumed() {
		s.Remark("going on with the interrupted run in " + folder)
	}
	w.folder, w.plan = f, p
	return w.run(f.Record(ctx), given)
}

// What a record and a training's weights take on disk, and how many clusters above the floor a
// whole endcap has, at most.
const (
	recordBytes      = 800
	clustersCrossing = 150
	weightsBytes     = 10e6
)

// room checks that the records have room on the disk.
func (p Plan) room(folder string, samples []sample, given int) error {
	bytes := weightsBytes * float64(len(p.losses()))
	for _, s := range samples {
		n := float64(s.n) * float64(1+len(p.Contenders)+given) * recordBytes
		if s.bias {
			n *= clustersCrossing
		}
		bytes += n
	}
	return limit.Disk("physics: the run", folder, bytes)
}

// metric is the ground metric of that name.
func metric(name string) (*emd.Metric, error) {
	points, err := hgcal.Positions(name)
	if err != nil {
		return nil, err
	}
	return emd.Euclidean(points)
}

// samples are the events of the plan, counted.
func (p Plan) samples(ctx context.Context, remark func(string)) ([]sample, error) {
	list := []sample{{name: particles, block: particleBlock, n: p.Events}}
	if p.MinimumBias > 0 || len(p.Others) > 0 {
		list = append(list, sample{name: crossings, block: crossingsBlock, bias: true, n: p.MinimumBias})
	}
	for k := range list {
		s := &list[k]
		if len(p.files(*s)) == 0 {
			continue
		}
		var err error
		if s.n, err = p.count(ctx, *s, s.n, remark); err != nil {
			return nil, err
		}
	}
	if len(list) > 1 {
		if n := p.softEvents(list[1].n); n > 0 {
			list = append(list, sample{name: soft, block: particleBlock, soft: true, n: n})
		}
	}
	return list, nil
}

// work is a run in progress.
type work struct {
	folder   *run.Folder
	plan     Plan
	threads  int
	progress func(share float64, note string)
	start    time.Time
	metric   *emd.Metric
	geometry *physics.Geometry
	links    *physics.LinkTable
	samples  []sample

	contenders []physics.Contender
	words      []string          // of the contenders
	precisions map[string]string // of the encoders, by name
	counted    []SampleInfo
	times      Times
}

// Times are the costs that differ from run to run.
type Times struct {
	Total    float64        `json:"total"` // seconds of the call that finished the run
	Parts    []Part         `json:"parts"`
	Training *compare.Times `json:"training,omitempty"`
}

// A Part of the work, of the call that finished the run.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`
	Wafers  int     `json:"wafers,omitempty"` // that were sent through all contenders
}

// Shares of a run's time.
const (
	shareTraining  = 0.35
	shareMeasuring = 0.95
)

// run does what is not done yet and closes the run.
func (w *work) run(ctx context.Context, given []encoder) (*Results, *Times, error) {
	began := time.Now()
	trained, table, times, err := w.train(ctx, func(share float64, note string) { w.progress(shareTraining*share, "encoders: "+note) })
	if err != nil {
		return nil, nil, err
	}
	w.times.Training = times
	first := 0.0
	if w.plan.Trains() {
		first = shareTraining
	}
	learned, err := w.trainDecoders(ctx, func(share float64, note string) {
		w.progress(first+shareTraining*share, "decoders: "+note)
	})
	if err != nil {
		return nil, nil, err
	}
	if len(learned) > 0 {
		first += shareTraining
	}
	if first > 0 {
		w.times.Parts = append(w.times.Parts, Part{Name: "training", Seconds: time.Since(began).Seconds()})
	}
	encoders := append(trained, given...)
	w.words = w.plan.words(encoders)
	w.precisions = map[string]string{}
	for _, e := range encoders {
		if w.precisions[e.name], err = e.precision(); err != nil {
			return nil, nil, err
		}
	}
	if w.contenders, err = w.plan.contenders(w.geometry, w.links, encoders, learned); err != nil {
		return nil, nil, err
	}
	if err := w.fit(ctx); err != nil {
		return nil, nil, err
	}
	files, err := w.measure(ctx, first)
	if err != nil {
		return nil, nil, err
	}
	r, err := w.results(ctx, files)
	if err != nil {
		return nil, nil, err
	}
	r.Encoders = table
	w.times.Total = time.Since(w.start).Seconds()
	return r, &w.times, w.finish(r)
}

// fitEvents are enough to set the chip's registers by.
const fitEvents = 64

// fit lets contenders that have to see events before they decode see the first ones, the same
// whatever is done already.
func (w *work) fit(ctx context.Context) error {
	in, err := w.plan.open(ctx, w.samples[0], w.threads)
	if err != nil {
		return err
	}
	defer in.Close()
	events := make([]*physics.Event, min(fitEvents, w.samples[0].n))
	for i := range events {
		events[i] = &physics.Event{}
	}
	for n := 0; n < len(events); {
		k, err := in.Next(ctx, events[n:])
		if err != nil {
			return err
		}
		n += k
	}
	for _, c := range w.contenders {
		if f, ok := c.(physics.Fitter); ok {
			if err := f.Fit(events); err != nil {
				return err
			}
		}
	}
	return nil
}

// block is what is kept of a part of a sample.
type block struct {
	Events int `json:"events"`
	Wafers int `json:"wafers"`
}

// add counts a block among those of its sample.
func (w *work) add(b block) {
	s := &w.counted[len(w.counted)-1]
	s.Events, s.Wafers = s.Events+b.Events, s.Wafers+b.Wafers
}

// errMissing stands for a part that is yet to be made.
var errMissing = errors.New("missing")

func (s sample) part(k int) string { return fmt.Sprintf("%s-%06d", s.name, k) }

func (s sample) parts() int { return (s.n + s.block - 1) / s.block }

const recordsEnding = ".npz"

// measure measures the blocks that are not there and returns the files of all, by sample.
func (w *work) measure(ctx context.Context, first float64) ([][]string, error) {
	weights := 0.0
	for _, s := range w.samples {
		weights += s.cost()
	}
	files := make([][]string, len(w.samples))
	for k, s := range w.samples {
		w.counted = append(w.counted, SampleInfo{Name: s.name})
		last := first + (shareMeasuring-first)*s.cost()/weights
		began, wafers := time.Now(), 0
		from, to := w.folder.Range(s.parts())
		for b := from; b < to; {
			missing, err := w.missing(s, b, to)
			if err != nil {
				return nil, err
			}
			if missing > 0 {
				n, err := w.blocks(ctx, s, b, missing, func(done float64) {
					w.progress(first+(last-first)*done, fmt.Sprintf("%s: %.0f of %d events", s.name, done*float64(s.n), s.n))
				})
				if err != nil {
					return nil, err
				}
				wafers += n
			}
			b += missing + 1
		}
		for b := range s.parts() {
			files[k] = append(files[k], w.folder.Path(run.Weights, s.part(b)+recordsEnding))
		}
		w.times.Parts = append(w.times.Parts, Part{Name: s.name, Seconds: time.Since(began).Seconds(), Wafers: wafers})
		first, weights = last, weights-s.cost()
	}
	return files, w.folder.EndShard()
}

// cost of a sample, in events of a particle: a whole endcap is so many times what is drawn
// around one.
func (s sample) cost() float64 {
	if s.bias {
		return 20 * float64(s.n)
	}
	return float64(s.n)
}

// missing is how many blocks from b on, before that with the number to, are not there, in a row.
func (w *work) missing(s sample, b, to int) (int, error) {
	n := 0
	for ; b+n < to; n++ {
		var v block
		err := w.folder.Once(s.part(b+n), s.block, &v, func() ([]string, error) { return nil, errMissing })
		if err == nil {
			w.add(v)
			break
		}
		if !errors.Is(err, errMissing) {
			return 0, err
		}
	}
	return n, nil
}

// blocks measures n blocks from b on, and returns how many wafers they have.
func (w *work) blocks(ctx context.Context, s sample, b, n int, progress func(float64)) (wafers int, err error) {
	in, err := w.plan.open(ctx, s, w.threads)
	if err != nil {
		return 0, err
	}
	defer in.Close()
	of := physics.MeasureSettings{
		Finder: w.finder(), Metric: w.metric, Threads: w.threads, Block: s.block, Skip: b * s.block, N: min((b+n)*s.block, s.n),
	}
	if s.soft {
		of.Metric = nil // nothing is asked of it
	}
	if s.bias {
		of.MinimumBias, of.Metric, of.Floor = true, nil, floor
		if of.EtaMin, of.EtaMax, err = w.plan.bounds(); err != nil {
			return 0, err
		}
	}
	of.Progress = func(share float64, _ string) { progress(share * float64(of.N) / float64(s.n)) }
	err = physics.Measure(ctx, in, w.contenders, of, func(x *physics.Block) error {
		part := s.part(x.First / s.block)
		v := block{x.Events, x.Wafers}
		wafers += x.Wafers
		w.add(v)
		return w.folder.Once(part, s.block, &v, func() ([]string, error) {
			name := part + recordsEnding
			return []string{name}, x.Write(w.folder.Path(run.Weights, name), true)
		})
	})
	return wafers, err
}

// floor in MIP_T of the clusters of minimum bias that are recorded: most of them are below.
// What that is in p_T, and so where rates begin, is found for each contender.
const floor = 200

// finder of clusters, the same for all contenders.
func (w *work) finder() physics.FinderSettings { return physics.FinderSettings{} }
