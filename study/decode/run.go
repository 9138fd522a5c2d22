package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/model/file"
	"barrow/nn"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/learned"
	"barrow/study/internal/page"
	"barrow/surrogate"
	"barrow/wafer"
)

// Settings of how a plan is carried out; none of them changes a result.
type Settings struct {
	Threads  int                              // 0 means all processors
	Force    bool                             // replace the run that the folder holds
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // told what the user should know but did not ask for
	Stream   func(name string) io.Reader      // what a name of Data or Pretrain stands for that is no file, as in images.Settings
}

// A Training is one seed's.
type Training struct {
	Seed       uint64       `json:"seed"`
	Validation float64      `json:"validation_emd"`      // mean EMD on the images to choose by
	EMD        float64      `json:"emd_mean"`            // on the held-out ones
	BestEpoch  int          `json:"best_epoch"`          // of its last part; 0: the first part's decoder
	Curve      [][2]float64 `json:"curve"`               // training and validation loss of every epoch on simulated images
	Data       [][2]float64 `json:"data_curve,omitzero"` // on those of files
}

// Times are the costs that differ from run to run.
type Times struct {
	Seconds []float64 `json:"seconds"` // of each training, in the call that finished it
}

// Train carries out a plan in a folder, resuming what is there. Everything that can
// be found wrong is found before the folder is made. Cancelling the context saves
// the training in hand.
func Train(ctx context.Context, folder string, p Plan, s Settings) (_ *Results, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	w, err := begin(ctx, folder, p, s)
	if err != nil {
		return nil, err
	}
	defer w.folder.End(&err)
	r, times, err := w.all(w.folder.Record(ctx))
	if err != nil {
		return nil, err
	}
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return nil, err
	}
	if err := page.Write(w.folder, lay(r)); err != nil {
		return nil, err
	}
	return r, w.folder.WriteJSON(run.Results, r)
}

// work is a run in progress.
type work struct {
	contest
	plan     Plan
	folder   *run.Folder
	progress func(share float64, note string)
	loss     loss.Loss

	before, train    *wafer.Set // of Pretrain and Data; nil without
	remarks          []string   // that the results keep
	stop             *wafer.Set // of Data, by which a training's epoch is chosen; nil without
	validation, test *wafer.Set // by which a decoding is chosen, and held-out ones
}

// begin opens all that the plan names, and the folder.
func begin(ctx context.Context, folder string, p Plan, s Settings) (*work, error) {
	w := &work{plan: p, progress: s.Progress, contest: contest{density: p.Density}}
	if w.progress == nil {
		w.progress = func(float64, string) {}
	}
	var err error
	if w.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, fmt.Errorf("decode: %w", err)
	}
	if w.points, err = hgcal.Positions(p.Metric); err != nil {
		return nil, err
	}
	if w.metric, err = emd.Euclidean(w.points); err != nil {
		return nil, err
	}
	if w.loss, err = p.open(w.metric, w.points, w.threads); err != nil {
		return nil, err
	}
	if w.chips, w.encoder, err = p.Chip.open(w.threads); err != nil {
		return nil, err
	}
	in, err := p.inputs()
	if err != nil {
		return nil, err
	}
	of := images.Settings{Seed: p.Seed, Threads: w.threads, Remark: s.Remark, Stream: s.Stream, Counts: true, Densities: p.Density == ""}
	if w.conditional() {
		of.Check = func(set *wafer.Set) error { _, err := autoencoder.Conditions(set); return err }
	}
	if err := w.read(ctx, of); err != nil {
		return nil, err
	}
	if err := w.checkImages(); err != nil {
		return nil, err
	}
	w.folder, err = run.Open(folder, run.Identity{Kind: Kind(), Settings: w.plan, Inputs: in}, run.Settings{Force: s.Force, Remark: s.Remark})
	if err == nil && w.folder.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	return w, err
}

// open makes the plan's loss.
func (p Plan) open(m *emd.Metric, points []hgcal.Point, threads int) (loss.Loss, error) {
	r := loss.Resources{Metric: m, Points: points, Threads: threads}
	t, err := loss.Describe(p.Loss)
	if err == nil && t.CNN {
		if p.CNN == "" || p.CNN == builtIn {
			r.CNN, err = surrogate.BuiltIn(nn.Settings{Threads: threads})
		} else {
			r.CNN, err = file.Estimator(p.CNN, file.Settings{Threads: threads})
		}
	}
	if err != nil {
		return nil, err
	}
	return loss.Parse(p.Loss, r)
}

// read gets the images in their parts, and notes in the plan what they are: three fifths of
// those of files to learn from, a tenth each to choose the epoch and the decoding by and a fifth to
// measure by, a quarter of simulated ones to choose and the rest to measure by.
func (w *work) read(ctx context.Context, s images.Settings) error {
	p := &w.plan
	all, source, err := p.Input.Read(ctx, s)
	if err != nil {
		return err
	}
	if p.Model != "" {
		if saw := learned.Saw(p.Model, learned.Images{Files: len(p.Data) > 0, Digest: all.Digest(), Preset: p.Preset, Seed: p.Seed}); saw != "" {
			w.note(s.Remark, "model: "+saw)
		}
	}
	if p.Density != "" && !w.conditional() { // then columns change nothing
		all = all.WithoutColumns()
	}
	p.Source, p.Digest = source, all.Digest()
	shares := []float64{0.25, 0.75}
	if len(p.Data) > 0 {
		shares = []float64{0.6, 0.1, 0.1, 0.2}
	}
	if all.Len() < leastEvents {
		return fmt.Errorf("decode: %d images are too few to learn from and to measure by: %d at least", all.Len(), leastEvents)
	}
	parts, err := all.Split(p.Seed, shares...)
	if err != nil {
		return err
	}
	if len(p.Data) > 0 {
		w.train, w.stop, parts = parts[0], parts[1], parts[2:]
	}
	w.validation, w.test = parts[0], parts[1]
	if len(p.Data) > 0 {
		if shared := learned.Shared(w.test, w.train, w.stop, w.validation); shared != "" {
			w.note(s.Remark, shared)
		}
	}
	if len(p.Pretrain) == 0 {
		return nil
	}
	if w.before, err = p.Files(ctx, p.Pretrain, s); err != nil {
		return err
	}
	p.PretrainDigest = w.before.Digest()
	return w.leaveOut(s.Remark)
}

// note makes a remark that the results keep.
func (w *work) note(remark func(string), text string) {
	w.remarks = append(w.remarks, text)
	if remark != nil {
		remark(text)
	}
}

// leaveOut takes the images to choose and to measure by out of those that are trained on first,
// which files that are named twice or that overlap have.
func (w *work) leaveOut(remark func(string)) error {
	kept := map[[decoder.Cells]float64]bool{}
	for _, set := range []*wafer.Set{w.stop, w.validation, w.test} {
		for i := range set.Len() {
			kept[[decoder.Cells]float64(set.Image(i))] = true
		}
	}
	var others []int
	for i := range w.before.Len() {
		if !kept[[decoder.Cells]float64(w.before.Image(i))] {
			others = append(others, i)
		}
	}
	n := w.before.Len() - len(others)
	if n == 0 {
		return nil
	}
	if len(others) == 0 {
		return errors.New("decode: pretrain: all its images are among those of data to choose and to measure by: name other files")
	}
	w.before = w.before.Select(others)
	if remark != nil {
		remark(fmt.Sprintf("pretrain: %d images of %d are among those of data to choose and to measure by: left out", n, n+len(others)))
	}
	return nil
}

// conditional tells whether the decoder or the encoder learns from columns of the images.
func (w *work) conditional() bool {
	return w.plan.Conditions || w.encoder != nil && w.encoder.Architecture().Conditional
}

// checkImages looks for what the chip and the decoder need of images.
func (w *work) checkImages() error {
	for _, set := range []*wafer.Set{w.before, w.train, w.stop, w.validation, w.test} {
		if set == nil || !w.conditional() {
			continue
		}
		if _, err := autoencoder.Conditions(set); err != nil {
			return err
		}
	}
	if err := evaluate.CheckCounts(w.test); err != nil {
		return err
	}
	if err := w.reached(); err != nil {
		return err
	}
	return w.learnable()
}

// reached refuses a threshold that no charge has reached.
func (w *work) reached() error {
	if w.plan.Algorithm != econt.ThresholdSum.String() {
		return nil
	}
	most := 0.0
	for _, set := range []*wafer.Set{w.before, w.train, w.stop, w.validation, w.test} {
		if set != nil {
			most = max(most, slices.Max(set.Charge))
		}
	}
	if most >= float64(w.plan.Threshold) {
		return nil
	}
	return fmt.Errorf("decode: threshold = %d: no cell of the images is sent, as the largest charge is %.0f CALQ counts: want 0 to that", w.plan.Threshold, most)
}

// learnable refuses frames that leave nothing to a decoder, as all images have them.
func (w *work) learnable() error {
	var decoded [decoder.Cells]float64
	for _, chip := range w.chips {
		for i := range w.test.Len() {
			if _, err := chip.Encode(w.test.Image(i), decoded[:]); err != nil {
				return fmt.Errorf("decode: image %d: %w", i+1, err)
			}
			if len(chip.Decoded().Groups()) > 0 {
				return nil
			}
		}
	}
	return fmt.Errorf("decode: algorithm = %q on %d links: frames say all that there is of every cell: a decoder has nothing to learn, use the rule by hand", w.plan.Algorithm, w.plan.Links)
}

// trained is what is kept of a training that is done, beside the weights.
type trained struct {
	Training
	Seconds float64 `json:"seconds"`
}

// part is the name of a seed's files.
func (w *work) part(k int) string {
	return fmt.Sprintf("%s-seed%d", run.DecoderWeights, w.plan.Seed+uint64(k))
}

// seed trains from the k-th seed, unless that is done.
func (w *work) seed(ctx context.Context, k int, progress func(float64, string)) (t trained, err error) {
	part, start := w.part(k), time.Now()
	seed := w.plan.Seed + uint64(k)
	err = w.folder.Once(part, w.plan, &t, func() ([]string, error) {
		m, h, err := w.fit(ctx, seed, w.folder.Path(run.Weights, part+run.CheckpointEnding), progress)
		if err != nil {
			return nil, err
		}
		t = trained{Training: Training{Seed: seed, BestEpoch: h.Simulated.BestEpoch, Curve: curve(h.Simulated)}, Seconds: time.Since(start).Seconds()}
		if h.Given != nil {
			t.BestEpoch, t.Data = h.Given.BestEpoch, curve(h.Given)
		}
		return []string{part + run.WeightsEnding}, m.Save(w.folder.Path(run.Weights, part+run.WeightsEnding))
	})
	return t, err
}

func curve(h *nn.History) (c [][2]float64) {
	for _, e := range h.Epochs {
		c = append(c, [2]float64{e.Loss, e.Validation})
	}
	return c
}

// fit trains a decoder.
func (w *work) fit(ctx context.Context, seed uint64, checkpoint string, progress func(float64, string)) (*decoder.Model, *decoder.Lessons, error) {
	s := decoder.LearnSettings{
		Architecture: w.plan.Architecture, Course: w.plan.course(), Preset: w.plan.Preset, Seed: seed,
		Threads: w.threads, Checkpoint: checkpoint, Progress: progress,
	}
	if w.before != nil {
		var err error
		if s.First, err = decoder.Given(w.before); err != nil {
			return nil, nil, err
		}
	}
	return decoder.Learn(ctx, w.chips, w.train, w.stop, w.loss, s)
}
