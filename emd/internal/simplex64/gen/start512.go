package main

import (
	"fmt"
	"math"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"
)

// starter is the register state of start512.
//
// It does what start does with one difference of order that changes no bit. What
// a row serves is recorded as its number in the Parent bytes of all the columns at
// once; flows, costs, potentials and what is below follow when all rows have
// left, since the mass that a column has then is what its last row gave it.
type starter struct {
	t, m       GPVirtual
	rows, cols GPVirtual // not yet left
	left       GPVirtual // number of rows that left
	again      GPVirtual // columns that turn to their choice

	r, columns  GPVirtual // the row that leaves, and those that ask it:
	full, split GPVirtual // those that are served, and the one that is in part
	rest        GPVirtual // what that one gets
}

func newStarter() starter {
	s := starter{t: gp("t"), m: gp("m"), rows: GP64(), cols: GP64(), left: GP64(), again: GP64(),
		r: GP64(), columns: GP64(), full: GP64(), split: GP64(), rest: GP64()}
	MOVQ(at(s.t, offRows), s.rows)
	MOVQ(at(s.t, offCols), s.cols)
	MOVQ(s.cols, s.again)
	XORQ(s.left, s.left)
	return s
}

// loop is the loop of start up to the last row, around choose and phase.
func (s starter) loop(choose func(name string), phase func()) {
	t := s.t
	zero := GP64()
	XORQ(zero, zero)
	MOVQ(zero, at(t, offEnough))
	choose("first")
	Label("ask")
	s.ask()
	Label("round")
	s.leavingRows()
	XORQ(s.again, s.again)
	choose("next")
	Label("phase")
	s.nextLeaving()
	phase()
	s.hang()
	CMPQ(at(t, offLeaving), Imm(0))
	JNE(LabelRef("phase"))
	TESTQ(s.again, s.again)
	JZ(LabelRef("round"))
	JMP(LabelRef("ask"))
	Label("last")
}

// ask lets the columns in again turn to their choice.
func (s starter) ask() {
	t, enough := s.t, GP64()
	MOVQ(at(t, offEnough), enough)
	Label("turn")
	j, r, b, asked, more := GP64(), GP64(), GP64(), GP64(), GP64()
	TZCNTQ(s.again, j)
	MOVL(halfOf(t, offChoice, j), r.As32())
	ANDL(Imm(63), r.As32())
	MOVQ(cellOf(t, offColumn, r), b)
	BTSQ(j, b)
	MOVQ(b, cellOf(t, offColumn, r))
	MOVQ(cellOf(t, offDemand, r), asked)
	ADDQ(cellOf(t, offMass, j), asked)
	MOVQ(asked, cellOf(t, offDemand, r))
	MOVQ(enough, more)
	BTSQ(r, more)
	CMPQ(asked, cellOf(t, offMass, r))
	CMOVQGE(more, enough)
	BLSRQ(s.again, s.again)
	JNZ(LabelRef("turn"))
	MOVQ(enough, at(t, offEnough))
}

// leavingRows is leaving: it notes the rows of the next round and takes them out
// of rows, or goes to the last row.
func (s starter) leavingRows() {
	set, more := GP64(), GP64()
	BLSRQ(s.rows, more)
	JZ(LabelRef("last"))
	MOVQ(at(s.t, offEnough), set)
	ANDQ(s.rows, set)
	BLSRQ(set, more)
	CMPQ(set, s.rows)
	CMOVQEQ(more, set)
	ANDNQ(s.rows, set, s.rows)
	MOVQ(set, at(s.t, offLeaving))
}

// nextLeaving takes the first of these rows.
func (s starter) nextLeaving() {
	set := GP64()
	MOVQ(at(s.t, offLeaving), set)
	TZCNTQ(set, s.r)
	BLSRQ(set, set)
	MOVQ(set, at(s.t, offLeaving))
	MOVQ(cellOf(s.t, offColumn, s.r), s.columns)
}

func start512(w int) {
	begin("start512x", w, "func(t, m *float64)", "start")
	s := newStarter()
	t := s.t
	zero := ZMM()
	VPXORQ(zero, zero, zero)
	for i := range w {
		b := ZMM()
		VMOVDQU64(zero, at(t, offDemand+64*i))
		VMOVDQU64(zero, at(t, offColumn+64*i))
		VMOVDQU64(bitTable.Offset(64*i), b)
		VMOVDQU64(b, at(t, offBelow+64*i))
	}
	keep, before := ZMM(), zmms(w/2)
	VPBROADCASTD(markKeep, keep)
	for i := range before {
		VPXORQ(before[i], before[i], before[i])
	}
	s.loop(func(name string) { s.choose512(name, before, keep) }, s.phase512)
	root := GP64()
	TZCNTQ(s.rows, root)
	s.record512(s.cols, root)
	s.plant(root, func(arc, row, col GPVirtual) {})
	s.ends()
	VZEROUPPER()
	RET()
	s.exact()
}

// choose512 is choose, with the distances of the choices before in registers.
func (s starter) choose512(name string, before []VecVirtual, keep VecVirtual) {
	best := zmms(len(before))
	for i := range best {
		VPTERNLOGD(Imm(0xff), best[i], best[i], best[i])
		VPSRLD(Imm(1), best[i], best[i])
	}
	s.eachRow(name, func(r GPVirtual) {
		for i := range best {
			VPMINSD(at(r, offCoarse+64*i), best[i], best[i])
		}
	})
	for i := range best {
		x := ZMM()
		VMOVDQU32(best[i], at(s.t, offChoice+64*i))
		VPANDD(keep, best[i], best[i])
		VPSUBD(before[i], best[i], x)
		VPORD(at(s.m, offMarks+64*i), x, x)
		VMOVDQU32(x, at(s.t, offRegret+64*i))
		VMOVDQA32(best[i], before[i])
	}
}

// eachRow calls a function with each row's part of the problem. It takes four at a time, the first one again where there
// are less, so that the end of the loop can be predicted more often.
func (s starter) eachRow(name string, f func(r GPVirtual)) {
	set := GP64()
	MOVQ(s.rows, set)
	Label(name)
	var rows []GPVirtual
	for k := range 4 {
		r := GP64()
		TZCNTQ(set, r)
		if k > 0 {
			CMOVQCS(rows[0], r) // TZCNT of nothing
		}
		BLSRQ(set, set)
		rows = append(rows, r)
	}
	for _, r := range rows {
		SHLQ(Imm(shiftCoarse), r)
		ADDQ(s.m, r)
		f(r)
	}
	TESTQ(set, set)
	JNZ(LabelRef(name))
}

// phase512 is phase, up to hanging the row.
func (s starter) phase512() {
	t := s.t
	s.serve512()
	PDEPQ(s.columns, s.full, s.full)
	PDEPQ(s.columns, s.split, s.split)
	ANDNQ(s.columns, s.full, s.columns)
	ORQ(s.columns, s.again)
	ANDNQ(s.cols, s.full, s.cols)
	s.record512(s.full, s.r)
	BTSQ(s.r, s.full)
	MOVQ(s.full, cellOf(t, offBelow, s.r))
}

// record512 makes a row the parent of a set of columns.
func (s starter) record512(set, r GPVirtual) {
	k, number := K(), ZMM()
	KMOVQ(set, k)
	VPBROADCASTB(r.As32(), number)
	VMOVDQU8(number, k, at(s.t, offParent))
}

// hang hangs the row on the column that it splits, or where it splits none on the nearest one.
func (s starter) hang() {
	t, j := s.t, GP64()
	TESTQ(s.split, s.split)
	JZ(LabelRef("exact"))
	Label("hang")
	TZCNTQ(s.split, j)
	SUBQ(s.rest, cellOf(t, offMass, j))
	MOVQ(s.rest, cellOf(t, offFlow, s.r))
	MOVB(j.As8(), byteOf(t, offParent, s.r))
	MOVB(s.r.As8(), byteOf(t, offGone, s.left))
	INCQ(s.left)
}

// exact is the part of hang for a row whose supply fits exactly: it splits off nothing from the nearest column.
func (s starter) exact() {
	best, set, row := GP64(), GP64(), GP64()
	Label("exact")
	XORQ(s.rest, s.rest)
	MOVQ(s.r, row)
	SHLQ(Imm(shiftCoarse), row)
	ADDQ(s.m, row)
	MOVL(I32(math.MaxInt32), best.As32())
	MOVQ(s.cols, set)
	Label("nearest")
	{
		j, d := GP64(), GP64()
		TZCNTQ(set, j)
		MOVL(halfOf(row, offCoarse, j), d.As32())
		ANDL(I32(-64), d.As32())
		ORL(j.As32(), d.As32())
		CMPL(d.As32(), best.As32())
		CMOVLLT(d.As32(), best.As32())
		BLSRQ(set, set)
		JNZ(LabelRef("nearest"))
	}
	ANDL(Imm(63), best.As32())
	BTSQ(best, s.split)
	JMP(LabelRef("hang"))
}

// serve512 finds which places among the columns are served in full, and which is split.
func (s starter) serve512() {
	n, set, supply := GP64(), GP64(), ZMM()
	VPBROADCASTQ(cellOf(s.t, offMass, s.r), supply)
	POPCNTQ(s.columns, n)
	CMPQ(n, Imm(8))
	JHI(LabelRef("many"))
	// Where there are less than four or eight columns, the others are number 64, of no mass.
	MOVQ(s.columns, set)
	regrets, masses := s.fourLanes(set, VINSERTI64X2)
	CMPQ(n, Imm(4))
	JHI(LabelRef("eight"))
	s.serveLanes(4, regrets, masses, supply.AsY(), YMM(), YMM())
	JMP(LabelRef("served"))
	Label("eight")
	moreRegrets, moreMasses := s.fourLanes(set, VINSERTI64X2)
	allRegrets, allMasses := YMM(), ZMM()
	VINSERTI64X2(Imm(1), moreRegrets, regrets.AsY(), allRegrets)
	VINSERTI64X4(Imm(1), moreMasses, masses.AsZ(), allMasses)
	s.serveLanes(8, allRegrets, allMasses, supply, ZMM(), ZMM())
	JMP(LabelRef("served"))
	Label("many")
	s.serveMany(n, supply)
	Label("served")
}

// fourLanes puts regrets and masses of the first four columns in lanes, and takes them out of the
// set. Two halves are joined by an instruction of either set.
func (s starter) fourLanes(set GPVirtual, join func(...Op)) (regrets, masses VecVirtual) {
	regrets, masses = XMM(), YMM()
	var pair [2]VecVirtual
	for k := range 4 {
		j := GP64()
		TZCNTQ(set, j)
		BLSRQ(set, set)
		regret, mass := halfOf(s.t, offRegret, j), cellOf(s.t, offMass, j)
		if k == 0 {
			VMOVD(regret, regrets)
		} else {
			VPINSRD(Imm(uint64(k)), regret, regrets, regrets)
		}
		if k&1 == 0 {
			pair[k/2] = XMM()
			VMOVSD(mass, pair[k/2])
		} else {
			VMOVHPD(mass, pair[k/2], pair[k/2])
		}
	}
	join(Imm(1), pair[1], pair[0].AsY(), masses)
	return regrets, masses
}

// serveLanes is serve512 for up to n columns in lanes.
func (s starter) serveLanes(n int, regrets, masses VecVirtual, supply Register, prefix, sum VecVirtual) {
	set := GP64()
	MOVQ(s.columns, set)
	VPXORQ(prefix, prefix, prefix)
	for range n {
		j, k := GP64(), K()
		TZCNTQ(set, j)
		BLSRQ(set, set)
		VPCMPD_BCST(Imm(cmpLTint), halfOf(s.t, offRegret, j), regrets, k)
		VPADDQ_BCST(cellOf(s.t, offMass, j), prefix, k, prefix)
	}
	kf, ks, kd := K(), K(), K()
	VPADDQ(masses, prefix, sum)
	VPCMPQ(Imm(cmpLEint), supply, sum, kf)
	VPCMPQ(Imm(cmpLTint), supply, prefix, ks)
	KANDNB(ks, kf, kd)
	KMOVB(kf, s.full.As32())
	KMOVB(kd, s.split.As32())
	VPCOMPRESSQ_Z(prefix, kd, sum)
	VPSUBQ(sum, supply, sum)
	VMOVQ(sum.AsX(), s.rest)
}

// serveMany is serve512 for more columns, from memory.
func (s starter) serveMany(n GPVirtual, supply VecVirtual) {
	t := s.t
	s.list()
	from := GP64()
	XORQ(s.full, s.full)
	XORQ(s.split, s.split)
	XORQ(from, from)
	Label("block")
	rank, b := ZMM(), GP64()
	prefix := zmms(2)
	for i := range prefix {
		VPXORQ(prefix[i], prefix[i], prefix[i])
	}
	VMOVDQU32(halfOf(t, offRank, from), rank)
	XORQ(b, b)
	Label("prefix")
	{
		low, high, mass := K(), K(), ZMM()
		VPCMPD_BCST(Imm(cmpLTint), halfOf(t, offRank, b), rank, low)
		KSHIFTRW(Imm(8), low, high)
		VPBROADCASTQ(cellOf(t, offOffer, b), mass)
		VPADDQ(mass, prefix[0], low, prefix[0])
		VPADDQ(mass, prefix[1], high, prefix[1])
		INCQ(b)
		CMPQ(b, n)
		JNE(LabelRef("prefix"))
	}
	for i := range prefix {
		s.judgeMany(i, n, from, prefix[i], supply)
	}
	CMPQ(from, n)
	JLT(LabelRef("block"))
}

// judgeMany judges the eight places from the given one on, and moves on.
func (s starter) judgeMany(i int, n, from GPVirtual, prefix, supply VecVirtual) {
	noSplit := fmt.Sprint("noSplit", i)
	sum, kf, ks, kd := ZMM(), K(), K(), K()
	VPADDQ(cellOf(s.t, offOffer, from), prefix, sum)
	VPCMPQ(Imm(cmpLEint), supply, sum, kf)
	VPCMPQ(Imm(cmpLTint), supply, prefix, ks)
	// Only the places below n count.
	valid, kv := GP64(), K()
	MOVQ(I32(-1), valid)
	BZHIQ(n, valid, valid)
	SHRXQ(from, valid, valid)
	KMOVB(valid.As32(), kv)
	KANDB(kf, kv, kf)
	KANDB(ks, kv, ks)
	KANDNB(ks, kf, kd)
	KORTESTB(kd, kd)
	JZ(LabelRef(noSplit))
	VPCOMPRESSQ_Z(prefix, kd, sum)
	VPSUBQ(sum, supply, sum)
	VMOVQ(sum.AsX(), s.rest)
	Label(noSplit)
	for _, x := range []struct {
		k   OpmaskVirtual
		set GPVirtual
	}{{kf, s.full}, {kd, s.split}} {
		bits := GP64()
		KMOVB(x.k, bits.As32())
		SHLXQ(from, bits, bits)
		ORQ(bits, x.set)
	}
	ADDQ(Imm(8), from)
}
