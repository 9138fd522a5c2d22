package simplex64

import "math"

// optimise pivots until no arc is violated, and returns false when that would take
// more than limit pivots in all; it may then be called again with a larger limit.
func (t *State) optimise(m *Problem, limit int) bool {
	t.price(m)
	for t.Violation > m.Tolerance {
		if t.Pivots >= int64(limit) {
			return false
		}
		t.raise(m, t.pivot(m), t.Violation)
	}
	return true
}

// pivot brings the arc EnterRow→EnterCol into the tree and returns the nodes
// whose potential rises by Violation: the part of the tree that holds the
// column, once the leaving arc is cut.
//
// Pushing θ along the entering arc lowers the flow of every other arc of the
// cycle: those of the columns on the column's way to the apex, and those of the
// rows on the row's way. θ is the least of these flows. Of several arcs that
// reach it, the one met last on the way around the cycle, in the direction of
// the entering arc and beginning at the apex, leaves; then the tree remains
// strongly feasible and no sequence of pivots repeats (W. H. Cunningham, "A
// network simplex method", Math. Prog. 11 (1976) 105).
func (t *State) pivot(m *Problem) uint64 {
	i, j := int(t.EnterRow)&63, int(t.EnterCol)&63
	theta, leave, onRow := math.Inf(1), 0, false
	x := j
	for !has(t.Below[x], i) {
		if t.Flow[x] <= theta {
			theta, leave = t.Flow[x], x
		}
		if x = int(t.Parent[x] & 63); has(t.Below[x], i) {
			break
		}
		x = int(t.Parent[x] & 63)
	}
	apex := x
	for x = i; x != apex; {
		if t.Flow[x] < theta {
			theta, leave, onRow = t.Flow[x], x, true
		}
		if x = int(t.Parent[x] & 63); x == apex {
			break
		}
		x = int(t.Parent[x] & 63)
	}
	t.push(j, apex, theta)
	t.push(i, apex, theta)

	moved := t.Below[leave]
	for x = int(t.Parent[leave] & 63); x != apex; x = int(t.Parent[x] & 63) {
		t.Below[x] &^= moved
	}
	inside, outside := j, i
	if onRow {
		inside, outside = i, j
	}
	for x = outside; x != apex; x = int(t.Parent[x] & 63) {
		t.Below[x] |= moved
	}
	t.hang(inside, outside, leave, moved, theta, m.D[i][j])
	t.Pivots++
	if onRow {
		return (t.Rows | t.Cols) &^ moved
	}
	return moved
}

// push lowers the flows on the way from x to the apex by theta, beginning with
// the arc above x, and raises every second one.
func (t *State) push(x, apex int, theta float64) {
	for x != apex {
		t.Flow[x] -= theta
		x = int(t.Parent[x] & 63)
		if x == apex {
			return
		}
		t.Flow[x] += theta
		x = int(t.Parent[x] & 63)
	}
}

// hang turns the tree under leave, whose nodes are moved, around so that
// inside becomes its top, and makes it a child of outside.
func (t *State) hang(inside, outside, leave int, moved uint64, flow, cost float64) {
	x, above, below := inside&63, outside, uint64(0)
	for {
		next, f, c, b := int(t.Parent[x]), t.Flow[x], t.Cost[x], t.Below[x]
		t.Parent[x], t.Flow[x], t.Cost[x], t.Below[x] = uint8(above), flow, cost, moved&^below
		if x == leave {
			return
		}
		x, above, flow, cost, below = next&63, x, f, c, b
	}
}

// raise adds delta to the potentials of a set and prices all arcs: the best
// that each column is offered by a row, Lo, can only rise, and only through the
// rows of the set. The arc that is violated most enters.
func (t *State) raise(m *Problem, set uint64, delta float64) {
	for s := set; s != 0; s &= s - 1 {
		t.Pot[lowest(s)] += delta
	}
	t.offer(m, set&t.Rows)
	t.choose(m)
}

// price is raise for all rows by nothing.
func (t *State) price(m *Problem) {
	t.Listed = 0
	for c := t.Cols; c != 0; c &= c - 1 {
		t.List[t.Listed&63] = uint8(lowest(c))
		t.Listed++
	}
	t.offer(m, t.Rows)
	t.choose(m)
}

// offer lets a set of rows improve Lo. Which of them is best cannot be
// predicted, so it is found without branches.
func (t *State) offer(m *Problem, set uint64) {
	var list [Max]uint8
	n := 0
	for ; set != 0; set &= set - 1 {
		list[n&63] = uint8(lowest(set))
		n++
	}
	rows := list[:n]
	for _, j := range t.List[:t.Listed] {
		d := &m.D[j&63]
		best := ordered(t.Lo[j&63])
		for _, i := range rows {
			best = max(best, ordered(t.Pot[i&63]-d[i&63]))
		}
		t.Lo[j&63] = unordered(best)
	}
}

// ordered maps numbers to integers of the same order.
func ordered(x float64) int64 {
	b := int64(math.Float64bits(x))
	return b ^ int64(uint64(b>>63)>>1)
}

// unordered is the inverse of ordered.
func unordered(b int64) float64 {
	return math.Float64frombits(uint64(b ^ int64(uint64(b>>63)>>1)))
}

// choose picks the entering arc: the column that is violated most, and the first row
// that reaches its Lo. Where no arc is violated, it does not matter which one: positive
// numbers compare like their bits, and negative ones as less than these.
func (t *State) choose(m *Problem) {
	worst := int64(math.MinInt64)
	for _, j := range t.List[:t.Listed] {
		worst = max(worst, int64(math.Float64bits(tag(t.Lo[j&63]-t.Pot[j&63], int(j&63)))))
	}
	j := int(Max - 1 - worst&(Max-1))
	t.EnterCol, t.EnterRow = int64(j), 0
	for set := t.Rows; set != 0; set &= set - 1 {
		if i := lowest(set); t.Pot[i]-m.D[j][i] == t.Lo[j] {
			t.EnterRow = int64(i)
			break
		}
	}
	t.Violation = t.Lo[j] - t.Pot[j]
}
