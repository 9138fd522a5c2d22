package masks

import (
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/study/compare"
)

// A Trial is one mask, tried.
type Trial struct {
	Mask  string  `json:"mask"`
	Bits  int     `json:"bits"`            // that are sent
	Round int     `json:"round"`           // 0: outputs of each width; then single bits are moved
	Loss  float64 `json:"validation_loss"` // after the short training
}

// most is the widest output.
const most = 9

// room is how many bits of outputs a number of links carries.
func room(links int) int {
	n := 0
	for all := econt.KeepAll(); n < all.Count(); n++ {
		var w autoencoder.Widths
		for k := range n + 1 {
			w[k%len(w)]++
		}
		if keep := w.Keep(); keep.Links() > links {
			break
		}
	}
	return n
}

// families are the masks of so many bits in which, for each width, as many outputs as fit have
// it; the bits left over make one output more or, where all have the width, one bit more each. One
// width for all outputs, without those, is among them: what an encoder has that nobody gave a mask.
func families(bits int) (list []autoencoder.Widths) {
	for width := most; width > 0; width-- {
		var w autoencoder.Widths
		n := min(len(w), bits/width)
		rest := bits - n*width
		for j := range n {
			w[j] = width
		}
		if n == len(w) && rest > 0 && rest < len(w) {
			list = append(list, w)
		}
		if n < len(w) {
			w[n] = rest
			rest = 0
		}
		for j := 0; rest > 0; j = (j + 1) % len(w) {
			w[j]++
			rest--
		}
		if n > 0 && w[0] <= most && !slices.Contains(list, w) {
			list = append(list, w)
		}
	}
	return list
}

// neighbours are what a mask becomes by moving one bit from one output to another, the widest
// outputs first.
func neighbours(of autoencoder.Widths) (list []autoencoder.Widths) {
	for from := range of {
		for to := range of {
			w := of
			if from == to || w[from] == 0 || w[to] == most {
				continue
			}
			w[from]--
			w[to]++
			slices.SortFunc(w[:], func(a, b int) int { return b - a })
			if w != of && !slices.Contains(list, w) {
				list = append(list, w)
			}
		}
	}
	return list
}

// leastGain is the share of the loss that a moved bit must save to be worth another round.
const leastGain = 0.002

// search tries masks, from the encoder with all bits in the file start, and returns the trials
// in their order and the number of the best.
func (w *work) search(ctx context.Context, start string) ([]Trial, int, error) {
	var trials []Trial
	tried := map[string]bool{}
	at := -1
	candidates := families(room(w.plan.Links[0]))
	for round := 0; ; round++ {
		candidates = slices.DeleteFunc(candidates, func(m autoencoder.Widths) bool { return tried[m.String()] })
		losses, err := w.round(ctx, candidates, start, round)
		if err != nil {
			return nil, 0, err
		}
		before := at
		for k, m := range candidates {
			keep := m.Keep()
			trials = append(trials, Trial{m.String(), keep.Count(), round, losses[k]})
			tried[m.String()] = true
			if at < 0 || losses[k] < trials[at].Loss {
				at = len(trials) - 1
			}
		}
		if round == w.plan.Rounds || at == before || before >= 0 && trials[at].Loss > (1-leastGain)*trials[before].Loss {
			return trials, at, nil
		}
		best, err := autoencoder.ParseWidths(trials[at].Mask)
		if err != nil {
			return nil, 0, fmt.Errorf("masks: %w", err)
		}
		candidates = neighbours(best)
	}
}

// round tries masks, as many at a time as there are threads.
func (w *work) round(ctx context.Context, masks []autoencoder.Widths, start string, round int) ([]float64, error) {
	data := w.data
	data.Pretraining, data.Test = nil, data.Validation // the images held out stay held out
	if w.data.Pretraining != nil {
		data.Train = w.data.Pretraining
	}
	if data.Train.Len() > w.plan.Trial {
		data.Train = data.Train.Slice(0, w.plan.Trial)
	}
	losses := make([]float64, len(masks))
	shares := make([]float64, len(masks))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(w.threads)
	for k, m := range masks {
		group.Go(func() error {
			r := compare.Resources{Threads: 1, CNN: w.network, Start: start, Progress: func(share float64, _ string) { w.tried(shares, k, share, round, m) }}
			table, _, err := compare.Train(inner, w.folder, w.plan.trial(m, data.Train.Len()), data, r)
			if err != nil {
				return fmt.Errorf("masks: %v: %w", m, err)
			}
			losses[k] = table.Rows[0].Validation[0]
			return nil
		})
	}
	return losses, group.Wait()
}

// rank saves an encoder whose outputs are ordered by what is lost without them, the most
// important first: an output is taken away by putting its mean in its place.
func (w *work) rank(ctx context.Context, from, to string) error {
	m, err := autoencoder.Load(from, nn.Settings{Threads: w.threads})
	if err != nil {
		return err
	}
	points, err := hgcal.Positions(w.plan.Metric)
	if err != nil {
		return err
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		return fmt.Errorf("masks: %w", err)
	}
	images := w.data.Validation
	outputs, err := m.Encode(ctx, images)
	if err != nil {
		return err
	}
	var order, cost = [autoencoder.Latent]int{}, [autoencoder.Latent]float64{}
	for j := range order {
		mean := 0.0
		for i := j; i < len(outputs); i += autoencoder.Latent {
			mean += float64(outputs[i]) / float64(images.Len())
		}
		without := slices.Clone(outputs)
		for i := j; i < len(without); i += autoencoder.Latent {
			without[i] = float32(mean)
		}
		decoded, err := m.DecodeOutputs(ctx, images, without)
		if err != nil {
			return err
		}
		x, err := evaluate.Images(ctx, metric, images, decoded, evaluate.Settings{Threads: w.threads, Threshold: w.plan.Threshold})
		if err != nil {
			return err
		}
		order[j], cost[j] = j, x.Of(evaluate.EMD).Mean
	}
	slices.SortStableFunc(order[:], func(a, b int) int {
		switch {
		case cost[a] > cost[b]:
			return -1
		case cost[a] < cost[b]:
			return 1
		}
		return 0
	})
	if err := m.Reorder(order); err != nil {
		return err
	}
	return m.Save(to)
}

// ranked is the part that has the ordered encoder.
const ranked = "ranked" + run.WeightsEnding
