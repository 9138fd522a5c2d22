package simplex64

import (
	"math"
	"math/bits"
)

// orient chooses rows and columns.
func (t *State) orient() {
	t.Rows, t.Cols, t.Swapped = t.Pos, t.Neg, false
	if bits.OnesCount64(t.Pos) > bits.OnesCount64(t.Neg) {
		t.Rows, t.Cols, t.Swapped = t.Neg, t.Pos, true
	}
}

// few is the size up to which it is faster to look at all nodes of a set than to
// go through the order of distances until one of them is met: the end of that
// search cannot be predicted.
const few = 16

// nearest is the node of set that is closest to x, the lowest index of several.
// set must not be empty.
func (m *Problem) nearest(x int, set uint64) int {
	if bits.OnesCount64(set) > few {
		for _, y := range &m.Order[x&63] {
			if set>>(y&63)&1 != 0 {
				return int(y & 63)
			}
		}
	}
	d := &m.D[x&63]
	best, at := uint64(math.MaxUint64), 0
	for ; set != 0; set &= set - 1 {
		y := lowest(set)
		// Positive numbers compare like their bits.
		v := math.Float64bits(d[y])
		if v < best {
			at = y
		}
		best = min(best, v)
	}
	return at
}

// start builds a spanning tree with feasible flows. Every column asks its
// nearest row. Then rows leave in rounds, as long as there are two: those that are
// asked for plenty, or where there are none, for enough. Each of them serves the
// columns that would lose most by going to the nearest row that stays, splits
// one, and leaves as a child of the column it split; the columns it served leave
// as its children, and all others turn to their second choice. Where its supply
// fits exactly, no column is split, and the row hangs on the nearest remaining
// one by an arc without flow: such arcs must point to the root for Cunningham's
// rule to exclude cycling.
func (t *State) start(m *Problem) {
	for set := t.Rows; set != 0; set &= set - 1 {
		r := lowest(set)
		t.Demand[r], t.Column[r] = 0, 0
	}
	for set := t.Rows | t.Cols; set != 0; set &= set - 1 {
		t.Below[lowest(set)] = set & -set
	}
	t.Left, t.Enough, t.Plenty = 0, 0, 0
	for set := t.Cols; set != 0; set &= set - 1 {
		j := lowest(set)
		t.ask(m.nearest(j, t.Rows), j)
	}
	rows, cols := t.Rows, t.Cols
	for rows&(rows-1) != 0 {
		leaving := t.leaving(rows)
		rows &^= leaving
		again := uint64(0)
		for set := leaving; set != 0; set &= set - 1 {
			r := lowest(set)
			cols = t.phase(m, r, rows, cols)
			again |= t.Column[r] & cols
		}
		for ; again != 0; again &= again - 1 {
			j := lowest(again)
			t.ask(int(t.Queue[j]), j)
		}
	}
	r := lowest(rows)
	for set := cols; set != 0; set &= set - 1 {
		j := lowest(set)
		t.leave(m, j, r, t.Mass[j])
	}
	t.Root = int64(r)
	t.Flow[r], t.Cost[r] = 0, 0
	t.plant(m)
}

// plenty is what a row must be asked for, as a multiple of what it has, to leave
// before others that are asked for enough.
const plenty = 1.5

// ask lets column j turn to row r.
func (t *State) ask(r, j int) {
	r, j = r&63, j&63
	t.Column[r] |= 1 << j
	t.Demand[r] += t.Mass[j]
	if t.Demand[r] >= t.Mass[r] {
		t.Enough |= 1 << r
	}
	if t.Demand[r] >= t.Mass[r]*plenty {
		t.Plenty |= 1 << r
	}
}

// leaving is the rows of the next round, never all of them. Total demand equals
// total supply, so some row is asked for enough, and all of them are only where
// each is asked for exactly what it has.
func (t *State) leaving(rows uint64) uint64 {
	set := t.Plenty & rows
	if set == 0 {
		set = t.Enough & rows
	}
	if set == rows {
		set &= set - 1
	}
	return set
}

// phase serves the columns of row r, rows being those that stay, and returns the
// columns that remain. Queue gets the second choice of each column of the row.
func (t *State) phase(m *Problem, r int, rows, cols uint64) uint64 {
	var queue [Max]struct {
		regret float64
		col    uint8
	}
	n := 0
	for set := t.Column[r&63]; set != 0; set &= set - 1 {
		j := lowest(set)
		second := m.nearest(j, rows)
		regret := tag(m.D[j][second]-m.D[j][r&63], j)
		at := n
		for ; at > 0 && queue[(at-1)&63].regret < regret; at-- {
			queue[at&63] = queue[(at-1)&63]
		}
		e := &queue[at&63]
		e.regret, e.col = regret, uint8(j)
		t.Queue[j] = uint64(second)
		n++
	}
	supply, hung := t.Mass[r&63], false
	for _, e := range queue[:n] {
		j := int(e.col & 63)
		switch mass := t.Mass[j]; {
		case supply > 0 && mass <= supply:
			t.leave(m, j, r, mass)
			cols &^= 1 << j
			supply -= mass
		case supply > 0:
			t.leave(m, r, j, supply)
			t.Mass[j] = mass - supply
			supply, hung = 0, true
		}
	}
	if !hung {
		t.leave(m, r, m.nearest(r, cols), 0)
	}
	return cols
}

// leave takes node x out as a child of parent. The arc between the two gets the number of x.
func (t *State) leave(m *Problem, x, parent int, flow float64) {
	x, parent = x&63, parent&63
	t.Parent[x] = uint8(parent)
	t.Flow[x] = flow
	t.Cost[x] = m.D[x][parent]
	t.Below[parent] |= t.Below[x]
	t.Gone[t.Left&63] = uint8(x)
	t.Left++
}

// plant computes paths and potentials from the root outwards, the reverse of the
// order in which the nodes left.
func (t *State) plant(m *Problem) {
	t.Down = t.Cols
	t.Never[0] = math.Inf(1)
	root := t.Root & 63
	t.Path[root], t.Pot[root], t.Rough[root] = 0, 0, int32(m.Marks[root])
	for k := t.Left - 1; k >= 0; k-- {
		x := t.Gone[k&63] & 63
		y := t.Parent[x] & 63
		t.Path[x] = t.Path[y] | 1<<x
		if has(t.Cols, int(x)) {
			t.Row[x], t.Col[x] = y, x
			t.Pot[x] = t.Pot[y] - t.Cost[x]
			t.Rough[x] = t.Rough[y]&^63 - m.Coarse[x][y]
			continue
		}
		t.Row[x], t.Col[x] = x, y
		t.Pot[x] = t.Pot[y] + t.Cost[x]
		t.Rough[x] = t.Rough[y] + m.Coarse[x][y] + int32(m.Marks[x])
	}
}
