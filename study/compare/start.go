package compare

import (
	"context"
	"fmt"
	"io"
	"slices"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/model/file"
	"barrow/nn"
	"barrow/run"
	"barrow/study/images"
	"barrow/surrogate"
)

// Settings of how a comparison is carried out; none of them changes a result.
type Settings struct {
	Threads  int  // 0: all processors
	Force    bool // replace the run that the folder holds
	Progress func(share float64, note string)
	Remark   func(string)                                             // what the user should know but did not ask for
	Further  func(ctx context.Context, folder string, t *Table) error // as in Resources
	Cut      *run.Cut                                                 // the shard of the trainings that is done; nil for all
	Stream   func(name string) io.Reader                              // what a name of Data or Pretrain stands for that is no file, as in images.Settings
}

// Start gets the plan's images and its EMD CNN, opens or resumes the folder and
// carries the plan out, as a run of the kind: all of it ([Run]), or one encoder of
// which the best seed is kept ([Best]). Everything that can be found wrong is
// found before the folder is made.
func Start(ctx context.Context, folder string, kind run.Kind, p Plan, s Settings) (_ *Table, _ *Times, err error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, nil, fmt.Errorf("compare: %w", err)
	}
	p = p.Complete()
	if p.Start, err = startFile(p.Start); err != nil {
		return nil, nil, err
	}
	if err := p.Check(true); err != nil {
		return nil, nil, err
	}
	if err := p.checkMetric(s.Remark); err != nil {
		return nil, nil, err
	}
	r := Resources{Threads: threads, Progress: s.Progress, Further: s.Further}
	if r.CNN, err = p.Network(); err != nil {
		return nil, nil, err
	}
	d, err := p.Read(ctx, images.Settings{Seed: p.Seed, Threads: threads, Remark: s.Remark, Stream: s.Stream})
	if err != nil {
		return nil, nil, err
	}
	if err := p.checkThresholds(d, r); err != nil {
		return nil, nil, err
	}
	id, err := p.Identity(kind)
	if err != nil {
		return nil, nil, err
	}
	f, err := run.Open(folder, id, run.Settings{Force: s.Force, Remark: s.Remark, Cut: s.Cut})
	if err != nil {
		return nil, nil, err
	}
	if f.Resumed() && s.Remark != nil {
		s.Remark("going on with the interrupted run in " + folder)
	}
	defer f.End(&err)
	if kind == EncoderKind() {
		return Best(ctx, f, p, d, r)
	}
	return Run(ctx, f, p, d, r)
}

// startFile is the file of weights to start from: of a run's folder the encoder in it.
func startFile(name string) (string, error) {
	if name == "" || name == autoencoder.StartMeta {
		return name, nil
	}
	path, err := file.EncoderWeights(name, "")
	if err != nil {
		return "", fmt.Errorf("compare: start: %w%s", err, setting.Hint(name, []string{autoencoder.StartMeta}))
	}
	return path, nil
}

// checkMetric reports a metric that is not one of images, and remarks on what is assumed
// about one that is a file.
func (p Plan) checkMetric(remark func(string)) error {
	m, err := hgcal.ReadPositions(p.Metric)
	switch {
	case err != nil:
		return err
	case len(m.Points) != hgcal.Cells:
		return fmt.Errorf("compare: metric = %q: %d cells, an image has %d", p.Metric, len(m.Points), hgcal.Cells)
	case m.Note != "" && remark != nil:
		remark(m.Note)
	}
	return nil
}

// checkThresholds holds the thresholds of all losses to the images that they are to be trained on, so that
// one is not found wrong after hours of other trainings.
func (p Plan) checkThresholds(d Data, r Resources) error {
	points, err := hgcal.Positions(p.Metric)
	if err != nil {
		return err
	}
	w := &work{plan: p, resources: r, threads: 1, points: points, jobs: p.Jobs()}
	if w.metric, err = emd.Euclidean(points); err != nil {
		return err
	}
	var losses []loss.Loss
	for _, name := range p.Losses {
		decoder, encoder, err := loss.Stages(name)
		if err != nil {
			return err
		}
		for _, stage := range []string{decoder, encoder} {
			if stage == "" {
				continue
			}
			l, err := w.loss(stage)
			if err != nil {
				return err
			}
			losses = append(losses, l)
		}
	}
	if err := autoencoder.CheckLosses(d.Train, w.jobs[0].Architecture, losses); err != nil {
		return fmt.Errorf("training images: %w", err)
	}
	if d.Pretraining == nil {
		return nil
	}
	if err := autoencoder.CheckLosses(d.Pretraining, w.jobs[0].Architecture, losses); err != nil {
		return fmt.Errorf("pretraining: training images: %w", err)
	}
	return nil
}

// Read gets the plan's images, in their parts, and notes in the plan what they are.
func (p *Plan) Read(ctx context.Context, s images.Settings) (Data, error) {
	all, source, err := p.Input.Read(ctx, s)
	if err != nil {
		return Data{}, err
	}
	p.Source, p.Digest = source, all.Digest()
	if p.Conditional {
		if _, err := autoencoder.Conditions(all); err != nil {
			return Data{}, err
		}
	}
	d, err := Split(all, p.Seed)
	if err != nil || len(p.Pretrain) == 0 {
		return d, err
	}
	if d.Pretraining, err = p.Files(ctx, p.Pretrain, s); err != nil {
		return d, err
	}
	p.PretrainDigest = d.Pretraining.Digest()
	return d, nil
}

// Network is how to load the EMD network that the plan's losses need: the one it
// names, or the one that comes with the program.
func (p *Plan) Network() (func() (loss.Distance, error), error) {
	needed := slices.ContainsFunc(p.Losses, func(l string) bool { t, err := loss.Describe(l); return err == nil && t.CNN })
	switch {
	case !needed && p.CNN != "":
		return nil, fmt.Errorf("compare: emd_cnn = %q: none of the losses %v needs it", p.CNN, p.Losses)
	case !needed:
		return nil, nil
	case p.CNN == "" && p.Metric != hgcal.Metrics()[0]:
		return nil, fmt.Errorf("compare: metric = %q: the loss emd-cnn needs a network for it: train one and name it as emd_cnn", p.Metric)
	case p.CNN == "", p.CNN == "builtin": // as commands call it
		p.CNN = BuiltIn
	}
	name := p.CNN
	load := func() (loss.Distance, error) {
		if name == BuiltIn {
			return surrogate.BuiltIn(nn.Settings{Threads: 1})
		}
		return file.Estimator(name, file.Settings{Threads: 1})
	}
	_, err := load()
	return load, err
}
