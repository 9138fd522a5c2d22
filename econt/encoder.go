package econt

import (
	"fmt"

	"barrow/econt/internal/kernel"
	"barrow/internal/simd"
)

// EncoderSettings choose how an [Encoder] works. The zero value saturates and
// takes the fastest kernel that the processor has.
type EncoderSettings struct {
	Overflow Overflow
	// Kernel is one of [Kernels], for tests and benchmarks; "" is the fastest.
	Kernel string
}

// Kernels names what this processor and build can run, fastest first: of
// "avx512", "avx2" and "portable". All give the same bits.
func Kernels() []string { return kernel.Names() }

// An Encoder is the autoencoder block alone: normalisation, convolution and
// dense layer, for many wafers at a time. It is not safe for concurrent use
// and allocates nothing after NewEncoder.
type Encoder struct {
	packed   *kernel.Weights
	scratch  *kernel.Scratch
	run      kernel.Func
	name     string
	overflow Overflow
	tailIn   [kernel.Block * Channels]uint32
	tailOut  [kernel.Block * 16]uint16
	tailSum  [kernel.Block]uint32
}

// NewEncoder checks and packs the weights.
func NewEncoder(w *Weights, s EncoderSettings) (*Encoder, error) {
	if w == nil {
		return nil, fmt.Errorf("econt: encoder without weights")
	}
	if err := w.Validate(); err != nil {
		return nil, err
	}
	if s.Overflow > Wrap {
		return nil, fmt.Errorf("econt: overflow %d: want Saturate or Wrap", s.Overflow)
	}
	name, run, err := kernel.Lookup(s.Kernel)
	if err != nil {
		return nil, fmt.Errorf("econt: %w", err)
	}
	packed := kernel.Pack(&w.Conv, &w.ConvBias, &w.Dense, &w.DenseBias, s.Overflow == Wrap)
	if name == simd.Portable {
		packed.Prepare()
	}
	return &Encoder{
		packed:   packed,
		scratch:  kernel.NewScratch(),
		run:      run,
		name:     name,
		overflow: s.Overflow,
	}, nil
}

// Kernel is the name of the kernel in use.
func (e *Encoder) Kernel() string { return e.name }

// Encode encodes N wafers. calq holds N×48 charges in raster order, each less
// than 2^22; out takes N×16 outputs of nine bits, eight of them fractional;
// sums takes the N sums and may be nil. Other lengths and larger charges are
// errors, after which out is not to be used.
func (e *Encoder) Encode(calq []uint32, out []uint16, sums []uint32) error {
	n := len(calq) / Channels
	switch {
	case len(calq) != n*Channels:
		return fmt.Errorf("econt: %d charges are not a multiple of 48", len(calq))
	case len(out) != n*16:
		return fmt.Errorf("econt: %d outputs for %d wafers; want %d", len(out), n, 16*n)
	case sums != nil && len(sums) != n:
		return fmt.Errorf("econt: %d sums for %d wafers", len(sums), n)
	}
	whole := n / kernel.Block
	const blockIn, blockOut = kernel.Block * Channels, kernel.Block * 16
	for b := range whole {
		dst := e.tailSum[:]
		if sums != nil {
			dst = sums[b*kernel.Block:]
		}
		e.run(out[b*blockOut:], dst, calq[b*blockIn:], e.packed, e.scratch)
		if !e.scratch.InRange() {
			return rangeError(calq)
		}
	}
	if done := whole * kernel.Block; done < n {
		k := copy(e.tailIn[:], calq[done*Channels:])
		clear(e.tailIn[k:])
		e.run(e.tailOut[:], e.tailSum[:], e.tailIn[:], e.packed, e.scratch)
		if !e.scratch.InRange() {
			return rangeError(calq)
		}
		copy(out[done*16:], e.tailOut[:])
		if sums != nil {
			copy(sums[done:], e.tailSum[:])
		}
	}
	return nil
}

// rangeError names the first charge that no chip can hold.
func rangeError(calq []uint32) error {
	for i, q := range calq {
		if q >= 1<<22 {
			return fmt.Errorf("econt: wafer %d, channel %d: charge %d needs more than 22 bits", i/Channels, i%Channels, q)
		}
	}
	return nil
}

// encodeOne is one wafer by the kernel in Go, which has to be prepared; over
// reports an output of more than nine bits.
func (e *Encoder) encodeOne(calq *[Channels]uint32, out *[16]uint16) (sum uint32, over bool) {
	var image [Channels]uint8
	sum = kernel.Normalise(&image, calq)
	for j, v := range e.packed.Raw(&image) {
		if v >= 1<<outputBits {
			over = true
			if e.overflow == Wrap {
				v &= 1<<outputBits - 1
			} else {
				v = 1<<outputBits - 1
			}
		}
		out[j] = uint16(v)
	}
	return sum, over
}

// Normalise brings 48 charges to the encoder's eight-bit image, seven bits of
// it fractional: CALQ·2^(7−⌊log2 Σ⌋), truncated, so that the image's sum lies
// in 128−48..255. It returns the sum of the charges; an empty wafer gives an
// empty image.
func Normalise(image *[Channels]uint8, calq *[Channels]uint32) (sum uint32) {
	return kernel.Normalise(image, calq)
}
