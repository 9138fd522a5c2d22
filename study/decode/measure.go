package decode

import (
	"context"
	"fmt"

	"barrow/decoder"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/run"
	"barrow/study/internal/learned"
)

// Results are everything that a run found, without times.
type Results struct {
	Plan    Plan   `json:"config"`
	Frames  string `json:"frames"`        // that the decoder reads, in words
	Density string `json:"wafer_density"` // of the held-out images, in words
	// Rules are what is known by hand, or with AE the encoder's own decoder, on the held-out
	// images, and Learned is the decoder that is kept.
	Rules   []evaluate.ChipResult `json:"rules"`
	Learned evaluate.ChipResult   `json:"learned"`
	Seed    uint64                `json:"kept_seed"` // whose decoder that is
	// Together tells that it is those of all seeds as one, the mean of their images.
	Together bool   `json:"all_seeds_together,omitempty"`
	File     string `json:"file"` // of its weights, in the folder
	// Validation are the mean EMDs of the rules on the images to choose by.
	Validation []float64 `json:"rules_validation_emd"`
	// Best is the decoding with the smallest mean EMD on the images to choose by: learned,
	// unless a rule by hand has that.
	Best evaluate.Decoding `json:"best"`
	// Against compares the learned decoder with the best of the rules by those images, image
	// by image of the held-out ones.
	Against   *evaluate.Versus `json:"against_best_rule"`
	Trainings []Training       `json:"trainings"`
	// Remarks are what makes the figures less than they seem.
	Remarks []string `json:"remarks,omitempty"`
}

// BestRule is the number of the rule with the smallest mean EMD on the images to choose by.
func (r *Results) BestRule() int {
	best := 0
	for k, v := range r.Validation {
		if v < r.Validation[best] {
			best = k
		}
	}
	return best
}

// all trains and measures.
func (w *work) all(ctx context.Context) (*Results, *Times, error) {
	r, times := &Results{Plan: w.plan, Remarks: w.remarks, File: run.Weights + "/" + run.DecoderWeights + run.WeightsEnding}, &Times{}
	n := w.plan.Seeds
	for k := range n {
		t, err := w.seed(ctx, k, func(share float64, note string) {
			if n > 1 {
				note = fmt.Sprintf("training %d of %d, %s", k+1, n, note)
			}
			w.progress(0.95*(float64(k)+share)/float64(n), note)
		})
		if err != nil {
			return nil, nil, err
		}
		r.Trainings, times.Seconds = append(r.Trainings, t.Training), append(times.Seconds, t.Seconds)
	}
	w.progress(0.95, "measuring")
	return r, times, w.measure(ctx, r)
}

// measure holds the trained decoders and the rules to the images, and keeps the best.
func (w *work) measure(ctx context.Context, r *Results) error {
	var decoders []evaluate.FrameDecoder
	for k := range w.plan.Seeds {
		m, err := w.trained(k)
		if err != nil {
			return err
		}
		r.Frames = m.Chip().String()
		decoders = append(decoders, m)
	}
	all, err := w.joined()
	if err != nil {
		return err
	}
	if all != nil {
		decoders = append(decoders, all)
	}
	chosen, err := w.contest.measure(ctx, w.validation, decoders)
	if err != nil {
		return err
	}
	held, err := w.contest.measure(ctx, w.test, decoders)
	if err != nil {
		return err
	}
	r.Density = held.density
	validation, test := chosen.list, held.list
	first := len(test) - len(decoders)
	best := first
	for k := range r.Trainings {
		t := &r.Trainings[k]
		t.Validation, t.EMD = mean(validation[first+k]), mean(test[first+k])
		if t.Validation < mean(validation[best]) {
			best = first + k
		}
	}
	r.Seed = r.Trainings[best-first].Seed
	if last := len(test) - 1; all != nil && mean(validation[last]) < mean(validation[best]) {
		best, r.Together = last, true
	}
	r.Learned, r.Rules = test[best], test[:first]
	r.Best = evaluate.DecodeLearned
	for k := range r.Rules {
		r.Validation = append(r.Validation, mean(validation[k]))
	}
	rule := r.BestRule()
	if r.Validation[rule] < mean(validation[best]) {
		r.Best = r.Rules[rule].Decoding
	}
	v, err := evaluate.Compare(values(r.Learned), values(r.Rules[rule]), draws, w.plan.Seed)
	if err != nil {
		return err
	}
	r.Against = &v
	for _, c := range r.contenders() {
		forget(c)
	}
	if w.train != nil || w.before != nil {
		if err := learned.See(w.before, w.train, w.stop, w.validation).Write(w.folder); err != nil {
			return err
		}
	}
	m := all
	if !r.Together {
		if m, err = w.trained(best - first); err != nil {
			return err
		}
	}
	return m.Save(w.folder.Path(run.Weights, run.DecoderWeights+run.WeightsEnding))
}

// forget leaves a result without its figures image by image.
func forget(r evaluate.ChipResult) {
	for k := range r.Fidelity.Figures { // which its copies share
		r.Fidelity.Figures[k].Values = nil
	}
}

// draws are those of the bootstrap.
const draws = 1000

func mean(r evaluate.ChipResult) float64     { return r.Fidelity.Of(evaluate.EMD).Mean }
func values(r evaluate.ChipResult) []float64 { return r.Fidelity.Of(evaluate.EMD).Values }

// trained is the k-th seed's decoder, as its file has it.
func (w *work) trained(k int) (*decoder.Model, error) {
	return decoder.Load(w.folder.Path(run.Weights, w.part(k)+run.WeightsEnding), nn.Settings{Threads: w.threads})
}

// joined are all seeds' decoders as one, nil of one seed, or of more than are of any use.
func (w *work) joined() (*decoder.Model, error) {
	const most = 16 // members
	var list []*decoder.Model
	members := 0
	for k := range w.plan.Seeds {
		m, err := w.trained(k)
		if err != nil {
			return nil, err
		}
		list = append(list, m)
		if members += max(1, m.Architecture().Members); members > most {
			return nil, nil
		}
	}
	if len(list) == 1 {
		return nil, nil
	}
	return decoder.Join(list...)
}
