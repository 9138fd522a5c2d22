package nn

import (
	"fmt"
	"math"
)

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
	at := (epoch - c.Warmup) / math.Max(epochs-c.Warmup, 1e-9)
	return c.End + (c.Start-c.End)*(1+math.Cos(math.Pi*math.Min(at, 1)))/2
}

// checkSchedule looks at the learning rates at the start, in the middle and at
// the end.
func checkSchedule(s Schedule, epochs int) error {
	for _, at := range []float64{0, 0.5, 1} {
		if r := s.Rate(at*float64(epochs), float64(epochs)); !(r >= 0) || math.IsInf(r, 0) {
			return fmt.Errorf("the learning rate is %v after %g of %d epochs: want a number that is not negative", r, at*float64(epochs), epochs)
		}
	}
	return nil
}
