package cluster

import (
	"context"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"barrow/internal/limit"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/page"
)

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0 means all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for
	Stream   func(name string) io.Reader      // what a name of Data stands for that is no file, as in images.Settings
}

// Times are the costs that differ from run to run.
type Times struct {
	Seconds []float64 `json:"seconds"` // of every seed, in the call that finished it
}

// work is a run in progress.
type work struct {
	plan    Plan
	threads int
	folder  *run.Folder
	rows    *rows // of files; nil for simulated ones
	tell    func(share float64, note string)
}

// Start carries out a plan in a folder, resuming what is there. Everything that can be found wrong is
// found before the folder is made. Cancelling the context saves the training in hand.
func Start(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, _ *Times, err error) {
	if err := p.Check(); err != nil {
		return nil, nil, err
	}
	w := &work{tell: s.Progress}
	if w.tell == nil {
		w.tell = func(float64, string) {}
	}
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, nil, fmt.Errorf("cluster: %w", err)
	}
	if len(p.Data) > 0 {
		if w.rows, err = p.read(ctx, images.Settings{Threads: w.threads, Remark: s.Remark, Stream: s.Stream}); err != nil {
			return nil, nil, err
		}
		p.Source, p.Digest = w.rows.source, w.rows.digest
	} else if p.Classes == 0 {
		p.Classes = kinds
	}
	w.plan = p
	if w.folder, err = run.Open(folder, run.Identity{Kind: Kind(), Settings: p}, run.Settings{Force: s.Force, Remark: s.Remark}); err != nil {
		return nil, nil, err
	}
	defer w.folder.End(&err)
	if w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return w.run(w.folder.Record(ctx))
}

// done is what is kept of a seed.
type done struct {
	Outcome Outcome `json:"outcome"`
	Found   *Found  `json:"found,omitempty"` // of the first seed
	Seconds float64 `json:"seconds"`
}

func (w *work) run(ctx context.Context) (*Results, *Times, error) {
	r, times := &Results{Plan: w.plan}, &Times{}
	var first *rows
	for k := range w.plan.Seeds {
		seed := w.plan.Seed + uint64(k)
		from, to := float64(k)/float64(w.plan.Seeds), float64(k+1)/float64(w.plan.Seeds)
		tell := func(share float64, note string) { w.tell(from+(to-from)*share, fmt.Sprintf("seed %d: %s", seed, note)) }
		tell(0, "reading")
		data, err := w.sample(ctx, seed)
		if err != nil {
			return nil, nil, err
		}
		if k == 0 {
			first, r.Classes = data, data.classes
		}
		part := fmt.Sprintf("%s%d", networkName, seed)
		var d done
		err = w.folder.Once(part, nil, &d, func() ([]string, error) {
			start := time.Now()
			files, err := w.seed(ctx, part, data, seed, k == 0, &d, tell)
			d.Seconds = time.Since(start).Seconds()
			return files, err
		})
		if err != nil {
			return nil, nil, err
		}
		r.Seeds, times.Seconds = append(r.Seeds, d.Outcome), append(times.Seconds, d.Seconds)
		if d.Found != nil {
			r.Found = *d.Found
		}
	}
	r.gains()
	return r, times, w.finish(r, times, first)
}

// networkName begins the names of networks' files.
const networkName = "cluster-"

// finish writes what closes a run.
func (w *work) finish(r *Results, times *Times, data *rows) error {
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return err
	}
	if err := w.folder.Write(run.Clusters, func(to io.Writer) error { return data.write(to, &r.Found) }); err != nil {
		return err
	}
	if err := page.Write(w.folder, lay(r)); err != nil {
		return err
	}
	return w.folder.WriteJSON(run.Results, r)
}

// sample is what one seed clusters: the files' rows, or simulated ones.
func (w *work) sample(ctx context.Context, seed uint64) (*rows, error) {
	if w.rows != nil {
		return w.rows, nil
	}
	s, err := newSimulation(seed, w.plan.Events, true)
	if err != nil {
		return nil, err
	}
	r, err := s.draw(ctx, sample(w.plan.Rows), w.threads)
	if err != nil {
		return nil, err
	}
	w.turned(r)
	return r, nil
}

// turned leaves out the symmetric turns if they are not wanted.
func (w *work) turned(r *rows) {
	if w.plan.Turns == 1 {
		r.grid.turns = r.grid.turns[:1]
	}
}

// Views of each row whose features a head learns from, beside the row itself.
const headViews = 3

// seed does the work of one.
func (w *work) seed(ctx context.Context, part string, r *rows, seed uint64, detail bool, d *done, tell func(float64, string)) ([]string, error) {
	l, curve, err := w.train(ctx, part+run.CheckpointEnding, r, seed, func(share float64, note string) { tell(0.1+0.5*share, note) })
	if err != nil {
		return nil, err
	}
	o := &d.Outcome
	o.Seed, o.Curve = seed, curve
	tell(0.6, "clusters")
	x, err := l.embedded(ctx, headViews)
	if err != nil {
		return nil, err
	}
	// The features' columns on one scale, that of the rows as they are.
	scaled := scaledAlike(x)
	first, err := w.clusters(ctx, scaled[0], seed)
	if err != nil {
		return nil, err
	}
	labels, sure, err := selfLabel(ctx, scaled, first, w.plan.Classes, w.plan.Rounds, w.plan.Confidence)
	if err != nil {
		return nil, err
	}
	for _, p := range sure {
		if p >= w.plan.Confidence {
			o.Confident += 1 / float64(len(sure))
		}
	}
	if s := silhouette(some(scaled[0], labels)); !math.IsNaN(s) {
		o.Silhouette = &s
	}
	if r.truth != nil {
		tell(0.65, "what it is compared with")
		if err := w.compare(ctx, r, scaled[0], first, labels, seed, o); err != nil {
			return nil, err
		}
	}
	if w.rows == nil && w.plan.Monitored > 0 {
		tell(0.75, "modules to monitor")
		if o.Monitor, err = w.monitor(ctx, part, seed, detail, func(share float64, note string) { tell(0.78+0.2*share, note) }); err != nil {
			return nil, err
		}
	}
	if !detail {
		return nil, nil
	}
	if d.Found, err = w.describe(ctx, l, scaled[0], labels, sure); err != nil {
		return nil, err
	}
	name := part + run.WeightsEnding
	return []string{name}, l.brain.net.Save(w.folder.Path(run.Weights, name), nil)
}

// train trains a network on rows, with its checkpoint under a name.
func (w *work) train(ctx context.Context, checkpoint string, r *rows, seed uint64, tell func(float64, string)) (*lesson, [][2]float64, error) {
	b, err := newBrain(w.plan.Network, r, w.plan.Level, seed, w.threads)
	if err != nil {
		return nil, nil, err
	}
	l := newLesson(b, r, &w.plan, seed)
	curve, err := l.learn(ctx, &w.plan, w.folder.Path(run.Weights, checkpoint), tell)
	return l, curve, err
}

// clusters cuts features in clusters by the plan's method.
func (w *work) clusters(ctx context.Context, x [][]float64, seed uint64) ([]int, error) {
	if w.plan.Method == methodSpectral {
		return spectral(ctx, x, w.plan.Classes, seed, w.threads)
	}
	return kMeans(ctx, x, w.plan.Classes, seed, w.threads)
}

// scaledAlike gives every feature the mean 0 and the variance 1 in the rows as they are, and does the
// same to those of their views.
func scaledAlike(x [][][]float64) [][][]float64 {
	n := float64(len(x[0]))
	d := len(x[0][0])
	out := make([][][]float64, len(x))
	for view := range x {
		out[view] = make([][]float64, len(x[view]))
		for i := range out[view] {
			out[view][i] = make([]float64, d)
		}
	}
	for k := range d {
		mean, square := 0.0, 0.0
		for _, v := range x[0] {
			mean += v[k] / n
		}
		for _, v := range x[0] {
			square += float64((v[k]-mean)*(v[k]-mean)) / n
		}
		if square <= 0 {
			continue
		}
		for view := range x {
			for i, v := range x[view] {
				out[view][i][k] = (v[k] - mean) / math.Sqrt(square)
			}
		}
	}
	return out
}

// mostSilhouette bounds the rows whose silhouette is taken: it needs all pairs.
const mostSilhouette = 3000

// some are rows evenly chosen, with their labels and how many clusters there are.
func some(x [][]float64, labels []int) ([][]float64, []int, int) {
	n := min(len(x), mostSilhouette)
	var rows [][]float64
	var of []int
	for k := range n {
		i := k * len(x) / n
		rows, of = append(rows, x[i]), append(of, labels[i])
	}
	return rows, of, slices.Max(labels) + 1
}

// compare holds labels against the truth, and beside what k-means makes of the pixels and of the
// encoder's outputs.
func (w *work) compare(ctx context.Context, r *rows, x [][]float64, first, labels []int, seed uint64, o *Outcome) error {
	classes := len(r.classes)
	of := func(l []int) (*Agreement, error) {
		a, err := agree(l, r.truth, w.plan.Classes, classes)
		return &a, err
	}
	var err error
	if o.First, err = of(first); err != nil {
		return err
	}
	if o.Labels, err = of(labels); err != nil {
		return err
	}
	c := counts(labels, r.truth, w.plan.Classes, classes)
	match, err := matched(c)
	if err != nil {
		return err
	}
	o.Recall = make([]float64, classes)
	_, all, _ := sums(c)
	for i, j := range match {
		if j >= 0 {
			o.Recall[j] = c[i][j] / all[j]
		}
	}
	names, list := r.pixels()
	outputs, err := r.outputs(ctx, seed, w.threads, nil)
	if err != nil {
		return err
	}
	pixels := len(list)
	if outputs != nil {
		names, list = append(names, "outputs", "outputs on one scale"), append(list, outputs, standardised(outputs))
	}
	for k, y := range list {
		l, err := kMeans(ctx, y, w.plan.Classes, seed, w.threads)
		if err != nil {
			return err
		}
		a, err := of(l)
		if err != nil {
			return err
		}
		o.Beside = append(o.Beside, Baseline{Name: names[k], Outputs: k >= pixels, Agreement: *a})
		if k >= pixels {
			continue
		}
		p, err := probe(ctx, y, r.truth, classes, probeShare, seed)
		if err != nil {
			return err
		}
		if p > o.Pixels {
			o.Pixels, o.PixelsBy = p, names[k]
		}
	}
	o.Probe, err = probe(ctx, x, r.truth, classes, probeShare, seed)
	return err
}

// probeShare is of the labels that a linear probe knows.
const probeShare = 0.01

// monitor trains on modules in pile-up, a few of which have defects that nobody knows of, and says how
// well they are found, in detail also which are the oddest.
func (w *work) monitor(ctx context.Context, part string, seed uint64, detail bool, tell func(float64, string)) (*Surveillance, error) {
	s, err := newSimulation(seed^streamSample, w.plan.Events, false)
	if err != nil {
		return nil, err
	}
	list := monitored(w.plan.Monitored, w.plan.Contamination)
	r, err := s.draw(ctx, list, w.threads)
	if err != nil {
		return nil, err
	}
	w.turned(r)
	l, _, err := w.train(ctx, part+run.CheckpointEnding+"-monitor", r, seed, tell)
	if err != nil {
		return nil, err
	}
	scores, worst, err := l.oddness(ctx, w.threads)
	if err != nil {
		return nil, err
	}
	m := &Surveillance{Modules: len(list)}
	if detail {
		all := make([]int, r.len())
		for i := range all {
			all[i] = i
		}
		means := r.means(all)
		m.All, m.Oddest = &means, r.oddest(scores, worst)
	}
	odd := func(i int) bool { return list[i] != kindPileUp }
	for i := range list {
		if odd(i) {
			m.Defects++
		}
	}
	m.Area = rocArea(scores, odd)
	for kind := kindDead; kind < kinds; kind++ {
		var own []float64
		var is []bool
		for i, k := range list {
			if k == kind || k == kindPileUp {
				own, is = append(own, scores[i]), append(is, k == kind)
			}
		}
		if slices.Contains(is, true) {
			m.Kinds, m.ByKind = append(m.Kinds, kindNames[kind]), append(m.ByKind, rocArea(own, func(i int) bool { return is[i] }))
		}
	}
	names, pixels := r.pixels()
	for k, y := range pixels {
		y = standardised(y)
		away := make([]float64, len(y))
		for i, v := range y {
			away[i] = dot(v, v)
		}
		if a := rocArea(away, odd); a > m.Pixels {
			m.Pixels, m.PixelsBy = a, names[k]
		}
	}
	return m, nil
}
