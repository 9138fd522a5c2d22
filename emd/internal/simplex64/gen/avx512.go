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

// An optimiser512 keeps the coarse potentials in registers from pivot to pivot.
type optimiser512 struct {
	optimiser
	w       int
	pot, lo []VecVirtual
	cols    []OpmaskVirtual
	keep    VecVirtual
}

func optimise512(w int) {
	begin("optimise512x", w, "func(t, m *float64, limit int64) bool", "optimise")
	o := optimiser512{optimiser: newOptimiser(), w: w, pot: zmms(w / 2), lo: zmms(w / 2), keep: ZMM()}
	VPBROADCASTD(markKeep, o.keep)
	for i := range o.lo {
		VPBROADCASTD(markLow, o.lo[i])
		VMOVDQU32(at(o.t, offRough+64*i), o.pot[i])
		k := K()
		KMOVW(at(o.t, offCols+2*i), k)
		o.cols = append(o.cols, k)
	}
	o.loop(o)
}

// roughly is offerRoughly, after what is to rise has risen.
func (o optimiser512) roughly() GPVirtual {
	t, m := o.t, o.m
	delta := ZMM()
	VPBROADCASTD(o.delta.As32(), delta)
	rows := GP64()
	MOVQ(at(t, offRows), rows)
	ANDQ(o.rise, rows)
	JZ(LabelRef("priced"))
	Label("row")
	i := GP64()
	TZCNTQ(rows, i)
	phi := ZMM()
	VPBROADCASTD(halfOf(t, offRough, i), phi)
	VPADDD(delta, phi, phi)
	SHLQ(Imm(shiftCoarse), i)
	ADDQ(m, i)
	for j := range o.lo {
		x := ZMM()
		VPSUBD(at(i, offCoarse+64*j), phi, x)
		VPMAXSD(x, o.lo[j], o.lo[j])
	}
	BLSRQ(rows, rows)
	JNZ(LabelRef("row"))
	Label("priced")
	worst := ZMM()
	VPBROADCASTD(markLow, worst)
	for j := range o.lo {
		k := K()
		if j > 0 {
			SHRQ(Imm(16), o.rise)
		}
		KMOVW(o.rise.As32(), k)
		VPADDD(delta, o.pot[j], k, o.pot[j])
		VMOVDQU32(o.pot[j], at(t, offRough+64*j))
		VMOVDQU32(o.lo[j], at(t, offRoughLo+64*j))
		v := ZMM()
		VPSUBD(o.pot[j], o.lo[j], v)
		VPTERNLOGD(Imm(bitSelect), at(m, offMarks+64*j), o.keep, v)
		VPMAXSD(v, worst, o.cols[j], worst)
	}
	y, x, s := YMM(), XMM(), XMM()
	VEXTRACTI64X4(Imm(1), worst, y)
	VPMAXSD(y, worst.AsY(), y)
	return foldMarks(y, x, s)
}

// foldMarks returns the largest of eight 4-byte numbers.
func foldMarks(y, x, s VecVirtual) GPVirtual {
	VEXTRACTI128(Imm(1), y, x)
	VPMAXSD(x, y.AsX(), x)
	VPSHUFD(Imm(0x4e), x, s)
	VPMAXSD(s, x, x)
	VPSHUFD(Imm(0xb1), x, s)
	VPMAXSD(s, x, x)
	r := GP64()
	VMOVD(x, r.As32())
	return r
}

// exactly is price.
func (o optimiser512) exactly() VecVirtual {
	t, m := o.t, o.m
	lo := zmms(o.w)
	for i := range lo {
		VBROADCASTSD(negInf, lo[i])
	}
	rows := GP64()
	MOVQ(at(t, offRows), rows)
	Label("exactRow")
	i := GP64()
	TZCNTQ(rows, i)
	phi := ZMM()
	VBROADCASTSD(cellOf(t, offPot, i), phi)
	SHLQ(Imm(shiftD), i)
	ADDQ(m, i)
	for j := range lo {
		x := ZMM()
		VSUBPD(at(i, 64*j), phi, x)
		VMAXPD(lo[j], x, lo[j])
	}
	BLSRQ(rows, rows)
	JNZ(LabelRef("exactRow"))
	keep, acc := broadcast512(tagKeep), []VecVirtual{broadcast512(negInf), ZMM()}
	VMOVAPD(acc[0], acc[1])
	for j := range lo {
		VMOVUPD(lo[j], at(t, offLo+64*j))
		v, k := ZMM(), K()
		KMOVB(at(t, offCols+j), k)
		VSUBPD(at(t, offPot+64*j), lo[j], v)
		VPTERNLOGQ(Imm(bitSelect), at(m, offTags+64*j), keep, v)
		VMAXPD(v, acc[j&1], k, acc[j&1])
	}
	VMAXPD(acc[1], acc[0], acc[0])
	return foldMax512(acc[0])
}

// turn goes through all lanes: there is no branch to mispredict.
func (o optimiser512) turn(_ string, moved GPVirtual, delta VecVirtual) {
	up, nodes, arcs, push := ZMM(), ZMM(), ZMM(), ZMM()
	VBROADCASTSD(delta, up)
	VPBROADCASTQ(moved, nodes)
	VPBROADCASTQ(o.cycle, arcs)
	VPBROADCASTQ(o.theta, push)
	// Two sets at a time, since there are seven mask registers.
	o.change(moved, o.cycle, func(i int, first, second OpmaskVirtual) {
		o.update(offPot+64*i, func(x VecVirtual) { VADDPD(up, x, first, x) })
		o.update(offPath+64*i, func(x VecVirtual) { VPXORQ(arcs, x, first, x) })
		o.update(offBelow+64*i, func(x VecVirtual) { VPXORQ(nodes, x, second, x) })
	})
	XORQ(o.falls, o.cycle)
	o.change(o.falls, o.cycle, func(i int, first, second OpmaskVirtual) {
		o.update(offFlow+64*i, func(x VecVirtual) {
			VPSUBQ(push, x, first, x)
			VPADDQ(push, x, second, x)
		})
	})
}

// change calls a function for every eight lanes with the masks of two sets.
func (o optimiser512) change(a, b GPVirtual, f func(i int, first, second OpmaskVirtual)) {
	first, second := roll512(a), roll512(b)
	for i := range o.w {
		f(i, first.OpmaskVirtual, second.OpmaskVirtual)
		if i < o.w-1 {
			first.next()
			second.next()
		}
	}
}

// update changes eight lanes of a field.
func (o optimiser512) update(offset int, by func(x VecVirtual)) {
	x := ZMM()
	VMOVDQU64(at(o.t, offset), x)
	by(x)
	VMOVDQU64(x, at(o.t, offset))
}

// reaches returns the lanes in which potential less distance from column j, whose
// distances are at row, is Lo of the column.
func (o optimiser512) reaches(row Register) GPVirtual {
	want, set := ZMM(), GP64()
	VBROADCASTSD(cellOf(o.t, offLo, o.j), want)
	for i := range o.w {
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
		VCVTQQ2PD(at(t, offFlow+64*i), flow)
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
