package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/ir"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

func begin(name string, w int, signature, doc string) {
	TEXT(fmt.Sprintf("%s%d", name, w), NOSPLIT, signature)
	Pragma("noescape")
	Doc(fmt.Sprintf("%s%d is %s for %d lanes.", name, w, doc, 8*w))
	aligned(64)
}

func gp(param string) GPVirtual { return Load(Param(param), GP64()).(GPVirtual) }

func zmms(n int) []VecVirtual {
	z := make([]VecVirtual, n)
	for i := range z {
		z[i] = ZMM()
	}
	return z
}

// A rolling mask selects eight lanes of a set after the other.
type rolling struct{ OpmaskVirtual }

func roll512(set Register) rolling {
	k := K()
	KMOVQ(set, k)
	return rolling{k}
}

// next moves on to the following eight lanes.
func (r rolling) next() { KSHIFTRQ(Imm(8), r.OpmaskVirtual, r.OpmaskVirtual) }

// foldMax512 leaves the largest lane of z in the lowest.
func foldMax512(z VecVirtual) VecVirtual {
	y := YMM()
	VEXTRACTF64X4(Imm(1), z, y)
	VMAXPD(y, z.AsY(), y)
	x := XMM()
	VEXTRACTF64X2(Imm(1), y, x)
	VMAXPD(x, y.AsX(), x)
	s := XMM()
	VPERMILPD(Imm(1), x, s)
	VMAXSD(s, x, x)
	return x
}

// foldAdd512 adds the lanes in the order of laneSum.
func foldAdd512(z VecVirtual) VecVirtual {
	y := YMM()
	VEXTRACTF64X4(Imm(1), z, y)
	VADDPD(y, z.AsY(), y)
	x := XMM()
	VEXTRACTF64X2(Imm(1), y, x)
	VADDPD(x, y.AsX(), x)
	s := XMM()
	VPERMILPD(Imm(1), x, s)
	VADDSD(s, x, x)
	return x
}

// untag512 extracts the index from the tagged number in x.
func untag512(x VecVirtual) GPVirtual {
	r := GP64()
	VMOVQ(x, r)
	NOTQ(r)
	ANDQ(Imm(63), r)
	return r
}

// broadcast512 fills a register with a constant.
func broadcast512(m Mem) VecVirtual {
	z := ZMM()
	VBROADCASTSD(m, z)
	return z
}

// nearest512 finds the node of the set, broadcast in z, that is closest to x:
// its bits are put into the order of distance from x, and the lowest is taken.
func nearest512(z VecVirtual, m, x Register) GPVirtual {
	row := GP64()
	MOVQ(x, row)
	SHLQ(Imm(shiftOrder), row)
	k := K()
	o := ZMM()
	VMOVDQU64(Mem{Base: m, Index: row, Scale: 1, Disp: offOrder}, o)
	// avo does not know VPSHUFBITQMB.
	Instruction(&ir.Instruction{
		Opcode:   "VPSHUFBITQMB",
		Operands: []Op{o, z, k},
		Inputs:   []Op{o, z},
		Outputs:  []Op{k},
		ISA:      []string{"AVX512BITALG"},
	})
	rank := GP64()
	KMOVQ(k, rank)
	TZCNTQ(rank, rank)
	ADDQ(row, rank)
	r := GP64()
	MOVBQZX(Mem{Base: m, Index: rank, Scale: 1, Disp: offOrder}, r)
	return r
}

// prices512 is what raise512 keeps in registers from pivot to pivot.
type prices512 struct {
	lo   []VecVirtual
	cols []OpmaskVirtual // nil where there are too few registers
	keep VecVirtual
}

func optimise512(w int) {
	begin("optimise512x", w, "func(t, m *float64, limit int64) bool", "optimise")
	o := newOptimiser()
	s := prices512{lo: zmms(w), keep: broadcast512(tagKeep)}
	for i := range w {
		VMOVUPD(at(o.t, offLo+64*i), s.lo[i])
	}
	if w <= 6 {
		for i := range w {
			k := K()
			KMOVB(at(o.t, offCols+i), k)
			s.cols = append(s.cols, k)
		}
	}
	o.loop(func() VecVirtual { return o.raise512(s) }, func(row Register) GPVirtual { return o.reaches512(w, row) })
}

// raise512 is raise up to the largest tagged violation.
func (o optimiser) raise512(s prices512) VecVirtual {
	t, m, set, w := o.t, o.m, o.set, len(s.lo)
	delta := ZMM()
	VBROADCASTSD(o.delta, delta)
	rows := GP64()
	MOVQ(at(t, offRows), rows)
	ANDQ(set, rows)
	JZ(LabelRef("priced"))
	Label("row")
	i := GP64()
	TZCNTQ(rows, i)
	phi := ZMM()
	VBROADCASTSD(cellOf(t, offPot, i), phi)
	VADDPD(delta, phi, phi)
	SHLQ(Imm(shiftD), i)
	ADDQ(m, i)
	for j := range w {
		x := ZMM()
		VSUBPD(at(i, 64*j), phi, x)
		VMAXPD(s.lo[j], x, s.lo[j])
	}
	BLSRQ(rows, rows)
	JNZ(LabelRef("row"))
	Label("priced")
	kset := roll512(set)
	acc := []VecVirtual{broadcast512(negInf), ZMM()}
	VMOVAPD(acc[0], acc[1])
	var kcol rolling
	if s.cols == nil {
		cols := GP64()
		MOVQ(at(t, offCols), cols)
		kcol = roll512(cols)
	}
	for j := range w {
		VMOVUPD(s.lo[j], at(t, offLo+64*j))
		pot := ZMM()
		VMOVUPD(at(t, offPot+64*j), pot)
		VADDPD(delta, pot, kset.OpmaskVirtual, pot)
		VMOVUPD(pot, at(t, offPot+64*j))
		v := ZMM()
		VSUBPD(pot, s.lo[j], v)
		VPTERNLOGQ(Imm(bitSelect), at(m, offTags+64*j), s.keep, v)
		if j < w-1 {
			kset.next()
		}
		if s.cols != nil {
			VMAXPD(v, acc[j&1], s.cols[j], acc[j&1])
			continue
		}
		VMAXPD(v, acc[j&1], kcol.OpmaskVirtual, acc[j&1])
		if j < w-1 {
			kcol.next()
		}
	}
	VMAXPD(acc[1], acc[0], acc[0])
	return foldMax512(acc[0])
}

// reaches512 returns the lanes in which potential less distance from column j, whose
// distances are at row, is Lo of the column.
func (o optimiser) reaches512(w int, row Register) GPVirtual {
	want, set := ZMM(), GP64()
	VBROADCASTSD(cellOf(o.t, offLo, o.j), want)
	for i := range w {
		x, k := ZMM(), K()
		VMOVUPD(at(o.t, offPot+64*i), x)
		VSUBPD(at(row, 64*i), x, x)
		VCMPPD(Imm(cmpEQ), want, x, k)
		joinBits(set, 8*i, func(r Register) { KMOVB(k, r) })
	}
	return set
}

// joinBits puts bits that move writes into a register into a set, from the given one on.
func joinBits(set GPVirtual, from int, move func(r Register)) {
	if from == 0 {
		move(set.As32())
		return
	}
	r := GP64()
	move(r.As32())
	SHLQ(Imm(uint64(from)), r)
	ORQ(r, set)
}

func finish512(w int) {
	begin("finish512x", w, "func(t, m *float64)", "finish")
	t, m := gp("t"), gp("m")
	hi := zmms(w)
	for i := range hi {
		VBROADCASTSD(posInf, hi[i])
	}
	cols := GP64()
	MOVQ(at(t, offCols), cols)
	Label("col")
	j := GP64()
	TZCNTQ(cols, j)
	phi := ZMM()
	VBROADCASTSD(cellOf(t, offPot, j), phi)
	SHLQ(Imm(shiftD), j)
	ADDQ(m, j)
	for i := range w {
		x := ZMM()
		VADDPD(at(j, 64*i), phi, x)
		VMINPD(hi[i], x, hi[i])
	}
	BLSRQ(cols, cols)
	JNZ(LabelRef("col"))
	// The sign of the half is that of Swapped.
	half, sign := GP64(), GP64()
	MOVQ(halfConst, half)
	MOVBQZX(at(t, offSwapped), sign)
	SHLQ(Imm(63), sign)
	ORQ(sign, half)
	factor := ZMM()
	VPBROADCASTQ(half, factor)
	nodes := GP64()
	MOVQ(at(t, offRows), nodes)
	ORQ(at(t, offCols), nodes)
	k := roll512(nodes)
	mean, primal := ZMM(), ZMM()
	VXORPD(mean, mean, mean)
	VXORPD(primal, primal, primal)
	for i := range w {
		f := ZMM()
		VADDPD(at(t, offLo+64*i), hi[i], f)
		VMULPD(factor, f, f)
		VMOVUPD(f, at(t, offF+64*i))
		VFMADD231PD(at(m, offWeight+64*i), f, mean)
		flow := ZMM()
		VMOVUPD(at(t, offFlow+64*i), flow)
		VFMADD231PD(at(t, offCost+64*i), flow, k.OpmaskVirtual, primal)
		if i < w-1 {
			k.next()
		}
	}
	VMOVSD(foldAdd512(mean), at(t, offMean))
	VMOVSD(foldAdd512(primal), at(t, offPrimal))
	VZEROUPPER()
	RET()
}

func totals512(w int) {
	begin("totals512x", w, "func(t, p, q *float64) bool", "totals")
	t := gp("t")
	infinite, zero := broadcast512(posInf), ZMM()
	VXORPD(zero, zero, zero)
	sums := [2]VecVirtual{}
	bad := GP64()
	XORQ(bad, bad)
	for s, name := range []string{"p", "q"} {
		p := gp(name)
		sum, k, some := ZMM(), K(), K()
		VXORPD(sum, sum, sum)
		KXORQ(some, some, some)
		for i := range w {
			x := ZMM()
			VMOVUPD(at(p, 64*i), x)
			VADDPD(x, sum, sum)
			VCMPPD(Imm(cmpNotGE), zero, x, k)
			KORQ(k, some, some)
		}
		b := GP64()
		KMOVQ(some, b)
		ORQ(b, bad)
		sums[s] = foldAdd512(sum)
	}
	VMOVSD(sums[0], at(t, offTotalP))
	VMOVSD(sums[1], at(t, offTotalQ))
	ok := GP8()
	TESTQ(bad, bad)
	SETEQ(ok)
	for _, s := range sums {
		// Infinity above the sum; an unordered comparison says below or equal.
		finite := GP8()
		VUCOMISD(s, infinite.AsX())
		SETHI(finite)
		ANDB(finite, ok)
	}
	Store(ok, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// aligned begins a function on a cache line, so that how its loops lie on lines, which
// is worth up to a tenth of start, does not depend on what the linker puts before it.
func aligned(n uint64) {
	Instruction(&ir.Instruction{Opcode: "PCALIGN", Operands: []Op{Imm(n)}})
}
