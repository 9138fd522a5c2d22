package nn

import (
	"fmt"
	"math"

	"barrow/nn/internal/kernel"
)

// Adam is the method of Kingma and Ba (2015) as Keras writes it and with its
// constants: the step is rate·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v+ε), β₁ 0.9, β₂ 0.999,
// ε 1e-7. The zero value is ready.
type Adam struct {
	steps int
	slots [][]float32 // the moments m and v of every trainable param
}

const (
	beta1   = 0.9
	beta2   = 0.999
	epsilon = 1e-7
)

// Update changes the trainable params' values by their gradients at learning
// rate rate. The list must be the same at every call.
func (o *Adam) Update(params []*Param, rate float64) {
	o.prepare(params)
	o.steps++
	t := float64(o.steps)
	step := rate * math.Sqrt(1-math.Pow(beta2, t)) / (1 - math.Pow(beta1, t))
	i := 0
	for _, p := range params {
		if !p.Trainable {
			continue
		}
		p.level.Adam(p.Value, p.Grad, o.slots[i], o.slots[i+1], kernel.AdamStep{
			Beta1: beta1, Rest1: 1 - beta1, Beta2: beta2, Rest2: 1 - beta2,
			Rate: float32(step), Epsilon: epsilon,
		})
		i += 2
	}
}

func (o *Adam) prepare(params []*Param) {
	if o.slots != nil {
		return
	}
	for _, p := range params {
		if p.Trainable {
			o.slots = append(o.slots, make([]float32, len(p.Value)), make([]float32, len(p.Value)))
		}
	}
}

// restore sets the number of updates and the moments, which are copied.
func (o *Adam) restore(params []*Param, steps int, slots [][]float32) error {
	*o = Adam{steps: steps}
	if len(slots) == 0 && steps == 0 {
		return nil
	}
	o.prepare(params)
	if len(slots) != len(o.slots) {
		return fmt.Errorf("nn: %w: the optimiser's state has %d arrays, want %d", ErrCheckpoint, len(slots), len(o.slots))
	}
	for i, s := range slots {
		if len(s) != len(o.slots[i]) {
			return fmt.Errorf("nn: %w: array %d of the optimiser's state has %d values, want %d", ErrCheckpoint, i, len(s), len(o.slots[i]))
		}
		copy(o.slots[i], s)
	}
	return nil
}
