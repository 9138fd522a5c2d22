package simplex64

import (
	"math"
	"math/bits"
)

// optimise pivots until no arc is violated, and returns false when that would take
// more than limit pivots in all; it may then be called again with a larger limit.
//
// Nearly all pivots are those by the coarse distances. Their sums and differences are exact, and
// small integers take a quarter of the time that float64 numbers do: one cycle for
// one step, and two lanes where there was one. What rounding the distances has left is found by
// looking at all arcs with the true ones, which Finish needs anyway.
func (t *State) optimise(m *Problem, limit int) bool {
	t.Listed = 0
	for c := t.Cols; c != 0; c &= c - 1 {
		t.List[t.Listed&63] = uint8(lowest(c))
		t.Listed++
	}
	return t.roughly(m, limit) && t.exactly(m, limit)
}

// slack is the violation by the coarse distances, with an index, from which on an arc counts as
// violated. Less may be their rounding, and going after that costs more pivots than it saves.
const slack = 3 << 6

// roughly is optimise by the coarse distances, as long as they fit. Potentials of one part of
// the tree only ever rise, so RoughLo can only rise, and only through the rows of that part.
func (t *State) roughly(m *Problem, limit int) bool {
	for x := range t.RoughLo {
		t.RoughLo[x] = math.MinInt32
	}
	rows := t.Rows
	for {
		worst := t.offerRoughly(m, rows)
		if worst < slack || t.Rough[t.Root&63]+worst >= drift {
			return true
		}
		if t.Pivots >= int64(limit) {
			return false
		}
		j := int(Max - 1 - worst&(Max-1))
		rise := t.pivot(m, int(Max-1-t.RoughLo[j]&(Max-1)), j)
		for s := rise; s != 0; s &= s - 1 {
			t.Rough[lowest(s)] += worst &^ (Max - 1)
		}
		rows = rise & t.Rows
	}
}

// offerRoughly lets a set of rows improve RoughLo, and returns the largest violation
// of a column, with 63 less the column's index in the lowest bits.
func (t *State) offerRoughly(m *Problem, set uint64) int32 {
	var list [Max]uint8
	n := 0
	for ; set != 0; set &= set - 1 {
		list[n&63] = uint8(lowest(set))
		n++
	}
	rows := list[:n]
	worst := int32(math.MinInt32)
	for _, j := range t.List[:t.Listed] {
		j &= 63
		lo := t.RoughLo[j]
		for _, i := range rows {
			lo = max(lo, t.Rough[i&63]-m.Coarse[i&63][j])
		}
		t.RoughLo[j] = lo
		worst = max(worst, (lo-t.Rough[j])&^(Max-1)|int32(m.Marks[j]))
	}
	return worst
}

// exactly is optimise by the true distances. It sets Lo.
func (t *State) exactly(m *Problem, limit int) bool {
	for {
		j := t.price(m)
		if !(t.Lo[j]-t.Pot[j] > m.Tolerance) {
			return true
		}
		if t.Pivots >= int64(limit) {
			return false
		}
		i := 0
		for set := t.Rows; set != 0; set &= set - 1 {
			if i = lowest(set); t.Pot[i]-m.D[j][i] == t.Lo[j] {
				break
			}
		}
		t.pivot(m, i, j)
	}
}

// price sets Lo and returns the column that is violated most. Where no arc is violated, it
// does not matter which one: positive numbers compare like their bits, and negative ones
// as less than these.
func (t *State) price(m *Problem) int {
	width := min(8*m.Words, Max)
	var under [Max]float64 // −Lo: the smaller of two is found faster
	for x := range under {
		under[x] = math.Inf(1)
	}
	for s := t.Rows; s != 0; s &= s - 1 {
		i := lowest(s)
		d, pot := m.D[i][:width], t.Pot[i]
		for x, y := range under[:len(d)] {
			under[x] = min(y, d[x]-pot)
		}
	}
	for x, y := range under {
		t.Lo[x] = -y
	}
	worst := int64(math.MinInt64)
	for _, j := range t.List[:t.Listed] {
		worst = max(worst, int64(math.Float64bits(tag(t.Lo[j&63]-t.Pot[j&63], int(j&63)))))
	}
	return int(Max - 1 - worst&(Max-1))
}

// pivot brings the arc i→j into the tree, in the place of the one that leaves, and
// returns the nodes whose potential is to rise for it: the part of the tree that holds
// the column, once the leaving arc is cut. Pot has risen already, or fallen in the other part, if that
// is without the root.
//
// Pushing θ along the entering arc changes the flow of the other arcs of the cycle, those that
// are on the path of one of its ends only: it falls on
// arcs down to a column on the column's path, and on those up from a row on the row's. θ is the least
// of the flows that fall. Of several arcs that reach it, the one met last on the way
// around the cycle, in the direction of the entering arc and beginning at the apex, leaves; then
// the tree remains strongly feasible and no sequence of pivots repeats (W. H.
// Cunningham, "A network simplex method", Math. Prog. 11 (1976) 105).
//
// Below what leaves, every path changes by the rest of the cycle: what was not on it is
// now, and the reverse.
func (t *State) pivot(m *Problem, i, j int) uint64 {
	i, j = i&63, j&63
	onCol := t.Path[j]
	cycle := t.Path[i] ^ onCol
	falls := cycle &^ (onCol ^ t.Down)
	leave := t.leaves(falls, onCol)
	theta, moved, bit := t.Flow[leave], t.Below[leave], uint64(1)<<leave

	rise, inside, down, delta := moved, onCol, bit, t.Pot[i]-m.D[i][j]-t.Pot[j]
	if onCol&bit == 0 {
		rise, inside, down, delta = ^moved, t.Path[i], 0, -delta
	}
	// Between what leaves and the entering arc the way to the root is now the other one.
	turned := inside &^ (t.Path[t.Row[leave]&63] & t.Path[t.Col[leave]&63])
	t.Down = (t.Down^turned)&^bit | down

	cycle &^= bit
	for s := cycle; s != 0; s &= s - 1 {
		a := lowest(s)
		t.Below[a] ^= moved
		if has(falls, a) {
			t.Flow[a] -= theta
		} else {
			t.Flow[a] += theta
		}
	}
	for s := moved; s != 0; s &= s - 1 {
		x := lowest(s)
		t.Path[x] ^= cycle
		t.Pot[x] += delta
	}
	t.Row[leave], t.Col[leave], t.Cost[leave] = uint8(i), uint8(j), m.D[i][j]
	t.Pivots++
	return rise & (t.Rows | t.Cols)
}

// leaves is the arc that leaves: of those with the least flow the one nearest to the
// apex on the column's path, or if there is none, the one nearest to the row on its. Of two arcs on
// one path the one nearer to the root has more nodes below.
func (t *State) leaves(falls, onCol uint64) int {
	theta, leave, tied := int64(math.MaxInt64), 0, uint64(0)
	for ; falls != 0; falls &= falls - 1 {
		a := lowest(falls)
		switch flow := t.Flow[a]; {
		case flow < theta:
			theta, leave, tied = flow, a, 1<<a
		case flow == theta:
			tied |= 1 << a
		}
	}
	if tied&(tied-1) == 0 {
		return leave
	}
	side, sign := tied&onCol, 1
	if side == 0 {
		side, sign = tied, -1
	}
	most := -Max
	for ; side != 0; side &= side - 1 {
		a := lowest(side)
		if n := sign * bits.OnesCount64(t.Below[a]); n > most {
			most, leave = n, a
		}
	}
	return leave
}
