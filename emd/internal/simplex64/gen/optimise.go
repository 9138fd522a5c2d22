package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// An optimiser is the register state of the two optimise functions between the
// steps: what the next raise is to do, and what the last one found.
type optimiser struct {
	t, m       GPVirtual
	set        GPVirtual // nodes whose potential rises
	delta      VecVirtual
	i, j       GPVirtual // the entering arc
	violation  VecVirtual
	limitParam string
}

func newOptimiser() optimiser {
	o := optimiser{t: gp("t"), m: gp("m"), set: GP64(), delta: XMM(), i: GP64(), j: GP64(), violation: XMM(), limitParam: "limit"}
	MOVQ(at(o.t, offRows), o.set)
	VXORPD(o.delta, o.delta, o.delta)
	return o
}

// loop is the loop of optimise around raise, which has to leave column, row and
// violation in their registers.
func (o optimiser) loop(raise func()) {
	Label("raise")
	raise()
	MOVQ(o.j, at(o.t, offEnterCol))
	MOVQ(o.i, at(o.t, offEnterRow))
	VMOVSD(o.violation, at(o.t, offViolation))
	VUCOMISD(at(o.m, offTolerance), o.violation)
	JLS(LabelRef("optimal"))
	pivots := gp(o.limitParam)
	CMPQ(at(o.t, offPivots), pivots)
	JGE(LabelRef("stopped"))
	o.pivot()
	VMOVAPD(o.violation, o.delta)
	JMP(LabelRef("raise"))
	Label("stopped")
	answer(false)
	Label("optimal")
	answer(true)
}

// pivot is pivot: it sets set. What pivot does in several walks is done in two:
// from the end of the entering arc that keeps its place to the apex, and from the
// other end over the leaving arc to the apex.
func (o optimiser) pivot() {
	t := o.t
	apex, leave, theta := GP64(), GP64(), GP64()
	MOVQ(posInf, theta)
	MOVQ(o.j, apex)
	MOVQ(o.j, leave)
	Label("colUp")
	{
		below, flow := GP64(), GP64()
		MOVQ(cellOf(t, offBelow, apex), below)
		BTQ(o.i, below)
		JCS(LabelRef("apex"))
		// Flows are not negative, so they compare like their bits.
		MOVQ(cellOf(t, offFlow, apex), flow)
		CMPQ(flow, theta)
		CMOVQLE(flow, theta)
		CMOVQLE(apex, leave)
		MOVBQZX(byteOf(t, offParent, apex), apex)
		MOVQ(cellOf(t, offBelow, apex), below)
		BTQ(o.i, below)
		JCS(LabelRef("apex"))
		MOVBQZX(byteOf(t, offParent, apex), apex)
		JMP(LabelRef("colUp"))
	}
	Label("apex")
	inside, outside := GP64(), GP64()
	MOVQ(o.j, inside)
	MOVQ(o.i, outside)
	x := GP64()
	MOVQ(o.i, x)
	Label("rowUp")
	{
		flow := GP64()
		CMPQ(x, apex)
		JEQ(LabelRef("found"))
		MOVQ(cellOf(t, offFlow, x), flow)
		CMPQ(flow, theta)
		CMOVQLT(flow, theta)
		CMOVQLT(x, leave)
		CMOVQLT(o.i, inside)
		CMOVQLT(o.j, outside)
		MOVBQZX(byteOf(t, offParent, x), x)
		CMPQ(x, apex)
		JEQ(LabelRef("found"))
		MOVBQZX(byteOf(t, offParent, x), x)
		JMP(LabelRef("rowUp"))
	}
	Label("found")
	push, moved := XMM(), GP64()
	VMOVQ(theta, push)
	MOVQ(cellOf(t, offBelow, leave), moved)

	MOVQ(outside, x)
	o.climb("outside", x, apex, push, false, func() { ORQ(moved, cellOf(t, offBelow, x)) })
	above, row, arc := GP64(), GP64(), XMM()
	MOVQ(outside, above)
	MOVQ(o.i, row)
	SHLQ(Imm(shiftD), row)
	ADDQ(o.m, row)
	VMOVSD(cellOf(row, 0, o.j), arc)
	o.hang(inside, above, leave, moved, push, arc)
	// inside is now what leave hung on.
	o.climb("inside", inside, apex, push, true, func() {
		below := GP64()
		ANDNQ(cellOf(t, offBelow, inside), moved, below)
		MOVQ(below, cellOf(t, offBelow, inside))
	})

	// The part with the column rises: that is what moved, or all the rest.
	rest := GP64()
	MOVQ(at(t, offRows), rest)
	ORQ(at(t, offCols), rest)
	ANDNQ(rest, moved, rest)
	MOVQ(moved, o.set)
	BTQ(o.j, moved)
	CMOVQCC(rest, o.set)
	INCQ(at(t, offPivots))
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
			JEQ(LabelRef("hung"))
		}
		MOVQ(x, above)
		MOVQ(next, x)
	}
	JMP(LabelRef("hang"))
	Label("hung")
	MOVQ(next, x)
}
