package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

// The largest tiles whose sums, two (or one) vectors of B and the broadcast
// element of A fit in the registers.
const (
	rows512       = 14
	rows256       = 6
	rows256Masked = 4
)

// Offsets in the tile structure of product_amd64.go, and its flags.
const (
	argA = 8 * iota
	argB
	argC
	argBias
	argTaps
	argCount
	argARow
	argACol
	argBRow
	argCRow
	argMask
	argFlags
	argBlocks
)

// tileLoop emits the walk over taps and inner elements; body emits one inner
// step from the addresses of the rows' elements of A and of the row of B.
func tileLoop(name string, args reg.Register, rows int, body func(a []Mem, b Mem)) {
	at := func(off int) Mem { return Mem{Base: args, Disp: off} }
	taps, count := GP64(), GP64()
	aRow, aCol, bRow := GP64(), GP64(), GP64()
	MOVQ(at(argTaps), taps)
	MOVQ(at(argCount), count)
	MOVQ(at(argARow), aRow)
	MOVQ(at(argACol), aCol)
	MOVQ(at(argBRow), bRow)

	Label(name + "tap")
	TESTQ(count, count)
	JZ(LabelRef(name + "done"))
	k, b := GP64(), GP64()
	bases := make([]reg.GPVirtual, (rows+2)/3)
	bases[0] = GP64()
	MOVQ(Mem{Base: taps}, bases[0])
	SHLQ(Imm(2), bases[0])
	ADDQ(at(argA), bases[0])
	MOVQ(Mem{Base: taps, Disp: 8}, b)
	SHLQ(Imm(2), b)
	ADDQ(at(argB), b)
	MOVQ(Mem{Base: taps, Disp: 16}, k)
	ADDQ(Imm(24), taps)
	DECQ(count)
	for i := 1; i < len(bases); i++ {
		bases[i] = GP64()
		LEAQ(Mem{Base: bases[i-1], Index: aRow, Scale: 2}, bases[i])
		ADDQ(aRow, bases[i])
	}
	TESTQ(k, k)
	JZ(LabelRef(name + "tap"))

	a := make([]Mem, rows)
	for i := range a {
		a[i] = Mem{Base: bases[i/3]}
		if i%3 > 0 {
			a[i].Index, a[i].Scale = aRow, uint8(i%3)
		}
	}
	Label(name + "inner")
	body(a, Mem{Base: b})
	for _, p := range bases {
		ADDQ(aCol, p)
	}
	ADDQ(bRow, b)
	DECQ(k)
	JNZ(LabelRef(name + "inner"))
	JMP(LabelRef(name + "tap"))
	Label(name + "done")
}

// start emits the choice between C, the bias and zero as initial sums.
func start(args reg.Register, fromC, fromBias, fromZero func()) {
	flags := GP64()
	MOVQ(Mem{Base: args, Disp: argFlags}, flags)
	TESTQ(U32(1), flags)
	JZ(LabelRef("fresh"))
	fromC()
	JMP(LabelRef("begin"))
	Label("fresh")
	MOVQ(Mem{Base: args, Disp: argBias}, flags)
	TESTQ(flags, flags)
	JZ(LabelRef("zero"))
	fromBias()
	JMP(LabelRef("begin"))
	Label("zero")
	fromZero()
	Label("begin")
}

// eachRow emits f for every row of C with its address.
func eachRow(args reg.Register, rows int, f func(i int, c Mem)) {
	c, stride := GP64(), GP64()
	MOVQ(Mem{Base: args, Disp: argC}, c)
	MOVQ(Mem{Base: args, Disp: argCRow}, stride)
	for i := range rows {
		f(i, Mem{Base: c})
		if i+1 < rows {
			ADDQ(stride, c)
		}
	}
}

// A tiler emits the tiles of one instruction set.
type tiler struct {
	rows, vectors int
	reg           func() reg.VecVirtual
	zero          func(r reg.VecVirtual)
	load          func(m Mem, v int, r reg.VecVirtual) // vector v from m on
	store         func(r reg.VecVirtual, m Mem, v int)
	broadcasts    int // registers for elements of A
}

// product512 emits tiles of rows × 16·vectors columns, masked by column unless
// they are full: a masked load of B would take one of the ports that multiply.
func product512(rows, vectors int, full bool) {
	name, columns := fmt.Sprintf("tile512x%dx%d", rows, vectors), "up to "
	if full {
		name, columns = name+"full", ""
	}
	TEXT(name, NOSPLIT, "func(t *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes blocks of %d rows by %s%d columns with AVX-512.", name, rows, columns, 16*vectors))
	args := Load(Param("t"), GP64())
	t := tiler{
		rows: rows, vectors: vectors, broadcasts: 2,
		reg:   func() reg.VecVirtual { return ZMM() },
		zero:  func(r reg.VecVirtual) { VPXORD(r, r, r) },
		load:  func(m Mem, v int, r reg.VecVirtual) { VMOVUPS(m.Offset(64*v), r) },
		store: func(r reg.VecVirtual, m Mem, v int) { VMOVUPS(r, m.Offset(64*v)) },
	}
	if full {
		t.emit(args)
		return
	}
	mask, masks := GP64(), []reg.OpmaskVirtual{K(), K()}
	MOVQ(Mem{Base: args, Disp: argMask}, mask)
	KMOVW(mask.As32(), masks[0])
	SHRQ(Imm(16), mask)
	KMOVW(mask.As32(), masks[1])
	t.load = func(m Mem, v int, r reg.VecVirtual) { VMOVUPS_Z(m.Offset(64*v), masks[v], r) }
	t.store = func(r reg.VecVirtual, m Mem, v int) { VMOVUPS(r, masks[v], m.Offset(64*v)) }
	t.emit(args)
}

// product256 emits a tile of rows × 16 columns with AVX2. Masked ones serve
// the last columns; they have fewer rows as the masks take two registers.
func product256(rows int, masked bool) {
	name, columns := fmt.Sprintf("tile256x%d", rows), "16"
	if masked {
		name, columns = fmt.Sprintf("tile256x%dmasked", rows), "up to 16"
	}
	TEXT(name, NOSPLIT, "func(t *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes %d rows by %s columns with AVX2.", name, rows, columns))
	args := Load(Param("t"), GP64())
	t := tiler{
		rows: rows, vectors: 2, broadcasts: 1,
		reg:   func() reg.VecVirtual { return YMM() },
		zero:  func(r reg.VecVirtual) { VXORPS(r, r, r) },
		load:  func(m Mem, v int, r reg.VecVirtual) { VMOVUPS(m.Offset(32*v), r) },
		store: func(r reg.VecVirtual, m Mem, v int) { VMOVUPS(r, m.Offset(32*v)) },
	}
	if masked {
		table, mask := GP64(), []reg.VecVirtual{YMM(), YMM()}
		MOVQ(Mem{Base: args, Disp: argMask}, table)
		VMOVDQU(Mem{Base: table}, mask[0])
		VMOVDQU(Mem{Base: table, Disp: 32}, mask[1])
		t.load = func(m Mem, v int, r reg.VecVirtual) { VMASKMOVPS(m.Offset(32*v), mask[v], r) }
		t.store = func(r reg.VecVirtual, m Mem, v int) { VMASKMOVPS(r, mask[v], m.Offset(32*v)) }
	}
	t.emit(args)
}

// emit emits the body of a tile: initial sums, the loop, the ReLU, the stores;
// and again for every further block of rows.
func (t *tiler) emit(args reg.Register) {
	acc := make([][]reg.VecVirtual, t.rows)
	each := func(f func(i, v int)) {
		for i := range t.rows {
			for v := range t.vectors {
				f(i, v)
			}
		}
	}
	for i := range acc {
		acc[i] = make([]reg.VecVirtual, t.vectors)
	}
	each(func(i, v int) { acc[i][v] = t.reg() })
	Label("block")
	start(args,
		func() {
			eachRow(args, t.rows, func(i int, c Mem) {
				for v := range t.vectors {
					t.load(c, v, acc[i][v])
				}
			})
		},
		func() {
			bias := GP64()
			MOVQ(Mem{Base: args, Disp: argBias}, bias)
			for v := range t.vectors {
				t.load(Mem{Base: bias}, v, acc[0][v])
				for i := 1; i < t.rows; i++ {
					VMOVAPS(acc[0][v], acc[i][v])
				}
			}
		},
		func() { each(func(i, v int) { t.zero(acc[i][v]) }) })
	var b, x []reg.VecVirtual
	for range t.vectors {
		b = append(b, t.reg())
	}
	for range t.broadcasts {
		x = append(x, t.reg())
	}
	tileLoop("", args, t.rows, func(a []Mem, row Mem) {
		for v := range t.vectors {
			t.load(row, v, b[v])
		}
		for i := range t.rows {
			element := x[i%len(x)]
			VBROADCASTSS(a[i], element)
			for v := range t.vectors {
				VFMADD231PS(b[v], element, acc[i][v])
			}
		}
	})
	flags := GP64()
	MOVQ(Mem{Base: args, Disp: argFlags}, flags)
	TESTQ(U32(2), flags)
	JZ(LabelRef("store"))
	zero := t.reg()
	t.zero(zero)
	each(func(i, v int) { VMAXPS(acc[i][v], zero, acc[i][v]) }) // a NaN in the sum stays
	Label("store")
	eachRow(args, t.rows, func(i int, c Mem) {
		for v := range t.vectors {
			t.store(acc[i][v], c, v)
		}
	})
	DECQ(Mem{Base: args, Disp: argBlocks})
	JZ(LabelRef("end"))
	for _, operand := range [][2]int{{argARow, argA}, {argCRow, argC}} {
		step := GP64()
		IMUL3Q(U32(uint32(t.rows)), Mem{Base: args, Disp: operand[0]}, step)
		ADDQ(step, Mem{Base: args, Disp: operand[1]})
	}
	JMP(LabelRef("block"))
	Label("end")
	VZEROUPPER()
	RET()
}
