package main

import (
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// list puts regrets and masses of the columns one behind the other.
func (s starter) list() {
	t, set, at := s.t, GP64(), GP64()
	MOVQ(s.columns, set)
	XORQ(at, at)
	Label("list")
	j, x := GP64(), GP64()
	TZCNTQ(set, j)
	MOVL(halfOf(t, offRegret, j), x.As32())
	MOVL(x.As32(), halfOf(t, offRank, at))
	MOVQ(cellOf(t, offMass, j), x)
	MOVQ(x, cellOf(t, offOffer, at))
	INCQ(at)
	BLSRQ(set, set)
	JNZ(LabelRef("list"))
}

// plant does what plant does, and what leave does with Below, when every node has its parent: rows from the root
// outwards, each with the column it hangs on, then all columns. The ends of the arcs are left to a
// function.
func (s starter) plant(root GPVirtual, ends func(arc, row, col GPVirtual)) {
	t, m := s.t, s.m
	s.gather()
	s.plantRoot(root)
	Label("row")
	DECQ(s.left)
	JS(LabelRef("rowsDone"))
	{
		r, j := GP64(), GP64()
		MOVBQZX(byteOf(t, offGone, s.left), r)
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
		ORL(Imm(63), p.rough.As32())
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
		j, f := GP64(), GP64()
		TZCNTQ(set, j)
		p := hangColumn(t, m, j, func(row GPVirtual) { ends(j, row, j) })
		VMOVSD(p.cost, cellOf(t, offCost, j))
		VMOVSD(p.pot, cellOf(t, offPot, j))
		MOVL(p.rough.As32(), halfOf(t, offRough, j))
		MOVQ(p.path, cellOf(t, offPath, j))
		MOVQ(cellOf(t, offMass, j), f)
		MOVQ(f, cellOf(t, offFlow, j))
		BLSRQ(set, set)
		JNZ(LabelRef("col"))
	}
}

// plantRoot is the part of plant that looks at the root only.
func (s starter) plantRoot(root GPVirtual) {
	t := s.t
	x := GP64()
	MOVQ(root, at(t, offRoot))
	MOVQ(s.left, at(t, offLeft))
	XORQ(x, x)
	MOVQ(x, cellOf(t, offFlow, root))
	MOVQ(x, cellOf(t, offCost, root))
	MOVQ(x, cellOf(t, offPot, root))
	MOVQ(x, cellOf(t, offPath, root))
	MOVL(I32(63), x.As32())
	MOVL(x.As32(), halfOf(t, offRough, root))
	MOVQ(I64(math.MaxInt64), x)
	MOVQ(x, at(t, offNever))
}

// gather adds what is below each row, in the order in which they left, to what is below the column it
// hangs on, and the row that this hangs on.
func (s starter) gather() {
	t, k := s.t, GP64()
	XORQ(k, k)
	Label("gather")
	CMPQ(k, s.left)
	JEQ(LabelRef("gathered"))
	x, below := GP64(), GP64()
	MOVBQZX(byteOf(t, offGone, k), x)
	MOVQ(cellOf(t, offBelow, x), below)
	MOVBQZX(byteOf(t, offParent, x), x)
	ORQ(below, cellOf(t, offBelow, x))
	MOVBQZX(byteOf(t, offParent, x), x)
	ORQ(below, cellOf(t, offBelow, x))
	INCQ(k)
	JMP(LabelRef("gather"))
	Label("gathered")
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
	MOVQ(cellOf(t, offPath, owner), p.path)
	BTSQ(j, p.path)
	MOVQ(owner, d)
	SHLQ(Imm(shiftCoarse), d)
	ADDQ(m, d)
	SUBL(halfOf(d, offCoarse, j), p.rough.As32())
	ANDL(I32(-64), p.rough.As32())
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
