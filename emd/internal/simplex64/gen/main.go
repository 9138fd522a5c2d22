// Command gen writes the assembly of package simplex64. Run it with go generate.
//
// The instruction sequences follow the portable functions of the same name step
// by step, with the same order of every rounding, so that all kernels return the
// same bits; the comments there say what is computed and why.
package main

import (
	"math"
	"unsafe"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	. "github.com/mmcloughlin/avo/reg"

	"barrow/emd/internal/simplex64"
)

var (
	state   simplex64.State
	problem simplex64.Problem
)

// Offsets of the fields that the assembly addresses.
var (
	offPot     = int(unsafe.Offsetof(state.Pot))
	offLo      = int(unsafe.Offsetof(state.Lo))
	offFlow    = int(unsafe.Offsetof(state.Flow))
	offCost    = int(unsafe.Offsetof(state.Cost))
	offMass    = int(unsafe.Offsetof(state.Mass))
	offF       = int(unsafe.Offsetof(state.F))
	offDemand  = int(unsafe.Offsetof(state.Demand))
	offChoice  = int(unsafe.Offsetof(state.Choice))
	offRank    = int(unsafe.Offsetof(state.Rank))
	offRegret  = int(unsafe.Offsetof(state.Regret))
	offOffer   = int(unsafe.Offsetof(state.Offer))
	offNever   = int(unsafe.Offsetof(state.Never))
	offRough   = int(unsafe.Offsetof(state.Rough))
	offRoughLo = int(unsafe.Offsetof(state.RoughLo))
	offKeep    = int(unsafe.Offsetof(state.Keep))
	offTag     = int(unsafe.Offsetof(state.Tag))
	offPath    = int(unsafe.Offsetof(state.Path))
	offBelow   = int(unsafe.Offsetof(state.Below))
	offColumn  = int(unsafe.Offsetof(state.Column))
	offRow     = int(unsafe.Offsetof(state.Row))
	offCol     = int(unsafe.Offsetof(state.Col))
	offParent  = int(unsafe.Offsetof(state.Parent))
	offGone    = int(unsafe.Offsetof(state.Gone))
	offRows    = int(unsafe.Offsetof(state.Rows))
	offCols    = int(unsafe.Offsetof(state.Cols))
	offPos     = int(unsafe.Offsetof(state.Pos))
	offNeg     = int(unsafe.Offsetof(state.Neg))
	offTotalP  = int(unsafe.Offsetof(state.TotalP))
	offTotalQ  = int(unsafe.Offsetof(state.TotalQ))
	offUnit    = int(unsafe.Offsetof(state.Unit))
	offPrimal  = int(unsafe.Offsetof(state.Primal))
	offMean    = int(unsafe.Offsetof(state.Mean))
	offRoot    = int(unsafe.Offsetof(state.Root))
	offDown    = int(unsafe.Offsetof(state.Down))
	offEnough  = int(unsafe.Offsetof(state.Enough))
	offLeaving = int(unsafe.Offsetof(state.Leaving))
	offLeft    = int(unsafe.Offsetof(state.Left))
	offSwapped = int(unsafe.Offsetof(state.Swapped))
	offPivots  = int(unsafe.Offsetof(state.Pivots))

	offCoarse = int(unsafe.Offsetof(problem.Coarse))
	offWeight = int(unsafe.Offsetof(problem.Weight))
	offTags   = int(unsafe.Offsetof(problem.Tags))
	offMarks  = int(unsafe.Offsetof(problem.Marks))

	offTolerance = int(unsafe.Offsetof(problem.Tolerance))
)

// Shift that turns a node into the offset of its row of distances, and of its row
// of coarse ones.
const (
	shiftD      = 9
	shiftCoarse = 8
)

// Comparison predicates of VCMPPD.
const (
	cmpEQ    = 0x00
	cmpLT    = 0x11
	cmpLE    = 0x12
	cmpGE    = 0x1d
	cmpNotGE = 0x19 // also for NaN
	cmpGT    = 0x1e
)

// Those of package simplex64 by which violations by the coarse distances are judged.
const (
	slack = 3 << 6
	drift = 30 << 25
)

// And of VPCMPD and VPCMPQ.
const (
	cmpLTint = 1
	cmpLEint = 2
	cmpGEint = 5
	cmpGTint = 6
)

// bitSelect is the VPTERNLOG table of (a AND b) OR c.
const bitSelect = 0xea

func at(base Register, offset int) Mem { return Mem{Base: base, Disp: offset} }

// cellOf addresses an 8-byte field of a node.
func cellOf(base Register, offset int, node Register) Mem {
	return Mem{Base: base, Disp: offset, Index: node, Scale: 8}
}

// halfOf addresses a 4-byte field of a node.
func halfOf(base Register, offset int, node Register) Mem {
	return Mem{Base: base, Disp: offset, Index: node, Scale: 4}
}

func byteOf(base Register, offset int, node Register) Mem {
	return Mem{Base: base, Disp: offset, Index: node, Scale: 1}
}

// Tables shared by all functions.
var (
	bitTable   Mem // 1 << i for lane i
	byteTable  Mem // i in byte i
	markTable  Mem // 1 << i for 4-byte lane i
	tagKeep    Mem // ^63
	markKeep   Mem // of half the width,
	markLow    Mem // and the lowest number
	signBit    Mem
	negInf     Mem
	lowest     Mem
	posInf     Mem
	halfConst  Mem
	scaleConst Mem // 2⁵², what added to an integer up to that makes its bits those of the integer above its own
	heavyConst Mem
	heavyFloat Mem
	unitConst  Mem
)

func tables() {
	bitTable = GLOBL("bitTable", RODATA|NOPTR)
	for i := range 64 {
		DATA(8*i, U64(1)<<i)
	}
	byteTable = GLOBL("byteTable", RODATA|NOPTR)
	for i := range 64 {
		DATA(i, U8(i))
	}
	markTable = GLOBL("markTable", RODATA|NOPTR)
	for i := range 32 {
		DATA(4*i, U32(1)<<i)
	}
	constant := func(name string, v U64) Mem {
		m := GLOBL(name, RODATA|NOPTR)
		DATA(0, v)
		return m
	}
	constant32 := func(name string, v U32) Mem {
		m := GLOBL(name, RODATA|NOPTR)
		DATA(0, v)
		return m
	}
	// Bits, since the assembler takes a number without a point for an integer.
	number := func(name string, v float64) Mem { return constant(name, U64(math.Float64bits(v))) }
	tagKeep = constant("tagKeep", ^U64(63))
	markKeep = constant32("markKeep", ^U32(63))
	markLow = constant32("markLow", 1<<31)
	signBit = constant("signBit", 1<<63)
	negInf = constant("negInf", 0xfff0000000000000)
	lowest = number("lowest", -math.MaxFloat64)
	posInf = constant("posInf", 0x7ff0000000000000)
	halfConst = number("half", 0.5)
	scaleConst = number("scale", 1<<52)
	heavyConst = constant("heavy", 1<<45)
	heavyFloat = number("heavyFloat", 1<<45)
	unitConst = number("halfUnit", 0.5/(1<<52))
}

func main() {
	ConstraintExpr("!purego")
	tables()
	for _, w := range []int{2, 4, 6, 8} {
		optimise512(w)
		optimise256(w)
		finish512(w)
		start512(w)
		start256(w)
		prepare512(w)
		totals512(w)
	}
	finish256()
	totals256()
	prepare256()
	dot512()
	dot256()
	export512()
	export256()
	Generate()
}
