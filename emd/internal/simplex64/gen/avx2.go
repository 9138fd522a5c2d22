package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// The AVX2 functions loop over blocks of sixteen lanes, four registers, and take
// the number of 8-lane words, which is even.

func begin256(name, signature, doc string) {
	TEXT(name, NOSPLIT, signature)
	Pragma("noescape")
	Doc(name + " is " + doc + ".")
	aligned(64)
}

func ymms(n int) []VecVirtual {
	y := make([]VecVirtual, n)
	for i := range y {
		y[i] = YMM()
	}
	return y
}

func broadcast256(m Mem) VecVirtual {
	y := YMM()
	VBROADCASTSD(m, y)
	return y
}

func param256(name string) VecVirtual {
	p, err := Param(name).Resolve()
	if err != nil {
		panic(err)
	}
	return broadcast256(p.Addr)
}

// lane addresses four lanes of a vector field in the block at byte offset block.
func lane(base Register, offset int, block Register, i int) Mem {
	return Mem{Base: base, Disp: offset + 32*i, Index: block, Scale: 1}
}

// blocks runs body for every block of sixteen lanes.
func blocks(label string, words GPVirtual, body func(block GPVirtual)) {
	block, end := GP64(), GP64()
	XORQ(block, block)
	MOVQ(words, end)
	SHLQ(Imm(6), end)
	Label(label)
	body(block)
	ADDQ(Imm(128), block)
	CMPQ(block, end)
	JNE(LabelRef(label))
}

// members256 makes a lane mask of the part of a set, broadcast in all lanes, that
// lies in the four lanes at bits.
func members256(set VecVirtual, bits Mem) VecVirtual {
	b, k := YMM(), YMM()
	VMOVDQU(bits, b)
	VPAND(b, set, k)
	VPCMPEQQ(b, k, k)
	return k
}

// tableAt returns the address of a table as a register.
func tableAt(m Mem) GPVirtual {
	r := GP64()
	LEAQ(m, r)
	return r
}

func spread256(set Register) VecVirtual {
	x, y := XMM(), YMM()
	VMOVQ(set, x)
	VPBROADCASTQ(x, y)
	return y
}

// fold256 joins lanes 0–3 with 4–7, then as in the wider kernel.
func fold256(a, b VecVirtual, packed func(...Op), scalar func(...Op)) VecVirtual {
	y, x, s := YMM(), XMM(), XMM()
	packed(b, a, y)
	VEXTRACTF128(Imm(1), y, x)
	packed(x, y.AsX(), x)
	VPERMILPD(Imm(1), x, s)
	scalar(s, x, x)
	return x
}

func foldMax256(a, b VecVirtual) VecVirtual { return fold256(a, b, VMAXPD, VMAXSD) }
func foldAdd256(a, b VecVirtual) VecVirtual { return fold256(a, b, VADDPD, VADDSD) }

// An optimiser256 has too few registers to keep anything in from pivot to pivot.
type optimiser256 struct {
	optimiser
	w int
}

func optimise256(w int) {
	begin("optimise256x", w, "func(t, m *float64, limit int64) bool", "optimise")
	o := optimiser256{newOptimiser(), w}
	low, keep := YMM(), YMM()
	VPBROADCASTD(markLow, low)
	VPBROADCASTD(markKeep, keep)
	cols := o.spreadHalves(func(half int, r Register) { MOVL(at(o.t, offCols+4*half), r) })
	for i := range w {
		k, x := o.members(cols, i), YMM()
		VPAND(keep, k, x)
		VMOVDQU(x, at(o.t, offKeep+32*i))
		VPBLENDVB(k, at(o.m, offMarks+32*i), low, x)
		VMOVDQU(x, at(o.t, offTag+32*i))
		VMOVDQU(low, at(o.t, offRoughLo+32*i))
	}
	o.loop(o)
}

// spreadHalves broadcasts the halves of a set, the second one only where there are so many nodes.
func (o optimiser256) spreadHalves(load func(half int, r Register)) []VecVirtual {
	var halves []VecVirtual
	for h := range (o.w + 3) / 4 {
		r, x, y := GP32(), XMM(), YMM()
		load(h, r)
		VMOVD(r, x)
		VPBROADCASTD(x, y)
		halves = append(halves, y)
	}
	return halves
}

// members makes a mask of the part of a set that lies in eight 4-byte lanes.
func (o optimiser256) members(halves []VecVirtual, i int) VecVirtual {
	b, k := YMM(), YMM()
	VMOVDQU(markTable.Offset(32*(i&3)), b)
	VPAND(b, halves[i/4], k)
	VPCMPEQD(b, k, k)
	return k
}

// roughly is offerRoughly, after what is to rise has risen.
func (o optimiser256) roughly() GPVirtual {
	t, m := o.t, o.m
	x, delta := XMM(), YMM()
	VMOVD(o.delta.As32(), x)
	VPBROADCASTD(x, delta)
	lo := ymms(o.w)
	for i := range lo {
		VMOVDQU(at(t, offRoughLo+32*i), lo[i])
	}
	rows := GP64()
	MOVQ(at(t, offRows), rows)
	ANDQ(o.rise, rows)
	JZ(LabelRef("priced"))
	Label("row")
	i, phi := GP64(), YMM()
	TZCNTQ(rows, i)
	VPBROADCASTD(halfOf(t, offRough, i), phi)
	VPADDD(delta, phi, phi)
	SHLQ(Imm(shiftCoarse), i)
	ADDQ(m, i)
	for j := range lo {
		y := YMM()
		VPSUBD(at(i, offCoarse+32*j), phi, y)
		VPMAXSD(y, lo[j], lo[j])
	}
	BLSRQ(rows, rows)
	JNZ(LabelRef("row"))
	Label("priced")
	rise := o.spreadHalves(func(half int, r Register) {
		if half > 0 {
			SHRQ(Imm(32), o.rise)
		}
		MOVL(o.rise.As32(), r)
	})
	worst := YMM()
	VPBROADCASTD(markLow, worst)
	for i := range lo {
		pot, v := YMM(), YMM()
		VPAND(delta, o.members(rise, i), pot)
		VPADDD(at(t, offRough+32*i), pot, pot)
		VMOVDQU(pot, at(t, offRough+32*i))
		VMOVDQU(lo[i], at(t, offRoughLo+32*i))
		VPSUBD(pot, lo[i], v)
		VPAND(at(t, offKeep+32*i), v, v)
		VPOR(at(t, offTag+32*i), v, v)
		VPMAXSD(v, worst, worst)
	}
	return foldMarks(worst, XMM(), XMM())
}

// exactly is price.
func (o optimiser256) exactly() VecVirtual {
	acc := ymms(2)
	VBROADCASTSD(lowest, acc[0])
	VMOVAPD(acc[0], acc[1])
	n := 2 * o.w // vectors, as many as fit at a time
	if n > 8 {
		n = o.w
	}
	for from := 0; from < 2*o.w; from += n {
		o.price256(from, ymms(n))
	}
	cols, bits, keep, low := YMM(), tableAt(bitTable), broadcast256(tagKeep), broadcast256(lowest)
	VPBROADCASTQ(at(o.t, offCols), cols)
	for i := range 2 * o.w {
		v := YMM()
		VMOVUPD(at(o.t, offLo+32*i), v)
		VSUBPD(at(o.t, offPot+32*i), v, v)
		VANDPD(keep, v, v)
		VORPD(at(o.m, offTags+32*i), v, v)
		VBLENDVPD(members256(cols, at(bits, 32*i)), v, low, v)
		VMAXPD(v, acc[i&1], acc[i&1])
	}
	return foldMax256(acc[0], acc[1])
}

// price256 finds Lo in some vectors.
func (o optimiser256) price256(from int, lo []VecVirtual) {
	row := fmt.Sprint("exactRow", from)
	for i := range lo {
		VBROADCASTSD(negInf, lo[i])
	}
	rows := GP64()
	MOVQ(at(o.t, offRows), rows)
	Label(row)
	i, phi := GP64(), YMM()
	TZCNTQ(rows, i)
	VBROADCASTSD(cellOf(o.t, offPot, i), phi)
	SHLQ(Imm(shiftD), i)
	ADDQ(o.m, i)
	for j := range lo {
		x := YMM()
		VSUBPD(at(i, 32*(from+j)), phi, x)
		VMAXPD(lo[j], x, lo[j])
	}
	BLSRQ(rows, rows)
	JNZ(LabelRef(row))
	for i := range lo {
		VMOVUPD(lo[i], at(o.t, offLo+32*(from+i)))
	}
}

// reaches is that of optimiser512.
func (o optimiser256) reaches(row Register) GPVirtual {
	want, set := YMM(), GP64()
	VBROADCASTSD(cellOf(o.t, offLo, o.j), want)
	for i := range 2 * o.w {
		x := YMM()
		VMOVUPD(at(o.t, offPot+32*i), x)
		VSUBPD(at(row, 32*i), x, x)
		VCMPPD(Imm(cmpEQ), want, x, x)
		joinBits(set, 4*i, func(r Register) { VMOVMSKPD(x, r) })
	}
	return set
}

// turn goes through nodes and arcs one by one: they are few.
func (o optimiser256) turn(name string, moved GPVirtual, delta VecVirtual) {
	t, set := o.t, GP64()
	MOVQ(moved, set)
	Label(name + "Node")
	{
		x, pot := GP64(), XMM()
		TZCNTQ(set, x)
		VADDSD(cellOf(t, offPot, x), delta, pot)
		VMOVSD(pot, cellOf(t, offPot, x))
		XORQ(o.cycle, cellOf(t, offPath, x))
		BLSRQ(set, set)
		JNZ(LabelRef(name + "Node"))
	}
	less := GP64()
	MOVQ(o.theta, less)
	NEGQ(less)
	Label(name + "Arc")
	{
		a, push := GP64(), GP64()
		TZCNTQ(o.cycle, a)
		XORQ(moved, cellOf(t, offBelow, a))
		MOVQ(o.theta, push)
		BTQ(a, o.falls)
		CMOVQCS(less, push)
		ADDQ(push, cellOf(t, offFlow, a))
		BLSRQ(o.cycle, o.cycle)
		JNZ(LabelRef(name + "Arc"))
	}
}

func finish256() {
	begin256("finish256", "func(t, m *float64, words uint64)", "finish")
	t, m, words := gp("t"), gp("m"), gp("words")
	half, sign := GP64(), GP64()
	MOVQ(halfConst, half)
	MOVBQZX(at(t, offSwapped), sign)
	SHLQ(Imm(63), sign)
	ORQ(sign, half)
	factor := spread256(half)
	set := GP64()
	MOVQ(at(t, offRows), set)
	ORQ(at(t, offCols), set)
	nodes, whole := spread256(set), broadcast256(scaleConst)
	bits := tableAt(bitTable)
	mean, primal := ymms(2), ymms(2)
	for i := range 2 {
		VXORPD(mean[i], mean[i], mean[i])
		VXORPD(primal[i], primal[i], primal[i])
	}
	blocks("block", words, func(block GPVirtual) {
		hi := ymms(4)
		for i := range hi {
			VBROADCASTSD(posInf, hi[i])
		}
		cols := GP64()
		MOVQ(at(t, offCols), cols)
		Label("col")
		j, phi := GP64(), YMM()
		TZCNTQ(cols, j)
		VBROADCASTSD(cellOf(t, offPot, j), phi)
		SHLQ(Imm(shiftD), j)
		ADDQ(m, j)
		for i := range hi {
			x := YMM()
			VADDPD(lane(j, 0, block, i), phi, x)
			VMINPD(hi[i], x, hi[i])
		}
		BLSRQ(cols, cols)
		JNZ(LabelRef("col"))
		for i := range hi {
			f, flow := YMM(), YMM()
			VADDPD(lane(t, offLo, block, i), hi[i], f)
			VMULPD(factor, f, f)
			VMOVUPD(f, lane(t, offF, block, i))
			VFMADD231PD(lane(m, offWeight, block, i), f, mean[i&1])
			VMOVDQU(lane(t, offFlow, block, i), flow)
			VPAND(members256(nodes, lane(bits, 0, block, i)), flow, flow)
			VPADDQ(whole, flow, flow)
			VSUBPD(whole, flow, flow)
			VFMADD231PD(lane(t, offCost, block, i), flow, primal[i&1])
		}
	})
	VMOVSD(foldAdd256(mean[0], mean[1]), at(t, offMean))
	VMOVSD(foldAdd256(primal[0], primal[1]), at(t, offPrimal))
	VZEROUPPER()
	RET()
}

func totals256() {
	begin256("totals256", "func(t, p, q *float64, words uint64) bool", "totals")
	t, words := gp("t"), gp("words")
	infinite, zero, bad := broadcast256(posInf), YMM(), YMM()
	VXORPD(zero, zero, zero)
	VXORPD(bad, bad, bad)
	sums := [2]VecVirtual{}
	for s, name := range []string{"p", "q"} {
		p := gp(name)
		sum := ymms(2)
		VXORPD(sum[0], sum[0], sum[0])
		VXORPD(sum[1], sum[1], sum[1])
		blocks("block"+name, words, func(block GPVirtual) {
			for i := range 4 {
				x, k := YMM(), YMM()
				VMOVUPD(lane(p, 0, block, i), x)
				VADDPD(x, sum[i&1], sum[i&1])
				VCMPPD(Imm(cmpNotGE), zero, x, k)
				VORPD(k, bad, bad)
			}
		})
		sums[s] = foldAdd256(sum[0], sum[1])
	}
	VMOVSD(sums[0], at(t, offTotalP))
	VMOVSD(sums[1], at(t, offTotalQ))
	r := GP64()
	VMOVMSKPD(bad, r.As32())
	ok := GP8()
	TESTL(r.As32(), r.As32())
	SETEQ(ok)
	for _, s := range sums {
		finite := GP8()
		VUCOMISD(s, infinite.AsX())
		SETHI(finite)
		ANDB(finite, ok)
	}
	Store(ok, ReturnIndex(0))
	VZEROUPPER()
	RET()
}

// orient stores the sides, the smaller one as rows.
func orient(t Register, sets []GPVirtual) {
	MOVQ(sets[0], at(t, offPos))
	MOVQ(sets[1], at(t, offNeg))
	np, nn, rows, cols := GP64(), GP64(), GP64(), GP64()
	POPCNTQ(sets[0], np)
	POPCNTQ(sets[1], nn)
	MOVQ(sets[0], rows)
	MOVQ(sets[1], cols)
	swapped := GP8()
	CMPQ(np, nn)
	SETHI(swapped)
	CMOVQHI(sets[1], rows)
	CMOVQHI(sets[0], cols)
	MOVB(swapped, at(t, offSwapped))
	MOVQ(rows, at(t, offRows))
	MOVQ(cols, at(t, offCols))
}

// answer returns a constant bool.
func answer(yes bool) {
	ok := GP8()
	XORB(ok, ok)
	if yes {
		MOVB(Imm(1), ok)
	}
	Store(ok, ReturnIndex(0))
	VZEROUPPER()
	RET()
}
