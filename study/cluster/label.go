package cluster

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/optimize"
)

// A head is a linear classifier with the softmax of its outputs as probabilities.
type head struct {
	classes, d int
	w          []float64 // of every class d weights and a bias
}

// fitHead finds the head with the least weighted cross-entropy plus l2/2·|w|² (biases apart), which has
// one minimum, by L-BFGS.
func fitHead(x [][]float64, labels []int, weight []float64, classes int, l2 float64) (*head, error) {
	h := &head{classes: classes, d: len(x[0]), w: make([]float64, classes*(len(x[0])+1))}
	all := 0.0
	for _, w := range weight {
		all += w
	}
	p := make([]float64, classes)
	cost := func(w, grad []float64) float64 {
		at := &head{classes, h.d, w}
		sum := 0.0
		clear(grad)
		for i, v := range x {
			if weight[i] == 0 {
				continue
			}
			at.probabilities(v, p)
			share := weight[i] / all
			sum -= share * math.Log(max(p[labels[i]], math.SmallestNonzeroFloat64))
			if grad == nil {
				continue
			}
			for c, q := range p {
				if c == labels[i] {
					q--
				}
				g := grad[c*(h.d+1) : (c+1)*(h.d+1)]
				q *= share
				for k, u := range v {
					g[k] += float64(q * u)
				}
				g[h.d] += q
			}
		}
		for c := range classes {
			for k := range h.d {
				u := w[c*(h.d+1)+k]
				sum += float64(l2 / 2 * u * u)
				if grad != nil {
					grad[c*(h.d+1)+k] += float64(l2 * u)
				}
			}
		}
		return sum
	}
	problem := optimize.Problem{
		Func: func(w []float64) float64 { return cost(w, nil) },
		Grad: func(grad, w []float64) { cost(w, grad) },
	}
	r, err := optimize.Minimize(problem, h.w, &optimize.Settings{MajorIterations: 200, GradientThreshold: 1e-5, Concurrent: 1}, &optimize.LBFGS{})
	if r == nil {
		return nil, fmt.Errorf("cluster: linear head: %w", err)
	}
	h.w = r.X // the best found, also where the line search cannot get any lower
	return h, nil
}

// probabilities of the classes of one row.
func (h *head) probabilities(v, p []float64) {
	most := math.Inf(-1)
	for c := range p {
		w := h.w[c*(h.d+1) : (c+1)*(h.d+1)]
		p[c] = dot(v, w[:h.d]) + w[h.d]
		most = max(most, p[c])
	}
	sum := 0.0
	for c := range p {
		p[c] = math.Exp(p[c] - most)
		sum += p[c]
	}
	for c := range p {
		p[c] /= sum
	}
}

// headL2 is the weight of the squares of a head's weights.
const headL2 = 1e-3

// selfLabel trains a linear head on its own confident labels (H. Hu et al. 2022, after J.
// Xie, R. Girshick, A. Farhadi 2016): from labels of clusters, of which it trusts the half of each cluster that
// is nearest to its middle, then round by round those rows of whose label it is sure. x has the
// features of all rows as they are and of views of each, which share a label. It returns
// labels and the probability of each.
func selfLabel(ctx context.Context, x [][][]float64, labels []int, clusters, rounds int, confidence float64) ([]int, []float64, error) {
	n := len(labels)
	labels = slices.Clone(labels)
	sure := firstHalf(x[0], labels, clusters)
	var probability []float64
	var all [][]float64
	for _, view := range x {
		all = append(all, view...)
	}
	for range max(rounds, 1) {
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		size := make([]float64, clusters)
		for i, l := range labels {
			if sure[i] {
				size[l]++
			}
		}
		of, weight := make([]int, len(all)), make([]float64, len(all))
		for k := range all {
			i := k % n
			if of[k] = labels[i]; sure[i] {
				weight[k] = 1 / size[labels[i]] // every cluster counts the same
			}
		}
		h, err := fitHead(all, of, weight, clusters, headL2)
		if err != nil {
			return nil, nil, err
		}
		if rounds == 0 {
			_, probability = h.judge(x, labels)
			return labels, probability, nil
		}
		labels, probability = h.judge(x, nil)
		sure = mostSure(labels, probability, clusters, confidence)
	}
	return labels, probability, nil
}

// judge is the label of each row by the mean probability over its views, and that; or, of labels that are
// given, their probabilities.
func (h *head) judge(x [][][]float64, given []int) ([]int, []float64) {
	labels, probability := make([]int, len(x[0])), make([]float64, len(x[0]))
	p, mean := make([]float64, h.classes), make([]float64, h.classes)
	for i := range labels {
		clear(mean)
		for _, view := range x {
			h.probabilities(view[i], p)
			for c, q := range p {
				mean[c] += q / float64(len(x))
			}
		}
		for c, q := range mean {
			if q > mean[labels[i]] {
				labels[i] = c
			}
		}
		if given != nil {
			labels[i] = given[i]
		}
		probability[i] = mean[labels[i]]
	}
	return labels, probability
}

// firstHalf marks the half of each cluster's rows nearest to its middle.
func firstHalf(x [][]float64, labels []int, clusters int) []bool {
	centres := make([][]float64, clusters)
	for c := range centres {
		centres[c] = make([]float64, len(x[0]))
	}
	centre(x, labels, centres)
	away := make([]float64, len(x))
	for i, v := range x {
		away[i] = -apart(v, centres[labels[i]])
	}
	return best(labels, away, clusters, 0.5)
}

// mostSure marks rows whose label has at least such a probability, and of every cluster at least the
// surest tenth, so that none dies out.
func mostSure(labels []int, probability []float64, clusters int, least float64) []bool {
	sure := best(labels, probability, clusters, 0.1)
	for i, p := range probability {
		sure[i] = sure[i] || p >= least
	}
	return sure
}

// best marks the share of each cluster's rows with the largest scores, at least one.
func best(labels []int, score []float64, clusters int, share float64) []bool {
	of := make([][]int, clusters)
	for i, l := range labels {
		of[l] = append(of[l], i)
	}
	marked := make([]bool, len(labels))
	for _, list := range of {
		slices.SortStableFunc(list, func(a, b int) int { return cmp.Compare(score[b], score[a]) })
		for _, i := range list[:int(math.Ceil(share*float64(len(list))))] {
			marked[i] = true
		}
	}
	return marked
}
