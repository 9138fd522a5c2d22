package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// lanes writes one routine for both vector widths. The 512-bit ones treat
// their last columns by a mask; the 256-bit ones take whole vectors only.
type lanes struct {
	bits int
	args reg.Register
	mask reg.OpmaskVirtual
}

func (l *lanes) bytes() int { return l.bits / 8 }

func (l *lanes) reg() reg.VecVirtual {
	if l.bits == 512 {
		return ZMM()
	}
	return YMM()
}

// begin emits the head of routine name256 or name512 and loads the mask.
func (l *lanes) begin(name, doc string) {
	suffix := "256"
	if l.bits == 512 {
		suffix = "512"
	}
	TEXT(name+suffix, NOSPLIT, "func(s *byte)")
	Pragma("noescape")
	Doc(name + suffix + " " + doc)
	l.args = Load(Param("s"), GP64())
	if l.bits == 512 {
		l.mask = K()
		m := GP64()
		MOVQ(l.at(stripMask), m)
		KMOVW(m.As32(), l.mask)
	}
}

func (l *lanes) end() {
	VZEROUPPER()
	RET()
}

func (l *lanes) at(off int) Mem { return Mem{Base: l.args, Disp: off} }

func (l *lanes) pointer(off int) reg.GPVirtual {
	p := GP64()
	MOVQ(l.at(off), p)
	return p
}

func (l *lanes) load(m Mem) reg.VecVirtual {
	r := l.reg()
	if l.bits == 512 {
		VMOVUPS_Z(m, l.mask, r)
	} else {
		VMOVUPS(m, r)
	}
	return r
}

func (l *lanes) store(r reg.VecVirtual, m Mem) {
	if l.bits == 512 {
		VMOVUPS(r, l.mask, m)
	} else {
		VMOVUPS(r, m)
	}
}

// param loads the columns' values that the pointer at off leads to.
func (l *lanes) param(off int) reg.VecVirtual { return l.load(Mem{Base: l.pointer(off)}) }

// scalar broadcasts the float32 at off of the arguments.
func (l *lanes) scalar(off int) reg.VecVirtual {
	r := l.reg()
	VBROADCASTSS(l.at(off), r)
	return r
}

func (l *lanes) constant(v float32) reg.VecVirtual { return l.word(math.Float32bits(v)) }

func (l *lanes) word(w uint32) reg.VecVirtual {
	r, g, x := l.reg(), GP32(), XMM()
	MOVL(U32(w), g)
	VMOVD(g, x)
	VPBROADCASTD(x, r)
	return r
}

func (l *lanes) zero() reg.VecVirtual {
	r := l.reg()
	l.clear(r)
	return r
}

func (l *lanes) clear(r reg.VecVirtual) {
	if l.bits == 512 {
		VPXORD(r, r, r)
	} else {
		VXORPS(r, r, r)
	}
}

// keepPositive zeroes g where y is not above zero.
func (l *lanes) keepPositive(g, y, zero reg.VecVirtual) {
	const greater = 30 // ordered, quiet
	if l.bits == 512 {
		k := K()
		VCMPPS(Imm(greater), zero, y, k)
		VMOVAPS_Z(g, k, g)
		return
	}
	m := YMM()
	VCMPPS(Imm(greater), zero, y, m)
	VANDPS(m, g, g)
}

// round rounds to the nearest (0) or down (1).
func (l *lanes) round(mode uint64, r reg.VecVirtual) {
	if l.bits == 512 {
		VRNDSCALEPS(Imm(mode), r, r)
	} else {
		VROUNDPS(Imm(mode), r, r)
	}
}

// rows emits body for each row; the pointers advance by the stride.
func (l *lanes) rows(label string, pointers []reg.GPVirtual, body func()) {
	n, stride := l.pointer(stripRows), l.pointer(stripStride)
	TESTQ(n, n)
	JZ(LabelRef(label + "end"))
	Label(label)
	body()
	for _, p := range pointers {
		ADDQ(stride, p)
	}
	DECQ(n)
	JNZ(LabelRef(label))
	Label(label + "end")
}

// Offsets in the strip structure of elementwise_amd64.go. The first four are
// the matrices' first elements, the next four the columns' parameters.
const (
	stripX = 8 * iota
	stripY
	stripG
	stripOut
	stripP0
	stripP1
	stripP2
	stripP3
	stripRows
	stripStride
	stripMask
	stripScalars // float32s from here on
)

func elementwise(bits int) {
	l := &lanes{bits: bits}
	l.maskSum()
	l.moments()
	l.affine()
	l.correlate()
	l.normGrad()
	l.adam()
	l.sumSquares()
	l.axpy()
	l.quantise(0, "quantise")
	l.quantise(1, "quantiseFloor")
	l.sigmoid()
	l.sigmoidGrad()
	l.silu()
	l.siluGrad()
}

// maskSum: with y, g is zeroed where y is not positive; sums of g to P0.
func (l *lanes) maskSum() {
	l.begin("stripMaskSum", "masks a gradient by a ReLU's output and sums its columns.")
	g, y, sum, zero := l.pointer(stripG), l.pointer(stripY), l.zero(), l.zero()
	TESTQ(y, y)
	JZ(LabelRef("plain"))
	l.rows("masked", []reg.GPVirtual{g, y}, func() {
		v := l.load(Mem{Base: g})
		l.keepPositive(v, l.load(Mem{Base: y}), zero)
		l.store(v, Mem{Base: g})
		VADDPS(v, sum, sum)
	})
	JMP(LabelRef("finish"))
	Label("plain")
	l.rows("sums", []reg.GPVirtual{g}, func() {
		VADDPS(l.load(Mem{Base: g}), sum, sum)
	})
	Label("finish")
	l.store(sum, Mem{Base: l.pointer(stripP0)})
	l.end()
}

func (l *lanes) moments() {
	l.begin("stripMoments", "computes the columns' means and sums of squared deviations.")
	x, sum := l.pointer(stripX), l.zero()
	l.rows("sums", []reg.GPVirtual{x}, func() {
		VADDPS(l.load(Mem{Base: x}), sum, sum)
	})
	VMULPS(l.scalar(stripScalars), sum, sum)
	l.store(sum, Mem{Base: l.pointer(stripP0)})
	x, dev := l.pointer(stripX), l.zero()
	l.rows("squares", []reg.GPVirtual{x}, func() {
		d := l.load(Mem{Base: x})
		VSUBPS(sum, d, d)
		VFMADD231PS(d, d, dev)
	})
	l.store(dev, Mem{Base: l.pointer(stripP1)})
	l.end()
}

func (l *lanes) affine() {
	l.begin("stripAffine", "computes y = max((x−P2)·P0 + P1, the scalar) by column.")
	x, y := l.pointer(stripX), l.pointer(stripY)
	scale, shift, least := l.param(stripP0), l.param(stripP1), l.scalar(stripScalars)
	centre := l.param(stripP2)
	l.rows("rows", []reg.GPVirtual{x, y}, func() {
		v := l.load(Mem{Base: x})
		VSUBPS(centre, v, v)
		VFMADD213PS(shift, scale, v)
		VMAXPS(v, least, v) // a NaN stays
		l.store(v, Mem{Base: y})
	})
	l.end()
}

// correlate: like maskSum, and the sum of g·(x−P2) to P1.
func (l *lanes) correlate() {
	l.begin("stripCorrelate", "masks a gradient, and sums it and its product with centred x by column.")
	g, x, y := l.pointer(stripG), l.pointer(stripX), l.pointer(stripY)
	sum, dot, zero, centre := l.zero(), l.zero(), l.zero(), l.param(stripP2)
	body := func(masked bool) func() {
		return func() {
			v := l.load(Mem{Base: g})
			if masked {
				l.keepPositive(v, l.load(Mem{Base: y}), zero)
				l.store(v, Mem{Base: g})
			}
			VADDPS(v, sum, sum)
			d := l.load(Mem{Base: x})
			VSUBPS(centre, d, d)
			VFMADD231PS(v, d, dot)
		}
	}
	TESTQ(y, y)
	JZ(LabelRef("plain"))
	l.rows("masked", []reg.GPVirtual{g, x, y}, body(true))
	JMP(LabelRef("finish"))
	Label("plain")
	l.rows("sums", []reg.GPVirtual{g, x}, body(false))
	Label("finish")
	l.store(sum, Mem{Base: l.pointer(stripP0)})
	l.store(dot, Mem{Base: l.pointer(stripP1)})
	l.end()
}

func (l *lanes) normGrad() {
	l.begin("stripNormGrad", "computes P0·g + P1·(x−P2) + P3 by column.")
	g, x, out := l.pointer(stripG), l.pointer(stripX), l.pointer(stripOut)
	scale, a, centre, b := l.param(stripP0), l.param(stripP1), l.param(stripP2), l.param(stripP3)
	l.rows("rows", []reg.GPVirtual{g, x, out}, func() {
		d := l.load(Mem{Base: x})
		VSUBPS(centre, d, d)
		VFMADD213PS(b, a, d)
		VFMADD231PS(l.load(Mem{Base: g}), scale, d)
		l.store(d, Mem{Base: out})
	})
	l.end()
}

// adam: X weights, G gradients, Y and Out the moments; the scalars are those
// of AdamStep in order.
func (l *lanes) adam() {
	l.begin("stripAdam", "is one update by Adam.")
	w, g, m, v := l.pointer(stripX), l.pointer(stripG), l.pointer(stripY), l.pointer(stripOut)
	var s []reg.VecVirtual
	for i := range 6 {
		s = append(s, l.scalar(stripScalars+4*i))
	}
	l.rows("rows", []reg.GPVirtual{w, g, m, v}, func() {
		grad, first, second := l.load(Mem{Base: g}), l.load(Mem{Base: m}), l.load(Mem{Base: v})
		t := l.reg()
		VMULPS(s[0], first, first)
		VFMADD231PS(s[1], grad, first)
		l.store(first, Mem{Base: m})
		VMULPS(grad, grad, t)
		VMULPS(s[2], second, second)
		VFMADD231PS(s[3], t, second)
		l.store(second, Mem{Base: v})
		VSQRTPS(second, second)
		VADDPS(s[5], second, second)
		VMULPS(s[4], first, first)
		VDIVPS(second, first, first)
		value := l.load(Mem{Base: w})
		VSUBPS(first, value, value)
		l.store(value, Mem{Base: w})
	})
	l.end()
}

// sumSquares leaves the lanes' sums in float64 at P0.
func (l *lanes) sumSquares() {
	l.begin("stripSumSquares", "adds squares in float64, lane by lane.")
	x, sum := l.pointer(stripX), []reg.VecVirtual{l.zero(), l.zero()}
	half := l.bytes() / 2
	l.rows("rows", []reg.GPVirtual{x}, func() {
		for i := range sum {
			d := l.reg()
			VCVTPS2PD(Mem{Base: x, Disp: i * half}, d)
			VFMADD231PD(d, d, sum[i])
		}
	})
	out := l.pointer(stripP0)
	VMOVUPD(sum[0], Mem{Base: out})
	VMOVUPD(sum[1], Mem{Base: out, Disp: l.bytes()})
	l.end()
}

func (l *lanes) axpy() {
	l.begin("stripBlend", "computes y = a·y + b·x.")
	x, y, a, b := l.pointer(stripX), l.pointer(stripY), l.scalar(stripScalars), l.scalar(stripScalars+4)
	l.rows("rows", []reg.GPVirtual{x, y}, func() {
		v := l.load(Mem{Base: y})
		VMULPS(a, v, v)
		VFMADD231PS(l.load(Mem{Base: x}), b, v)
		l.store(v, Mem{Base: y})
	})
	l.end()
}

// quantise: scalars are 1/step, step, low, high.
func (l *lanes) quantise(mode uint64, name string) {
	l.begin(name, "rounds to multiples of a step between bounds.")
	x, y := l.pointer(stripX), l.pointer(stripY)
	inverse, step := l.scalar(stripScalars), l.scalar(stripScalars+4)
	low, high := l.scalar(stripScalars+8), l.scalar(stripScalars+12)
	l.rows("rows", []reg.GPVirtual{x, y}, func() {
		v := l.load(Mem{Base: x})
		VMULPS(inverse, v, v)
		l.round(mode, v)
		VMINPS(v, high, v)
		VMAXPS(v, low, v)
		VMULPS(step, v, v)
		l.store(v, Mem{Base: y})
	})
	l.end()
}

// A logistic computes 1/(1+exp(z)): exp by reduction to ±½ln2 and a polynomial
// of degree 6 (the coefficients are 1/k!), good to 2 ulp for |z| ≤ 87.
type logistic struct {
	l                              *lanes
	log2e, ln2hi, ln2lo, one, bias reg.VecVirtual
	coef                           []reg.VecVirtual
}

func (l *lanes) logistic() logistic {
	f := logistic{l: l, log2e: l.constant(math.Log2E), ln2hi: l.constant(0.693359375), ln2lo: l.constant(-2.12194440e-4), one: l.constant(1), bias: l.word(127)}
	for _, c := range []float32{1. / 720, 1. / 120, 1. / 24, 1. / 6, 0.5} {
		f.coef = append(f.coef, l.constant(c))
	}
	return f
}

// of destroys z.
func (f logistic) of(z reg.VecVirtual) reg.VecVirtual {
	n, whole, e := f.l.reg(), f.l.reg(), f.l.reg()
	VMULPS(f.log2e, z, n)
	VCVTPS2DQ(n, n)
	VCVTDQ2PS(n, whole)
	VFNMADD231PS(f.ln2hi, whole, z)
	VFNMADD231PS(f.ln2lo, whole, z)
	VMULPS(f.coef[0], z, e)
	for _, c := range f.coef[1:] {
		VADDPS(c, e, e)
		VMULPS(z, e, e)
	}
	VADDPS(f.one, e, e)
	VMULPS(z, e, e)
	VADDPS(f.one, e, e)
	VPADDD(f.bias, n, n)
	VPSLLD(Imm(23), n, n)
	VMULPS(n, e, e)
	VADDPS(f.one, e, e)
	VDIVPS(e, f.one, e)
	return e
}

// sigmoid clamps arguments beyond ±87.
func (l *lanes) sigmoid() {
	l.begin("stripSigmoid", "computes 1/(1+exp(−x)).")
	x, y := l.pointer(stripX), l.pointer(stripY)
	low, high := l.constant(-87), l.constant(87)
	f := l.logistic()
	l.rows("rows", []reg.GPVirtual{x, y}, func() {
		z := l.zero()
		VSUBPS(l.load(Mem{Base: x}), z, z)
		VMINPS(z, high, z)
		VMAXPS(z, low, z)
		l.store(f.of(z), Mem{Base: y})
	})
	l.end()
}

// clamped loads x and makes v = max(x, −87) and z = max(−v, −87).
func (l *lanes) clamped(x reg.GPVirtual, low reg.VecVirtual) (v, z reg.VecVirtual) {
	v, z = l.load(Mem{Base: x}), l.zero()
	VMAXPS(v, low, v)
	VSUBPS(v, z, z)
	VMAXPS(z, low, z)
	return v, z
}

func (l *lanes) silu() {
	l.begin("stripSiLU", "computes x/(1+exp(−x)).")
	x, y, low := l.pointer(stripX), l.pointer(stripY), l.constant(-87)
	f := l.logistic()
	l.rows("rows", []reg.GPVirtual{x, y}, func() {
		v, z := l.clamped(x, low)
		VMULPS(f.of(z), v, v)
		l.store(v, Mem{Base: y})
	})
	l.end()
}

func (l *lanes) siluGrad() {
	l.begin("stripSiLUGrad", "computes out = g·s·(1+x·(1−s)), s = 1/(1+exp(−x)).")
	g, x, out, low := l.pointer(stripG), l.pointer(stripX), l.pointer(stripOut), l.constant(-87)
	f := l.logistic()
	l.rows("rows", []reg.GPVirtual{g, x, out}, func() {
		v, z := l.clamped(x, low)
		s, rest := f.of(z), l.reg()
		VSUBPS(s, f.one, rest)
		VMULPS(rest, v, v)
		VADDPS(f.one, v, v)
		VMULPS(s, v, v)
		VMULPS(l.load(Mem{Base: g}), v, v)
		l.store(v, Mem{Base: out})
	})
	l.end()
}

func (l *lanes) sigmoidGrad() {
	l.begin("stripSigmoidGrad", "computes out = g·y·(1−y).")
	g, y, out, one := l.pointer(stripG), l.pointer(stripY), l.pointer(stripOut), l.constant(1)
	l.rows("rows", []reg.GPVirtual{g, y, out}, func() {
		v, rest := l.load(Mem{Base: y}), l.reg()
		VSUBPS(v, one, rest)
		VMULPS(rest, v, v)
		VMULPS(l.load(Mem{Base: g}), v, v)
		l.store(v, Mem{Base: out})
	})
	l.end()
}
