package nn

import (
	"fmt"
	"math"

	"barrow/nn/internal/kernel"
)

// An Optimizer turns gradients into steps of the weights.
type Optimizer interface {
	// Name is that of its kind, saved in checkpoints.
	Name() string
	// Update changes the trainable params' values by their gradients at
	// learning rate rate. The list must be the same at every call.
	Update(params []*Param, rate float64)
	// State is the number of updates done and the arrays kept between them,
	// a fixed number for each trainable param, nil before the first update.
	State() (steps int, slots [][]float32)
	// Restore sets what State gave; slots are copied.
	Restore(params []*Param, steps int, slots [][]float32) error
}

// memory is the state that optimisers share: count arrays for each param.
type memory struct {
	steps int
	count int
	slots [][]float32
}

func (m *memory) prepare(params []*Param, count int) {
	if m.slots != nil {
		return
	}
	m.count = count
	for _, p := range params {
		if p.Trainable {
			for range count {
				m.slots = append(m.slots, make([]float32, len(p.Value)))
			}
		}
	}
}

func (m *memory) restore(params []*Param, count, steps int, slots [][]float32) error {
	m.slots = nil
	m.steps = steps
	if len(slots) == 0 && steps == 0 {
		return nil
	}
	m.prepare(params, count)
	if len(slots) != len(m.slots) {
		return fmt.Errorf("nn: optimiser state has %d arrays, want %d", len(slots), len(m.slots))
	}
	for i, s := range slots {
		if len(s) != len(m.slots[i]) {
			return fmt.Errorf("nn: optimiser state array %d has %d values, want %d", i, len(s), len(m.slots[i]))
		}
		copy(m.slots[i], s)
	}
	return nil
}

func or(v, standard float64) float64 {
	if v == 0 {
		return standard
	}
	return v
}

// Adam is the method of Kingma and Ba (2015) as Keras writes it: the step is
// rate·√(1−β₂ᵗ)/(1−β₁ᵗ)·m/(√v+ε). Zero fields mean 0.9, 0.999 and 1e-7. With
// WeightDecay it is AdamW (Loshchilov and Hutter 2019): kernels also shrink by
// rate·WeightDecay·w.
type Adam struct {
	Beta1, Beta2, Epsilon float64
	WeightDecay           float64
	memory
}

// AdamW is an Adam with decoupled weight decay; 0 means 0.004 as in Keras.
func AdamW(decay float64) *Adam { return &Adam{WeightDecay: or(decay, 0.004)} }

// Name implements Optimizer.
func (o *Adam) Name() string {
	if o.WeightDecay != 0 {
		return "adamw"
	}
	return "adam"
}

// State implements Optimizer.
func (o *Adam) State() (int, [][]float32) { return o.steps, o.slots }

// Restore implements Optimizer.
func (o *Adam) Restore(params []*Param, steps int, slots [][]float32) error {
	return o.restore(params, 2, steps, slots)
}

// Update implements Optimizer.
func (o *Adam) Update(params []*Param, rate float64) {
	o.prepare(params, 2)
	o.steps++
	b1, b2 := or(o.Beta1, 0.9), or(o.Beta2, 0.999)
	t := float64(o.steps)
	step := rate * math.Sqrt(1-math.Pow(b2, t)) / (1 - math.Pow(b1, t))
	eps := or(o.Epsilon, 1e-7)
	i := 0
	for _, p := range params {
		if !p.Trainable {
			continue
		}
		decay := 0.0
		if o.WeightDecay != 0 && len(p.Shape) > 1 {
			decay = rate * o.WeightDecay
		}
		p.level.Adam(p.Value, p.Grad, o.slots[i], o.slots[i+1], kernel.AdamStep{
			Beta1: float32(b1), Rest1: float32(1 - b1), Beta2: float32(b2), Rest2: float32(1 - b2),
			Rate: float32(step), Epsilon: float32(eps), Keep: float32(1 - decay),
		})
		i += 2
	}
}

// Lion is the sign method of Chen et al. (2023). Zero betas mean 0.9 and 0.99.
type Lion struct {
	Beta1, Beta2 float64
	WeightDecay  float64 // kernels shrink by rate·WeightDecay·w
	memory
}

// Name implements Optimizer.
func (o *Lion) Name() string { return "lion" }

// State implements Optimizer.
func (o *Lion) State() (int, [][]float32) { return o.steps, o.slots }

// Restore implements Optimizer.
func (o *Lion) Restore(params []*Param, steps int, slots [][]float32) error {
	return o.restore(params, 1, steps, slots)
}

// Update implements Optimizer.
func (o *Lion) Update(params []*Param, rate float64) {
	o.prepare(params, 1)
	o.steps++
	b1, b2 := float32(or(o.Beta1, 0.9)), float32(or(o.Beta2, 0.99))
	r1, r2 := float32(1-or(o.Beta1, 0.9)), float32(1-or(o.Beta2, 0.99))
	i := 0
	for _, p := range params {
		if !p.Trainable {
			continue
		}
		keep := float32(1)
		if len(p.Shape) > 1 {
			keep = float32(1 - rate*o.WeightDecay)
		}
		m := o.slots[i]
		i++
		for j, g := range p.Grad {
			u := b1*m[j] + r1*g
			m[j] = b2*m[j] + r2*g
			switch {
			case u > 0:
				p.Value[j] = keep*p.Value[j] - float32(rate)
			case u < 0:
				p.Value[j] = keep*p.Value[j] + float32(rate)
			default:
				p.Value[j] *= keep
			}
		}
	}
}

// SGD is stochastic gradient descent with Momentum (0 means none) as Keras
// writes it: v = Momentum·v − rate·g, w += v.
type SGD struct {
	Momentum float64
	memory
}

// Name implements Optimizer.
func (o *SGD) Name() string { return "sgd" }

// State implements Optimizer.
func (o *SGD) State() (int, [][]float32) { return o.steps, o.slots }

// Restore implements Optimizer.
func (o *SGD) Restore(params []*Param, steps int, slots [][]float32) error {
	return o.restore(params, 1, steps, slots)
}

// Update implements Optimizer.
func (o *SGD) Update(params []*Param, rate float64) {
	o.prepare(params, 1)
	o.steps++
	mu, lr := float32(o.Momentum), float32(rate)
	i := 0
	for _, p := range params {
		if !p.Trainable {
			continue
		}
		v := o.slots[i]
		i++
		for j, g := range p.Grad {
			v[j] = mu*v[j] - lr*g
			p.Value[j] += v[j]
		}
	}
}

// A Schedule gives the learning rate at a moment of the training.
type Schedule interface {
	// Rate is the learning rate after epoch epochs, a fraction within one, of
	// epochs in all.
	Rate(epoch, epochs float64) float64
}

// Constant is one learning rate throughout.
type Constant float64

// Rate implements Schedule.
func (c Constant) Rate(_, _ float64) float64 { return float64(c) }

// Cosine falls from Start to End along half a cosine, after rising linearly
// from 0 over Warmup epochs.
type Cosine struct{ Start, End, Warmup float64 }

// Rate implements Schedule.
func (c Cosine) Rate(epoch, epochs float64) float64 {
	if epoch < c.Warmup {
		return c.Start * epoch / c.Warmup
	}
	return cosine(c.Start, c.End, (epoch-c.Warmup)/math.Max(epochs-c.Warmup, 1e-9))
}

func cosine(start, end, at float64) float64 {
	return end + (start-end)*(1+math.Cos(math.Pi*math.Min(at, 1)))/2
}

// WarmRestarts repeats the cosine (Loshchilov and Hutter 2017): the first
// period is Period epochs long, each further one Factor times the one before
// (0 means 1).
type WarmRestarts struct{ Start, End, Period, Factor float64 }

// Rate implements Schedule.
func (w WarmRestarts) Rate(epoch, epochs float64) float64 {
	period, factor := or(w.Period, math.Max(epochs, 1)), math.Max(or(w.Factor, 1), 1)
	if factor == 1 {
		return cosine(w.Start, w.End, math.Mod(epoch, period)/period)
	}
	for epoch >= period {
		epoch -= period
		period *= factor
	}
	return cosine(w.Start, w.End, epoch/period)
}

// StepDecay multiplies the rate by Factor every Every epochs.
type StepDecay struct{ Start, Factor, Every float64 }

// Rate implements Schedule.
func (s StepDecay) Rate(epoch, _ float64) float64 {
	return s.Start * math.Pow(s.Factor, math.Floor(epoch/or(s.Every, 1)))
}

// Exponential multiplies the rate by Factor each epoch, smoothly.
type Exponential struct{ Start, Factor float64 }

// Rate implements Schedule.
func (e Exponential) Rate(epoch, _ float64) float64 { return e.Start * math.Pow(e.Factor, epoch) }
