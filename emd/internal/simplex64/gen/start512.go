package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// starter is the register state of start512.
type starter struct {
	t, m, order GPVirtual
	rows, cols  GPVirtual
	left        GPVirtual
}

func start512(w int) {
	begin("start512x", w, "func(t, m *float64)", "start")
	s := starter{t: gp("t"), m: gp("m"), order: GP64(), rows: GP64(), cols: GP64(), left: GP64()}
	t := s.t
	LEAQ(at(s.m, offOrder), s.order)
	MOVQ(at(t, offRows), s.rows)
	MOVQ(at(t, offCols), s.cols)
	XORQ(s.left, s.left)
	one, zero, inf := broadcast512(oneConst), ZMM(), broadcast512(negInf)
	VXORPD(zero, zero, zero)
	for i := range w {
		x := ZMM()
		VDIVPD(at(t, offMass+64*i), one, x)
		VMOVUPD(x, at(t, offSupply+64*i))
		VMOVUPD(zero, at(t, offDemand+64*i))
		VMOVUPD(zero, at(t, offColumn+64*i))
		VMOVUPD(inf, at(t, offLo+64*i))
		b := ZMM()
		VMOVDQU64(bitTable.Offset(64*i), b)
		VMOVDQU64(b, at(t, offBelow+64*i))
	}
	everyRow := ZMM()
	VPBROADCASTQ(s.rows, everyRow)
	set := GP64()
	MOVQ(s.cols, set)
	Label("first")
	{
		j := GP64()
		TZCNTQ(set, j)
		s.ask(nearest512(everyRow, s.order, j), j)
		BLSRQ(set, set)
		JNZ(LabelRef("first"))
	}
	Label("phase")
	more := GP64()
	BLSRQ(s.rows, more)
	JZ(LabelRef("last"))
	r := s.mostAsked(w)
	s.phase(r)
	JMP(LabelRef("phase"))
	Label("last")
	s.last()
	s.plant()
	VZEROUPPER()
	RET()
}

// ask is ask.
func (s starter) ask(r, j Register) {
	b := GP64()
	MOVQ(cellOf(s.t, offColumn, r), b)
	BTSQ(j, b)
	MOVQ(b, cellOf(s.t, offColumn, r))
	x := XMM()
	VMOVSD(cellOf(s.t, offDemand, r), x)
	VADDSD(cellOf(s.t, offMass, j), x, x)
	VMOVSD(x, cellOf(s.t, offDemand, r))
}

// mostAsked is mostAsked.
func (s starter) mostAsked(w int) GPVirtual {
	k := roll512(s.rows)
	keep := broadcast512(tagKeep)
	acc := broadcast512(negInf)
	for i := range w {
		x := ZMM()
		VMOVUPD(at(s.t, offDemand+64*i), x)
		VMULPD(at(s.t, offSupply+64*i), x, x)
		VPTERNLOGQ(Imm(bitSelect), tagTable.Offset(64*i), keep, x)
		VMAXPD(x, acc, k.OpmaskVirtual, acc)
		if i < w-1 {
			k.next()
		}
	}
	r := untag512(foldMax512(acc))
	set := GP64()
	MOVQ(s.rows, set)
	Label("enough")
	x := XMM()
	VMOVSD(cellOf(s.t, offDemand, r), x)
	VUCOMISD(cellOf(s.t, offMass, r), x)
	JAE(LabelRef("found"))
	TZCNTQ(set, r)
	BLSRQ(set, set)
	JMP(LabelRef("enough"))
	Label("found")
	return r
}

// phase is phase.
func (s starter) phase(r GPVirtual) {
	t := s.t
	BTRQ(r, s.rows)
	others := ZMM()
	VPBROADCASTQ(s.rows, others)
	set, n := GP64(), GP64()
	MOVQ(cellOf(t, offColumn, r), set)
	XORQ(n, n)
	Label("queue")
	{
		j := GP64()
		TZCNTQ(set, j)
		second := nearest512(others, s.order, j)
		d := GP64()
		MOVQ(j, d)
		SHLQ(Imm(shiftD), d)
		ADDQ(s.m, d)
		x := XMM()
		VMOVSD(cellOf(d, 0, second), x)
		VSUBSD(cellOf(d, 0, r), x, x)
		y := XMM()
		VMOVSD(cellOf(t, offMass, j), y)
		VMOVSD(y, cellOf(t, offOffer, n))
		// The tag of j replaces the lowest bits of the regret.
		bits := GP64()
		VMOVQ(x, bits)
		ORQ(Imm(63), bits)
		XORQ(j, bits)
		MOVQ(bits, cellOf(t, offRegret, n))
		SHLQ(Imm(8), second)
		ORQ(j, second)
		MOVQ(second, cellOf(t, offQueue, n))
		INCQ(n)
		BLSRQ(set, set)
		JNZ(LabelRef("queue"))
	}
	supply := ZMM()
	VBROADCASTSD(cellOf(t, offMass, r), supply)
	hung, from := GP64(), GP64()
	XORQ(hung, hung)
	XORQ(from, from)
	Label("block")
	{
		prefix, regret := ZMM(), ZMM()
		VXORPD(prefix, prefix, prefix)
		VMOVUPD(cellOf(t, offRegret, from), regret)
		b := GP64()
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

		sum := ZMM()
		VADDPD(cellOf(t, offOffer, from), prefix, sum)
		full, some := GP64(), GP64()
		kf, ks := K(), K()
		VCMPPD(Imm(cmpLE), supply, sum, kf)
		VCMPPD(Imm(cmpLT), supply, prefix, ks)
		KMOVQ(kf, full)
		KMOVQ(ks, some)
		// Only the entries below n count.
		count, valid := GP64(), GP64()
		MOVQ(n, count)
		SUBQ(from, count)
		MOVQ(I32(-1), valid)
		BZHIQ(count, valid, valid)
		ANDQ(Imm(255), valid)
		ANDQ(valid, full)
		ANDQ(valid, some)
		split := GP64()
		ANDNQ(some, full, split)
		moved := GP64()
		ANDNQ(valid, some, moved)

		TESTQ(full, full)
		JZ(LabelRef("fullDone"))
		Label("full")
		{
			e := GP64()
			TZCNTQ(full, e)
			ADDQ(from, e)
			j := GP64()
			MOVBQZX(cellOf(t, offQueue, e), j)
			flow := XMM()
			VMOVSD(cellOf(t, offOffer, e), flow)
			BTRQ(j, s.cols)
			s.leaveColumn(j, r, flow)
			BLSRQ(full, full)
			JNZ(LabelRef("full"))
		}
		Label("fullDone")

		TESTQ(split, split)
		JZ(LabelRef("splitDone"))
		{
			e := GP64()
			TZCNTQ(split, e)
			// What the row has left goes to the column that it splits.
			VMOVUPD(prefix, at(t, offF))
			rest := XMM()
			VSUBSD(cellOf(t, offF, e), supply.AsX(), rest)
			ADDQ(from, e)
			j := GP64()
			MOVBQZX(cellOf(t, offQueue, e), j)
			mass := XMM()
			VMOVSD(cellOf(t, offOffer, e), mass)
			VSUBSD(rest, mass, mass)
			VMOVSD(mass, cellOf(t, offMass, j))
			s.hangRow(r, j, rest)
			MOVQ(I32(1), hung)
			ORQ(split, moved)
		}
		Label("splitDone")

		TESTQ(moved, moved)
		JZ(LabelRef("movedDone"))
		Label("moved")
		{
			e := GP64()
			TZCNTQ(moved, e)
			ADDQ(from, e)
			j, second := GP64(), GP64()
			MOVQ(cellOf(t, offQueue, e), second)
			MOVBQZX(second.As8(), j)
			SHRQ(Imm(8), second)
			s.ask(second, j)
			BLSRQ(moved, moved)
			JNZ(LabelRef("moved"))
		}
		Label("movedDone")
		ADDQ(Imm(8), from)
		CMPQ(from, n)
		JLT(LabelRef("block"))
	}
	TESTQ(hung, hung)
	JNZ(LabelRef("hung"))
	{
		every := ZMM()
		VPBROADCASTQ(s.cols, every)
		flow := XMM()
		VXORPD(flow, flow, flow)
		s.hangRow(r, nearest512(every, s.order, r), flow)
	}
	Label("hung")
	// The row takes its columns along.
	above, below := GP64(), GP64()
	MOVBQZX(byteOf(t, offParent, r), above)
	MOVQ(cellOf(t, offBelow, r), below)
	ORQ(below, cellOf(t, offBelow, above))
	s.gone(r)
}

// leaveColumn lets column j leave as a child of row r.
func (s starter) leaveColumn(j, r Register, flow VecVirtual) {
	s.attach(j, r, flow, true)
	s.gone(j)
}

// hangRow makes row r a child of column j; it leaves after its columns.
func (s starter) hangRow(r, j Register, flow VecVirtual) { s.attach(r, j, flow, false) }

func (s starter) attach(x, parent Register, flow VecVirtual, column bool) {
	t := s.t
	VMOVSD(flow, cellOf(t, offFlow, x))
	MOVB(parent.(GPVirtual).As8(), byteOf(t, offParent, x))
	d := GP64()
	MOVQ(x, d)
	SHLQ(Imm(shiftD), d)
	ADDQ(s.m, d)
	c := XMM()
	VMOVSD(cellOf(d, 0, parent), c)
	VMOVSD(c, cellOf(t, offCost, x))
	if column {
		b := GP64()
		MOVQ(cellOf(t, offBelow, x), b)
		ORQ(b, cellOf(t, offBelow, parent))
	}
}

// gone appends x to the nodes that left.
func (s starter) gone(x Register) {
	MOVB(x.(GPVirtual).As8(), byteOf(s.t, offGone, s.left))
	INCQ(s.left)
}

// last hangs the remaining columns on the remaining row.
func (s starter) last() {
	t := s.t
	r, set := GP64(), GP64()
	TZCNTQ(s.rows, r)
	MOVQ(s.cols, set)
	TESTQ(set, set)
	JZ(LabelRef("planted"))
	Label("rest")
	{
		j := GP64()
		TZCNTQ(set, j)
		flow := XMM()
		VMOVSD(cellOf(t, offMass, j), flow)
		s.leaveColumn(j, r, flow)
		BLSRQ(set, set)
		JNZ(LabelRef("rest"))
	}
	Label("planted")
	MOVQ(r, at(t, offRoot))
	MOVQ(s.left, at(t, offLeft))
	zero := GP64()
	XORQ(zero, zero)
	MOVQ(zero, cellOf(t, offFlow, r))
	MOVQ(zero, cellOf(t, offCost, r))
	MOVQ(zero, cellOf(t, offPot, r))
}

// plant is plant.
func (s starter) plant() {
	t := s.t
	cols := GP64()
	MOVQ(at(t, offCols), cols)
	Label("plant")
	DECQ(s.left)
	JS(LabelRef("done"))
	x, parent := GP64(), GP64()
	MOVBQZX(byteOf(t, offGone, s.left), x)
	MOVBQZX(byteOf(t, offParent, x), parent)
	// Columns lie below their parent by the cost, rows above.
	sign := GP64()
	SHRXQ(x, cols, sign)
	SHLQ(Imm(63), sign)
	XORQ(cellOf(t, offCost, x), sign)
	c := XMM()
	VMOVQ(sign, c)
	VADDSD(cellOf(t, offPot, parent), c, c)
	VMOVSD(c, cellOf(t, offPot, x))
	JMP(LabelRef("plant"))
	Label("done")
}
