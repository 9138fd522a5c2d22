// Command gen writes the assembly of package columns. Run it with go generate.
//
// The instructions follow the portable functions of the same name, with the same order of
// every rounding, so that all kernels return the same bits.
package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	block    = 64 // places, as in package columns
	side     = 4  // vectors side by side, so that none waits for another
	lessThan = 0x11
)

func main() {
	for _, bits := range []int{256, 512} {
		for _, norm := range []string{"L1", "LInf", "L2", "Square"} {
			for _, periodic := range []bool{false, true} {
				k := &kernel{bits: bits, norm: norm, periodic: periodic}
				k.scan()
				k.least()
			}
		}
	}
	Generate()
}

// kernel writes the routines of one norm for one width of vectors.
type kernel struct {
	bits     int
	norm     string
	periodic bool

	x, at, w, periods, dim, stride reg.GPVirtual
	abs                            reg.VecVirtual
}

func (k *kernel) bytes() int { return k.bits / 8 }

// parts is how many times side vectors make a block.
func (k *kernel) parts() int { return block * 8 / (side * k.bytes()) }

func (k *kernel) reg() reg.VecVirtual {
	if k.bits == 512 {
		return ZMM()
	}
	return YMM()
}

func (k *kernel) name(what string) string {
	n := what + k.norm
	if k.periodic {
		n += "Periodic"
	}
	if k.bits == 512 {
		return n + "x512"
	}
	return n + "x256"
}

func load64(name string) reg.GPVirtual { return Load(Param(name), GP64()).(reg.GPVirtual) }

func (k *kernel) begin() {
	k.x, k.at, k.w = load64("x"), load64("at"), load64("w")
	if k.periodic {
		k.periods = load64("periods")
	}
	k.dim, k.stride = load64("dim"), load64("stride")
	SHLQ(Imm(3), k.stride)
	g, x := GP64(), XMM()
	MOVQ(U64(math.MaxInt64), g)
	VMOVQ(g, x)
	k.abs = k.reg()
	VPBROADCASTQ(x, k.abs)
}

func (k *kernel) zero() reg.VecVirtual {
	r := k.reg()
	if k.bits == 512 {
		VPXORQ(r, r, r)
	} else {
		VXORPD(r, r, r)
	}
	return r
}

// distances computes the norm, before the root, from x to side vectors of places, of
// which the first is at offset off.
func (k *kernel) distances(label string, off int) (acc [side]reg.VecVirtual) {
	for v := range acc {
		acc[v] = k.zero()
	}
	x, y, p, n := GP64(), GP64(), GP64(), GP64()
	MOVQ(k.x, x)
	MOVQ(k.at, y)
	MOVQ(k.dim, n)
	if k.periodic {
		MOVQ(k.periods, p)
	}
	Label(label)
	bx, bp := k.reg(), k.reg()
	VBROADCASTSD(Mem{Base: x}, bx)
	if k.periodic {
		VBROADCASTSD(Mem{Base: p}, bp)
	}
	for v := range acc {
		d := k.reg()
		VSUBPD(Mem{Base: y, Disp: off + v*k.bytes()}, bx, d)
		squares := k.norm == "L2" || k.norm == "Square"
		if !squares || k.periodic {
			if k.bits == 512 {
				VPANDQ(k.abs, d, d)
			} else {
				VANDPD(k.abs, d, d)
			}
		}
		if k.periodic {
			e := k.reg()
			VSUBPD(d, bp, e)
			VMINPD(e, d, d)
		}
		switch {
		case squares:
			VMULPD(d, d, d)
			VADDPD(d, acc[v], acc[v])
		case k.norm == "L1":
			VADDPD(d, acc[v], acc[v])
		default:
			VMAXPD(d, acc[v], acc[v])
		}
	}
	ADDQ(Imm(8), x)
	ADDQ(k.stride, y)
	if k.periodic {
		ADDQ(Imm(8), p)
	}
	DECQ(n)
	JNZ(LabelRef(label))
	return acc
}

func (k *kernel) scan() {
	TEXT(k.name("scan"), NOSPLIT, "func(mask *uint64, x, at, w, periods *float64, u float64, dim, stride, blocks uint64)")
	Pragma("noescape")
	Doc(k.name("scan") + " is scanPortable, block by block.")
	mask, blocks := load64("mask"), load64("blocks")
	k.begin()
	u, zero := k.reg(), k.zero()
	VBROADCASTSD(paramMem("u"), u)
	Label("block")
	word := GP64()
	XORQ(word, word)
	for part := range k.parts() {
		acc := k.distances(label("axes", part), part*side*k.bytes())
		for v := range acc {
			off := (part*side + v) * k.bytes()
			t := k.reg()
			VSUBPD(Mem{Base: k.w, Disp: off}, u, t)
			if k.norm == "L2" {
				VMAXPD(zero, t, t)
				VMULPD(t, t, t)
			}
			b := GP64()
			if k.bits == 512 {
				m := K()
				VCMPPD(Imm(lessThan), t, acc[v], m)
				KMOVB(m, b.As32())
			} else {
				m := k.reg()
				VCMPPD(Imm(lessThan), t, acc[v], m)
				VMOVMSKPD(m, b.As32())
			}
			if off > 0 {
				SHLQ(Imm(uint64(off/8)), b)
			}
			ORQ(b, word)
		}
	}
	MOVQ(word, Mem{Base: mask})
	ADDQ(Imm(8), mask)
	ADDQ(U32(block*8), k.at)
	ADDQ(U32(block*8), k.w)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VZEROUPPER()
	RET()
}

func (k *kernel) least() {
	TEXT(k.name("least"), NOSPLIT, "func(x, at, w, periods *float64, dim, stride, blocks uint64) float64")
	Pragma("noescape")
	Doc(k.name("least") + " is leastPortable, block by block.")
	blocks := load64("blocks")
	k.begin()
	g, x := GP64(), XMM()
	MOVQ(U64(math.Float64bits(math.Inf(1))), g)
	VMOVQ(g, x)
	var least [side]reg.VecVirtual
	for v := range least {
		least[v] = k.reg()
		VPBROADCASTQ(x, least[v])
	}
	Label("block")
	for part := range k.parts() {
		acc := k.distances(label("axes", part), part*side*k.bytes())
		for v := range acc {
			if k.norm == "L2" {
				VSQRTPD(acc[v], acc[v])
			}
			VADDPD(Mem{Base: k.w, Disp: (part*side + v) * k.bytes()}, acc[v], acc[v])
			VMINPD(acc[v], least[v], least[v])
		}
	}
	ADDQ(U32(block*8), k.at)
	ADDQ(U32(block*8), k.w)
	DECQ(blocks)
	JNZ(LabelRef("block"))
	VMINPD(least[1], least[0], least[0])
	VMINPD(least[3], least[2], least[2])
	VMINPD(least[2], least[0], least[0])
	r := least[0]
	if k.bits == 512 {
		h := YMM()
		VEXTRACTF64X4(Imm(1), r, h)
		y := YMM()
		VMINPD(h, r.AsY(), y)
		r = y
	}
	h := XMM()
	VEXTRACTF128(Imm(1), r.AsY(), h)
	VMINPD(h, r.AsX(), h)
	o := XMM()
	VPERMILPD(Imm(1), h, o)
	VMINSD(o, h, h)
	VZEROUPPER()
	Store(h, ReturnIndex(0))
	RET()
}

func label(name string, part int) string { return name + string(rune('0'+part)) }

// paramMem is where an argument lies.
func paramMem(name string) Mem {
	b, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return b.Addr
}
