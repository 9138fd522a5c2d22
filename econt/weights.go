package econt

import (
	"fmt"
	"math"
)

// WeightCount is how many six-bit numbers the encoder has.
const WeightCount = 72 + 8 + 16*128 + 16

// Weights are the encoder's, in units of 1/32: −32..31.
type Weights struct {
	Conv      [72]int8      // 3×3 kernel, 1 channel, 8 filters: index (row·3 + column)·8 + filter
	ConvBias  [8]int8       // one a filter
	Dense     [16][128]int8 // output j, hidden unit (row·4 + column)·8 + filter
	DenseBias [16]int8      // one an output
}

// Validate reports the first weight outside six bits.
func (w *Weights) Validate() error {
	for i, v := range w.Registers() {
		if v < -32 || v > 31 {
			return fmt.Errorf("econt: weight %d (%s) is %d: want −32 to 31", i, weightName(i), v)
		}
	}
	return nil
}

// Registers are the weights in the order of the chip's registers: Conv,
// ConvBias, Dense output by output, DenseBias.
func (w *Weights) Registers() *[WeightCount]int8 {
	var r [WeightCount]int8
	copy(r[:], w.Conv[:])
	copy(r[72:], w.ConvBias[:])
	for j := range w.Dense {
		copy(r[80+128*j:], w.Dense[j][:])
	}
	copy(r[2128:], w.DenseBias[:])
	return &r
}

// WeightsFromRegisters is the inverse of [Weights.Registers].
func WeightsFromRegisters(r *[WeightCount]int8) (*Weights, error) {
	w := new(Weights)
	copy(w.Conv[:], r[:])
	copy(w.ConvBias[:], r[72:])
	for j := range w.Dense {
		copy(w.Dense[j][:], r[80+128*j:])
	}
	copy(w.DenseBias[:], r[2128:])
	return w, w.Validate()
}

// weightName says which weight register number i is.
func weightName(i int) string {
	switch {
	case i < 72:
		return fmt.Sprintf("conv %d,%d filter %d", i/24, i/8%3, i%8)
	case i < 80:
		return fmt.Sprintf("conv bias %d", i-72)
	case i < 2128:
		return fmt.Sprintf("dense output %d input %d", (i-80)/128, (i-80)%128)
	}
	return fmt.Sprintf("dense bias %d", i-2128)
}

// A DenseOrder says how a float dense kernel of 2,048 numbers is laid out.
type DenseOrder uint8

const (
	// DenseKeras is Keras' own layout (128, 16): index input·16 + output. The
	// chip then computes the network that was trained.
	DenseKeras DenseOrder = iota
	// DenseRegisters is the chip's layout (16, 128): index output·128 + input.
	DenseRegisters
)

// DenseGolden reads a Keras kernel as if it were in register order. The golden
// AE files were made so, without transposing and with [RoundFloor]: it
// reproduces them, and it is not the network that was trained.
const DenseGolden = DenseRegisters

// FloatWeights are a trained encoder's numbers, each nominally in −1..31/32.
type FloatWeights struct {
	Conv      []float64 // 72, Keras layout (3, 3, 1, 8) in C order
	ConvBias  []float64 // 8
	Dense     []float64 // 2,048, laid out as Order says
	DenseBias []float64 // 16
	Order     DenseOrder
}

// A Rounding says how a weight between two multiples of 1/32 becomes one.
type Rounding uint8

const (
	// RoundNearest takes the nearest, halves to the even one, as QKeras'
	// quantized_bits does: what the network was trained and measured with.
	RoundNearest Rounding = iota
	// RoundFloor takes ⌊32w⌋, as the golden AE files were made.
	RoundFloor
)

// String is "nearest" or "floor".
func (r Rounding) String() string {
	if r == RoundFloor {
		return "floor"
	}
	return "nearest"
}

// Quantised says what Quantise had to change.
type Quantised struct {
	OffGrid int // weights that were no multiple of 1/32, on which the rounding has a say
	Clipped int // weights that were below −1 or, when rounded, above 31/32
}

// Quantise gives the six-bit weights 32w, rounded and clipped to −32..31. A
// wrong count or a number that is not finite is an error.
func (f *FloatWeights) Quantise(r Rounding) (w *Weights, q Quantised, err error) {
	if r > RoundFloor {
		return nil, q, fmt.Errorf("econt: rounding %d: want RoundNearest or RoundFloor", r)
	}
	w = new(Weights)
	dense := make([]int8, 2048)
	for _, part := range []struct {
		name string
		src  []float64
		dst  []int8
	}{
		{"conv kernel", f.Conv, w.Conv[:]},
		{"conv bias", f.ConvBias, w.ConvBias[:]},
		{"dense kernel", f.Dense, dense},
		{"dense bias", f.DenseBias, w.DenseBias[:]},
	} {
		if len(part.src) != len(part.dst) {
			return nil, q, fmt.Errorf("econt: %s has %d weights; want %d", part.name, len(part.src), len(part.dst))
		}
		for i, v := range part.src {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, q, fmt.Errorf("econt: %s, weight %d is %v", part.name, i, v)
			}
			v *= 32
			whole := math.RoundToEven(v)
			if r == RoundFloor {
				whole = math.Floor(v)
			}
			if v != math.Trunc(v) {
				q.OffGrid++
			}
			if whole < -32 || whole > 31 {
				q.Clipped++
				whole = min(max(whole, -32), 31)
			}
			part.dst[i] = int8(whole)
		}
	}
	switch f.Order {
	case DenseKeras:
		for i, v := range dense {
			w.Dense[i%16][i/16] = v
		}
	case DenseRegisters:
		for i, v := range dense {
			w.Dense[i/128][i%128] = v
		}
	default:
		return nil, q, fmt.Errorf("econt: dense order %d: want DenseKeras or DenseRegisters", f.Order)
	}
	return w, q, nil
}

// Float gives the numbers the chip computes with, w/32 exactly, in the dense
// order asked for.
func (w *Weights) Float(order DenseOrder) *FloatWeights {
	f := &FloatWeights{Dense: make([]float64, 2048), Order: order}
	f.Conv = toFloat(w.Conv[:])
	f.ConvBias = toFloat(w.ConvBias[:])
	f.DenseBias = toFloat(w.DenseBias[:])
	for j := range 16 {
		for k := range 128 {
			i := k*16 + j
			if order == DenseRegisters {
				i = j*128 + k
			}
			f.Dense[i] = float64(w.Dense[j][k]) / 32
		}
	}
	return f
}

func toFloat(v []int8) []float64 {
	out := make([]float64, len(v))
	for i, x := range v {
		out[i] = float64(x) / 32
	}
	return out
}
