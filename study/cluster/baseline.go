package cluster

import (
	"context"
	"math"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/loss"
	"barrow/wafer"
)

// pixels are the images as numbers, in every way that k-means is tried on.
func (r *rows) pixels() (names []string, list [][][]float64) {
	bright := 0.0
	for _, v := range r.value {
		for _, q := range v {
			bright += q / float64(r.len()*len(v))
		}
	}
	bright = max(bright, math.SmallestNonzeroFloat32)
	for _, way := range []struct {
		name string
		of   func(q, mean float64) float64
	}{
		{"charges", func(q, _ float64) float64 { return q }},
		{"logarithms", func(q, _ float64) float64 { return math.Log1p(10 * q / bright) }},
		{"roots", func(q, _ float64) float64 { return math.Sqrt(q) }},
		{"shares", func(q, mean float64) float64 { return q / mean }},
		{"logarithms of shares", func(q, mean float64) float64 { return math.Log1p(relative * q / mean) }},
		{"roots of shares", func(q, mean float64) float64 { return math.Sqrt(q / mean) }},
	} {
		x := make([][]float64, r.len())
		for i, v := range r.value {
			mean := 0.0
			for _, q := range v {
				mean += q / float64(len(v))
			}
			x[i] = make([]float64, len(v))
			for k, q := range v {
				if mean > 0 {
					x[i][k] = way.of(q, mean)
				}
			}
		}
		names, list = append(names, way.name), append(list, x)
		if r.agreement == nil {
			continue
		}
		both := make([][]float64, r.len())
		a, b := standardised(x), standardised(r.agreement)
		for i := range both {
			both[i] = append(a[i], b[i]...)
		}
		names, list = append(names, way.name+" and agreement"), append(list, both)
	}
	if r.agreement != nil {
		names, list = append(names, "agreement"), append(list, r.agreement)
	}
	return names, list
}

// aeEpochs are those of the autoencoder whose outputs are clustered beside.
const aeEpochs = 20

// outputs are what the chip's encoder sends of the images, trained on them with its decoder; nil for
// images of another size.
func (r *rows) outputs(ctx context.Context, seed uint64, threads int, progress func(share float64, note string)) ([][]float64, error) {
	if r.grid.rectangle {
		return nil, nil
	}
	set := &wafer.Set{}
	for _, v := range r.value {
		total := 0.0
		for _, q := range v {
			total += q
		}
		for _, q := range v {
			if total == 0 {
				q, total = 1, 0 // no image that the encoder takes has no charge
			}
			set.Charge = append(set.Charge, q)
		}
	}
	parts, err := set.Split(seed, 0.9, 0.1)
	if err != nil {
		return nil, err
	}
	l := loss.Telescope(hgcal.Published)
	s := autoencoder.Settings{Seed: seed, Threads: threads, Progress: progress, Budget: autoencoder.Budget{Epochs: aeEpochs, Batch: 20}}
	m, _, err := autoencoder.Train(ctx, parts[0], parts[1], l, s)
	if err != nil {
		return nil, err
	}
	codes, err := m.Encode(ctx, set)
	if err != nil {
		return nil, err
	}
	x := make([][]float64, r.len())
	for i := range x {
		for _, v := range codes[i*autoencoder.Latent : (i+1)*autoencoder.Latent] {
			x[i] = append(x[i], float64(v))
		}
	}
	return x, nil
}

// A linear probe is drawn so often.
const probes = 10

// probe is the mean accuracy on the rest of a linear classifier of so small a share of the rows' true labels,
// at least one of each class.
func probe(ctx context.Context, x [][]float64, truth []int, classes int, share float64, seed uint64) (float64, error) {
	x = standardised(x)
	of := make([][]int, classes)
	for i, t := range truth {
		of[t] = append(of[t], i)
	}
	sum := 0.0
	for k := range probes {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		s := counter.New(seed^streamProbe, uint64(k))
		known := make([]bool, len(x))
		var rows [][]float64
		var labels []int
		for c, list := range of {
			perm := s.Perm(len(list))
			for _, j := range perm[:min(len(list), max(1, int(math.Round(share*float64(len(list))))))] {
				known[list[j]] = true
				rows, labels = append(rows, x[list[j]]), append(labels, c)
			}
		}
		weight := make([]float64, len(rows))
		for i := range weight {
			weight[i] = 1
		}
		h, err := fitHead(rows, labels, weight, classes, 1/float64(len(rows)))
		if err != nil {
			return 0, err
		}
		right, all := 0.0, 0.0
		p := make([]float64, classes)
		for i, v := range x {
			if known[i] {
				continue
			}
			h.probabilities(v, p)
			at := 0
			for c, q := range p {
				if q > p[at] {
					at = c
				}
			}
			if all++; at == truth[i] {
				right++
			}
		}
		if all > 0 {
			sum += right / all / probes
		}
	}
	return sum, nil
}
