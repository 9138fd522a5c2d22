package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// starter256 does what starter does for start512, except that there are no masks:
// the columns that a row serves are gone through one by one.
type starter256 struct{ starter }

func start256(w int) {
	begin("start256x", w, "func(t, m *float64)", "start")
	s := starter256{newStarter()}
	s.clear(w)
	s.loop(func(name string) { s.choose(name, w) }, s.phase)
	root := GP64()
	TZCNTQ(s.rows, root)
	Label("rest")
	{
		j := GP64()
		TZCNTQ(s.cols, j)
		MOVB(root.As8(), byteOf(s.t, offParent, j))
		BLSRQ(s.cols, s.cols)
		JNZ(LabelRef("rest"))
	}
	s.plant(root, func(arc, row, col GPVirtual) {
		MOVB(row.As8(), byteOf(s.t, offRow, arc))
		MOVB(col.As8(), byteOf(s.t, offCol, arc))
	})
	VZEROUPPER()
	RET()
	s.exact()
}

// clear prepares the vectors.
func (s starter256) clear(w int) {
	t := s.t
	zero := YMM()
	VPXOR(zero, zero, zero)
	for i := range 2 * w {
		b := YMM()
		VMOVDQU(zero, at(t, offDemand+32*i))
		VMOVDQU(zero, at(t, offColumn+32*i))
		VMOVDQU(bitTable.Offset(32*i), b)
		VMOVDQU(b, at(t, offBelow+32*i))
	}
}

// choose is choose.
func (s starter256) choose(name string, w int) {
	best := ymms(w)
	for i := range best {
		VPCMPEQD(best[i], best[i], best[i])
		VPSRLD(Imm(1), best[i], best[i])
	}
	s.eachRow(name, func(r GPVirtual) {
		for i := range best {
			VPMINSD(at(r, offCoarse+32*i), best[i], best[i])
		}
	})
	keep := YMM()
	VPBROADCASTD(markKeep, keep)
	for i := range best {
		before, x := YMM(), YMM()
		VPAND(at(s.t, offChoice+32*i), keep, before)
		VMOVDQU(best[i], at(s.t, offChoice+32*i))
		VPAND(keep, best[i], x)
		VPSUBD(before, x, x)
		VPOR(at(s.m, offMarks+32*i), x, x)
		VMOVDQU(x, at(s.t, offRegret+32*i))
	}
}

// phase is phase, up to hanging the row.
func (s starter256) phase() {
	t, n, supply := s.t, GP64(), YMM()
	VPBROADCASTQ(cellOf(t, offMass, s.r), supply)
	POPCNTQ(s.columns, n)
	CMPQ(n, Imm(4))
	JHI(LabelRef("many"))
	s.serveFew(supply)
	JMP(LabelRef("served"))
	Label("many")
	s.serveMany(n, supply)
	Label("served")

	// From places in the queue to columns.
	ANDNQ(s.split, s.full, s.split)
	PDEPQ(s.columns, s.full, s.full)
	PDEPQ(s.columns, s.split, s.split)
	ANDNQ(s.columns, s.full, s.columns)
	ORQ(s.columns, s.again)
	ANDNQ(s.cols, s.full, s.cols)
	set, below := GP64(), GP64()
	MOVQ(s.full, set)
	MOVQ(s.full, below)
	BTSQ(s.r, below)
	MOVQ(below, cellOf(t, offBelow, s.r))
	MOVQ(cellOf(t, offMass, s.r), s.rest)
	TESTQ(set, set)
	JZ(LabelRef("none"))
	Label("full")
	{
		j := GP64()
		TZCNTQ(set, j)
		MOVB(s.r.As8(), byteOf(t, offParent, j))
		SUBQ(cellOf(t, offMass, j), s.rest)
		BLSRQ(set, set)
		JNZ(LabelRef("full"))
	}
	Label("none")
}

// prefer256 adds the mass of a column to that of lanes with less regret.
func prefer256(regret, mass Mem, regrets, prefix VecVirtual) {
	x, y, z := XMM(), YMM(), YMM()
	VPBROADCASTD(regret, x)
	VPCMPGTD(regrets, x, x)
	VPMOVSXDQ(x, y)
	VPBROADCASTQ(mass, z)
	VPAND(z, y, y)
	VPADDQ(y, prefix, prefix)
}

// exceeds256 makes bits of the lanes in which a is greater than b.
func exceeds256(a, b VecVirtual) GPVirtual {
	x, bits := YMM(), GP64()
	VPCMPGTQ(b, a, x)
	VMOVMSKPD(x, bits.As32())
	return bits
}

// serveFew finds which of up to four columns are served in
// full, and which at least in part, as sets of places in the queue.
func (s starter256) serveFew(supply VecVirtual) {
	set, prefix := GP64(), YMM()
	MOVQ(s.columns, set)
	regrets, masses := s.fourLanes(set, func(ops ...Op) { VINSERTI128(ops[0], ops[1], ops[2], ops[3]) })
	MOVQ(s.columns, set)
	VPXOR(prefix, prefix, prefix)
	for range 4 {
		j := GP64()
		TZCNTQ(set, j)
		BLSRQ(set, set)
		prefer256(halfOf(s.t, offRegret, j), cellOf(s.t, offMass, j), regrets, prefix)
	}
	VPADDQ(masses, prefix, masses)
	MOVQ(exceeds256(masses, supply), s.full)
	NOTQ(s.full)
	MOVQ(exceeds256(supply, prefix), s.split)
}

// serveMany is serveFew for any number of columns, from memory.
func (s starter256) serveMany(n GPVirtual, supply VecVirtual) {
	t := s.t
	s.list()
	from := GP64()
	XORQ(s.full, s.full)
	XORQ(s.split, s.split)
	XORQ(from, from)
	Label("block")
	prefix, rank, b := YMM(), XMM(), GP64()
	VPXOR(prefix, prefix, prefix)
	VMOVDQU(halfOf(t, offRank, from), rank)
	XORQ(b, b)
	Label("prefix")
	prefer256(halfOf(t, offRank, b), cellOf(t, offOffer, b), rank, prefix)
	INCQ(b)
	CMPQ(b, n)
	JNE(LabelRef("prefix"))
	some := exceeds256(supply, prefix)
	VPADDQ(cellOf(t, offOffer, from), prefix, prefix)
	more := exceeds256(prefix, supply)
	XORQ(Imm(15), more)
	SHLXQ(from, some, some)
	SHLXQ(from, more, more)
	ORQ(some, s.split)
	ORQ(more, s.full)
	ADDQ(Imm(4), from)
	CMPQ(from, n)
	JLT(LabelRef("block"))
	// Only the places below n count.
	BZHIQ(n, s.full, s.full)
	BZHIQ(n, s.split, s.split)
}
