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

// start builds a spanning tree with feasible flows. Every column asks its
// nearest row. Then rows leave in rounds, as long as there are two: all that are
// asked for enough. Each of them serves the
// columns that would lose most by going to the nearest row that stays, splits
// one, and leaves as a child of the column it split; the columns it served leave
// as its children, and all others turn to their second choice. Where its supply
// fits exactly, no column is split, and the row hangs on the nearest remaining
// one by an arc without flow: such arcs must point to the root for Cunningham's
// rule to exclude cycling.
//
// Which is nearest is decided by the coarse distances, for all columns at once: then that is a matter
// of a step a row.
func (t *State) start(m *Problem) {
	for set := t.Rows; set != 0; set &= set - 1 {
		r := lowest(set)
		t.Demand[r], t.Column[r] = 0, 0
	}
	for set := t.Rows | t.Cols; set != 0; set &= set - 1 {
		t.Below[lowest(set)] = set & -set
	}
	t.Left, t.Enough = 0, 0
	rows, cols := t.Rows, t.Cols
	t.choose(m, rows, cols)
	again := cols
	for {
		for ; again != 0; again &= again - 1 {
			t.ask(lowest(again))
		}
		if rows&(rows-1) == 0 {
			break
		}
		leaving := t.leaving(rows)
		rows &^= leaving
		t.choose(m, rows, cols)
		for set := leaving; set != 0; set &= set - 1 {
			r := lowest(set)
			cols = t.phase(m, r, cols)
			again |= t.Column[r] & cols
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

// choose sets Choice and Regret of the columns, the lowest row of several that are nearest.
func (t *State) choose(m *Problem, rows, cols uint64) {
	var list [Max]uint8
	n := 0
	for set := rows; set != 0; set &= set - 1 {
		list[n&63] = uint8(lowest(set))
		n++
	}
	for ; cols != 0; cols &= cols - 1 {
		j := lowest(cols)
		best := int32(math.MaxInt32)
		for _, i := range list[:n] {
			best = min(best, m.Coarse[i&63][j])
		}
		t.Regret[j] = (best&^(Max-1) - t.Choice[j]&^(Max-1)) | int32(m.Marks[j])
		t.Choice[j] = best
	}
}

// ask lets column j turn to its choice.
func (t *State) ask(j int) {
	j &= 63
	r := t.Choice[j] & (Max - 1)
	t.Column[r] |= 1 << j
	t.Demand[r] += t.Mass[j]
	if t.Demand[r] >= t.Mass[r] {
		t.Enough |= 1 << r
	}
}

// leaving is the rows of the next round, never all of them. Total demand equals
// total supply, so some row is asked for enough, and all of them are only where
// each is asked for exactly what it has.
func (t *State) leaving(rows uint64) uint64 {
	set := t.Enough & rows
	if set == rows {
		set &= set - 1
	}
	return set
}

// phase serves the columns of row r and returns the columns that remain.
func (t *State) phase(m *Problem, r int, cols uint64) uint64 {
	r &= 63
	var queue [Max]uint8
	n := 0
	for set := t.Column[r]; set != 0; set &= set - 1 {
		j := lowest(set)
		at := n
		for ; at > 0 && t.Regret[queue[(at-1)&63]&63] < t.Regret[j]; at-- {
			queue[at&63] = queue[(at-1)&63]
		}
		queue[at&63] = uint8(j)
		n++
	}
	supply, hung := t.Mass[r], false
	for _, j := range queue[:n] {
		j := int(j & 63)
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

// nearest is the column of a set that is nearest to row r, the lowest index of several.
// The set must not be empty.
func (m *Problem) nearest(r int, set uint64) int {
	best := int32(math.MaxInt32)
	for ; set != 0; set &= set - 1 {
		j := lowest(set)
		best = min(best, m.Coarse[r&63][j]&^(Max-1)|int32(j))
	}
	return int(best & (Max - 1))
}

// leave takes node x out as a child of parent. The arc between the two gets the number of x.
func (t *State) leave(m *Problem, x, parent int, flow int64) {
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
	t.Never[0] = math.MaxInt64
	root := t.Root & 63
	t.Path[root], t.Pot[root], t.Rough[root] = 0, 0, Max-1
	for k := t.Left - 1; k >= 0; k-- {
		x := t.Gone[k&63] & 63
		y := t.Parent[x] & 63
		t.Path[x] = t.Path[y] | 1<<x
		if has(t.Cols, int(x)) {
			t.Row[x], t.Col[x] = y, x
			t.Pot[x] = t.Pot[y] - t.Cost[x]
			t.Rough[x] = (t.Rough[y] - m.Coarse[y][x]) &^ (Max - 1)
			continue
		}
		t.Row[x], t.Col[x] = x, y
		t.Pot[x] = t.Pot[y] + t.Cost[x]
		t.Rough[x] = (t.Rough[y] + m.Coarse[x][y]) | (Max - 1)
	}
}
