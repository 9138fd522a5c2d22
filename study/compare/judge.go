package compare

import (
	"context"
	"fmt"
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
	// Step is the cost of a step of training with the loss over one with the MSE, as loss.Traits
	// has it; 0 where nothing is trained.
	Step float64 `json:"step_cost"`
	// Pareto: no other is as good or better in mean EMD, multiplications and Step, and better in one.
	Pareto bool `json:"pareto"`

	Diverged int     `json:"diverged"` // of the seeds
	Rates    []Trial `json:"rates,omitempty"`
}

// A Trial is a training of the first seed at another learning rate.
type Trial struct {
	Rate     float64 `json:"learning_rate"`
	EMD      float64 `json:"mean_emd"`
	Ratio    float64 `json:"ratio"` // to the same seed's at the plan's rate
	Diverged bool    `json:"diverged,omitempty"`
}

// imagesPerBlock are those of a block of ranks by images: enough for a mean.
const imagesPerBlock = 100

// judge measures the contenders that need no training and sets all of them beside each other.
func (w *work) judge(ctx context.Context, measured []*measurement) (*Judgement, []RowTimes, error) {
	p, kinds := w.plan.Protocol, len(w.plan.Jobs())/w.plan.Seeds
	j := &Judgement{Links: w.jobs[0].Architecture.Links(), Threshold: w.plan.Threshold}
	j.LinkBits = 32 * j.Links
	_, j.Density = densities(w.data[2])
	var err error
	if j.MeanImage, err = w.meanImage(ctx); err != nil {
		return nil, nil, err
	}
	times := make([]RowTimes, len(p.Contenders))
	values := make([][][]float64, len(p.Contenders)) // EMDs by contender, seed and image
	kind := 0
	for i, c := range p.Contenders {
		s := Standing{Contender: c}
		var seeds []*measurement
		if c.Loss == "" {
			one, err := w.fixed(ctx, &s)
			if err != nil {
				return nil, nil, fmt.Errorf("%s: %w", c.Name, err)
			}
			seeds = []*measurement{one}
		} else {
			for k := kind; k < kinds*w.plan.Seeds; k += kinds {
				seeds = append(seeds, measured[k])
				times[i].Seconds += w.records[k].Seconds / float64(w.plan.Seeds)
			}
			s.Method, s.Step = "trained with "+loss.Label(c.Loss), cost(c.Loss)
			if s.Cost, err = w.jobs[kind].Architecture.Cost(); err != nil {
				return nil, nil, err
			}
			s.Rates = w.rates(kind, kinds, measured, j.MeanImage)
			kind++
		}
		s.fill(seeds, j.MeanImage)
		for _, m := range seeds {
			values[i] = append(values[i], m.Of(evaluate.EMD).Values)
			times[i].Wafers = max(times[i].Wafers, m.rate)
		}
		j.Contenders = append(j.Contenders, s)
	}
	base := values[p.baseline()]
	for i := range j.Contenders {
		if j.Contenders[i].Ratio, err = evaluate.CompareSeeds(values[i], base, bootstrapDraws, w.plan.Seed); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", p.Contenders[i].Name, err)
		}
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
func (w *work) fixed(ctx context.Context, s *Standing) (*measurement, error) {
	by, method, cost, err := w.sender(ctx, s.Contender)
	if err != nil {
		return nil, err
	}
	s.Method, s.Cost = method, cost
	return w.measure(ctx, by)
}

// rates are a loss's trials, the lower rate first; its first seed is the job kind.
func (w *work) rates(kind, kinds int, measured []*measurement, meanImage float64) []Trial {
	var list []Trial
	at := measured[kind].Of(evaluate.EMD).Mean
	for k := kinds*w.plan.Seeds + kind; k < len(w.jobs); k += kinds {
		emd := measured[k].Of(evaluate.EMD).Mean
		list = append(list, Trial{Rate: w.jobs[k].Rate, EMD: emd, Ratio: emd / at, Diverged: measured[k].lost(meanImage)})
	}
	return list
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
		if s.Loss != "" && m.lost(meanImage) {
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
