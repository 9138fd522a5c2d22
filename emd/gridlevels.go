package emd

import "barrow/emd/internal/sparse"

// A levelBuilder makes the levels of a grid. All lists are cut from few pieces: a grid of some
// hundred cells is made in the time of a hundred allocations.
type levelBuilder struct {
	grid    *Grid
	ways    [][]int // the steps to neighbours
	along   []int   // their part along the last axis
	axisWay []int   // the way of one step along an axis
	arcs    []sparse.Arc
	lists   []int32
	index   []int32
	stride  []int // differences between the numbers of neighbours along the axes
	at, to  []int // coordinates of a row, and for each way a cell
}

// build makes the levels.
func (g *Grid) build() {
	d := len(g.shape)
	shapes, levels, all := g.halved()
	b := levelBuilder{grid: g, ways: g.ways()}
	ints := make([]int, 3*d+2*len(b.ways))
	b.axisWay, b.stride, b.at, ints = ints[:d], ints[d:2*d], ints[2*d:3*d], ints[3*d:]
	b.to, b.along = ints[:len(b.ways)], ints[len(b.ways):]
	for w, way := range b.ways {
		b.along[w] = way[d-1]
		steps, last := 0, 0
		for axis, x := range way {
			if x != 0 {
				steps, last = steps+1, axis
			}
		}
		if steps == 1 {
			b.axisWay[last] = w
		}
	}
	// Lists: above, within and corner are two numbers for a cell, and cross one for an arc.
	b.arcs = make([]sparse.Arc, all*len(b.ways))
	b.lists = make([]int32, 2*all+all*len(b.ways))
	b.index = make([]int32, all*len(b.ways))
	g.levels = make([]level, levels)
	var index []int32
	for k := range levels {
		shape := shapes[k*d:][:d]
		var here []int32
		g.levels[k], here = b.neighbours(shape)
		if k > 0 {
			b.connect(&g.levels[k-1], shapes[(k-1)*d:][:d], shape, index, here)
		}
		index = here
	}
}

// halved are the shapes of all levels one after the other, and how many cells they have in all.
func (g *Grid) halved() (shapes []int, levels, cells int) {
	shapes = append(make([]int, 0, 8*len(g.shape)), g.shape...)
	for at := 0; ; at += len(g.shape) {
		n := 1
		for _, k := range shapes[at:] {
			n *= k
		}
		levels, cells = levels+1, cells+n
		if n == 1 {
			return shapes, levels, cells
		}
		for _, k := range shapes[at:] {
			shapes = append(shapes, (k+1)/2)
		}
	}
}

// list is an empty list with room for n.
func (b *levelBuilder) list(n int) []int32 {
	v := b.lists[:0:n]
	b.lists = b.lists[n:]
	return v
}

// ways are the steps to neighbours, one of each pair of opposites: that whose first
// component that is not 0 is positive.
func (g *Grid) ways() [][]int {
	d := len(g.shape)
	var ways [][]int
	if g.norm == L1 {
		for axis := range d {
			way := make([]int, d)
			way[axis] = 1
			ways = append(ways, way)
		}
		return ways
	}
	var extend func(way []int, begun bool)
	extend = func(way []int, begun bool) {
		axis := len(way)
		if axis == d {
			if begun {
				ways = append(ways, append([]int(nil), way...))
			}
			return
		}
		for _, step := range []int{-1, 0, 1} {
			if step != 0 && g.shape[axis] == 1 || step < 0 && !begun {
				continue
			}
			extend(append(way, step), begun || step != 0)
		}
	}
	extend(make([]int, 0, d), false)
	return ways
}

// neighbours makes the arcs of a grid. index has the arc for each cell and way, −1 where
// there is none. What a way does along the other axes is the same for a row of cells.
func (b *levelBuilder) neighbours(shape []int) (l level, index []int32) {
	b.begin(shape)
	last, width, ways := len(shape)-1, shape[len(shape)-1], len(b.ways)
	wraps := b.grid.periodic[last] && width >= 3
	l.cells = b.stride[0] * shape[0]
	all := b.index[:l.cells*ways]
	index, b.index = all, b.index[l.cells*ways:]
	arcs, n := b.arcs, int32(0)
	to, steps := b.to, b.along[:len(b.to)]
	for row := 0; row < l.cells; row += width {
		for w := range to {
			to[w] = b.step(shape, w, row)
		}
		for x := range width {
			here := index[:ways:ways]
			index = index[ways:]
			for w, y := range to {
				nx := x + steps[w]
				if uint(nx) >= uint(width) {
					nx -= steps[w] * width
					if !wraps {
						y = -1
					}
				}
				if y < 0 {
					here[w] = -1
					continue
				}
				here[w] = n
				arcs[n] = sparse.Arc{From: int32(row + x), To: int32(y + nx), Cost: 1}
				n++
			}
		}
		advance(b.at[:last], shape[:last])
	}
	l.arcs, b.arcs = arcs[:n:n], arcs[n:]
	return l, all
}

// begin sets out at the first row of a level.
func (b *levelBuilder) begin(shape []int) {
	for axis, k := len(shape)-1, 1; axis >= 0; axis-- {
		b.stride[axis] = k
		k *= shape[axis]
	}
	clear(b.at)
}

// step is the neighbour of a row's first cell by what a way does along the other axes, −1 beyond
// the edge. Of two cells along an axis the way round is the same way.
func (b *levelBuilder) step(shape []int, way, cell int) int {
	to := cell
	for axis, x := range b.at[:len(shape)-1] {
		d := b.ways[way][axis]
		if d == 0 {
			continue
		}
		to += d * b.stride[axis]
		if k := shape[axis]; x+d < 0 || x+d >= k {
			if !b.grid.periodic[axis] || k < 3 {
				return -1
			}
			to -= d * k * b.stride[axis]
		}
	}
	return to
}

// connect fills in what leads from a level of the given shape to the next, coarse one.
func (b *levelBuilder) connect(l *level, shape, coarse []int, index, coarseIndex []int32) {
	cells := len(coarseIndex) / len(b.ways)
	l.above, l.corner = b.list(l.cells), b.list(cells)
	l.within, l.cross = b.list(l.cells-cells), b.list(len(coarseIndex))
	b.inside(l, shape, coarse, index)
	b.between(l, shape, coarse, index, coarseIndex)
}

// inside is connect within the cells of the coarse level.
func (b *levelBuilder) inside(l *level, shape, coarse []int, index []int32) {
	b.begin(shape)
	last := len(shape) - 1
	for row := 0; row < l.cells; row += shape[last] {
		above, odd := 0, -1 // the first axis along which it is the second of two
		for axis, x := range b.at[:last] {
			above = above*coarse[axis] + x/2
			if x%2 == 1 && odd < 0 {
				odd = axis
			}
		}
		above *= coarse[last]
		for x := range shape[last] {
			l.above = append(l.above, int32(above+x/2))
			cell, first := row+x, odd
			if odd < 0 && x%2 == 1 {
				first = last
			}
			if first >= 0 {
				l.within = append(l.within, index[(cell-b.stride[first])*len(b.ways)+b.axisWay[first]])
			} else {
				l.corner = append(l.corner, int32(cell))
			}
		}
		advance(b.at[:last], shape[:last])
	}
}

// between is connect from a cell of the coarse level to the next.
func (b *levelBuilder) between(l *level, shape, coarse []int, index, coarseIndex []int32) {
	b.begin(shape)
	last, ways := len(shape)-1, len(b.ways)
	for row := 0; row < len(l.corner); row += coarse[last] {
		for w, way := range b.ways {
			b.to[w] = 0
			for axis, x := range b.at[:last] {
				b.to[w] += facing(x, way[axis], shape[axis]) * b.stride[axis]
			}
		}
		for x := range coarse[last] {
			for w, way := range b.ways {
				if coarseIndex[(row+x)*ways+w] >= 0 {
					l.cross = append(l.cross, index[(b.to[w]+facing(x, way[last], shape[last]))*ways+w])
				}
			}
		}
		advance(b.at[:last], coarse[:last])
	}
}

// facing is which of the two cells along an axis that are one coarse cell faces the next.
func facing(x, way, cells int) int {
	if way > 0 {
		return min(2*x+1, cells-1)
	}
	return 2 * x
}
