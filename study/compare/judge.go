package compare

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/autoencoder"
	"barrow/evaluate"
	"barrow/internal/stats"
	"barrow/loss"
	"barrow/wafer"
)

// A Judgement is what a protocol finds, without times.
type Judgement struct {
	Links    int    `json:"links"`
	LinkBits int    `json:"link_bits"`     // a bunch crossing
	Density  string `json:"wafer_density"` // for the chip's algorithms, in words
	// MeanImage is the mean EMD of the held-out images to the mean training image, which can be had
	// without sending anything: a training that does no better counts as diverged.
	MeanImage float64 `json:"mean_image_emd"`
	// Threshold is the charge above which a cell counts for the fractions skill scores.
	Threshold  float64    `json:"fss_threshold"`
	Contenders []Standing `json:"contenders"` // in the protocol's order
	// BySeeds ranks in blocks of which each has the trainings of one seed and a share of the
	// held-out images of its own: it holds for other trainings. ByImages ranks in blocks of images,
	// means over the seeds: it holds for the encoders at hand, on other images. Both are nil where there
	// are too few blocks.
	BySeeds  *evaluate.Ranking `json:"ranks_by_seeds,omitempty"`
	ByImages *evaluate.Ranking `json:"ranks_by_images,omitempty"`
}

// A Standing is a contender with its figures; spreads are over the seeds.
type Standing struct {
	Contender
	Method     string  `json:"method"` // in words
	EMD        Spread  `json:"mean_emd"`
	Median     Spread  `json:"median_emd"`
	P95        Spread  `json:"p95_emd"`
	Worst      float64 `json:"worst_seed"`
	Response   Spread  `json:"response"`
	Resolution Spread  `json:"resolution"` // the response's standard deviation over images
	// Fractions are the fractions skill scores at the radii 0, 1, …, means over the seeds.
	Fractions []float64 `json:"fss"`

	// Ratio is to the baseline.
	Ratio evaluate.Paired `json:"ratio_to_baseline"`

	Cost autoencoder.Cost `json:"cost"`
	Bits float64          `json:"frame_bits"` // of information, in the mean, without padding
	// Decoder counts the multiplications of the decoder, a wafer; rules by hand have none.
	Decoder int `json:"decoder_multiplications"`
	// Step is the cost of a step of training with the loss over one with the MSE, as loss.Traits
	// has it, and of one of a decoder by images; 0 where nothing is trained.
	Step float64 `json:"step_cost"`
	// Pareto: no other is as good or better in mean EMD, multiplications and Step, and better in one.
	Pareto bool `json:"pareto"`

	Diverged int     `json:"diverged"` // of the seeds
	Rates    []Trial `json:"rates,omitempty"`
	// Tuned is the ratio to the baseline of those seeds that are trained at other rates, each of the two
	// at that of its rates, BestRate, with which the validation images' EMD is least.
	Tuned    *evaluate.Paired `json:"ratio_at_best_rates,omitempty"`
	BestRate float64          `json:"best_rate,omitempty"`
}

// A Trial are the trainings of the first seeds at another learning rate.
type Trial struct {
	Rate     float64 `json:"learning_rate"`
	EMD      float64 `json:"mean_emd"`
	Ratio    float64 `json:"ratio"` // to the same seeds' at the plan's rate
	Diverged int     `json:"diverged,omitempty"`
}

// imagesPerBlock are those of a block of ranks by images: enough for a mean.
const imagesPerBlock = 100

// judge measures the contenders that need no training and sets all of them beside each other.
func (w *work) judge(ctx context.Context, measured []*measurement) (*Judgement, []RowTimes, error) {
	p := w.plan.Protocol
	j := &Judgement{Links: w.jobs[0].Architecture.Links(), Threshold: w.plan.Threshold}
	j.LinkBits = 32 * j.Links
	_, j.Density = densities(w.data[2])
	var err error
	if j.MeanImage, err = w.meanImage(ctx); err != nil {
		return nil, nil, err
	}
	times := make([]RowTimes, len(p.Contenders))
	values := make([][][]float64, len(p.Contenders)) // EMDs by contender, seed and image
	for i, c := range p.Contenders {
		s := Standing{Contender: c}
		var seeds []*measurement
		if c.trained() {
			seeds, times[i].Seconds, err = w.trainings(ctx, &s, measured, j.MeanImage)
		} else {
			seeds, err = w.fixed(ctx, &s)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", c.Name, err)
		}
		s.fill(seeds, j.MeanImage)
		for _, m := range seeds {
			values[i] = append(values[i], m.Of(evaluate.EMD).Values)
			times[i].fastest(m.rate)
		}
		j.Contenders = append(j.Contenders, s)
	}
	base := values[p.baseline()]
	for i := range j.Contenders {
		if j.Contenders[i].Ratio, err = evaluate.CompareSeeds(values[i], base, bootstrapDraws, w.plan.Seed); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.Contenders[i].Name, err)
		}
	}
	if err := w.tune(j.Contenders, p.baseline(), measured, values); err != nil {
		return nil, nil, err
	}
	front(j.Contenders)
	return j, times, j.rank(values, w.plan.Seeds)
}

// meanImage is the mean EMD of the held-out images to the mean of the training images' shapes.
func (w *work) meanImage(ctx context.Context) (float64, error) {
	mean := make([]float64, evaluate.Cells)
	for i := range w.data[0].Len() {
		image := w.data[0].Image(i)
		sum := wafer.Sum(image)
		for c, v := range image {
			mean[c] += v / sum
		}
	}
	all := &wafer.Set{}
	for range w.data[2].Len() {
		all.Charge = append(all.Charge, mean...)
	}
	f, err := evaluate.Images(ctx, w.metric, w.data[2], all, evaluate.Settings{Threshold: w.plan.Threshold, Threads: w.threads})
	if err != nil {
		return 0, err
	}
	return f.Of(evaluate.EMD).Mean, nil
}

// fixed measures a contender without training.
func (w *work) fixed(ctx context.Context, s *Standing) ([]*measurement, error) {
	by, method, cost, err := w.sender(ctx, s.Contender)
	if err != nil {
		return nil, err
	}
	s.Method, s.Cost = method, cost
	if l, ok := by.(linearSender); ok {
		s.Decoder = l.cost().Multiplications // it has the same components
	}
	m, err := w.measure(ctx, by)
	return []*measurement{m}, err
}

// decoderStep is what a training of a decoder takes of an image over one of an encoder with the MSE, on
// one processor.
const decoderStep = 1.9

// trainings are a contender's of the plan's rate, by seed, and what they took in the mean; it notes those at
// others.
func (w *work) trainings(ctx context.Context, s *Standing, measured []*measurement, meanImage float64) (seeds []*measurement, seconds float64, err error) {
	jobs := w.jobsOf(s.Contender)
	for _, k := range jobs[0] {
		seeds = append(seeds, measured[k])
		seconds += w.records[k].Seconds / float64(len(jobs[0]))
	}
	s.Decoder = seeds[0].decoder
	if s.learns() {
		chip, err := w.chipOf(ctx, s.Contender)
		if err != nil {
			return nil, 0, err
		}
		s.Method, s.Step = fmt.Sprintf("%s, %s", chip.scheme.Name(), evaluate.DecodeLearned), decoderStep
	} else {
		s.Method, s.Step = "trained with "+loss.Label(s.Loss), cost(s.Loss)
		if s.Cost, err = w.jobs[jobs[0][0]].Architecture.Cost(); err != nil {
			return nil, 0, err
		}
	}
	for _, at := range jobs[1:] {
		t := Trial{Rate: w.rateOf(at[0])}
		logs := 0.0
		for i, k := range at {
			emd := measured[k].Of(evaluate.EMD).Mean
			t.EMD += emd / float64(len(at))
			logs += math.Log(emd/seeds[i].Of(evaluate.EMD).Mean) / float64(len(at))
			if measured[k].lost(meanImage) {
				t.Diverged++
			}
		}
		t.Ratio = math.Exp(logs)
		s.Rates = append(s.Rates, t)
	}
	return seeds, seconds, nil
}

// lost tells whether a training came to nothing.
func (m *measurement) lost(meanImage float64) bool {
	return m.diverged || m.Of(evaluate.EMD).Mean >= meanImage
}

// fill sets the figures of a contender's seeds.
func (s *Standing) fill(seeds []*measurement, meanImage float64) {
	var emd, median, p95, response, resolution []float64
	s.Fractions = make([]float64, farthest+1)
	for _, m := range seeds {
		e, r := m.Of(evaluate.EMD), m.Of(evaluate.Response)
		emd, median = append(emd, e.Mean), append(median, e.Median)
		p95 = append(p95, stats.Quantile(slices.Sorted(slices.Values(e.Values)), 0.95))
		response, resolution = append(response, r.Mean), append(resolution, r.Std)
		for k, v := range m.fractions {
			s.Fractions[k] += v / float64(len(seeds))
		}
		if s.trained() && m.lost(meanImage) {
			s.Diverged++
		}
		s.Bits = m.bits
	}
	s.EMD, s.Median, s.P95, s.Response, s.Resolution = Over(emd), Over(median), Over(p95), Over(response), Over(resolution)
	s.Worst = slices.Max(emd)
}

// front marks those that no other beats in mean EMD, multiplications and the cost of training.
func front(list []Standing) {
	for i := range list {
		a := &list[i]
		a.Pareto = !slices.ContainsFunc(list, func(b Standing) bool {
			return b.EMD.Mean <= a.EMD.Mean && b.Cost.Multiplications <= a.Cost.Multiplications && b.Step <= a.Step &&
				(b.EMD.Mean < a.EMD.Mean || b.Cost.Multiplications < a.Cost.Multiplications || b.Step < a.Step)
		})
	}
}

// rank ranks the contenders by seeds and by images.
func (j *Judgement) rank(values [][][]float64, seeds int) error {
	n := len(values[0][0])
	bySeeds, byImages := make([][]float64, len(values)), make([][]float64, len(values))
	blocks := n / imagesPerBlock
	for i, of := range values {
		for s := range seeds {
			own := of[s%len(of)]
			share := make([]float64, 0, n/seeds+1)
			for k := s; k < n; k += seeds {
				share = append(share, own[k])
			}
			bySeeds[i] = append(bySeeds[i], stat.Mean(share, nil))
		}
		for b := range blocks {
			sum := 0.0
			for _, v := range of {
				sum += stat.Mean(v[b*n/blocks:(b+1)*n/blocks], nil)
			}
			byImages[i] = append(byImages[i], sum/float64(len(of)))
		}
	}
	var err error
	if seeds > 1 && n >= seeds {
		if j.BySeeds, err = evaluate.Friedman(bySeeds); err != nil {
			return err
		}
	}
	if blocks > 1 {
		j.ByImages, err = evaluate.Friedman(byImages)
	}
	return err
}
