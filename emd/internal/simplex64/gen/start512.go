package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// starter is the register state of start512.
//
// It does what start does with one difference of order that changes no bit. What
// a row serves is recorded as its number in the Parent bytes of all the columns at
// once; flows, costs and potentials of the columns follow when all rows have
// left, since the mass that a column has then is what its last row gave it.
type starter struct {
	t, m       GPVirtual
	rows, cols GPVirtual // not yet left
	split      GPVirtual // columns that rows hang on
	left       GPVirtual // number of rows that left
	again      GPVirtual // columns that turn to their second choice
}

func start512(w int) {
	begin("start512x", w, "func(t, m *float64)", "start")
	s := starter{t: gp("t"), m: gp("m"), rows: GP64(), cols: GP64(), split: GP64(), left: GP64(), again: GP64()}
	t := s.t
	MOVQ(at(t, offRows), s.rows)
	MOVQ(at(t, offCols), s.cols)
	XORQ(s.left, s.left)
	XORQ(s.split, s.split)
	zero := ZMM()
	VXORPD(zero, zero, zero)
	for i := range w {
		b := ZMM()
		VMOVUPD(zero, at(t, offDemand+64*i))
		VMOVUPD(zero, at(t, offColumn+64*i))
		VMOVDQU64(bitTable.Offset(64*i), b)
		VMOVDQU64(b, at(t, offBelow+64*i))
	}
	everyRow, set := ZMM(), GP64()
	VPBROADCASTQ(s.rows, everyRow)
	MOVQ(s.cols, set)
	Label("first")
	{
		j := GP64()
		TZCNTQ(set, j)
		turnTo(t, nearest512(everyRow, s.m, j), j)
		BLSRQ(set, set)
		JNZ(LabelRef("first"))
	}
	firstAsked(t, s.rows)
	Label("round")
	leavingRows(t, s.rows)
	others := ZMM()
	VPBROADCASTQ(s.rows, others)
	XORQ(s.again, s.again)
	Label("phase")
	s.phase(nextLeaving(t), others)
	CMPQ(at(t, offLeaving), Imm(0))
	JNE(LabelRef("phase"))
	askAgain(t, s.again)
	Label("last")
	root := GP64()
	TZCNTQ(s.rows, root)
	s.hangRest(root)
	plant(t, s.m, s.left, root, func(arc, row, col GPVirtual) {})
	s.ends()
	VZEROUPPER()
	RET()
}

// phase is phase.
func (s starter) phase(r GPVirtual, others VecVirtual) {
	t := s.t
	columns, set, n := GP64(), GP64(), GP64()
	MOVQ(cellOf(t, offColumn, r), columns)
	MOVQ(columns, set)
	XORQ(n, n)
	supply := ZMM()
	VBROADCASTSD(cellOf(t, offMass, r), supply)
	// Regrets and masses of the last eight columns enter these registers at the
	// top lane; all are in memory, too.
	regrets, masses, keep := broadcast512(negInf), ZMM(), broadcast512(tagKeep)
	VXORPD(masses, masses, masses)
	Label("queue")
	{
		j := GP64()
		TZCNTQ(set, j)
		second := nearest512(others, s.m, j)
		MOVQ(second, cellOf(t, offQueue, j))
		d := GP64()
		MOVQ(j, d)
		SHLQ(Imm(shiftD), d)
		ADDQ(s.m, d)
		// The tag of j replaces the lowest bits of the regret.
		regret, z := ZMM(), ZMM()
		VBROADCASTSD(cellOf(d, 0, second), regret)
		VSUBPD_BCST(cellOf(d, 0, r), regret, regret)
		VPTERNLOGQ_BCST(Imm(bitSelect), cellOf(s.m, offTags, j), keep, regret)
		VMOVSD(regret.AsX(), cellOf(t, offRegret, n))
		VALIGNQ(Imm(1), regrets, regret, regrets)
		VBROADCASTSD(cellOf(t, offMass, j), z)
		VALIGNQ(Imm(1), masses, z, masses)
		VMOVSD(z.AsX(), cellOf(t, offOffer, n))
		INCQ(n)
		BLSRQ(set, set)
		JNZ(LabelRef("queue"))
	}

	full, some, rest := GP64(), GP64(), XMM()
	CMPQ(n, Imm(8))
	JHI(LabelRef("many"))
	s.serveFew(n, regrets, masses, supply, full, some, rest)
	JMP(LabelRef("served"))
	Label("many")
	s.serveMany(n, supply, full, some, rest)
	Label("served")

	// From places in the queue to columns.
	split := GP64()
	ANDNQ(some, full, split)
	PDEPQ(columns, full, full)
	PDEPQ(columns, split, split)
	ANDNQ(columns, full, columns)
	ORQ(columns, s.again)
	below := s.recordFull(r, full)

	j := GP64()
	TESTQ(split, split)
	JZ(LabelRef("exact"))
	TZCNTQ(split, j)
	mass := XMM()
	VMOVSD(cellOf(t, offMass, j), mass)
	VSUBSD(rest, mass, mass)
	VMOVSD(mass, cellOf(t, offMass, j))
	JMP(LabelRef("hang"))
	Label("exact")
	every := ZMM()
	VPBROADCASTQ(s.cols, every)
	MOVQ(nearest512(every, s.m, r), j)
	VXORPD(rest, rest, rest)
	Label("hang")
	VMOVSD(rest, cellOf(t, offFlow, r))
	MOVB(j.As8(), byteOf(t, offParent, r))
	ORQ(below, cellOf(t, offBelow, j))
	BTSQ(j, s.split)
	MOVB(r.As8(), byteOf(t, offGone, s.left))
	INCQ(s.left)
}

// serveFew finds which of up to eight columns, in the upper lanes, are served in
// full, and which at least in part, as sets of places in the queue, and what the
// row has left for the column that it splits.
func (s starter) serveFew(n GPVirtual, regrets, masses, supply VecVirtual, full, some GPVirtual, rest VecVirtual) {
	prefix := []VecVirtual{ZMM(), ZMM()}
	VXORPD(prefix[0], prefix[0], prefix[0])
	VXORPD(prefix[1], prefix[1], prefix[1])
	for b := 1; b < 8; b++ {
		x, y, k := ZMM(), ZMM(), K()
		VALIGNQ(Imm(uint64(b)), regrets, regrets, x)
		VALIGNQ(Imm(uint64(b)), masses, masses, y)
		VCMPPD(Imm(cmpGT), regrets, x, k)
		VADDPD(y, prefix[b&1], k, prefix[b&1])
	}
	VADDPD(prefix[1], prefix[0], prefix[0])
	sum, kf, ks := ZMM(), K(), K()
	VADDPD(masses, prefix[0], sum)
	VCMPPD(Imm(cmpLE), supply, sum, kf)
	VCMPPD(Imm(cmpLT), supply, prefix[0], ks)
	KMOVB(kf, full.As32())
	KMOVB(ks, some.As32())
	kd := K()
	KANDNB(ks, kf, kd)
	before := ZMM()
	VCOMPRESSPD_Z(prefix[0], kd, before)
	VSUBSD(before.AsX(), supply.AsX(), rest)
	shift := GP64()
	MOVQ(I32(8), shift)
	SUBQ(n, shift)
	SHRXQ(shift, full, full)
	SHRXQ(shift, some, some)
}

// serveMany is serveFew for any number of columns, from memory.
func (s starter) serveMany(n GPVirtual, supply VecVirtual, full, some GPVirtual, rest VecVirtual) {
	t := s.t
	from := GP64()
	XORQ(full, full)
	XORQ(some, some)
	XORQ(from, from)
	Label("block")
	prefix, regret, b := ZMM(), ZMM(), GP64()
	VXORPD(prefix, prefix, prefix)
	VMOVUPD(cellOf(t, offRegret, from), regret)
	XORQ(b, b)
	Label("prefix")
	x, k := ZMM(), K()
	VBROADCASTSD(cellOf(t, offRegret, b), x)
	VCMPPD(Imm(cmpGT), regret, x, k)
	VBROADCASTSD(cellOf(t, offOffer, b), x)
	VADDPD(x, prefix, k, prefix)
	INCQ(b)
	CMPQ(b, n)
	JNE(LabelRef("prefix"))
	sum, kf, ks, kd := ZMM(), K(), K(), K()
	VADDPD(cellOf(t, offOffer, from), prefix, sum)
	VCMPPD(Imm(cmpLE), supply, sum, kf)
	VCMPPD(Imm(cmpLT), supply, prefix, ks)
	// Only the places below n count.
	count, valid := GP64(), GP64()
	MOVQ(n, count)
	SUBQ(from, count)
	MOVQ(I32(-1), valid)
	BZHIQ(count, valid, valid)
	kv := K()
	KMOVB(valid.As32(), kv)
	KANDB(kf, kv, kf)
	KANDB(ks, kv, ks)
	KANDNB(ks, kf, kd)
	KORTESTB(kd, kd)
	JZ(LabelRef("noSplit"))
	before := ZMM()
	VCOMPRESSPD_Z(prefix, kd, before)
	VSUBSD(before.AsX(), supply.AsX(), rest)
	Label("noSplit")
	for _, x := range []struct {
		k   OpmaskVirtual
		set GPVirtual
	}{{kf, full}, {ks, some}} {
		bits := GP64()
		KMOVB(x.k, bits.As32())
		SHLXQ(from, bits, bits)
		ORQ(bits, x.set)
	}
	ADDQ(Imm(8), from)
	CMPQ(from, n)
	JLT(LabelRef("block"))
}

// recordFull lets the columns in full leave as children of row r, and returns
// the nodes that then hang on r, with r.
func (s starter) recordFull(r, full GPVirtual) GPVirtual {
	t := s.t
	ANDNQ(s.cols, full, s.cols)
	k, number := K(), ZMM()
	KMOVQ(full, k)
	VPBROADCASTB(r.As32(), number)
	VMOVDQU8(number, k, at(t, offParent))
	below, more := GP64(), GP64()
	MOVQ(cellOf(t, offBelow, r), below)
	ORQ(full, below)
	MOVQ(full, more)
	ANDQ(s.split, more)
	JZ(LabelRef("gathered"))
	Label("gather")
	j := GP64()
	TZCNTQ(more, j)
	ORQ(cellOf(t, offBelow, j), below)
	BLSRQ(more, more)
	JNZ(LabelRef("gather"))
	Label("gathered")
	MOVQ(below, cellOf(t, offBelow, r))
	return below
}

// hangRest hangs the remaining columns on the remaining row.
func (s starter) hangRest(root GPVirtual) {
	k, number := K(), ZMM()
	KMOVQ(s.cols, k)
	VPBROADCASTB(root.As32(), number)
	VMOVDQU8(number, k, at(s.t, offParent))
}

// plant does what plant does, when every node has its parent: rows from the root
// outwards, each with the column it hangs on, then all columns. left is the number
// of rows that left. The ends of the arcs are left to a function.
func plant(t, m, left, root GPVirtual, ends func(arc, row, col GPVirtual)) {
	zero, mark := GP64(), GP64()
	MOVQ(root, at(t, offRoot))
	MOVQ(left, at(t, offLeft))
	XORQ(zero, zero)
	MOVQ(zero, cellOf(t, offFlow, root))
	MOVQ(zero, cellOf(t, offCost, root))
	MOVQ(zero, cellOf(t, offPot, root))
	MOVQ(zero, cellOf(t, offPath, root))
	MOVL(halfOf(m, offMarks, root), mark.As32())
	MOVL(mark.As32(), halfOf(t, offRough, root))
	MOVQ(posInf, zero)
	MOVQ(zero, at(t, offNever))

	Label("row")
	DECQ(left)
	JS(LabelRef("rowsDone"))
	{
		r, j := GP64(), GP64()
		MOVBQZX(byteOf(t, offGone, left), r)
		MOVBQZX(byteOf(t, offParent, r), j)
		ends(r, r, j)
		p := hangColumn(t, m, j, func(GPVirtual) {})
		d, c := GP64(), XMM()
		MOVQ(r, d)
		SHLQ(Imm(shiftD), d)
		ADDQ(m, d)
		VMOVSD(cellOf(d, 0, j), c)
		VMOVSD(c, cellOf(t, offCost, r))
		VADDSD(c, p.pot, p.pot)
		VMOVSD(p.pot, cellOf(t, offPot, r))
		MOVQ(r, d)
		SHLQ(Imm(shiftCoarse), d)
		ADDQ(m, d)
		ADDL(halfOf(d, offCoarse, j), p.rough.As32())
		ADDL(halfOf(m, offMarks, r), p.rough.As32())
		MOVL(p.rough.As32(), halfOf(t, offRough, r))
		BTSQ(r, p.path)
		MOVQ(p.path, cellOf(t, offPath, r))
	}
	JMP(LabelRef("row"))
	Label("rowsDone")

	set := GP64()
	MOVQ(at(t, offCols), set)
	MOVQ(set, at(t, offDown))
	Label("col")
	{
		j, f := GP64(), XMM()
		TZCNTQ(set, j)
		p := hangColumn(t, m, j, func(row GPVirtual) { ends(j, row, j) })
		VMOVSD(p.cost, cellOf(t, offCost, j))
		VMOVSD(p.pot, cellOf(t, offPot, j))
		MOVL(p.rough.As32(), halfOf(t, offRough, j))
		MOVQ(p.path, cellOf(t, offPath, j))
		VMOVSD(cellOf(t, offMass, j), f)
		VMOVSD(f, cellOf(t, offFlow, j))
		BLSRQ(set, set)
		JNZ(LabelRef("col"))
	}
}

// A place is that of a column in the tree, and the cost of the arc above it.
type place struct {
	pot, cost   VecVirtual
	rough, path GPVirtual
}

// hangColumn finds the place of a column from that of its row, which it tells.
func hangColumn(t, m, j GPVirtual, tell func(row GPVirtual)) place {
	p := place{pot: XMM(), cost: XMM(), rough: GP64(), path: GP64()}
	owner, d := GP64(), GP64()
	MOVBQZX(byteOf(t, offParent, j), owner)
	tell(owner)
	VMOVSD(cellOf(t, offPot, owner), p.pot)
	MOVL(halfOf(t, offRough, owner), p.rough.As32())
	ANDL(I32(-64), p.rough.As32())
	MOVQ(cellOf(t, offPath, owner), p.path)
	BTSQ(j, p.path)
	MOVQ(owner, d)
	SHLQ(Imm(shiftCoarse), d)
	ADDQ(m, d)
	SUBL(halfOf(d, offCoarse, j), p.rough.As32())
	SHLQ(Imm(shiftD), owner)
	ADDQ(m, owner)
	VMOVSD(cellOf(owner, 0, j), p.cost)
	VSUBSD(p.cost, p.pot, p.pot)
	return p
}

// ends sets Row and Col: a node is one end of the arc above it, its parent the other.
func (s starter) ends() {
	t, cols := s.t, K()
	KMOVQ(at(t, offCols), cols)
	row, col, parent := ZMM(), ZMM(), ZMM()
	VMOVDQU64(byteTable, row)
	VMOVDQU64(at(t, offParent), parent)
	VMOVDQU8(parent, col)
	VMOVDQU8(row, cols, col)
	VMOVDQU8(parent, cols, row)
	VMOVDQU64(row, at(t, offRow))
	VMOVDQU64(col, at(t, offCol))
}

// turnTo enters column j among those that ask row r.
func turnTo(t GPVirtual, r, j Register) {
	b := GP64()
	MOVQ(cellOf(t, offColumn, r), b)
	BTSQ(j, b)
	MOVQ(b, cellOf(t, offColumn, r))
	x := XMM()
	VMOVSD(cellOf(t, offDemand, r), x)
	VADDSD(cellOf(t, offMass, j), x, x)
	VMOVSD(x, cellOf(t, offDemand, r))
}

// judge enters row r in the sets of those that are asked for enough, and for plenty.
func judge(t GPVirtual, r Register, enough, plenty GPVirtual) {
	asked, has, set := XMM(), XMM(), GP64()
	VMOVSD(cellOf(t, offDemand, r), asked)
	VMOVSD(cellOf(t, offMass, r), has)
	MOVQ(enough, set)
	BTSQ(r, set)
	VUCOMISD(has, asked)
	CMOVQCC(set, enough)
	VMULSD(plentyConst, has, has)
	MOVQ(plenty, set)
	BTSQ(r, set)
	VUCOMISD(has, asked)
	CMOVQCC(set, plenty)
}

// firstAsked judges all rows.
func firstAsked(t, rows GPVirtual) {
	enough, plenty, set := GP64(), GP64(), GP64()
	XORQ(enough, enough)
	XORQ(plenty, plenty)
	MOVQ(rows, set)
	Label("judge")
	r := GP64()
	TZCNTQ(set, r)
	judge(t, r, enough, plenty)
	BLSRQ(set, set)
	JNZ(LabelRef("judge"))
	MOVQ(enough, at(t, offEnough))
	MOVQ(plenty, at(t, offPlenty))
}

// leavingRows is leaving: it notes the rows of the next round and takes them out
// of rows, or goes to the last row.
func leavingRows(t, rows GPVirtual) {
	set, more := GP64(), GP64()
	BLSRQ(rows, more)
	JZ(LabelRef("last"))
	MOVQ(at(t, offEnough), more)
	ANDQ(rows, more)
	MOVQ(at(t, offPlenty), set)
	ANDQ(rows, set)
	CMOVQEQ(more, set)
	BLSRQ(set, more)
	CMPQ(set, rows)
	CMOVQEQ(more, set)
	ANDNQ(rows, set, rows)
	MOVQ(set, at(t, offLeaving))
}

// nextLeaving takes the first of these rows.
func nextLeaving(t GPVirtual) GPVirtual {
	set, r := GP64(), GP64()
	MOVQ(at(t, offLeaving), set)
	TZCNTQ(set, r)
	BLSRQ(set, set)
	MOVQ(set, at(t, offLeaving))
	return r
}

// askAgain sends the columns that were not served to their second choice, and
// goes on to the next round.
func askAgain(t, again GPVirtual) {
	TESTQ(again, again)
	JZ(LabelRef("round"))
	enough, plenty := GP64(), GP64()
	MOVQ(at(t, offEnough), enough)
	MOVQ(at(t, offPlenty), plenty)
	Label("again")
	j, second := GP64(), GP64()
	TZCNTQ(again, j)
	MOVQ(cellOf(t, offQueue, j), second)
	turnTo(t, second, j)
	judge(t, second, enough, plenty)
	BLSRQ(again, again)
	JNZ(LabelRef("again"))
	MOVQ(enough, at(t, offEnough))
	MOVQ(plenty, at(t, offPlenty))
	JMP(LabelRef("round"))
}
