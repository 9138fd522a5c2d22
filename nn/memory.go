package nn

import (
	"fmt"

	"barrow/internal/limit"
)

// Bytes that a network takes: for a weight its value and gradient, the packed
// forms with the index of where they come from, and what a training keeps (Adam's
// moments, an average, the best); for a value between layers, itself and its
// gradient.
const (
	bytesPerWeight = 44
	bytesPerValue  = 8
)

// CheckMemory tells whether this machine's memory holds a network of the spec and
// its training with batches of so many samples, before anything is made.
func (s Spec) CheckMemory(batch int) error {
	layers, err := s.Check()
	if err != nil {
		return err
	}
	return fits(s, layers, batch)
}

func fits(s Spec, layers []LayerShape, batch int) error {
	weights, values := 0.0, float64(s.Input.Size())
	for _, l := range layers {
		weights += l.weights()
		size := float64(l.Out.Size())
		if l.Doubled {
			size *= 2
		}
		values += size
	}
	if err := limit.Fits("batches of", batch, bytesPerValue*values+bytesPerWeight*weights/float64(batch)); err != nil {
		return fmt.Errorf("nn: %s with %.3g weights: %w", s.title(), weights, err)
	}
	return nil
}

// weights counts the layer's trainable numbers, in floating point since they may
// be more than an int holds.
func (l LayerShape) weights() float64 {
	in, out := float64(l.In.C), float64(l.Out.C)
	switch l.Kind {
	case KindConv2D, KindConv2DTranspose:
		return float64(l.Kernel*l.Kernel)*in*out + out
	case KindDense:
		return float64(l.In.Size())*out + out
	case KindBatchNorm:
		return 4 * in
	}
	return 0
}
