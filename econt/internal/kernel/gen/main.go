// Command gen writes the assembly of package kernel with avo: one function for
// 16 wafers in AVX-512 and one for 8 in AVX2, from the same description. Run it
// with go generate in the package's folder.
package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// Layout of kernel.Weights, kernel.Scratch and the wafers.
const (
	convAt      = 0
	convBiasAt  = convAt + 8*6*4
	denseAt     = convBiasAt + 8*4
	denseBiasAt = denseAt + 48*16*4
	limitAt     = denseBiasAt + 16*4
	keepAt      = limitAt + 4

	pixelsAt = 0
	pairsAt  = pixelsAt + 48*64
	hiddenAt = pairsAt + 24*64
	anyAt    = hiddenAt + 48*64

	waferBytes  = 48 * 4
	outputBytes = 16 * 2
)

// isa hides the difference between the two instruction sets. Operands are in
// Go's order, destination last.
type isa struct {
	lanes int // wafers at a time
	vec   func() reg.VecVirtual
	v     v // the instructions whose names differ
}

type v struct {
	move, or, and func(...Op)
}

// clear copies zero: the allocator takes an exclusive or of a register with
// itself for a use of its old value.
func (b *block) clear(x reg.VecVirtual) { b.v.move(b.zero, x) }

func (a isa) bytes() int { return 4 * a.lanes }

// block is the state of one function.
type block struct {
	isa
	out, sums, calq, w, s reg.Register
	ones, zero            reg.VecVirtual
}

func main() {
	Package("barrow/econt/internal/kernel")
	ConstraintExpr("amd64,!purego")
	function("encode512", "encodes 16 wafers with AVX-512.", isa512())
	function("encode256", "encodes 8 wafers with AVX2.", isa256())
	Generate()
}

func function(name, doc string, a isa) {
	TEXT(name, NOSPLIT, "func(out *uint16, sums, calq *uint32, w *Weights, s *Scratch)")
	Pragma("noescape")
	Doc(name + " " + doc)
	b := &block{isa: a}
	b.out = Load(Param("out"), GP64())
	b.sums = Load(Param("sums"), GP64())
	b.calq = Load(Param("calq"), GP64())
	b.w = Load(Param("w"), GP64())
	b.s = Load(Param("s"), GP64())
	b.zero = b.constant(0)
	b.ones = b.constant(0x00010001)

	b.normalise(b.gather())
	b.convolve()
	if b.lanes == 16 {
		b.finish512(b.dense(0, 16))
	} else {
		b.keepRows(b.dense(0, 8), 0)
		b.keepRows(b.dense(8, 8), 1)
		b.finish256()
	}
	VZEROUPPER()
	RET()
}

// constant broadcasts a 32-bit number.
func (b *block) constant(x uint32) reg.VecVirtual {
	gp, v := GP32(), b.vec()
	MOVL(U32(x), gp)
	VMOVD(gp, v.AsX())
	VPBROADCASTD(v.AsX(), v)
	return v
}

// spread broadcasts a 32-bit word of the weights.
func (b *block) spread(at int) reg.VecVirtual {
	v := b.vec()
	VPBROADCASTD(Mem{Base: b.w, Disp: at}, v)
	return v
}

// gather turns the wafers' rows into one vector a pixel, sums them and notes
// which bits they have.
func (b *block) gather() (sum reg.VecVirtual) {
	sum = b.vec()
	b.clear(sum)
	seen := b.vec()
	b.clear(seen)
	for g := 0; g < 48; g += b.lanes {
		row := func(r int) reg.VecVirtual {
			v := b.vec()
			b.v.move(Mem{Base: b.calq, Disp: r*waferBytes + 4*g}, v)
			return v
		}
		b.transpose(row, func(c int, col reg.VecVirtual) {
			b.v.move(col, Mem{Base: b.s, Disp: pixelsAt + (g+c)*b.bytes()})
			VPADDD(col, sum, sum)
			b.v.or(col, seen, seen)
		})
	}
	b.v.move(seen, Mem{Base: b.s, Disp: anyAt})
	b.v.move(sum, Mem{Base: b.sums})
	return sum
}

// normalise shifts every pixel by its wafer's exponent, scales by 2^6 and puts
// two pixels into a lane.
func (b *block) normalise(sum reg.VecVirtual) {
	right, left := b.vec(), b.vec()
	b.exponent(sum, right, left)
	even, odd := b.vec(), b.vec()
	VPADDD(b.constant(6), left, even)
	VPADDD(b.constant(22), left, odd)
	for i := 0; i < 24; i++ {
		lo, hi := b.vec(), b.vec()
		b.v.move(Mem{Base: b.s, Disp: pixelsAt + 2*i*b.bytes()}, lo)
		b.v.move(Mem{Base: b.s, Disp: pixelsAt + (2*i+1)*b.bytes()}, hi)
		VPSRLVD(right, lo, lo)
		VPSLLVD(even, lo, lo)
		VPSRLVD(right, hi, hi)
		VPSLLVD(odd, hi, hi)
		b.v.or(lo, hi, lo)
		b.v.move(lo, Mem{Base: b.s, Disp: pairsAt + i*b.bytes()})
	}
}

// exponent gives the shifts: right by ⌊log2 Σ⌋−7 or left by its opposite.
func (b *block) exponent(sum, right, left reg.VecVirtual) {
	n := b.vec()
	if b.lanes == 16 {
		VPLZCNTD(sum, n)
		VPSUBD(n, b.constant(24), right)
	} else {
		// The exponent of the sum as a float. Without the bit below the leading
		// one the conversion cannot round up to the next power of two.
		VPSRLD(U8(1), sum, n)
		VPANDN(sum, n, n)
		VCVTDQ2PS(n, n)
		VPSRLD(U8(23), n, n)
		VPSUBD(b.constant(134), n, right)
	}
	VPSUBD(right, b.zero, left)
	VPMAXSD(b.zero, right, right)
	VPMAXSD(b.zero, left, left)
}

// tap is a pair of pixels that a window sees, and the weights it meets there.
type tap struct{ pair, weight int }

// taps of the window at row py and column px.
func taps(py, px int) (list []tap) {
	for dy := 0; dy < 3; dy++ {
		y := 2*py + dy
		first, width := 4*y, 4
		if y > 3 {
			first, width = 16+2*(y-4), 2
		}
		if y > 7 {
			break
		}
		if px < width {
			list = append(list, tap{first + px, 2 * dy})
		}
		if px+1 < width {
			list = append(list, tap{first + px + 1, 2*dy + 1})
		}
	}
	return list
}

// convolve writes the hidden units of the twelve windows, scaled by 2^6, two
// filters to a lane.
func (b *block) convolve() {
	i := 0
	for py := 0; py < 4; py++ {
		for px := 0; px < 4; px++ {
			if py > 1 && px > 1 {
				continue
			}
			list := taps(py, px)
			pixels := make([]reg.VecVirtual, len(list))
			for n, t := range list {
				pixels[n] = b.vec()
				b.v.move(Mem{Base: b.s, Disp: pairsAt + t.pair*b.bytes()}, pixels[n])
			}
			for f := 0; f < 8; f += 2 {
				even, odd := b.filter(f, list, pixels), b.filter(f+1, list, pixels)
				VPSLLD(U8(6), even, even)
				VPSLLD(U8(22), odd, odd)
				b.v.or(even, odd, even)
				b.v.move(even, Mem{Base: b.s, Disp: hiddenAt + (4*i+f/2)*b.bytes()})
			}
			i++
		}
	}
}

// filter is one filter on one window after the ReLU, 32 bits a lane.
func (b *block) filter(f int, list []tap, pixels []reg.VecVirtual) reg.VecVirtual {
	acc := b.spread(convBiasAt + 4*f)
	for n, t := range list {
		w := b.spread(convAt + 4*(6*f+t.weight))
		VPMULHW(pixels[n], w, w)
		VPADDW(w, acc, acc)
	}
	VPMADDWD(b.ones, acc, acc)
	VPMAXSD(b.zero, acc, acc)
	return acc
}

// dense is count outputs from number first on, 32 bits a lane.
func (b *block) dense(first, count int) []reg.VecVirtual {
	acc := make([]reg.VecVirtual, count)
	for j := range acc {
		acc[j] = b.vec()
		b.clear(acc[j])
	}
	h, w, n := GP64(), GP64(), GP64()
	LEAQ(Mem{Base: b.s, Disp: hiddenAt}, h)
	LEAQ(Mem{Base: b.w, Disp: denseAt + 4*first}, w)
	MOVQ(U32(48), n)
	loop := map[bool]string{true: "dense512", false: "dense256from"}[b.lanes == 16]
	if b.lanes == 8 {
		loop += string(rune('0' + first))
	}
	Label(loop)
	unit := b.vec()
	b.v.move(Mem{Base: h}, unit)
	for j := range acc {
		t := b.vec()
		VPBROADCASTD(Mem{Base: w, Disp: 4 * j}, t)
		VPMULHW(unit, t, t)
		VPADDW(t, acc[j], acc[j])
	}
	ADDQ(U8(b.bytes()), h)
	ADDQ(U8(64), w)
	DECQ(n)
	JNZ(LabelRef(loop))
	limit, keep := b.spread(limitAt), b.spread(keepAt)
	for j := range acc {
		VPMADDWD(b.ones, acc[j], acc[j])
		VPADDD(b.spread(denseBiasAt+4*(first+j)), acc[j], acc[j])
		VPMAXSD(b.zero, acc[j], acc[j])
		VPMINSD(limit, acc[j], acc[j])
		b.v.and(keep, acc[j], acc[j])
	}
	return acc
}
