package emd

import (
	"math"
	"slices"

	"barrow/emd/internal/columns"
)

// places are the coordinates of a ground's cells in a norm, with periods along the axes, 0
// where there are none; false for a ground of which they are not known.
type places struct {
	dim     int
	at      []float64 // a row for each cell
	norm    Norm
	periods []float64
}

func placesOf(g Ground) (places, bool) {
	switch g := g.(type) {
	case *Grid:
		n, _ := g.Dims()
		v := places{dim: len(g.shape), norm: g.norm, periods: make([]float64, len(g.shape))}
		at := make([]int, v.dim)
		for range n {
			for _, k := range at {
				v.at = append(v.at, float64(k))
			}
			advance(at, g.shape)
		}
		for a, k := range g.shape {
			if g.periodic[a] {
				v.periods[a] = float64(k)
			}
		}
		return v, true
	case *Points:
		s := g.space
		if !g.metric || s.Power != 0 && s.Power != 1 {
			return places{}, false
		}
		v := places{dim: s.Dim, norm: L2, periods: make([]float64, s.Dim)}
		switch s.Norm {
		case columns.L1:
			v.norm = L1
		case columns.LInf:
			v.norm = LInf
		}
		for _, c := range g.x {
			v.at = append(v.at, c*g.unit)
		}
		for a, p := range s.Periods {
			if !math.IsInf(p, 1) {
				v.periods[a] = p * g.unit
			}
		}
		return v, true
	}
	return places{}, false
}

// straight are potentials that rise along a direction, of slope 1 in the norm: the distance of
// the centres of mass in that direction is a bound. In up to three dimensions.
func straight(g Ground) []float64 {
	v, ok := placesOf(g)
	if !ok || v.dim > 3 || slices.ContainsFunc(v.periods, func(p float64) bool { return p != 0 }) {
		return nil
	}
	var f []float64
	n := len(v.at) / v.dim
	for _, u := range directions(v.dim, v.norm) {
		mean := 0.0
		from := len(f)
		for k := range n {
			y := dot(u, v.at[k*v.dim:][:v.dim])
			f = append(f, y)
			mean += y / float64(n)
		}
		for k := range f[from:] {
			f[from+k] -= mean
		}
	}
	return f
}

// directions are one of each two that are opposite, in which the slope of a norm is 1: those whose
// largest is the centres' distance for L1 and LInf, and is nearly so for L2.
func directions(dim int, norm Norm) [][]float64 {
	var out [][]float64
	if norm == LInf || dim == 1 {
		for a := range dim {
			u := make([]float64, dim)
			u[a] = 1
			out = append(out, u)
		}
		return out
	}
	if norm == L2 && dim == 2 {
		const count = 8
		for k := range count {
			sin, cos := math.Sincos(math.Pi * float64(k) / count)
			out = append(out, []float64{cos, sin})
		}
		return out
	}
	// All of −1, 0 and 1, or of −1 and 1, whose first that is not 0 is 1.
	for code := 1; code < int(math.Pow(3, float64(dim))); code++ {
		u := make([]float64, dim)
		first, zeros, squares := 0.0, 0, 0.0
		for a, c := 0, code; a < dim; a, c = a+1, c/3 {
			u[a] = float64(c%3) - 1
			if u[a] == 0 {
				zeros++
			} else if first == 0 {
				first = u[a]
			}
			squares += u[a] * u[a]
		}
		if first != 1 || norm == L1 && zeros > 0 {
			continue
		}
		if norm == L2 {
			for a := range u {
				u[a] /= math.Sqrt(squares)
			}
		}
		out = append(out, u)
	}
	return out
}

// A frame is axes at right angles: the norm of the distances of the marginals along each of
// them, times scale, is a bound, since a plan between two images is one between their marginals,
// and the norm of a mean is at most the mean of the norm.
type frame struct {
	from, to int // of the axes
	norm     Norm
	scale    float64
}

// An axis has nodes; what lies between two of them counts for both in proportion, so that a
// function on the nodes is at the cells what lies on the straight line between its values:
// no steeper. Where each place has a node of its own the marginal is exact.
type axis struct {
	at     int       // in the marginals of an image
	gap    []float64 // to the next node, of the last one to the first where it is periodic
	ring   bool
	node   []int32   // of each cell, the one below it
	beyond []float64 // the share of the node above; nil where there are none
}

// mostNodes is how many nodes an axis has at most.
const mostNodes = 128

// maxAxes is up to how many axes there are marginals.
const maxAxes = 8

// room is how many numbers the marginal of an image has.
func (a *axis) room() int { return len(a.gap) }

// framesOf are the axes of the places, and in the plane those turned by 45°.
func framesOf(x *Index) ([]frame, []axis) {
	v, ok := placesOf(x.ground)
	if !ok || v.dim > maxAxes || x.set.Unequal == UnequalPenalty {
		return nil, nil
	}
	n := len(v.at) / v.dim
	var axes []axis
	at := make([]float64, n)
	plain := true
	for a := range v.dim {
		for k := range at {
			at[k] = v.at[k*v.dim+a]
		}
		plain = plain && v.periods[a] == 0
		axes = append(axes, newAxis(at, v.periods[a]))
	}
	frames := []frame{{0, v.dim, v.norm, 1}}
	if v.dim == 2 && plain {
		for _, sign := range []float64{1, -1} {
			for k := range at {
				at[k] = v.at[2*k] + sign*v.at[2*k+1]
			}
			axes = append(axes, newAxis(at, 0))
		}
		// |x+y| and |x−y|, whose largest is the norm L1 and whose half sum is LInf.
		turned := map[Norm]frame{L1: {2, 4, LInf, 1}, LInf: {2, 4, L1, 0.5}, L2: {2, 4, L2, math.Sqrt2 / 2}}
		frames = append(frames, turned[v.norm])
	}
	return frames, axes
}

func newAxis(at []float64, period float64) axis {
	nodes := slices.Clone(at)
	slices.Sort(nodes)
	nodes = slices.Compact(nodes)
	lo, hi := nodes[0], nodes[len(nodes)-1]
	exact := len(nodes) <= mostNodes
	if !exact {
		nodes = nodes[:mostNodes]
		for k := range nodes {
			if share := float64(k) / mostNodes; period > 0 {
				nodes[k] = lo + share*period
			} else {
				nodes[k] = lo + (hi-lo)*float64(k)/(mostNodes-1)
			}
		}
	}
	a := axis{ring: period > 0}
	for k := range nodes[1:] {
		a.gap = append(a.gap, nodes[k+1]-nodes[k])
	}
	if a.ring {
		a.gap = append(a.gap, lo+period-nodes[len(nodes)-1])
	}
	for _, y := range at {
		k, found := slices.BinarySearch(nodes, y)
		if !found {
			k--
		}
		a.node = append(a.node, int32(k))
		if exact {
			continue
		}
		share := 0.0
		if k < len(a.gap) {
			share = min(1, max(0, (y-nodes[k])/a.gap[k]))
		}
		a.beyond = append(a.beyond, share)
	}
	return a
}

// project sets sums to the cumulative marginals of an image of masses v, times weight.
func (b *bounds) project(sums, v []float64, weight float64) {
	clear(sums)
	for k := range b.axes {
		a := &b.axes[k]
		out := sums[a.at:][:a.room()]
		if len(out) == 0 {
			continue
		}
		for i, m := range v {
			if m == 0 {
				continue
			}
			at := int(a.node[i])
			if a.beyond != nil {
				over := m * a.beyond[i]
				m -= over
				if next := at + 1; next < len(out) {
					out[next] += over
				} else if a.ring {
					out[0] += over
				}
			}
			if at < len(out) { // of the last node the sum is known
				out[at] += m
			}
		}
		sum := 0.0
		for i, m := range out {
			sum += m * weight
			out[i] = sum
		}
	}
}

// length is the norm of v, whose squares may leave float64.
func (n Norm) length(v []float64) float64 {
	total, largest := 0.0, 0.0
	for _, x := range v {
		total, largest = total+math.Abs(x), max(largest, math.Abs(x))
	}
	switch {
	case n == L1:
		return total
	case n == LInf || largest == 0:
		return largest
	}
	squares := 0.0
	for _, x := range v {
		squares += x / largest * (x / largest)
	}
	return largest * math.Sqrt(squares)
}

// marginalWork is room for the marginals of a pair.
type marginalWork struct {
	far   [maxAxes]float64
	steps [mostNodes]step
}

// marginal is the bound of two images' marginals.
func (b *bounds) marginal(p, q []float64, v *marginalWork) float64 {
	best := 0.0
	for _, f := range b.frames {
		far := v.far[:0]
		for k := f.from; k < f.to; k++ {
			a := &b.axes[k]
			n := a.room()
			far = append(far, a.distance(p[a.at:][:n], q[a.at:][:n], v))
		}
		best = max(best, f.scale*f.norm.length(far))
	}
	return best
}

// A step is what flows from a node to the next one, and how far.
type step struct{ flow, gap float64 }

// distance is the EMD of two cumulative marginals. On a ring any flow may go around as well: the
// best makes the weighted median 0.
func (a *axis) distance(p, q []float64, v *marginalWork) float64 {
	d := 0.0
	gap := a.gap[:len(p)]
	q = q[:len(p)]
	if !a.ring {
		for k, x := range p {
			d += gap[k] * math.Abs(x-q[k])
		}
		return d
	}
	steps, half := v.steps[:0], 0.0
	for k, x := range p {
		steps = append(steps, step{x - q[k], gap[k]})
		half += gap[k] / 2
	}
	slices.SortFunc(steps, func(a, b step) int {
		if a.flow < b.flow {
			return -1
		} else if a.flow > b.flow {
			return 1
		}
		return 0
	})
	median := 0.0
	for _, s := range steps {
		if half -= s.gap; half <= 0 {
			median = s.flow
			break
		}
	}
	for _, s := range steps {
		d += s.gap * math.Abs(s.flow-median)
	}
	return d
}
