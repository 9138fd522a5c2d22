package surrogate

import (
	"fmt"
	"math"
)

// Relative is the mean of ((predicted−exact)/(|exact|+Floor))² in percent
// squared: it asks for the same relative accuracy at every distance above
// Floor, and is large beside the paper's L2 penalty on the weights, which
// otherwise takes over as the error falls.
type Relative struct {
	Floor float64 // 0 means 0.1
}

// Name implements nn.Loss.
func (Relative) Name() string { return "relative" }

// Eval implements nn.Loss.
func (l Relative) Eval(target, pred, grad []float32) (float64, error) {
	if len(target) != len(pred) || grad != nil && len(grad) != len(pred) || len(pred) == 0 {
		return 0, fmt.Errorf("surrogate: loss of %d predictions against %d targets, gradient %d", len(pred), len(target), len(grad))
	}
	floor := l.Floor
	if floor == 0 {
		floor = 0.1
	}
	const percent = 100
	sum, n := 0.0, float64(len(pred))/(percent*percent)
	for i, p := range pred {
		scale := 1 / (math.Abs(float64(target[i])) + floor)
		d := (float64(p) - float64(target[i])) * scale
		sum += d * d
		if grad != nil {
			grad[i] = float32(2 * d * scale / n)
		}
	}
	return sum / n, nil
}
