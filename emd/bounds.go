package emd

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
)

// bounds are what an Index knows of its images, to tell from below how far they are from
// another one. All but the marginals are values of potentials that are feasible for any pair
// (Kantorovich' duality): of straight directions, of pairs of the index, and of coarser
// problems. Masses are divided by their total, but with UnequalPenalty.
type bounds struct {
	metric  bool // h = −f, and −f is feasible where f is
	penalty float64
	floor   float64 // what no distance is below
	slack   float64 // what rounding may do to a bound of a unit of mass, relative to span
	span    float64 // the scale of potentials of a metric

	pots   []extent
	f      []float64 // of each of pots, n
	ofQ    []float64 // Σ q h for each row and each of pots
	frames []frame
	axes   []axis
	width  int
	marg   []float64 // cumulative marginals of each row
	coarse []coarser
	image  []float64 // of each row on the first of coarse
}

// extent are the largest and the least of potentials f, the largest of h, and none of them for
// a metric.
type extent struct{ top, low, topH float64 }

// mostPots is how many potentials all images are held against; of twice as many
// those that tell most are kept.
const (
	mostPots  = 32
	triedPots = 64
)

func (b *bounds) build(ctx context.Context, x *Index, v *Solver) error {
	b.metric = v.rect == nil
	if x.set.Unequal == UnequalPenalty {
		b.penalty = x.set.Penalty
	}
	if x.view.least < 0 {
		b.floor = math.Inf(-1)
	}
	b.slack = 4 * 0x1p-52 * float64(x.n+x.m+100)
	if b.metric {
		b.span = x.view.max + b.penalty
	}
	var h []float64
	if b.metric {
		b.f = straight(x.ground)
	}
	f, hs, err := b.learned(ctx, x)
	if err != nil {
		return err
	}
	b.f = append(b.f, f...)
	if !b.metric {
		h = hs
	}
	b.measure(ctx, x, h)
	if b.metric {
		b.frames, b.axes = framesOf(x)
		for k := range b.axes {
			b.axes[k].at = b.width
			b.width += b.axes[k].room()
		}
		b.marg = make([]float64, x.Len()*b.width)
		x.each(ctx, func(j int) { b.project(b.marg[j*b.width:][:b.width], x.row(j), b.weight(x.total[j])) })
		b.coarse = coarsers(x)
		if len(b.coarse) > 0 {
			c := &b.coarse[0]
			b.image = make([]float64, x.Len()*c.cells)
			x.each(ctx, func(j int) { c.deposit(b.image[j*c.cells:][:c.cells], x.row(j)) })
		}
	}
	return ctx.Err()
}

// weight is what masses of a total are multiplied by.
func (b *bounds) weight(total float64) float64 {
	if b.penalty > 0 || total == 0 {
		return 1
	}
	return 1 / total
}

// learned are potentials of pairs of the index, those of many that tell most of others.
func (b *bounds) learned(ctx context.Context, x *Index) (f, h []float64, err error) {
	var rows []int
	for j, t := range x.total {
		if t > 0 && inRange(t) {
			rows = append(rows, j)
		}
	}
	pairs := min(triedPots, len(rows)/8)
	if pairs == 0 {
		return nil, nil, nil
	}
	r := rand.New(rand.NewPCG(1, 2))
	p, q := make([]float64, 0, pairs*x.n), make([]float64, 0, pairs*x.m)
	other := b.nearestCells(x)
	for k := range pairs {
		p = slices.Grow(p, x.n)[:len(p)+x.n]
		j := rows[r.IntN(len(rows))]
		for i, y := range x.row(j) {
			p[k*x.n+int(other[i])] += y * b.weight(x.total[j])
		}
		j = rows[r.IntN(len(rows))]
		for _, y := range x.row(j) {
			q = append(q, y*b.weight(x.total[j]))
		}
	}
	set := x.set
	set.Progress = nil
	batch, err := NewBatch(x.ground, set)
	if err != nil {
		return nil, nil, err
	}
	f, h = make([]float64, pairs*x.n), make([]float64, pairs*x.m)
	if err := batch.Potentials(ctx, p, q, make([]float64, pairs), f, h); err != nil {
		// A pair that nobody asked for may be one that Settings do not allow to solve.
		return nil, nil, ctx.Err()
	}
	f, h = b.choose(f, h, p, q, x.n, x.m)
	return f, h, nil
}

// nearestCells are, for each cell of q, the one of p that is nearest: itself for a metric. An
// image there is what images that are looked for may be like.
func (b *bounds) nearestCells(x *Index) []int32 {
	other := make([]int32, x.m)
	const most = 1 << 24 // costs that are looked at
	for j := range other {
		if other[j] = int32(j % x.n); b.metric || x.n*x.m > most {
			continue
		}
		least := math.Inf(1)
		for i := range x.n {
			if c := x.ground.At(i, j); c < least {
				least, other[j] = c, int32(i)
			}
		}
	}
	return other
}

// choose keeps, one by one, the potentials that raise the bounds of all pairs most, relative
// to the best that any of them knows.
func (b *bounds) choose(f, h, p, q []float64, n, m int) (outF, outH []float64) {
	pairs := len(f) / n
	value := make([]float64, pairs*pairs) // of potentials l for pair s, at l·pairs+s
	best := make([]float64, pairs)
	for l := range pairs {
		for s := range pairs {
			if s == l {
				continue // tight, and so no measure
			}
			y := dot(f[l*n:][:n], p[s*n:][:n]) + dot(h[l*m:][:m], q[s*m:][:m])
			if b.metric {
				y = math.Abs(y)
			}
			value[l*pairs+s] = y
			best[s] = max(best[s], y)
		}
	}
	reached := make([]float64, pairs)
	for range min(mostPots, pairs) {
		gain, at := 0.0, -1
		for l := range pairs {
			g := 0.0
			for s, y := range value[l*pairs:][:pairs] {
				if y > reached[s] {
					g += (y - reached[s]) / best[s]
				}
			}
			if g > gain {
				gain, at = g, l
			}
		}
		if at < 0 {
			break
		}
		for s, y := range value[at*pairs:][:pairs] {
			reached[s] = max(reached[s], y)
		}
		outF, outH = append(outF, f[at*n:][:n]...), append(outH, h[at*m:][:m]...)
	}
	return outF, outH
}

// measure finds the extents of the potentials, and their values on all rows.
func (b *bounds) measure(ctx context.Context, x *Index, h []float64) {
	count := len(b.f) / x.n
	b.pots = make([]extent, count)
	for l := range b.pots {
		f := b.f[l*x.n:][:x.n]
		b.pots[l] = extent{top: slices.Max(f), low: slices.Min(f)}
		if !b.metric {
			b.pots[l].topH = slices.Max(h[l*x.m:][:x.m])
		}
	}
	b.ofQ = make([]float64, x.Len()*count)
	x.each(ctx, func(j int) {
		row, t := x.row(j), x.total[j]
		for l := range count {
			if b.metric {
				b.ofQ[j*count+l] = b.ofSide(row, t, b.f[l*x.n:][:x.n], -1)
			} else {
				b.ofQ[j*count+l] = b.ofSide(row, t, h[l*x.m:][:x.m], 1)
			}
		}
	})
}

// each calls f for every row, on all threads, until ctx is done.
func (x *Index) each(ctx context.Context, f func(j int)) {
	var wg sync.WaitGroup
	for k := range x.threads {
		wg.Go(func() {
			for j := k * x.Len() / x.threads; j < (k+1)*x.Len()/x.threads && ctx.Err() == nil; j++ {
				f(j)
			}
		})
	}
	wg.Wait()
}

// ofSide is the part of one side in the value of potentials; of costs that are no metric,
// whose potentials may be of any size, less what rounding may do.
func (b *bounds) ofSide(v []float64, total float64, pot []float64, sign float64) float64 {
	y := sign * dot(v, pot)
	if !b.metric {
		for k, m := range v {
			y -= b.slack * m * math.Abs(pot[k])
		}
	}
	return y * b.weight(total)
}

// value is the bound of potentials of extent t with the sum s of both sides' parts, for masses
// of totals p and q.
func (b *bounds) value(s float64, t *extent, p, q float64) float64 {
	if b.penalty > 0 {
		// A constant goes to f so that no unmatched unit is worth more than the penalty.
		r, excess := b.penalty, p-q
		switch {
		case b.metric && excess >= 0:
			return max(s+(r-t.top)*excess, -s+(r+t.low)*excess)
		case b.metric:
			return max(s-(r+t.low)*excess, -s-(r-t.top)*excess)
		case excess >= 0:
			return s + (r-t.top)*excess
		}
		return s - (r-t.topH)*excess
	}
	if b.metric {
		return math.Abs(s)
	}
	return s
}

// finish turns a bound for masses as compared into one of the distance.
func (b *bounds) finish(y float64, set *Settings, p, q float64) float64 {
	switch set.Unequal {
	case UnequalPenalty:
		return y - b.slack*b.span*(p+q)
	case UnequalError:
		return (y - 2*b.slack*b.span) * (p/2 + q/2)
	}
	return y - 2*b.slack*b.span
}

func dot(a, b []float64) float64 {
	var s [4]float64
	b = b[:len(a)]
	k := 0
	for ; k+4 <= len(a); k += 4 {
		s[0] += a[k] * b[k]
		s[1] += a[k+1] * b[k+1]
		s[2] += a[k+2] * b[k+2]
		s[3] += a[k+3] * b[k+3]
	}
	for ; k < len(a); k++ {
		s[0] += a[k] * b[k]
	}
	return (s[0] + s[1]) + (s[2] + s[3])
}
