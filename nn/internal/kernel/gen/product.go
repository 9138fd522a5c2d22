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

// product512 emits a tile of rows × 16·vectors columns, masked by column.
func product512(rows, vectors int) {
	TEXT(fmt.Sprintf("tile512x%dx%d", rows, vectors), NOSPLIT, "func(t *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("tile512x%dx%d computes %d rows by %d columns with AVX-512.", rows, vectors, rows, 16*vectors))
	args := Load(Param("t"), GP64())
	mask, masks := GP64(), []reg.OpmaskVirtual{K(), K()}
	MOVQ(Mem{Base: args, Disp: argMask}, mask)
	KMOVW(mask.As32(), masks[0])
	SHRQ(Imm(16), mask)
	KMOVW(mask.As32(), masks[1])
	acc := make([][]reg.VecVirtual, rows)
	for i := range acc {
		for range vectors {
			acc[i] = append(acc[i], ZMM())
		}
	}
	start(args,
		func() {
			eachRow(args, rows, func(i int, c Mem) {
				for v := range vectors {
					VMOVUPS_Z(c.Offset(64*v), masks[v], acc[i][v])
				}
			})
		},
		func() {
			bias := GP64()
			MOVQ(Mem{Base: args, Disp: argBias}, bias)
			for v := range vectors {
				VMOVUPS_Z(Mem{Base: bias, Disp: 64 * v}, masks[v], acc[0][v])
				for i := 1; i < rows; i++ {
					VMOVAPS(acc[0][v], acc[i][v])
				}
			}
		},
		func() {
			for i := range rows {
				for v := range vectors {
					VPXORD(acc[i][v], acc[i][v], acc[i][v])
				}
			}
		})
	var b []reg.VecVirtual
	for range vectors {
		b = append(b, ZMM())
	}
	x := []reg.VecVirtual{ZMM(), ZMM()}
	tileLoop("", args, rows, func(a []Mem, row Mem) {
		for v := range vectors {
			VMOVUPS_Z(row.Offset(64*v), masks[v], b[v])
		}
		for i := range rows {
			VBROADCASTSS(a[i], x[i%2])
			for v := range vectors {
				VFMADD231PS(b[v], x[i%2], acc[i][v])
			}
		}
	})
	flags := GP64()
	MOVQ(Mem{Base: args, Disp: argFlags}, flags)
	TESTQ(U32(2), flags)
	JZ(LabelRef("store"))
	zero := ZMM()
	VPXORD(zero, zero, zero)
	for i := range rows {
		for v := range vectors {
			VMAXPS(acc[i][v], zero, acc[i][v]) // a NaN in the sum stays
		}
	}
	Label("store")
	eachRow(args, rows, func(i int, c Mem) {
		for v := range vectors {
			VMOVUPS(acc[i][v], masks[v], c.Offset(64*v))
		}
	})
	VZEROUPPER()
	RET()
}

// product256 emits a tile of rows × 16 columns with AVX2. Masked ones serve
// the last columns; they have fewer rows as the masks take two registers.
func product256(rows int, masked bool) {
	name, mnemonic := fmt.Sprintf("tile256x%d", rows), "16"
	if masked {
		name, mnemonic = fmt.Sprintf("tile256x%dmasked", rows), "up to 16"
	}
	TEXT(name, NOSPLIT, "func(t *byte)")
	Pragma("noescape")
	Doc(fmt.Sprintf("%s computes %d rows by %s columns with AVX2.", name, rows, mnemonic))
	args := Load(Param("t"), GP64())
	mask := []reg.VecVirtual{YMM(), YMM()}
	if masked {
		table := GP64()
		MOVQ(Mem{Base: args, Disp: argMask}, table)
		VMOVDQU(Mem{Base: table}, mask[0])
		VMOVDQU(Mem{Base: table, Disp: 32}, mask[1])
	}
	load := func(m Mem, v int, dst reg.VecVirtual) {
		if masked {
			VMASKMOVPS(m.Offset(32*v), mask[v], dst)
		} else {
			VMOVUPS(m.Offset(32*v), dst)
		}
	}
	acc := make([][2]reg.VecVirtual, rows)
	for i := range acc {
		acc[i] = [2]reg.VecVirtual{YMM(), YMM()}
	}
	start(args,
		func() {
			eachRow(args, rows, func(i int, c Mem) {
				for v := range 2 {
					load(c, v, acc[i][v])
				}
			})
		},
		func() {
			bias := GP64()
			MOVQ(Mem{Base: args, Disp: argBias}, bias)
			for v := range 2 {
				load(Mem{Base: bias}, v, acc[0][v])
				for i := 1; i < rows; i++ {
					VMOVAPS(acc[0][v], acc[i][v])
				}
			}
		},
		func() {
			for i := range rows {
				for v := range 2 {
					VXORPS(acc[i][v], acc[i][v], acc[i][v])
				}
			}
		})
	b, x := []reg.VecVirtual{YMM(), YMM()}, YMM()
	tileLoop("", args, rows, func(a []Mem, row Mem) {
		for v := range 2 {
			load(row, v, b[v])
		}
		for i := range rows {
			VBROADCASTSS(a[i], x)
			for v := range 2 {
				VFMADD231PS(b[v], x, acc[i][v])
			}
		}
	})
	flags := GP64()
	MOVQ(Mem{Base: args, Disp: argFlags}, flags)
	TESTQ(U32(2), flags)
	JZ(LabelRef("store"))
	zero := YMM()
	VXORPS(zero, zero, zero)
	for i := range rows {
		for v := range 2 {
			VMAXPS(acc[i][v], zero, acc[i][v])
		}
	}
	Label("store")
	eachRow(args, rows, func(i int, c Mem) {
		for v := range 2 {
			if masked {
				VMASKMOVPS(acc[i][v], mask[v], c.Offset(32*v))
			} else {
				VMOVUPS(acc[i][v], c.Offset(32*v))
			}
		}
	})
	VZEROUPPER()
	RET()
}
