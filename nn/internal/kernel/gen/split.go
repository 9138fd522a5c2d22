package main

import (
	"fmt"

	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	stripPixel = stripScalars + 32 + 8*iota
	stripPlane
	stripPlaneRow
)

// split emits the transforms of split.go in the kernel package: a routine for
// each of the nine rows of planes.
func split(bits int) {
	l := &lanes{bits: bits}
	for group := range 9 {
		l.spread(group)
		l.gather(group)
	}
}

// nines are the sums of four values that a 4×4 Toeplitz product needs.
var nines = [9][]int{{0, 1, 2, 3}, {1, 3}, {0, 2}, {2, 3}, {3}, {2}, {0, 1}, {1}, {0}}

// reached are the values that each of the nine products is a part of.
func reached(group int) (out []int) {
	for i := range 4 {
		if outer, inner := group/3, group%3; (outer == 0 || outer == 1+i/2) && (inner == 0 || inner == 1+i%2) {
			out = append(out, i)
		}
	}
	return out
}

// pixels are the rows ys of 4×4 pixels: their first addresses, which the row
// loop moves on, and the address of pixel x in the k-th of them.
func (l *lanes) pixels(ys []int) (rows []reg.GPVirtual, at func(k, x int) Mem) {
	step, triple := l.pointer(stripPixel), GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, triple)
	p, y := l.pointer(stripX), 0
	for _, want := range ys {
		row := GP64()
		for ; y < want; y++ {
			LEAQ(Mem{Base: p, Index: step, Scale: 4}, p)
		}
		MOVQ(p, row)
		rows = append(rows, row)
	}
	return rows, func(k, x int) Mem {
		m := Mem{Base: rows[k]}
		switch x {
		case 1, 2:
			m.Index, m.Scale = step, uint8(x)
		case 3:
			m.Index, m.Scale = triple, 1
		}
		return m
	}
}

func (l *lanes) add(m Mem, r reg.VecVirtual) {
	VADDPS(l.load(m), r, r)
}

func (l *lanes) spread(group int) {
	l.begin(fmt.Sprintf("stripSpread%dx", group), fmt.Sprintf("writes the sums of pixels in planes %d to %d.", 9*group, 9*group+8))
	rows, at := l.pixels(nines[group])
	planes, plane, planeRow := l.pointer(stripY), l.pointer(stripPlane), l.pointer(stripPlaneRow)
	l.rows("rows", rows, func() {
		out := GP64()
		MOVQ(planes, out)
		ADDQ(planeRow, planes)
		count := 0
		put := func(r reg.VecVirtual) {
			l.store(r, Mem{Base: out})
			if count++; count < 9 {
				ADDQ(plane, out)
			}
		}
		var x [4]reg.VecVirtual
		for i := range x {
			x[i] = l.load(at(0, i))
			for k := 1; k < len(rows); k++ {
				l.add(at(k, i), x[i])
			}
		}
		even, odd, sum := l.reg(), l.reg(), l.reg()
		VADDPS(x[2], x[0], even)
		VADDPS(x[3], x[1], odd)
		VADDPS(odd, even, sum)
		put(sum)
		put(odd)
		put(even)
		for _, i := range []int{2, 0} {
			both := l.reg()
			VADDPS(x[i+1], x[i], both)
			put(both)
			put(x[i+1])
			put(x[i])
		}
	})
	l.end()
}

// gather adds planes to the pixels. The first group instead stores them with
// P0 added; those groups that come last for a row of pixels take the maximum
// with the scalar.
func (l *lanes) gather(group int) {
	l.begin(fmt.Sprintf("stripGather%dx", group), fmt.Sprintf("adds the products of planes %d to %d to the pixels.", 9*group, 9*group+8))
	ys := reached(group)
	rows, at := l.pixels(ys)
	planes, plane, planeRow := l.pointer(stripY), l.pointer(stripPlane), l.pointer(stripPlaneRow)
	var bias, least reg.VecVirtual
	if group == 0 {
		bias = l.param(stripP0)
	}
	if len(ys) == 1 {
		least = l.scalar(stripScalars)
	}
	l.rows("rows", rows, func() {
		p := GP64()
		MOVQ(planes, p)
		ADDQ(planeRow, planes)
		var s [9]reg.VecVirtual
		for x := range s {
			s[x] = l.load(Mem{Base: p})
			if x < 8 {
				ADDQ(plane, p)
			}
		}
		for half := 3; half <= 6; half += 3 {
			for k := range 3 {
				VADDPS(s[k], s[half+k], s[half+k])
			}
		}
		for x := range 4 {
			half, out := 3*(1+x/2), l.reg()
			VADDPS(s[half+1+x%2], s[half], out)
			if group == 0 {
				VADDPS(bias, out, out)
			}
			for k := range ys {
				sum := out
				if group > 0 {
					sum = l.load(at(k, x))
					VADDPS(out, sum, sum)
				}
				if len(ys) == 1 {
					VMAXPS(sum, least, sum) // a NaN stays
				}
				l.store(sum, at(k, x))
			}
		}
	})
	l.end()
}
