package columns

import "math"

// Order sorts places by halving the box of them along its longest axis, again and again:
// places near each other are near each other in the order. Places are rows of x.
func Order(dim int, x []float64) []int32 {
	order := make([]int32, len(x)/dim)
	for k := range order {
		order[k] = int32(k)
	}
	halve(dim, x, order, make([]placed, len(order)))
	return order
}

// A placed is a place, and where it lies along one axis.
type placed struct {
	at float64
	id int32
}

func (a placed) before(b placed) bool { return a.at < b.at || a.at == b.at && a.id < b.id }

func halve(dim int, x []float64, part []int32, room []placed) {
	if len(part) < 3 {
		return
	}
	axis, widest := 0, -1.0
	for a := range dim {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, k := range part {
			y := x[int(k)*dim+a]
			lo, hi = min(lo, y), max(hi, y)
		}
		if hi-lo > widest {
			axis, widest = a, hi-lo
		}
	}
	for i, k := range part {
		room[i] = placed{x[int(k)*dim+axis], k}
	}
	// Halves of sizes of powers of two, so that blocks of the order are boxes.
	half := 1
	for 2*half < len(part) {
		half *= 2
	}
	part1, part2 := part[:half], part[half:]
	split(room[:len(part)], half)
	for i := range part {
		part[i] = room[i].id
	}
	halve(dim, x, part1, room)
	halve(dim, x, part2, room)
}

// split puts the first k of v in order before the others (C. A. R. Hoare's Find). Which of
// equal ones are before others is by their numbers, so that there is one result.
func split(v []placed, k int) {
	for len(v) > 1 {
		mid := len(v) / 2
		if v[mid].before(v[0]) {
			v[mid], v[0] = v[0], v[mid]
		}
		if last := len(v) - 1; v[last].before(v[mid]) {
			v[last], v[mid] = v[mid], v[last]
			if v[mid].before(v[0]) {
				v[mid], v[0] = v[0], v[mid]
			}
		}
		pivot := v[mid]
		i, j := 0, len(v)-1
		for i <= j {
			for v[i].before(pivot) {
				i++
			}
			for pivot.before(v[j]) {
				j--
			}
			if i <= j {
				v[i], v[j] = v[j], v[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			v = v[:j+1]
		case k >= i:
			v, k = v[i:], k-i
		default:
			return
		}
	}
}

// family is the binary logarithm of how many members a group has at most.
const family = 2

// A side holds the sources, or the sinks, of one level. Where extra, the last one is the
// mass that may stay unmatched, at cost 0 from and to all and of no place.
type side struct {
	Side
	extra bool
	mass  []float64
	key   []int32 // where in the order, in units of the level
	up    []int32 // the group that it belongs to, of the next level
	first []int32 // the first member of each group, and the end
}

func (b *side) nodes() int { return len(b.mass) }

// begin empties the side.
func (b *side) begin() {
	b.extra = false
	b.mass, b.key, b.up, b.first = b.mass[:0], b.key[:0], b.up[:0], b.first[:0]
}

// load makes the finest level's side of the masses that there are. rank lists the cells in
// order, −1 for places that are not on this side; a mass beyond the cells is the extra one.
func (b *side) load(dim int, x []float64, rank []int32, mass []float64) {
	b.begin()
	cells := len(x) / dim
	n := 0
	for _, y := range mass[:cells] {
		if y > 0 {
			n++
		}
	}
	b.Pack(dim, n)
	for r, k := range rank {
		if k < 0 || !(mass[k] > 0) {
			continue
		}
		b.Put(len(b.mass), x[int(k)*dim:][:dim], 0)
		b.mass, b.key = append(b.mass, mass[k]), append(b.key, int32(r))
	}
	if len(mass) > cells && mass[cells] > 0 {
		b.extra = true
		b.mass, b.key = append(b.mass, mass[cells]), append(b.key, -1)
	}
}

// group makes the next level's side of b's groups, whose places are the centres of mass of
// their members.
func (b *side) group(dim int, c *side) {
	c.begin()
	c.extra = b.extra
	for k, key := range b.key {
		if key >= 0 {
			key >>= family
		}
		if k == 0 || key != c.key[len(c.key)-1] {
			b.first = append(b.first, int32(k))
			c.key, c.mass = append(c.key, key), append(c.mass, 0)
		}
		g := len(c.key) - 1
		b.up = append(b.up, int32(g))
		c.mass[g] += b.mass[k]
	}
	b.first = append(b.first, int32(len(b.key)))
	places := len(c.key)
	if c.extra {
		places--
	}
	c.Pack(dim, places)
	for g := range places {
		from, to := b.first[g], b.first[g+1]
		c.w[g] = 0
		for a := range dim {
			// Shares are at most 1, so that no product leaves the range.
			sum := 0.0
			for k := from; k < to; k++ {
				sum += b.at[a*b.stride+int(k)] * (b.mass[k] / c.mass[g])
			}
			c.at[a*c.stride+g] = sum
		}
	}
}
