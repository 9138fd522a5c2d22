package surrogate

import (
	"fmt"
	"math"
	"strings"

	"barrow/nn"
)

// Losses are the names that ParseLoss takes.
func Losses() []string { return []string{"relative", "huber", "mse", "msle"} }

// ParseLoss is the loss of that name, which an EMD CNN can be trained on.
func ParseLoss(name string) (nn.Loss, error) {
	switch name {
	case "relative":
		return Relative{}, nil
	case "huber":
		return nn.Huber{}, nil
	case "mse":
		return nn.MSE{}, nil
	case "msle":
		return nn.MSLE{}, nil
	}
	return nil, fmt.Errorf("surrogate: unknown loss %q; the losses are %s", name, strings.Join(Losses(), ", "))
}

// Relative is the mean of ((predicted−exact)/(|exact|+0.1))² in percent
// squared: it asks for the same relative accuracy at every distance above 0.1,
// and is large beside the paper's L2 penalty on the weights, which otherwise
// takes over as the error falls.
type Relative struct{}

// Eval implements nn.Loss.
func (Relative) Eval(target, pred, grad []float32) (float64, error) {
	if len(target) != len(pred) || grad != nil && len(grad) != len(pred) || len(pred) == 0 {
		return 0, fmt.Errorf("surrogate: loss of %d predictions against %d targets, gradient %d", len(pred), len(target), len(grad))
	}
	const floor, percent = 0.1, 100
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
