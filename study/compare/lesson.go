package compare

import (
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// decoderPart begins the names of the parts that are decoders.
const decoderPart = "decoder-"

// lessonRate is the learning rate that a decoder of the chip's frames starts with, its own recipe as an
// encoder has its.
func lessonRate() float64 { return decoder.Normal().Given.Rate }

// lessons are the trainings of decoders for the contenders that have one, from as many seeds as
// encoders, and then those at other rates.
func (p Plan) lessons() []Job {
	if p.Protocol == nil {
		return nil
	}
	var jobs []Job
	for _, c := range p.Protocol.Contenders {
		if !c.learns() {
			continue
		}
		j := Job{Loss: run.MeasuredEMD, Algorithm: c.Algorithm, Architecture: p.Jobs()[0].Architecture}
		for s := range p.Seeds {
			j.Seed = p.Seed + uint64(s)
			jobs = append(jobs, j)
		}
		for _, rate := range p.Protocol.rates(lessonRate()) {
			for s := range p.rateSeeds() {
				j.Seed, j.Rate = p.Seed+uint64(s), rate
				jobs = append(jobs, j)
			}
		}
	}
	return jobs
}

// lesson trains the decoder of a job: on the images that encoders are trained on, by the exact EMD, for
// as many epochs.
func (w *work) lesson(ctx context.Context, k int) (*decoder.Model, *nn.History, error) {
	j, p := w.jobs[k], w.plan
	chip, err := w.chipOf(ctx, j.contender())
	if err != nil {
		return nil, nil, err
	}
	exact, err := w.loss(run.MeasuredEMD)
	if err != nil {
		return nil, nil, err
	}
	s := decoder.Settings{Architecture: decoder.Architecture{Conditions: p.Conditional}, Budget: decoder.Normal().Given, Seed: j.Seed, Threads: w.each()}
	s.Epochs, s.Patience = p.Epochs, p.Patience
	if j.Rate != 0 {
		s.Rate = j.Rate
	}
	of := func(images *wafer.Set, s decoder.Settings, file string, from, to float64) (*decoder.Model, *nn.History, error) {
		source, err := decoder.Given(images)
		if err != nil {
			return nil, nil, err
		}
		s.Checkpoint = w.folder.Path(run.Weights, j.part()+run.CheckpointEnding+file)
		s.Progress = func(share float64, _ string) { w.progress(k, (from+(to-from)*share)*almost) }
		return decoder.Train(ctx, chip.chips, source, w.data[1], exact, s)
	}
	if len(p.Pretrain) == 0 {
		return of(w.data[0], s, "", 0, 1)
	}
	then, first := s, float64(p.PretrainEpochs*w.before.Len())
	first /= first + float64(p.Epochs*w.data[0].Len())
	s.Epochs = p.PretrainEpochs
	m, before, err := of(w.before, s, "-first", 0, first)
	if err != nil {
		return nil, nil, fmt.Errorf("pretraining: %w", err)
	}
	then.Start, then.Rate = m, s.Rate/10
	m, h, err := of(w.data[0], then, "", first, 1)
	if err == nil {
		h.Seconds += before.Seconds
	}
	return m, h, err
}

// unlearnt is a decoder as good as untrained, in the place of one whose training diverged.
func (w *work) unlearnt(ctx context.Context, k int) (*decoder.Model, error) {
	chip, err := w.chipOf(ctx, w.jobs[k].contender())
	if err != nil {
		return nil, err
	}
	exact, err := w.loss(run.MeasuredEMD)
	if err != nil {
		return nil, err
	}
	source, err := decoder.Given(w.data[0].Slice(0, 1))
	if err != nil {
		return nil, err
	}
	// A step so short that it goes nowhere, since a decoder knows its chips by its training alone.
	s := decoder.Settings{Architecture: decoder.Architecture{Conditions: w.plan.Conditional}, Budget: decoder.Budget{Epochs: 1, Batch: 1, Rate: 1e-20}, Seed: w.jobs[k].Seed, Threads: 1}
	m, _, err := decoder.Train(ctx, chip.chips, source, w.data[1], exact, s)
	return m, err
}

// contender is the algorithm whose decoder a job trains.
func (j Job) contender() Contender {
	return Contender{Algorithm: j.Algorithm, Decoding: evaluate.DecodeLearned}
}

// chipOf is the chip of a contender: of several types the one whose decoding by hand leaves least.
func (w *work) chipOf(ctx context.Context, c Contender) (chipSender, error) {
	list, err := c.schemes(w.jobs[0].Architecture.Links())
	if err != nil {
		return chipSender{}, err
	}
	best, err := w.best(ctx, list)
	if err != nil {
		return chipSender{}, err
	}
	return newChipSender(best, w.data[0])
}

// learnedSender is one of the chip's algorithms with a decoder that learned.
type learnedSender struct {
	chipSender
	decoder *decoder.Model
}

// learnedBy is the sender of a decoder for the frames of a chip.
func (c chipSender) learnedBy(d *decoder.Model) (l learnedSender, err error) {
	s := c.scheme
	s.Decoding, s.Decoder = evaluate.DecodeLearned, d
	l.decoder = d
	l.chipSender, err = newChip(s)
	return l, err
}

func (l learnedSender) send(ctx context.Context, images *wafer.Set) (*wafer.Set, float64, error) {
	decoded, bits, frames, err := l.frames(ctx, images, true)
	if err != nil {
		return nil, 0, err
	}
	conditions, err := l.decoder.Conditions(images)
	if err != nil {
		return nil, 0, err
	}
	return decoded, bits, l.decoder.Decode(ctx, frames, conditions, decoded.Charge)
}

func (l learnedSender) speed(ctx context.Context, images *wafer.Set) (s speeds, err error) {
	if s, err = l.chipSender.speed(ctx, images); err != nil {
		return s, err
	}
	images = images.Slice(0, min(images.Len(), timed))
	conditions, err := l.decoder.Conditions(images)
	if err != nil {
		return s, err
	}
	decoded, _, frames, err := l.frames(ctx, images, true)
	if err != nil {
		return s, err
	}
	network, err := speed(images.Len(), func() error { return l.decoder.Decode(ctx, frames, conditions, decoded.Charge) })
	s.decoding = 1 / (1/s.decoding + 1/network)
	return s, err
}

// measureLesson is the measurement of a trained decoder.
func (w *work) measureLesson(ctx context.Context, k int) (*measurement, error) {
	chip, err := w.chipOf(ctx, w.jobs[k].contender())
	if err != nil {
		return nil, err
	}
	m, err := decoder.Load(Weights(w.folder, w.jobs[k]), nn.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	by, err := chip.learnedBy(m)
	if err != nil {
		return nil, err
	}
	out, err := w.measure(ctx, by)
	if err != nil {
		return nil, err
	}
	out.diverged, out.decoder = w.records[k].Diverged != "", multiplications(m.Network().Layers())
	return out, nil
}

// multiplications of a network, a wafer.
func multiplications(layers []nn.LayerShape) (n int) {
	for _, l := range layers {
		switch l.Kind {
		case nn.KindDense:
			n += l.In.Size() * l.Units
		case nn.KindConv2D:
			n += l.Out.Positions() * l.Kernel * l.Kernel * l.In.C * l.Filters
		case nn.KindConv2DTranspose:
			n += l.In.Positions() * l.Kernel * l.Kernel * l.In.C * l.Filters
		}
	}
	return n
}

// decoderOf counts the multiplications of an encoder's decoder.
func decoderOf(m *autoencoder.Model) (int, error) {
	net, err := m.DecoderNetwork(nn.Settings{Threads: 1})
	if err != nil {
		return 0, err
	}
	return multiplications(net.Layers()), nil
}

// frames sends images: what a rule by hand makes of them, the bits of a frame in the mean and, if they
// are wanted, the frames as they are read.
func (c chipSender) frames(ctx context.Context, images *wafer.Set, wanted bool) (decoded *wafer.Set, bits float64, frames []econt.Decoded, err error) {
	high, _ := densities(images)
	decoded = &wafer.Set{Charge: make([]float64, len(images.Charge))}
	all := 0
	for i := range images.Len() {
		if err := ctx.Err(); err != nil {
			return nil, 0, nil, err
		}
		chip := c.of(high, i)
		bits, err := chip.Encode(images.Image(i), decoded.Image(i))
		if err != nil {
			return nil, 0, nil, fmt.Errorf("image %d: %w", i+1, err)
		}
		if wanted {
			frames = append(frames, *chip.Decoded())
		}
		all += bits
	}
	return decoded, float64(all) / float64(images.Len()), frames, nil
}

// readers decode the frames of low and of high density.
func (c chipSender) readers() (list [2]*econt.Decoder, err error) {
	for k, chip := range c.chips {
		if list[k], err = econt.NewDecoder(chip.Config(), chip.Settings().Decoder); err != nil {
			return list, err
		}
	}
	return list, nil
}

// tune finds, for each contender, the ratio to the baseline with each of the two at the best of its
// rates by the EMD of the validation images, over the seeds that all rates have.
func (w *work) tune(list []Standing, base int, measured []*measurement, fixed [][][]float64) error {
	if w.plan.Protocol.RateStep == 0 {
		return nil
	}
	best := make([][][]float64, len(list))
	for i := range list {
		s := &list[i]
		best[i] = fixed[i]
		if !s.trained() {
			continue
		}
		least := math.Inf(1)
		for _, jobs := range w.jobsOf(s.Contender) {
			jobs = jobs[:w.plan.rateSeeds()]
			emd := 0.0
			for _, k := range jobs {
				emd += w.records[k].EMD / float64(len(jobs))
			}
			if emd < least {
				least, best[i], s.BestRate = emd, nil, w.rateOf(jobs[0])
				for _, k := range jobs {
					best[i] = append(best[i], measured[k].Of(evaluate.EMD).Values)
				}
			}
		}
	}
	for i := range list {
		p, err := evaluate.CompareSeeds(best[i], best[base], bootstrapDraws, w.plan.Seed)
		if err != nil {
			return fmt.Errorf("%s: %w", list[i].Name, err)
		}
		list[i].Tuned = &p
	}
	return nil
}

// rateOf is a job's learning rate.
func (w *work) rateOf(k int) float64 {
	switch j := w.jobs[k]; {
	case j.Rate != 0:
		return j.Rate
	case j.Algorithm != "":
		return lessonRate()
	}
	return w.plan.Rate
}

// jobsOf are the numbers of a contender's trainings by rate: those at the plan's own rate, of all seeds,
// and then those at a lower and at a higher one.
func (w *work) jobsOf(c Contender) [][]int {
	list := [][]int{nil}
	var rates []float64
	for k, j := range w.jobs {
		if j.Algorithm != c.word() || j.Algorithm == "" && j.Loss != c.Loss {
			continue
		}
		at := 0
		if j.Rate != 0 {
			if at = slices.Index(rates, j.Rate) + 1; at == 0 {
				rates, list = append(rates, j.Rate), append(list, nil)
				at = len(rates)
			}
		}
		list[at] = append(list[at], k)
	}
	return list
}

// learns tells whether a contender has a decoder that is trained.
func (c Contender) learns() bool { return c.Decoding == evaluate.DecodeLearned }

// trained tells whether there is something to train.
func (c Contender) trained() bool { return c.Loss != "" || c.learns() }

// word is the algorithm whose decoder is trained, if it is.
func (c Contender) word() string {
	if c.learns() {
		return c.Algorithm
	}
	return ""
}
