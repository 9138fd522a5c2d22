package fewshot

import "math"

// adam is Adam with nn's constants, in float64 and on one vector; its fields are kept in checkpoints.
type adam struct {
	Steps int
	M, V  []float64
}

const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-7
)

// update steps along a gradient.
func (a *adam) update(w, grad []float64, rate float64) {
	if a.M == nil {
		a.M, a.V = make([]float64, len(w)), make([]float64, len(w))
	}
	a.Steps++
	t := float64(a.Steps)
	step := rate * math.Sqrt(1-math.Pow(beta2, t)) / (1 - math.Pow(beta1, t))
	for i, g := range grad {
		a.M[i] = beta1*a.M[i] + (1-beta1)*g
		a.V[i] = beta2*a.V[i] + (1-beta2)*g*g
		w[i] -= step * a.M[i] / (math.Sqrt(a.V[i]) + epsilon)
	}
}

// along is the course of a learning rate when a share of the training is done: from 1, after a short rise, to a
// hundredth, by a cosine.
func along(share float64) float64 {
	const warm = 0.02
	if share < warm {
		return share / warm
	}
	return 0.01 + 0.99*(1+math.Cos(math.Pi*(share-warm)/(1-warm)))/2
}
