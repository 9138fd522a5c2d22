package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// An optimiser is the register state of the two optimise functions between the
// steps: what the next raise is to do, and what the last one found.
//
// A pivot is done in two parts. Choosing the leaving arc is all that the next raise
// has to wait for; the tree is hung anew after it, when the vector units still
// work on it: how far the walks go cannot be predicted, and so it costs nothing
// to find out.
type optimiser struct {
	t, m       GPVirtual
	set        GPVirtual // nodes whose potential rises
	delta      VecVirtual
	i, j       GPVirtual // the entering arc
	violation  VecVirtual
	limitParam string

	apex, leave     GPVirtual  // of the pivot; leave is −1 before the first
	inside, outside GPVirtual  // the ends of the entering arc, the first of which moves with the subtree
	push            VecVirtual // the flow on it
}

func newOptimiser() optimiser {
	o := optimiser{t: gp("t"), m: gp("m"), set: GP64(), delta: XMM(), i: GP64(), j: GP64(), violation: XMM(), limitParam: "limit",
		apex: GP64(), leave: GP64(), inside: GP64(), outside: GP64(), push: XMM()}
	MOVQ(at(o.t, offRows), o.set)
	VXORPD(o.delta, o.delta, o.delta)
	MOVQ(I32(-1), o.leave)
	return o
}

// loop is the loop of optimise around raise, which leaves the largest tagged
// violation in a register, and reaches, which looks for the row in the column's distances.
func (o optimiser) loop(raise func() VecVirtual, reaches func(row Register) GPVirtual) {
	Label("raise")
	largest := raise()
	TESTQ(o.leave, o.leave)
	JS(LabelRef("hung"))
	o.hangAnew()
	Label("hung")
	o.entering(largest, reaches)
	MOVQ(o.j, at(o.t, offEnterCol))
	MOVQ(o.i, at(o.t, offEnterRow))
	VMOVSD(o.violation, at(o.t, offViolation))
	VUCOMISD(at(o.m, offTolerance), o.violation)
	JLS(LabelRef("optimal"))
	pivots := gp(o.limitParam)
	CMPQ(at(o.t, offPivots), pivots)
	JGE(LabelRef("stopped"))
	o.choose()
	VMOVAPD(o.violation, o.delta)
	JMP(LabelRef("raise"))
	Label("stopped")
	answer(false)
	Label("optimal")
	answer(true)
}

// entering reads the entering arc off the largest tagged violation.
func (o optimiser) entering(x VecVirtual, reaches func(row Register) GPVirtual) {
	MOVQ(untag512(x), o.j)
	row := GP64()
	MOVQ(o.j, row)
	SHLQ(Imm(shiftD), row)
	ADDQ(o.m, row)
	set := reaches(row)
	ANDQ(at(o.t, offRows), set)
	TZCNTQ(set, o.i)
	VMOVSD(cellOf(o.t, offLo, o.j), o.violation)
	VSUBSD(cellOf(o.t, offPot, o.j), o.violation, o.violation)
}

// choose finds the leaving arc, and with it the nodes that rise.
func (o optimiser) choose() {
	t := o.t
	theta := GP64()
	MOVQ(posInf, theta)
	MOVQ(o.j, o.apex)
	MOVQ(o.j, o.leave)
	Label("colUp")
	{
		below, flow := GP64(), GP64()
		MOVQ(cellOf(t, offBelow, o.apex), below)
		BTQ(o.i, below)
		JCS(LabelRef("apex"))
		// Flows are not negative, so they compare like their bits.
		MOVQ(cellOf(t, offFlow, o.apex), flow)
		CMPQ(flow, theta)
		CMOVQLE(flow, theta)
		CMOVQLE(o.apex, o.leave)
		MOVBQZX(byteOf(t, offParent, o.apex), o.apex)
		MOVQ(cellOf(t, offBelow, o.apex), below)
		BTQ(o.i, below)
		JCS(LabelRef("apex"))
		MOVBQZX(byteOf(t, offParent, o.apex), o.apex)
		JMP(LabelRef("colUp"))
	}
	Label("apex")
	MOVQ(o.j, o.inside)
	MOVQ(o.i, o.outside)
	x := GP64()
	MOVQ(o.i, x)
	Label("rowUp")
	{
		flow := GP64()
		CMPQ(x, o.apex)
		JEQ(LabelRef("found"))
		MOVQ(cellOf(t, offFlow, x), flow)
		CMPQ(flow, theta)
		CMOVQLT(flow, theta)
		CMOVQLT(x, o.leave)
		CMOVQLT(o.i, o.inside)
		CMOVQLT(o.j, o.outside)
		MOVBQZX(byteOf(t, offParent, x), x)
		CMPQ(x, o.apex)
		JEQ(LabelRef("found"))
		MOVBQZX(byteOf(t, offParent, x), x)
		JMP(LabelRef("rowUp"))
	}
	Label("found")
	VMOVQ(theta, o.push)
	// The part with the column rises: that is what moves, or all the rest.
	rest, moved := GP64(), GP64()
	MOVQ(cellOf(t, offBelow, o.leave), moved)
	MOVQ(at(t, offRows), rest)
	ORQ(at(t, offCols), rest)
	ANDNQ(rest, moved, rest)
	MOVQ(moved, o.set)
	BTQ(o.j, moved)
	CMOVQCC(rest, o.set)
	INCQ(at(t, offPivots))
}

// hangAnew changes the tree. What pivot does in several walks is done in two: from
// the end of the entering arc that keeps its place to the apex, and from the
// other end over the leaving arc to the apex.
func (o optimiser) hangAnew() {
	t := o.t
	moved, x := GP64(), GP64()
	MOVQ(cellOf(t, offBelow, o.leave), moved)
	MOVQ(o.outside, x)
	o.climb("outside", x, o.apex, o.push, false, func() { ORQ(moved, cellOf(t, offBelow, x)) })
	above, row, arc := GP64(), GP64(), XMM()
	MOVQ(o.outside, above)
	MOVQ(o.i, row)
	SHLQ(Imm(shiftD), row)
	ADDQ(o.m, row)
	VMOVSD(cellOf(row, 0, o.j), arc)
	inside := GP64()
	MOVQ(o.inside, inside)
	o.hang(inside, above, o.leave, moved, o.push, arc)
	// inside is now what leave hung on.
	o.climb("inside", inside, o.apex, o.push, true, func() {
		below := GP64()
		ANDNQ(cellOf(t, offBelow, inside), moved, below)
		MOVQ(below, cellOf(t, offBelow, inside))
	})
}

// climb goes from x to the apex, lowers or raises the flows of the arcs by turns,
// and does what else is to be done with the nodes.
func (o optimiser) climb(name string, x, apex Register, push VecVirtual, raiseFirst bool, node func()) {
	flow := XMM()
	Label(name)
	for k := range 2 {
		CMPQ(x, apex)
		JEQ(LabelRef(name + "Done"))
		VMOVSD(cellOf(o.t, offFlow, x), flow)
		if (k == 0) == raiseFirst {
			VADDSD(push, flow, flow)
		} else {
			VSUBSD(push, flow, flow)
		}
		VMOVSD(flow, cellOf(o.t, offFlow, x))
		node()
		MOVBQZX(byteOf(o.t, offParent, x), x)
	}
	JMP(LabelRef(name))
	Label(name + "Done")
}

// hang is hang, with the flows pushed on the way: x is at first the top that the
// tree under leave gets, and in the end what leave hung on.
func (o optimiser) hang(x, above, leave, moved GPVirtual, push, cost VecVirtual) {
	t := o.t
	flow, nextFlow, nextCost := XMM(), XMM(), XMM()
	VMOVAPD(push, flow)
	keep, below, next := GP64(), GP64(), GP64()
	MOVQ(moved, keep)
	Label("hang")
	for k := range 2 {
		MOVBQZX(byteOf(t, offParent, x), next)
		VMOVSD(cellOf(t, offFlow, x), nextFlow)
		VMOVSD(cellOf(t, offCost, x), nextCost)
		MOVQ(cellOf(t, offBelow, x), below)
		if k == 0 {
			VSUBSD(push, nextFlow, nextFlow)
		} else {
			VADDSD(push, nextFlow, nextFlow)
		}
		MOVB(above.As8(), byteOf(t, offParent, x))
		VMOVSD(flow, cellOf(t, offFlow, x))
		VMOVSD(cost, cellOf(t, offCost, x))
		MOVQ(keep, cellOf(t, offBelow, x))
		ANDNQ(moved, below, keep)
		VMOVAPD(nextFlow, flow)
		VMOVAPD(nextCost, cost)
		if k == 0 {
			CMPQ(x, leave)
			JEQ(LabelRef("turned"))
		}
		MOVQ(x, above)
		MOVQ(next, x)
	}
	JMP(LabelRef("hang"))
	Label("turned")
	MOVQ(next, x)
}
