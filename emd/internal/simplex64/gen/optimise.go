package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// An optimiser is the register state of the two optimise functions between the
// steps of a pivot.
//
// A pivot by the coarse distances is done in two parts. Choosing the leaving arc is all
// that the next pricing has to wait for; the tree is changed after it. None of the steps
// has a branch that depends on the shape of the tree, so that the processor need not
// guess it, but for the number of rows that rise, cycles of more than eight arcs, and ties.
type optimiser struct {
	t, m       GPVirtual
	rise       GPVirtual // nodes whose potential rises
	delta      GPVirtual // the violation by the coarse distances
	i, j       GPVirtual // the entering arc
	limitParam string

	leave        GPVirtual // the leaving arc; −1 before the first pivot
	theta        GPVirtual // the flow on the entering arc
	cycle, falls GPVirtual // arcs that change, and those of them that lose flow
	set, tie     GPVirtual // of choose: arcs not yet looked at, and whether two were equal
}

// A changer is what the two instruction sets do each in their way.
type changer interface {
	// roughly prices by the coarse distances and returns the largest violation.
	roughly() GPVirtual
	// exactly prices by the true ones and returns the column.
	exactly() VecVirtual
	// reaches returns the rows that make a column's Lo, whose distances are at row.
	reaches(row Register) GPVirtual
	// turn changes Path of the moved nodes by the cycle and Pot by delta, and Below of the cycle by the
	// moved nodes and Flow by theta.
	turn(name string, moved GPVirtual, delta VecVirtual)
}

func newOptimiser() optimiser {
	o := optimiser{t: gp("t"), m: gp("m"), rise: GP64(), delta: GP64(), i: GP64(), j: GP64(), limitParam: "limit",
		leave: GP64(), theta: GP64(), cycle: GP64(), falls: GP64(), set: GP64(), tie: GP64()}
	MOVQ(at(o.t, offRows), o.rise)
	XORQ(o.delta, o.delta)
	MOVQ(I32(-1), o.leave)
	return o
}

// loop is optimise.
func (o optimiser) loop(c changer) {
	Label("rough")
	worst := c.roughly()
	TESTQ(o.leave, o.leave)
	JS(LabelRef("changed"))
	o.change("rough", c)
	Label("changed")
	o.enterRoughly(worst)
	o.checkLimit()
	o.choose("rough")
	JMP(LabelRef("rough"))
	o.rareChoices("rough")

	Label("exact")
	o.enterExactly(c.exactly(), c)
	o.choose("exact")
	o.change("exact", c)
	JMP(LabelRef("exact"))
	o.rareChoices("exact")

	Label("stopped")
	answer(false)
	Label("optimal")
	answer(true)
}

func (o optimiser) checkLimit() {
	pivots := gp(o.limitParam)
	CMPQ(at(o.t, offPivots), pivots)
	JGE(LabelRef("stopped"))
}

// enterRoughly reads the entering arc off the largest violation by the coarse distances, or goes on to
// the true ones.
func (o optimiser) enterRoughly(worst GPVirtual) {
	CMPL(worst.As32(), Imm(slack))
	JLT(LabelRef("exact"))
	root := GP64()
	MOVQ(at(o.t, offRoot), root)
	MOVL(halfOf(o.t, offRough, root), root.As32())
	ADDL(worst.As32(), root.As32())
	CMPL(root.As32(), I32(drift))
	JGE(LabelRef("exact"))
	MOVL(worst.As32(), o.j.As32())
	NOTL(o.j.As32())
	ANDL(Imm(63), o.j.As32())
	MOVL(halfOf(o.t, offRoughLo, o.j), o.i.As32())
	NOTL(o.i.As32())
	ANDL(Imm(63), o.i.As32())
	MOVL(worst.As32(), o.delta.As32())
	ANDL(I32(-64), o.delta.As32())
}

// enterExactly finds the entering arc by the true distances, or ends.
func (o optimiser) enterExactly(x VecVirtual, c changer) {
	MOVQ(untag512(x), o.j)
	violation := XMM()
	VMOVSD(cellOf(o.t, offLo, o.j), violation)
	VSUBSD(cellOf(o.t, offPot, o.j), violation, violation)
	VUCOMISD(at(o.m, offTolerance), violation)
	JLS(LabelRef("optimal"))
	o.checkLimit()
	row := GP64()
	MOVQ(o.j, row)
	SHLQ(Imm(shiftD), row)
	ADDQ(o.m, row)
	set := c.reaches(row)
	ANDQ(at(o.t, offRows), set)
	TZCNTQ(set, o.i)
}

// choose finds the leaving arc, and with it the nodes that rise.
func (o optimiser) choose(name string) {
	t := o.t
	onCol := GP64()
	MOVQ(cellOf(t, offPath, o.j), onCol)
	MOVQ(cellOf(t, offPath, o.i), o.cycle)
	XORQ(onCol, o.cycle)
	XORQ(at(t, offDown), onCol)
	ANDNQ(o.cycle, onCol, o.falls)
	XORL(o.tie.As32(), o.tie.As32())
	// Where there are less than four arcs, the others are number 64, with the largest flow.
	TZCNTQ(o.falls, o.leave)
	MOVQ(cellOf(t, offFlow, o.leave), o.theta)
	BLSRQ(o.falls, o.set)
	for range 3 {
		o.lesser()
	}
	JNZ(LabelRef(name + "More")) // by the flags of the last BLSR
	Label(name + "Least")
	TESTL(o.tie.As32(), o.tie.As32())
	JNZ(LabelRef(name + "Tied"))
	Label(name + "Leaves")
	rest := GP64()
	MOVQ(cellOf(t, offBelow, o.leave), o.rise)
	MOVQ(o.rise, rest)
	NOTQ(rest)
	// The part with the column rises: that below the arc, or all the rest.
	onCol = GP64()
	MOVQ(cellOf(t, offPath, o.j), onCol)
	BTQ(o.leave, onCol)
	CMOVQCC(rest, o.rise)
	INCQ(at(t, offPivots))
}

// lesser takes the first arc out of the set and lets it leave if its flow is less. It
// leaves the flags of what remains of the set.
func (o optimiser) lesser() {
	a, flow, equal := GP64(), GP64(), GP64()
	TZCNTQ(o.set, a)
	MOVQ(cellOf(o.t, offFlow, a), flow)
	XORL(equal.As32(), equal.As32())
	CMPQ(flow, o.theta)
	SETEQ(equal.As8())
	CMOVQLT(flow, o.theta)
	CMOVQLT(a, o.leave)
	ORL(equal.As32(), o.tie.As32())
	BLSRQ(o.set, o.set)
}

// rareChoices is what choose does where many arcs lose flow, or several reach the least.
func (o optimiser) rareChoices(name string) {
	t := o.t
	Label(name + "More")
	o.lesser()
	JNZ(LabelRef(name + "More"))
	JMP(LabelRef(name + "Least"))

	Label(name + "Tied")
	tied, set := GP64(), GP64()
	XORQ(tied, tied)
	MOVQ(o.falls, set)
	Label(name + "Tie")
	{
		a, bit, zero := GP64(), GP64(), GP64()
		TZCNTQ(set, a)
		XORQ(bit, bit)
		XORQ(zero, zero)
		BTSQ(a, bit)
		CMPQ(cellOf(t, offFlow, a), o.theta)
		CMOVQNE(zero, bit)
		ORQ(bit, tied)
		BLSRQ(set, set)
		JNZ(LabelRef(name + "Tie"))
	}
	sign, most := GP64(), GP64()
	XORQ(sign, sign)
	MOVQ(tied, set)
	ANDQ(cellOf(t, offPath, o.j), set)
	JNZ(LabelRef(name + "Side"))
	MOVQ(tied, set)
	MOVQ(I32(-1), sign)
	Label(name + "Side")
	MOVQ(I32(-128), most)
	Label(name + "Size")
	{
		a, n := GP64(), GP64()
		TZCNTQ(set, a)
		POPCNTQ(cellOf(t, offBelow, a), n)
		XORQ(sign, n)
		CMPQ(n, most)
		CMOVQGT(n, most)
		CMOVQGT(a, o.leave)
		BLSRQ(set, set)
		JNZ(LabelRef(name + "Size"))
	}
	JMP(LabelRef(name + "Leaves"))
}

// change brings the entering arc into the tree.
func (o optimiser) change(name string, c changer) {
	t := o.t
	moved, delta := GP64(), XMM()
	MOVQ(cellOf(t, offBelow, o.leave), moved)
	{
		onCol, inside, bit, a, b := GP64(), GP64(), GP64(), GP64(), GP64()
		MOVQ(cellOf(t, offPath, o.j), onCol)
		MOVQ(cellOf(t, offPath, o.i), inside)
		XORQ(bit, bit)
		BTSQ(o.leave, bit)
		TESTQ(bit, onCol)
		CMOVQNE(onCol, inside)
		MOVBQZX(byteOf(t, offRow, o.leave), a)
		MOVBQZX(byteOf(t, offCol, o.leave), b)
		MOVQ(cellOf(t, offPath, a), a)
		ANDQ(cellOf(t, offPath, b), a)
		ANDNQ(inside, a, inside)
		XORQ(at(t, offDown), inside)
		ANDNQ(inside, bit, inside)
		ANDNQ(o.cycle, bit, o.cycle)
		ANDQ(onCol, bit)
		ORQ(bit, inside)
		MOVQ(inside, at(t, offDown))
		// The sign of what Pot changes by: that of a bit that is set where the column does not move.
		BTQ(o.leave, onCol)
		SBBQ(b, b)
		NOTQ(b)
		SHLQ(Imm(63), b)
		sign, row, cost := XMM(), GP64(), XMM()
		VMOVQ(b, sign)
		MOVQ(o.i, row)
		SHLQ(Imm(shiftD), row)
		ADDQ(o.m, row)
		VMOVSD(cellOf(row, 0, o.j), cost)
		VMOVSD(cost, cellOf(t, offCost, o.leave))
		VMOVSD(cellOf(t, offPot, o.i), delta)
		VSUBSD(cost, delta, delta)
		VSUBSD(cellOf(t, offPot, o.j), delta, delta)
		VXORPD(sign, delta, delta)
		MOVB(o.i.As8(), byteOf(t, offRow, o.leave))
		MOVB(o.j.As8(), byteOf(t, offCol, o.leave))
	}
	ANDQ(o.cycle, o.falls)
	c.turn(name, moved, delta)
}
