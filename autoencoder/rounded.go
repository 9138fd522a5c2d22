package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"barrow/wafer"
)

// DecodeRounded is Decode with each of the encoder's 16 outputs cut to the given
// number of bits, 1 to 16, as the chip's links want it: its highest bits in a
// range from 0 on. Every output has a range of its own, which a factor in the
// encoder's last layer sets, and the receiver reads a code as the mean of the
// outputs that have it; ranges and means are those of the images like. The
// network is not trained anew, so that one trained for so few bits keeps more.
func (m *Model) DecodeRounded(ctx context.Context, images, like *wafer.Set, bits int) (*wafer.Set, error) {
	if bits < 1 || bits > 16 {
		return nil, fmt.Errorf("autoencoder: outputs of %d bits: want 1 to 16", bits)
	}
	if m.arch.Conditional {
		return nil, errors.New("autoencoder: outputs of a conditional model cannot be rounded")
	}
	outputs, err := m.Encode(ctx, images)
	if err != nil {
		return nil, err
	}
	known, err := m.Encode(ctx, like)
	if err != nil {
		return nil, err
	}
	values := make([]float32, len(known)/Latent)
	for j := range Latent {
		for i := range values {
			values[i] = known[i*Latent+j]
		}
		r := fitRounding(values, bits)
		for i := j; i < len(outputs); i += Latent {
			outputs[i] = r.read[r.code(outputs[i])]
		}
	}
	return m.DecodeOutputs(ctx, images, outputs)
}

// A rounding cuts numbers from 0 to top into equal intervals, and reads each as
// the mean of the numbers seen in it.
type rounding struct {
	top  float32
	read []float32
}

// code is the interval of a number; above the range it is the last.
func (r *rounding) code(v float32) int {
	n := len(r.read)
	if !(r.top > 0) || v >= r.top {
		return n - 1
	}
	return max(0, min(n-1, int(float32(n)*v/r.top)))
}

// ranges are the quantiles tried as the top of a range: rare outputs above may
// cost less than a coarser step.
var ranges = []float64{1, 0.999, 0.99, 0.97, 0.95, 0.9, 0.8, 0.7, 0.5}

// fitRounding chooses the range with the smallest squared error on the values,
// which it sorts.
func fitRounding(values []float32, bits int) *rounding {
	slices.Sort(values)
	var best *rounding
	least := 0.0
	for _, q := range ranges {
		r := &rounding{read: make([]float32, 1<<bits)}
		if n := len(values); n > 0 {
			r.top = values[min(n-1, int(q*float64(n)))]
		}
		if cost := r.fit(values); best == nil || cost < least {
			best, least = r, cost
		}
	}
	return best
}

// fit sets what the codes are read as and returns the squared error.
func (r *rounding) fit(values []float32) (cost float64) {
	sum, count := make([]float64, len(r.read)), make([]float64, len(r.read))
	for _, v := range values {
		k := r.code(v)
		sum[k] += float64(v)
		count[k]++
	}
	for k := range r.read {
		r.read[k] = r.top * (float32(k) + 0.5) / float32(len(r.read))
		if count[k] > 0 {
			r.read[k] = float32(sum[k] / count[k])
		}
	}
	for _, v := range values {
		d := float64(v - r.read[r.code(v)])
		cost += d * d
	}
	return cost
}
