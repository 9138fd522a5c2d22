package reproduce

import (
	"context"
	"fmt"
	"sort"
	"time"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/estimate"
	"barrow/study/internal/board"
	"barrow/study/internal/page"
	"barrow/surrogate"
	"barrow/wafer"
)

// Run carries out a run in its folder, resuming what is there, and returns its
// results; it writes results.json, times.json and report.html. Cancelling the
// context saves the training in hand, so that the same call goes on from
// there.
func Run(ctx context.Context, f *run.Folder, c Config, images *wafer.Set, s Settings) (*Results, Times, error) {
	err := c.Check(images)
	if err != nil {
		return nil, Times{}, err
	}
	if c.Losses, err = loss.Distinct(c.Losses); err != nil {
		return nil, Times{}, err
	}
	if s, err = s.prepared(); err != nil {
		return nil, Times{}, err
	}
	ctx = f.Record(ctx)
	w := &work{folder: f, c: c, threads: s.Threads, progress: s.Progress, results: &Results{Config: c}}
	if err := w.prepare(images); err != nil {
		return nil, w.times, err
	}
	steps, err := w.plan()
	if err != nil {
		return nil, w.times, err
	}
	for _, step := range steps {
		if err := w.timed(ctx, step); err != nil {
			return nil, w.times, err
		}
	}
	if err := w.finish(); err != nil {
		return nil, w.times, err
	}
	return w.results, w.times, nil
}

// work is a run in progress.
type work struct {
	folder   *run.Folder
	c        Config
	threads  int
	progress func(share float64, note string)

	metric                  *emd.Metric
	points                  []hgcal.Point
	train, validation, test *wafer.Set
	decoders                map[string]*autoencoder.Model
	histories               map[string]fitted
	cnn                     *surrogate.CNN
	schemes                 []evaluate.Scheme // with decoders that learned

	results     *Results
	times       Times
	done, total float64 // cost of the parts behind and of all
}

// A step is a part of the run with what it costs relative to the others.
type step struct {
	name string
	cost float64
	do   func(ctx context.Context, s step) error
}

func (w *work) prepare(images *wafer.Set) error {
	var err error
	if w.metric, err = groundMetric(w.c.Metric); err != nil {
		return err
	}
	if w.points, err = hgcal.Positions(w.c.Metric); err != nil {
		return err
	}
	parts, err := images.Split(w.c.Seed, shares...)
	if err != nil {
		return err
	}
	w.train, w.validation, w.test = parts[0], parts[1], parts[2]
	w.results.Split = Split{w.train.Len(), w.validation.Len(), w.test.Len()}
	w.decoders, w.histories = map[string]*autoencoder.Model{}, map[string]fitted{}
	return nil
}

// costPair is what a pair costs the EMD CNN's training, over what an image costs
// an encoder's with a cell-by-cell loss; measured on two cores with AVX-512.
const costPair = 11.0

// plan lists the parts: first the encoders that are not trained with a distance,
// so that the EMD CNN can learn from what their decoders make of images, then the
// CNN, then the encoders trained with it or another distance, then the
// evaluation.
func (w *work) plan() ([]step, error) {
	var first, second []step
	images := float64(w.train.Len() * w.c.Epochs)
	for _, name := range w.c.Losses {
		t, err := loss.Describe(name)
		if err != nil {
			return nil, err
		}
		s := step{"encoder " + name, t.Cost * images, func(ctx context.Context, s step) error { return w.encoder(ctx, s, name) }}
		if t.Sees&loss.SeesShape != 0 {
			second = append(second, s)
		} else {
			first = append(first, s)
		}
	}
	cnn := step{"emd-cnn", costPair * float64(w.c.pairs()*w.c.CNNEpochs), w.surrogate}
	steps := append(append(first, cnn), second...)
	if n := len(w.c.Learned); n > 0 {
		t, err := loss.Describe("emd")
		if err != nil {
			return nil, err
		}
		steps = append(steps, step{"decoders", float64(n*encoderLinks) * t.Cost * images, w.learn})
	}
	for _, s := range steps {
		w.total += s.cost
	}
	steps = append(steps, step{"evaluation", 0.02 * w.total, w.evaluate})
	w.total *= 1.02
	return steps, nil
}

func (w *work) timed(ctx context.Context, s step) error {
	start := time.Now()
	w.progress(w.done/w.total, s.name)
	if err := s.do(ctx, s); err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	w.done += s.cost
	w.times.Parts = append(w.times.Parts, Part{s.name, time.Since(start).Seconds()})
	w.times.Total += time.Since(start).Seconds()
	return nil
}

// follow turns a training's progress into the run's.
func (w *work) follow(s step) func(float64, string) {
	return func(share float64, note string) {
		w.progress((w.done+share*s.cost)/w.total, s.name+": "+note)
	}
}

// fitted is what is kept of a training that is done, beside the weights.
type fitted struct {
	Curve     []Epoch `json:"curve"`
	BestEpoch int     `json:"best_epoch"`
}

// once trains a network, unless it is there, and opens it.
func once[M interface{ Save(path string) error }](f *run.Folder, threads int, part string, train func(checkpoint string) (M, *nn.History, error), load func(path string, s nn.Settings) (M, error)) (M, fitted, error) {
	var m, none M
	var t fitted
	trained := false
	weights := f.Path(run.Weights, part+run.WeightsEnding)
	err := f.Once(part, nil, &t, func() ([]string, error) {
		var h *nn.History
		var err error
		if m, h, err = train(f.Path(run.Weights, part+run.CheckpointEnding)); err != nil {
			return nil, err
		}
		trained, t = true, fitted{curve(h), h.BestEpoch}
		return []string{part + run.WeightsEnding}, m.Save(weights)
	})
	if err != nil {
		return none, t, err
	}
	if !trained {
		m, err = load(weights, nn.Settings{Threads: threads})
	}
	return m, t, err
}

func (w *work) encoder(ctx context.Context, s step, name string) error {
	r := loss.Resources{Metric: w.metric, Points: w.points, Threads: w.threads}
	if w.cnn != nil {
		r.CNN = w.cnn
	}
	l, err := loss.Parse(name, r)
	if err != nil {
		return err
	}
	exact, err := loss.Parse(run.MeasuredEMD, r)
	if err != nil {
		return err
	}
	w.decoders[name], w.histories[name], err = once(w.folder, w.threads, run.EncoderWeights+name, func(checkpoint string) (*autoencoder.Model, *nn.History, error) {
		return autoencoder.Train(ctx, w.train, w.validation, l, autoencoder.Settings{
			Architecture: w.c.Encoder(name, w.c.Precisions[0], 0), Budget: w.c.Budget, Seed: w.c.Seed, Threads: w.threads,
			Watch: exact, Checkpoint: checkpoint, Progress: w.follow(s),
		})
	}, autoencoder.Load)
	return err
}

// learn trains decoders for the chip's other algorithms.
func (w *work) learn(ctx context.Context, s step) (err error) {
	w.schemes, err = decoders(ctx, w.folder, w.c, compare.Data{Train: w.train, Validation: w.validation, Test: w.test}, w.threads, w.follow(s))
	return err
}

// surrogate trains the EMD CNN on fresh pairs of training images and of what
// an untrained decoder and the trained ones so far make of them.
func (w *work) surrogate(ctx context.Context, s step) error {
	m, t, err := once(w.folder, w.threads, run.SurrogateWeights, func(checkpoint string) (*surrogate.CNN, *nn.History, error) {
		train, err := w.pairs(ctx, w.train)
		if err != nil {
			return nil, nil, err
		}
		validation, err := w.pairs(ctx, w.validation)
		if err != nil {
			return nil, nil, err
		}
		return surrogate.Train(ctx, train, validation, w.metric, surrogate.Settings{
			Architecture: w.c.CNN, Seed: w.c.Seed, Threads: w.threads,
			Pairs: w.c.pairs(), Epochs: w.c.CNNEpochs, Batch: w.c.CNNBatch, Validation: max(200, min(5000, w.c.pairs()/10)),
			Checkpoint: checkpoint, Progress: w.follow(s),
		})
	}, surrogate.LoadCNN)
	w.cnn, w.results.Surrogate.Curve, w.results.Surrogate.BestEpoch = m, t.Curve, t.BestEpoch
	return err
}

// pairs is the source of pairs of a part of the images.
func (w *work) pairs(ctx context.Context, set *wafer.Set) (*surrogate.Source, error) {
	untrained, err := autoencoder.New(nn.Settings{Seed: w.c.Seed + 1, Threads: w.threads})
	if err != nil {
		return nil, err
	}
	models := []*autoencoder.Model{untrained}
	for _, name := range w.c.Losses {
		if m := w.decoders[name]; m != nil {
			models = append(models, m)
		}
	}
	var decoded [][]float64
	for _, m := range models {
		d, err := m.Decode(ctx, set)
		if err != nil {
			return nil, err
		}
		decoded = append(decoded, d.Charge)
	}
	return surrogate.NewSource(surrogate.Fresh, w.metric, set.Charge, decoded...)
}

func curve(h *nn.History) []Epoch {
	points := make([]Epoch, len(h.Epochs))
	for i, e := range h.Epochs {
		points[i] = Epoch{e.Loss, e.Validation}
	}
	return points
}

// bootstrapDraws of the intervals of the ratios.
const bootstrapDraws = 1000

// evaluate measures everything on the held-out images.
func (w *work) evaluate(ctx context.Context, _ step) error {
	decoded := map[string]*wafer.Set{}
	for _, name := range w.c.Losses {
		d, err := w.decoders[name].Decode(ctx, w.test)
		if err != nil {
			return err
		}
		e, err := evaluate.Images(ctx, w.metric, w.test, d, evaluate.Settings{Threshold: w.c.Threshold, Threads: w.threads, Points: w.points})
		if err != nil {
			return err
		}
		if err := board.Encoder(ctx, w.folder, run.EncoderWeights+name, map[string]any{"loss": name}, e, w.test, w.decoders[name].Decode); err != nil {
			return err
		}
		decoded[name] = d
		h := w.histories[name]
		w.results.Encoders = append(w.results.Encoders, Encoder{Loss: name, Curve: h.Curve, BestEpoch: h.BestEpoch, Fidelity: *e})
	}
	if err := w.ratios(); err != nil {
		return err
	}
	w.examples(decoded)
	if err := w.onLinks(ctx); err != nil {
		return err
	}
	if err := w.bandwidth(ctx); err != nil {
		return err
	}
	return w.accuracy(ctx, decoded)
}

// ratios compares every encoder with the baseline and bins the distances.
func (w *work) ratios() error {
	var base *Encoder
	top := 0.0
	for i := range w.results.Encoders {
		e := &w.results.Encoders[i]
		if e.Loss == baseline {
			base = e
		}
		for _, v := range e.emd().Values {
			top = max(top, v)
		}
	}
	for i := range w.results.Encoders {
		e := &w.results.Encoders[i]
		var err error
		if e.Histogram, err = estimate.Count(e.emd().Values, top); err != nil {
			return err
		}
		if base == nil || base.emd().Mean == 0 {
			continue
		}
		e.Ratio = e.emd().Mean / base.emd().Mean
		if e.RatioRange, err = evaluate.RatioOfMeans(e.emd().Values, base.emd().Values, bootstrapDraws, w.c.Seed); err != nil {
			return err
		}
	}
	return nil
}

// examples picks held-out images of low, middling and high occupancy.
func (w *work) examples(decoded map[string]*wafer.Set) {
	n := w.test.Len()
	order := make([]int, n)
	occupancy := make([]int, n)
	for i := range order {
		order[i] = i
		occupancy[i] = wafer.Occupancy(w.test.Image(i), w.c.Threshold)
	}
	sort.SliceStable(order, func(a, b int) bool { return occupancy[order[a]] < occupancy[order[b]] })
	for _, share := range []float64{0.25, 0.5, 0.9} {
		i := order[int(share*float64(n-1))]
		x := Example{Row: i, Occupancy: occupancy[i], Input: shape(w.test.Image(i))}
		for _, e := range w.results.Encoders {
			x.Decoded = append(x.Decoded, shape(decoded[e.Loss].Image(i)))
			x.EMD = append(x.EMD, e.emd().Values[i])
		}
		w.results.Examples = append(w.results.Examples, x)
	}
}

// shape is an image scaled to sum 1.
func shape(image []float64) []float64 {
	out := make([]float64, len(image))
	wafer.NormSum.Apply(out, image)
	return out
}

// accuracy measures the EMD CNN on three kinds of held-out pairs.
func (w *work) accuracy(ctx context.Context, decoded map[string]*wafer.Set) error {
	first, second := w.test.Charge, append(append([]float64(nil), w.test.Charge[evaluate.Cells:]...), w.test.Image(0)...)
	smeared, err := surrogate.Smeared(w.metric, first)
	if err != nil {
		return err
	}
	for _, pairs := range []struct {
		name string
		q    []float64
	}{{"independent", second}, {"smeared", smeared}, {"decoded", decoded[w.c.Losses[len(w.c.Losses)-1]].Charge}} {
		c, err := surrogate.Compare(ctx, w.cnn, w.metric, first, pairs.q, emd.Settings{Threads: w.threads})
		if err != nil {
			return err
		}
		set, err := estimate.Measured(pairs.name, c)
		if err != nil {
			return err
		}
		w.results.Surrogate.Pairs = append(w.results.Surrogate.Pairs, set)
	}
	return nil
}

func (w *work) finish() error {
	if err := page.Write(w.folder, lay(w.results, w.times)); err != nil {
		return err
	}
	if err := w.folder.WriteJSON(run.Times, w.times); err != nil {
		return err
	}
	// The results close the run: with them in place it counts as finished.
	return w.folder.WriteJSON(run.Results, w.results)
}
