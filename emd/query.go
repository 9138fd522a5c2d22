package emd

import "slices"

// A query is an image that neighbours are searched for, as the bounds see it.
type query struct {
	p       []float64
	total   float64
	weight  float64
	ofP     []float64
	marg    []float64
	work    marginalWork
	solvers []*Solver // of the coarser grounds
	coarse  [][]float64
	have    []bool
	other   []float64 // an image of the index on a coarser ground
	pot     []float64
}

// prepare makes room.
func (q *query) prepare(x *Index) error {
	b := &x.bounds
	q.ofP, q.marg = make([]float64, len(b.pots)), make([]float64, b.width)
	q.have = make([]bool, len(b.coarse))
	for k := range b.coarse {
		c := &b.coarse[k]
		v, err := NewSolver(c.ground, c.set)
		if err != nil {
			return err
		}
		q.solvers, q.coarse = append(q.solvers, v), append(q.coarse, make([]float64, c.cells))
		q.other = slices.Grow(q.other, c.cells)[:max(len(q.other), c.cells)]
		q.pot = make([]float64, len(q.other))
	}
	return nil
}

// set takes another image.
func (q *query) set(x *Index, p []float64, total float64) {
	b := &x.bounds
	q.p, q.total, q.weight = p, total, b.weight(total)
	for l := range q.ofP {
		q.ofP[l] = b.ofSide(p, total, b.f[l*x.n:][:x.n], 1)
	}
	b.project(q.marg, p, q.weight)
	clear(q.have)
}

// bounded says that masses are of a size that bounds can be computed with.
func (q *query) bounded(x *Index, j int) bool { return inRange(q.total) && inRange(x.total[j]) }

// first is the bound of what is known of all images.
func (q *query) first(x *Index, j int) float64 {
	b := &x.bounds
	if !q.bounded(x, j) {
		return b.floor
	}
	t := x.total[j]
	best := b.floor
	ofQ := b.ofQ[j*len(q.ofP):][:len(q.ofP)]
	switch {
	case b.penalty > 0:
		if best == 0 {
			best = b.penalty * max(q.total-t, t-q.total)
		}
		for l, y := range q.ofP {
			best = max(best, b.value(y+ofQ[l], &b.pots[l], q.total, t))
		}
	case b.metric:
		for l, y := range q.ofP {
			y += ofQ[l]
			best = max(best, y, -y)
		}
	default:
		for l, y := range q.ofP {
			best = max(best, y+ofQ[l])
		}
	}
	return max(b.floor, b.finish(best, &x.set, q.total, t))
}

// stages is how many bounds there are after the first.
func (q *query) stages() int {
	n := len(q.solvers)
	if len(q.marg) > 0 {
		n++
	}
	return n
}

// next is the bound of a stage; coarse says that a problem was solved for it.
func (q *query) next(x *Index, j, stage int) (bound float64, coarse bool) {
	b := &x.bounds
	t := x.total[j]
	if len(q.marg) > 0 {
		if stage == 0 {
			return b.finish(b.marginal(q.marg, b.marg[j*b.width:][:b.width], &q.work), &x.set, q.total, t), false
		}
		stage--
	}
	c := &b.coarse[stage]
	if !q.have[stage] {
		c.deposit(q.coarse[stage], q.p)
		q.have[stage] = true
	}
	row := x.row(j)
	image := q.other[:c.cells]
	if stage == 0 {
		image = b.image[j*c.cells:][:c.cells]
	} else {
		c.deposit(image, row)
	}
	y := c.bound(q.solvers[stage], q.coarse[stage], image, q.p, row, q.weight, b.weight(t), q.pot[:c.cells])
	return b.finish(y, &x.set, q.total, t), true
}

// learn measures potentials that were found in this search.
func (q *query) learn(x *Index, k *knownPotential) {
	b := &x.bounds
	k.ofP = b.ofSide(q.p, q.total, k.f, 1)
	k.extent = extent{top: slices.Max(k.f), low: slices.Min(k.f)}
	if !b.metric {
		k.extent.topH = slices.Max(k.h)
	}
}

// against is the bound of potentials that were found in this search.
func (q *query) against(x *Index, j int, k *knownPotential) float64 {
	b := &x.bounds
	t := x.total[j]
	ofQ := 0.0
	if b.metric {
		ofQ = b.ofSide(x.row(j), t, k.f, -1)
	} else {
		ofQ = b.ofSide(x.row(j), t, k.h, 1)
	}
	return b.finish(b.value(k.ofP+ofQ, &k.extent, q.total, t), &x.set, q.total, t)
}
