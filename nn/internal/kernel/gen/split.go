package main

import (
	. "github.com/mmcloughlin/avo/build"
	. "github.com/mmcloughlin/avo/operand"
	"github.com/mmcloughlin/avo/reg"
)

const (
	stripPixel = stripScalars + 32 + 8*iota
	stripPlane
)

// split emits the transforms of split.go in the kernel package, sixteen values
// at a time, or twice eight so that no cache line is fetched twice.
func split(bits int) {
	l := &lanes{bits: bits}
	l.spread()
	l.gather()
}

// A signed value is that of a register or its negative.
type signed struct {
	r     reg.VecVirtual
	minus bool
}

// plus puts a+b or its negative into to.
func plus(a, b signed, to reg.VecVirtual) signed {
	switch {
	case a.minus == b.minus:
		VADDPS(b.r, a.r, to)
	case a.minus:
		VSUBPS(a.r, b.r, to)
	default:
		VSUBPS(b.r, a.r, to)
	}
	return signed{to, a.minus && b.minus}
}

// pixels are the addresses of 4×4 pixels: those of the rows' first ones, which the
// loop moves on, and of any.
func (l *lanes) pixels() (rows []reg.GPVirtual, at func(y, x int) Mem) {
	step, triple := l.pointer(stripPixel), GP64()
	LEAQ(Mem{Base: step, Index: step, Scale: 2}, triple)
	p := l.pointer(stripX)
	for y := range 4 {
		row := GP64()
		MOVQ(p, row)
		rows = append(rows, row)
		if y < 3 {
			LEAQ(Mem{Base: p, Index: step, Scale: 4}, p)
		}
	}
	return rows, func(y, x int) Mem {
		m := Mem{Base: rows[y]}
		switch x {
		case 1, 2:
			m.Index, m.Scale = step, uint8(x)
		case 3:
			m.Index, m.Scale = triple, 1
		}
		return m
	}
}

// lines lists the cells of a 3×3 array in each line of the four directions.
var lines = func() (out [4][3][]int) {
	for i := range 3 {
		for j := range 3 {
			for d, class := range [4]int{i, j, (i + j) % 3, (i + 2*j) % 3} {
				out[d][class] = append(out[d][class], 3*i+j)
			}
		}
	}
	return out
}()

// pairs are the lines whose sums' difference is taken, in the order of the planes.
var pairs = [3][2]int{{0, 1}, {2, 1}, {0, 2}}

// folded tells where the values of a group's 3×3 array lie among the 4×4 that
// folding the pixels leaves (rows 0+3, 0−3, 1, 2, and columns likewise), and
// which are negative.
func folded(group int) (cells [9]int, minus [9]bool) {
	for i := range 3 {
		for j := range 3 {
			y, x := group/2, group%2
			at := func(k, odd int) int { return [3]int{odd, 2, 3}[k] }
			cells[3*i+j] = 4*at(i, y) + at(j, x)
			minus[3*i+j] = (i == 1 && y == 1) != (j == 1 && x == 1)
		}
	}
	return cells, minus
}

func (l *lanes) spread() {
	l.begin("stripSpread", "writes the sums of pixels in all planes.")
	rows, at := l.pixels()
	planes, plane, triple, scratch := l.pointer(stripY), l.pointer(stripPlane), GP64(), l.pointer(stripP0)
	LEAQ(Mem{Base: plane, Index: plane, Scale: 2}, triple)
	halves := 64 / l.bytes()
	l.rows("rows", append(rows, planes), func() {
		var folded [16]reg.VecVirtual
		for half := range halves {
			l.fold(at, half, func(k int, r reg.VecVirtual) {
				if l.bits == 512 {
					folded[k] = r
				} else {
					VMOVUPS(r, Mem{Base: scratch, Disp: 32 * (16*half + k)})
				}
			})
		}
		for half := range halves {
			held := func(k int) reg.VecVirtual {
				if l.bits == 512 {
					return folded[k]
				}
				r := l.reg()
				VMOVUPS(Mem{Base: scratch, Disp: 32 * (16*half + k)}, r)
				return r
			}
			out, count := GP64(), 0
			MOVQ(planes, out)
			put := func(s signed) {
				if s.minus {
					panic("a negative plane")
				}
				m := Mem{Base: out, Disp: l.bytes() * half}
				switch count % 4 {
				case 1, 2:
					m.Index, m.Scale = plane, uint8(count%4)
				case 3:
					m.Index, m.Scale = triple, 1
				}
				VMOVUPS(s.r, m)
				if count++; count%4 == 0 && count < 52 {
					LEAQ(Mem{Base: out, Index: plane, Scale: 4}, out)
				}
			}
			for group := range 4 {
				l.differences(group, held, put)
			}
		}
	})
	l.end()
}

// fold loads the pixels of one half and leaves the sum and the difference of
// the first and the last, and those between, in both directions.
func (l *lanes) fold(at func(y, x int) Mem, half int, put func(k int, r reg.VecVirtual)) {
	line := func(y int) (out [4]reg.VecVirtual) {
		var x [4]reg.VecVirtual
		for i := range x {
			x[i] = l.reg()
			VMOVUPS(at(y, i).Offset(l.bytes()*half), x[i])
		}
		sum, difference := l.reg(), l.reg()
		VADDPS(x[3], x[0], sum)
		VSUBPS(x[3], x[0], difference)
		return [4]reg.VecVirtual{sum, difference, x[1], x[2]}
	}
	first, last := line(0), line(3)
	for i := range 4 {
		sum, difference := l.reg(), l.reg()
		VADDPS(last[i], first[i], sum)
		VSUBPS(last[i], first[i], difference)
		put(i, sum)
		put(4+i, difference)
	}
	for y := 1; y < 3; y++ {
		for i, r := range line(y) {
			put(4+4*y+i, r)
		}
	}
}

// differences emits a group's thirteen planes: the sum of its 3×3 array, and
// in four directions the differences of the sums over lines.
func (l *lanes) differences(group int, held func(int) reg.VecVirtual, put func(signed)) {
	cells, minus := folded(group)
	var value [9]signed
	for i, c := range cells {
		value[i] = signed{held(c), minus[i]}
	}
	for direction, classes := range lines {
		var sum [3]signed
		for k, line := range classes {
			t := l.reg()
			sum[k] = plus(plus(value[line[0]], value[line[1]], t), value[line[2]], t)
		}
		if direction == 0 {
			t := l.reg()
			put(plus(plus(sum[0], sum[1], t), sum[2], t))
		}
		for _, p := range pairs {
			put(plus(sum[p[0]], signed{sum[p[1]].r, !sum[p[1]].minus}, l.reg()))
		}
	}
}

// gather makes pixels of planes: it adds up what each plane is a part of, in
// the transposed order of spread, adds the values at P1, and takes the maximum
// with the scalar.
func (l *lanes) gather() {
	l.begin("stripGather", "adds up the planes that each pixel is made of.")
	rows, at := l.pixels()
	planes, plane, triple, scratch, bias := l.pointer(stripY), l.pointer(stripPlane), GP64(), l.pointer(stripP0), l.pointer(stripP1)
	LEAQ(Mem{Base: plane, Index: plane, Scale: 2}, triple)
	least := l.scalar(stripScalars)
	l.rows("rows", append(rows, planes, bias), func() {
		for half := range 64 / l.bytes() {
			in, count := GP64(), 0
			MOVQ(planes, in)
			next := func() Mem {
				m := Mem{Base: in, Disp: l.bytes() * half}
				switch count % 4 {
				case 1, 2:
					m.Index, m.Scale = plane, uint8(count%4)
				case 3:
					m.Index, m.Scale = triple, 1
				case 0:
					if count > 0 {
						LEAQ(Mem{Base: in, Index: plane, Scale: 4}, in)
					}
				}
				count++
				return m
			}
			kept := func(i int) Mem { return Mem{Base: scratch, Disp: l.bytes() * i} }
			for group := range 4 {
				l.products(group, next, kept, func(y, x int, r reg.VecVirtual) {
					VADDPS(Mem{Base: bias, Disp: l.bytes() * half}, r, r)
					VMAXPS(r, least, r) // a NaN stays
					VMOVUPS(r, at(y, x).Offset(l.bytes()*half))
				})
			}
		}
	})
	l.end()
}

// products makes a group's 3×3 array of its planes and unfolds it: columns with
// those of the group before, rows with those of the two before.
func (l *lanes) products(group int, next func() Mem, kept func(int) Mem, finish func(y, x int, r reg.VecVirtual)) {
	sums := l.lineSums(next)
	for cell := range 9 {
		i, j := cell/3, cell%3
		r := l.reg()
		VMOVAPS(sums[0][i], r)
		for d, class := range [4]int{i, j, (i + j) % 3, (i + 2*j) % 3} {
			switch {
			case d == 0:
			case class == 1:
				VSUBPS(sums[d][class], r, r)
			default:
				VADDPS(sums[d][class], r, r)
			}
		}
		if group%2 == 0 {
			VMOVUPS(r, kept(cell))
			continue
		}
		before := l.reg()
		VMOVUPS(kept(cell), before)
		l.unfold(j, before, r, func(x int, r reg.VecVirtual) {
			if group == 1 {
				VMOVUPS(r, kept(9+4*i+x))
				return
			}
			before := l.reg()
			VMOVUPS(kept(9+4*i+x), before)
			l.unfold(i, before, r, func(y int, r reg.VecVirtual) { finish(y, x, r) })
		})
	}
}

// unfold emits the pixels along a side that value k of the even and of the odd
// array are parts of, in reverse.
func (l *lanes) unfold(k int, even, odd reg.VecVirtual, put func(pixel int, r reg.VecVirtual)) {
	r := l.reg()
	switch k {
	case 0:
		VSUBPS(odd, even, r)
		put(0, r)
		VADDPS(odd, even, even)
		put(3, even)
	case 1:
		VSUBPS(odd, even, r)
		put(2, r)
	case 2:
		VADDPS(odd, even, r)
		put(1, r)
	}
}

// lineSums loads a group's planes and adds up, for each line of the four
// directions, the differences that it is a part of: the second line's negative,
// but in the first direction, where the total is added.
func (l *lanes) lineSums(next func() Mem) (sums [4][3]reg.VecVirtual) {
	total := l.reg()
	VMOVUPS(next(), total)
	for direction := range sums {
		var d [3]reg.VecVirtual
		for i := range d {
			d[i] = l.reg()
			VMOVUPS(next(), d[i])
		}
		s := [3]reg.VecVirtual{l.reg(), l.reg(), l.reg()}
		VADDPS(d[2], d[0], s[0])
		VADDPS(d[1], d[0], s[1])
		VSUBPS(d[2], d[1], s[2])
		if direction == 0 {
			VADDPS(total, s[0], s[0])
			VSUBPS(s[1], total, s[1])
			VADDPS(total, s[2], s[2])
		}
		sums[direction] = s
	}
	return sums
}
