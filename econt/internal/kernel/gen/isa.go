package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

func isa512() isa {
	return isa{lanes: 16, vec: ZMM, v: v{
		move: VMOVDQU32,
		or:   VPORD,
		and:  VPANDD,
	}}
}

func isa256() isa {
	return isa{lanes: 8, vec: YMM, v: v{
		move: func(o ...Op) { VMOVDQU(o[0], o[1]) },
		or:   func(o ...Op) { VPOR(o[0], o[1], o[2]) },
		and:  func(o ...Op) { VPAND(o[0], o[1], o[2]) },
	}}
}

// registers gives the rows of transpose from registers.
func registers(v []reg.VecVirtual) func(int) reg.VecVirtual {
	return func(r int) reg.VecVirtual { return v[r] }
}

// transpose turns rows of lanes numbers into columns. It asks for four rows at
// a time and hands columns over as they are done, so that it needs few
// registers.
func (b *block) transpose(row func(int) reg.VecVirtual, column func(int, reg.VecVirtual)) {
	// Within 128 bits: after this u[4g+k] holds, in its part L, column 4L+k of
	// rows 4g to 4g+3.
	u := make([]reg.VecVirtual, b.lanes)
	for g := 0; g < b.lanes; g += 4 {
		r := [4]reg.VecVirtual{row(g), row(g + 1), row(g + 2), row(g + 3)}
		var t [4]reg.VecVirtual
		for i := range t {
			t[i] = b.vec()
		}
		VPUNPCKLDQ(r[1], r[0], t[0])
		VPUNPCKHDQ(r[1], r[0], t[1])
		VPUNPCKLDQ(r[3], r[2], t[2])
		VPUNPCKHDQ(r[3], r[2], t[3])
		for k := range t {
			u[g+k] = b.vec()
		}
		VPUNPCKLQDQ(t[2], t[0], u[g])
		VPUNPCKHQDQ(t[2], t[0], u[g+1])
		VPUNPCKLQDQ(t[3], t[1], u[g+2])
		VPUNPCKHQDQ(t[3], t[1], u[g+3])
	}
	shuffle := func(c, order int, hi, lo reg.VecVirtual, op func(...Op)) {
		v := b.vec()
		op(U8(order), hi, lo, v)
		column(c, v)
	}
	for k := 0; k < 4; k++ {
		if b.lanes == 8 {
			shuffle(k, 0x20, u[4+k], u[k], permute128)
			shuffle(4+k, 0x31, u[4+k], u[k], permute128)
			continue
		}
		// Parts (0,2 | 0,2) and (1,3 | 1,3) of two, then the same of those.
		even01, odd01, even23, odd23 := b.vec(), b.vec(), b.vec(), b.vec()
		VSHUFI32X4(U8(0x88), u[4+k], u[k], even01)
		VSHUFI32X4(U8(0xdd), u[4+k], u[k], odd01)
		VSHUFI32X4(U8(0x88), u[12+k], u[8+k], even23)
		VSHUFI32X4(U8(0xdd), u[12+k], u[8+k], odd23)
		shuffle(k, 0x88, even23, even01, VSHUFI32X4)
		shuffle(4+k, 0x88, odd23, odd01, VSHUFI32X4)
		shuffle(8+k, 0xdd, even23, even01, VSHUFI32X4)
		shuffle(12+k, 0xdd, odd23, odd01, VSHUFI32X4)
	}
}

func permute128(o ...Op) { VPERM2I128(o[0], o[1], o[2], o[3]) }

// finish512 writes the outputs wafer by wafer.
func (b *block) finish512(acc []reg.VecVirtual) {
	b.transpose(registers(acc), func(r int, row reg.VecVirtual) {
		VPMOVDW(row, Mem{Base: b.out, Disp: r * outputBytes})
	})
}

// keepRows leaves eight outputs of each wafer where the pixels were.
func (b *block) keepRows(acc []reg.VecVirtual, half int) {
	b.transpose(registers(acc), func(r int, row reg.VecVirtual) {
		b.v.move(row, Mem{Base: b.s, Disp: pixelsAt + (2*r+half)*b.bytes()})
	})
}

// finish256 packs the two halves of each wafer.
func (b *block) finish256() {
	for r := 0; r < b.lanes; r++ {
		lo, hi := b.vec(), b.vec()
		b.v.move(Mem{Base: b.s, Disp: pixelsAt + 2*r*b.bytes()}, lo)
		b.v.move(Mem{Base: b.s, Disp: pixelsAt + (2*r+1)*b.bytes()}, hi)
		VPACKUSDW(hi, lo, lo)
		VPERMQ(U8(0xd8), lo, lo)
		b.v.move(lo, Mem{Base: b.out, Disp: r * outputBytes})
	}
}
