package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// starter256 is the register state of start256.
//
// It does what start does in the way of start512, except that there are no masks:
// the columns that a row serves are gone through one by one.
type starter256 struct {
	t, m       GPVirtual
	rows, cols GPVirtual // not yet left
	left       GPVirtual // number of rows that left
	again      GPVirtual // columns that turn to their second choice
}

func start256() {
	begin256("start256", "func(t, m *float64, words uint64)", "start")
	s := starter256{t: gp("t"), m: gp("m"), rows: GP64(), cols: GP64(), left: GP64(), again: GP64()}
	t := s.t
	MOVQ(at(t, offRows), s.rows)
	MOVQ(at(t, offCols), s.cols)
	XORQ(s.left, s.left)
	s.clear()
	everyRow, set := spread256(s.rows), GP64()
	MOVQ(s.cols, set)
	Label("first")
	{
		j := GP64()
		TZCNTQ(set, j)
		turnTo(t, nearest256(s.m, everyRow, j), j)
		BLSRQ(set, set)
		JNZ(LabelRef("first"))
	}
	firstAsked(t, s.rows)
	Label("round")
	leavingRows(t, s.rows)
	others := spread256(s.rows)
	XORQ(s.again, s.again)
	Label("phase")
	s.phase(nextLeaving(t), others)
	CMPQ(at(t, offLeaving), Imm(0))
	JNE(LabelRef("phase"))
	askAgain(t, s.again)

	Label("last")
	root := GP64()
	TZCNTQ(s.rows, root)
	Label("rest")
	{
		j := GP64()
		TZCNTQ(s.cols, j)
		MOVB(root.As8(), byteOf(t, offParent, j))
		BLSRQ(s.cols, s.cols)
		JNZ(LabelRef("rest"))
	}
	plant(t, s.m, s.left, root, func(arc, row, col GPVirtual) {
		MOVB(row.As8(), byteOf(t, offRow, arc))
		MOVB(col.As8(), byteOf(t, offCol, arc))
	})
	VZEROUPPER()
	RET()
}

// clear prepares the vectors.
func (s starter256) clear() {
	t := s.t
	bits, zero := tableAt(bitTable), YMM()
	VXORPD(zero, zero, zero)
	blocks("clear", gp("words"), func(block GPVirtual) {
		for i := range 4 {
			b := YMM()
			VMOVUPD(zero, lane(t, offDemand, block, i))
			VMOVUPD(zero, lane(t, offColumn, block, i))
			VMOVDQU(lane(bits, 0, block, i), b)
			VMOVDQU(b, lane(t, offBelow, block, i))
		}
	})
}

// nearest256 finds the node of the set, spread in y, that is closest to x. For
// every place in the order of distance from x it takes the byte of the set in
// which that node is, then its bit.
func nearest256(m Register, y VecVirtual, x Register) GPVirtual {
	row := GP64()
	MOVQ(x, row)
	SHLQ(Imm(shiftOrder), row)
	var found [2]GPVirtual
	for half := range found {
		octet := Mem{Base: m, Index: row, Scale: 1, Disp: offOctet + 32*half}
		bit := Mem{Base: m, Index: row, Scale: 1, Disp: offBit + 32*half}
		v := YMM()
		VPSHUFB(octet, y, v)
		VPAND(bit, v, v)
		VPCMPEQB(bit, v, v)
		found[half] = GP64()
		VPMOVMSKB(v, found[half].As32())
	}
	SHLQ(Imm(32), found[1])
	ORQ(found[1], found[0])
	rank, r := GP64(), GP64()
	TZCNTQ(found[0], rank)
	ADDQ(row, rank)
	MOVBQZX(Mem{Base: m, Index: rank, Scale: 1, Disp: offOrder}, r)
	return r
}

// phase is phase.
func (s starter256) phase(r GPVirtual, others VecVirtual) {
	t := s.t
	columns, set, n := GP64(), GP64(), GP64()
	MOVQ(cellOf(t, offColumn, r), columns)
	MOVQ(columns, set)
	XORQ(n, n)
	// Regrets and masses of the last four columns enter these registers at the top
	// lane; all are in memory, too.
	regrets, masses, keep := broadcast256(negInf), YMM(), broadcast256(tagKeep)
	VXORPD(masses, masses, masses)
	Label("queue")
	{
		j := GP64()
		TZCNTQ(set, j)
		second := nearest256(s.m, others, j)
		MOVQ(second, cellOf(t, offQueue, j))
		d := GP64()
		MOVQ(j, d)
		SHLQ(Imm(shiftD), d)
		ADDQ(s.m, d)
		// The tag of j replaces the lowest bits of the regret.
		x, tag, y, z := XMM(), XMM(), YMM(), YMM()
		VMOVSD(cellOf(d, 0, second), x)
		VSUBSD(cellOf(d, 0, r), x, x)
		VMOVSD(cellOf(s.m, offTags, j), tag)
		VANDPD(keep.AsX(), x, x)
		VORPD(tag, x, x)
		VMOVSD(x, cellOf(t, offRegret, n))
		VBROADCASTSD(x, y)
		VPERMPD(Imm(rotate256(1)), regrets, regrets)
		VBLENDPD(Imm(8), y, regrets, regrets)
		VBROADCASTSD(cellOf(t, offMass, j), z)
		VMOVSD(z.AsX(), cellOf(t, offOffer, n))
		VPERMPD(Imm(rotate256(1)), masses, masses)
		VBLENDPD(Imm(8), z, masses, masses)
		INCQ(n)
		BLSRQ(set, set)
		JNZ(LabelRef("queue"))
	}
	supply := YMM()
	VBROADCASTSD(cellOf(t, offMass, r), supply)
	full, some := GP64(), GP64()
	CMPQ(n, Imm(4))
	JHI(LabelRef("many"))
	s.serveFew(n, regrets, masses, supply, full, some)
	JMP(LabelRef("served"))
	Label("many")
	s.serveMany(n, supply, full, some)
	Label("served")

	// From places in the queue to columns.
	split := GP64()
	ANDNQ(some, full, split)
	PDEPQ(columns, full, full)
	PDEPQ(columns, split, split)
	ANDNQ(columns, full, columns)
	ORQ(columns, s.again)
	ANDNQ(s.cols, full, s.cols)
	below, rest := GP64(), XMM()
	MOVQ(cellOf(t, offBelow, r), below)
	VMOVAPD(supply.AsX(), rest)
	TESTQ(full, full)
	JZ(LabelRef("none"))
	Label("full")
	{
		j := GP64()
		TZCNTQ(full, j)
		MOVB(r.As8(), byteOf(t, offParent, j))
		ORQ(cellOf(t, offBelow, j), below)
		VSUBSD(cellOf(t, offMass, j), rest, rest)
		BLSRQ(full, full)
		JNZ(LabelRef("full"))
	}
	Label("none")
	MOVQ(below, cellOf(t, offBelow, r))
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
	MOVQ(nearest256(s.m, spread256(s.cols), r), j)
	Label("hang")
	VMOVSD(rest, cellOf(t, offFlow, r))
	MOVB(j.As8(), byteOf(t, offParent, r))
	ORQ(below, cellOf(t, offBelow, j))
	MOVB(r.As8(), byteOf(t, offGone, s.left))
	INCQ(s.left)
}

// rotate256 is the order of four lanes after b steps down.
func rotate256(b int) uint64 {
	order := 0
	for i := range 4 {
		order |= (i + b) & 3 << (2 * i)
	}
	return uint64(order)
}

// serveFew finds which of up to four columns, in the upper lanes, are served in
// full, and which at least in part, as sets of places in the queue.
func (s starter256) serveFew(n GPVirtual, regrets, masses, supply VecVirtual, full, some GPVirtual) {
	prefix := YMM()
	VXORPD(prefix, prefix, prefix)
	for b := 1; b < 4; b++ {
		x, y := YMM(), YMM()
		VPERMPD(Imm(rotate256(b)), regrets, x)
		VPERMPD(Imm(rotate256(b)), masses, y)
		VCMPPD(Imm(cmpGT), regrets, x, x)
		VANDPD(x, y, y)
		VADDPD(y, prefix, prefix)
	}
	sum, shift := YMM(), GP64()
	VADDPD(masses, prefix, sum)
	VCMPPD(Imm(cmpLE), supply, sum, sum)
	VCMPPD(Imm(cmpLT), supply, prefix, prefix)
	VMOVMSKPD(sum, full.As32())
	VMOVMSKPD(prefix, some.As32())
	MOVQ(I32(4), shift)
	SUBQ(n, shift)
	SHRXQ(shift, full, full)
	SHRXQ(shift, some, some)
}

// serveMany is serveFew for any number of columns, from memory.
func (s starter256) serveMany(n GPVirtual, supply VecVirtual, full, some GPVirtual) {
	t := s.t
	from := GP64()
	XORQ(full, full)
	XORQ(some, some)
	XORQ(from, from)
	Label("block")
	prefix, regret, b := YMM(), YMM(), GP64()
	VXORPD(prefix, prefix, prefix)
	VMOVUPD(cellOf(t, offRegret, from), regret)
	XORQ(b, b)
	Label("prefix")
	x, y := YMM(), YMM()
	VBROADCASTSD(cellOf(t, offRegret, b), x)
	VBROADCASTSD(cellOf(t, offOffer, b), y)
	VCMPPD(Imm(cmpGT), regret, x, x)
	VANDPD(x, y, y)
	VADDPD(y, prefix, prefix)
	INCQ(b)
	CMPQ(b, n)
	JNE(LabelRef("prefix"))
	sum := YMM()
	VADDPD(cellOf(t, offOffer, from), prefix, sum)
	VCMPPD(Imm(cmpLE), supply, sum, sum)
	VCMPPD(Imm(cmpLT), supply, prefix, prefix)
	// Only the places below n count.
	for _, x := range []struct {
		v   VecVirtual
		set GPVirtual
	}{{sum, full}, {prefix, some}} {
		bits := GP64()
		VMOVMSKPD(x.v, bits.As32())
		SHLXQ(from, bits, bits)
		ORQ(bits, x.set)
	}
	ADDQ(Imm(4), from)
	CMPQ(from, n)
	JLT(LabelRef("block"))
	BZHIQ(n, full, full)
	BZHIQ(n, some, some)
}
