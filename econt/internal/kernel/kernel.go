// Package kernel holds the arithmetic of ECON-T's autoencoder block: the plain
// form that says what it is, and kernels that do 16 wafers at a time in vector
// lanes with the same result.
//
// The vector kernels rest on three facts. A product truncated towards −∞,
// ⌊a·w/16⌋, is the high half of the 16-bit product of a·2^6 and w·2^6. Pixels
// and hidden units are paired in 32-bit lanes, so that a weight pair is one
// broadcast load. And no intermediate exceeds 16 bits: see [Pack].
package kernel

import (
	"math/bits"
	"slices"

	"barrow/internal/simd"
)

// Block is how many wafers a [Func] takes.
const Block = 16

// cells is the number of pixels that are not masked, in raster order.
const cells = 48

// Weights are packed for the vector kernels. Each int32 of Conv and Dense is a
// pair of int16, the low half for the even pixel or hidden unit.
type Weights struct {
	Conv      [8][6]int32   // filter; row 0–2 × (columns 0 and 1, column 2 and nothing), ·2^5
	ConvBias  [8]int32      // b·4 in the low half
	Dense     [48][16]int32 // pair of hidden units, output, ·2^6
	DenseBias [16]int32     // B·8 + the windows that see only masked pixels
	Limit     int32         // outputs are min(out, Limit) & Keep
	Keep      int32
	tables    *tables // of the kernel in Go
}

// Scratch is a kernel's working memory: 48 vectors of pixels, 24 of pixel
// pairs and 48 of hidden pairs, of 64 bytes each.
type Scratch struct {
	Pixels [cells][16]uint32
	Pairs  [24][16]uint32
	Hidden [48][16]uint32
	Any    [16]uint32 // the bits set in any charge, spread over 8 or 16 words
}

// InRange reports whether all charges of the last block were below 2^22.
func (s *Scratch) InRange() bool {
	var any uint32
	for _, v := range s.Any {
		any |= v
	}
	return any < 1<<22
}

// NewScratch gives a Scratch.
func NewScratch() *Scratch { return new(Scratch) }

// Func encodes the first Block wafers: out takes 16×16 outputs, sums 16 sums,
// calq holds 16×48 charges. Nothing checks the lengths; where Scratch.InRange is
// false afterwards, what is in out means nothing.
type Func func(out []uint16, sums, calq []uint32, w *Weights, s *Scratch)

type named struct {
	name string
	run  Func
}

// Names lists the kernels that can run here, fastest first.
func Names() []string {
	var names []string
	for _, k := range available {
		names = append(names, k.name)
	}
	return names
}

// Lookup finds a kernel by name; "" is the fastest.
func Lookup(name string) (string, Func, error) {
	name, err := simd.Choose(name, Names())
	if err != nil {
		return "", nil, err
	}
	i := slices.IndexFunc(available, func(k named) bool { return k.name == name })
	return name, available[i].run, nil
}

// Normalise brings charges to an eight-bit image of seven fractional bits,
// truncated: CALQ >> (⌊log2 Σ⌋ − 7), to the left where that is negative.
func Normalise(image *[cells]uint8, calq *[cells]uint32) (sum uint32) {
	for _, q := range calq {
		sum += q
	}
	shift := bits.Len32(sum) - 8
	for i, q := range calq {
		if shift >= 0 {
			image[i] = uint8(q >> shift)
		} else {
			image[i] = uint8(q << -shift)
		}
	}
	return sum
}

// pixel gives the raster index of a pixel of the 8×8 image, −1 where masked.
func pixel(y, x int) int {
	switch {
	case y > 7 || x > 7 || y > 3 && x > 3:
		return -1
	case y < 4:
		return 8*y + x
	}
	return 32 + 4*(y-4) + x
}

// Forward is the block's arithmetic as it is defined: 16 outputs of eight
// fractional bits after the ReLU, not limited to nine bits.
func Forward(image *[cells]uint8, conv *[72]int8, convBias *[8]int8, dense *[16][128]int8, denseBias *[16]int8) (out [16]int32) {
	var hidden [128]int32
	for py := range 4 {
		for px := range 4 {
			for f := range 8 {
				acc := int32(convBias[f]) << 2
				for dy := range 3 {
					for dx := range 3 {
						if p := pixel(2*py+dy, 2*px+dx); p >= 0 {
							acc += int32(image[p]) * int32(conv[(dy*3+dx)*8+f]) >> 5
						}
					}
				}
				hidden[(py*4+px)*8+f] = max(acc, 0)
			}
		}
	}
	for j := range out {
		acc := int32(denseBias[j]) << 3
		for k, h := range hidden {
			acc += h * int32(dense[j][k]) >> 4
		}
		out[j] = max(acc, 0)
	}
	return out
}

// active lists the twelve windows that see a pixel; the four at rows and
// columns 2 and 3 lie in the masked corner and give a constant.
var active = func() (list [][2]int) {
	for py := range 4 {
		for px := range 4 {
			if py < 2 || px < 2 {
				list = append(list, [2]int{py, px})
			}
		}
	}
	return list
}()

// Pack arranges weights of six bits for the vector kernels, outputs limited to
// nine bits by saturation or, with wrap, by dropping the upper bits.
//
// Why 16 bits are enough, for any weights: an image sums to at most 255, so a
// hidden unit is at most ⌊255·31/32⌋ + 4·31 = 371 (and before its ReLU at least
// −255 − 9 − 128 = −392), and 392·2^6 < 2^15. An output is gathered in two
// halves, even and odd hidden units: 64 units of bias 4·31 give at most
// 64·124·32/16 = 15,872; a unit of image enters four windows of four filters
// each, which adds at most 255·16·(31/32)·(32/16) = 7,905; truncation adds at
// most one a unit, 64. Together 23,841 < 2^15, for every partial sum in any
// order.
func Pack(conv *[72]int8, convBias *[8]int8, dense *[16][128]int8, denseBias *[16]int8, wrap bool) *Weights {
	w := &Weights{Limit: 511, Keep: -1}
	if wrap {
		w.Limit, w.Keep = 1<<31-1, 511
	}
	for f := range 8 {
		for dy := range 3 {
			at := func(dx int) int8 { return conv[(dy*3+dx)*8+f] }
			w.Conv[f][2*dy] = pair(at(0), at(1), 5)
			w.Conv[f][2*dy+1] = pair(at(2), 0, 5)
		}
		w.ConvBias[f] = int32(uint16(int16(convBias[f]) << 2))
	}
	for j := range 16 {
		for i, win := range active {
			k := (win[0]*4 + win[1]) * 8
			for h := range 4 {
				w.Dense[4*i+h][j] = pair(dense[j][k+2*h], dense[j][k+2*h+1], 6)
			}
		}
		acc := int32(denseBias[j]) << 3
		for py := 2; py < 4; py++ {
			for px := 2; px < 4; px++ {
				for f := range 8 {
					h := max(int32(convBias[f])<<2, 0)
					acc += h * int32(dense[j][(py*4+px)*8+f]) >> 4
				}
			}
		}
		w.DenseBias[j] = acc
	}
	return w
}

// pair packs two weights, scaled by 2^shift, as int16.
func pair(even, odd int8, shift int) int32 {
	return int32(uint32(uint16(int16(even)<<shift)) | uint32(uint16(int16(odd)<<shift))<<16)
}
