package simulate

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// cellThreshold is the energy in MIP_T above which a trigger cell counts in the
// published occupancies (CMSSW's default; the histograms do not state it).
const cellThreshold = 1.35

const (
	patterns   = 4096 // groups in a library, a power of two
	patternLen = 12   // most cells a group is shared by
	offWafer   = hgcal.Cells
	samples    = 48 // points that a fragment of full energy is counted from
	mostShare  = 4  // most of that energy that a cell can get, fragments together
)

// pattern is a group at one place: which cells get which share of its main
// fragment's energy, the largest first. Unused entries have share 0 and cell
// offWafer.
type pattern struct {
	share [patternLen]float32
	x, y  float32 // in the drawing's frame, half trigger-cell pitches
	cell  [patternLen]uint8
}

// library is a set of groups spread evenly over a wafer and its surroundings,
// for one radius of fragments.
type library struct {
	pattern [patterns]pattern
	// area is that of the positions in units of a trigger cell's.
	area float64
	// jumps[j] is the rate of deposits between (j−½) and (j+½) bins in a cell
	// inside, for one group a trigger cell.
	jumps [jumpBins]float64
}

// jumpBins bins of the energy in a cell reach just to the threshold.
const (
	jumpBins = 64
	jumpBin  = cellThreshold / (jumpBins - 0.5)
)

// libraries are those made before: a run prepares several generators, of the same parameters
// mostly, of a library for each layer.
var libraries struct {
	sync.Mutex
	of map[string]*library
}

// maxLibraries bounds those kept, to the layers of some detectors.
const maxLibraries = 64

// libraryOf returns the library for fragments of a mean radius.
func libraryOf(radius float64, p *PileUpParameters) *library {
	k := fmt.Sprint(radius, *p) // floats are written so that they are read as the same
	libraries.Lock()
	defer libraries.Unlock()
	if l := libraries.of[k]; l != nil {
		return l
	}
	if libraries.of == nil || len(libraries.of) >= maxLibraries {
		libraries.of = map[string]*library{}
	}
	l := newLibrary(radius, p)
	libraries.of[k] = l
	return l
}

// newLibrary makes the library for fragments of a mean radius, in half
// trigger-cell pitches.
func newLibrary(radius float64, p *PileUpParameters) *library {
	l := &library{}
	margin := math.Min(4, 0.5+float64(3*max(radius, p.Reach)))
	scale := (hgcal.DrawingRadius + margin) / hgcal.DrawingRadius
	// The additive recurrence of the plastic number fills the rectangle evenly
	// (Roberts, 2018); points outside of the hexagon are left out.
	const g = 1.32471795724474602596
	u, v, n, positions := 0.5, 0.5, 0, 0
	s := counter.New(0x6c696272617279, math.Float64bits(radius))
	for n < patterns {
		u, v = frac(u+1/g), frac(v+1/(g*g))
		x, y := (2*u-1)*hgcal.DrawingRadius, (2*v-1)*hgcal.DrawingRadius
		if _, ok := hgcal.CellAt(hgcal.Point{x, y}); !ok {
			continue
		}
		positions++
		x, y = scale*x, scale*y
		count := group(&s, x, y, radius, p)
		if count == ([hgcal.Cells]int{}) {
			continue // out of the wafer's reach
		}
		q := &l.pattern[n]
		q.x, q.y = float32(x), float32(y)
		fill(q, &count)
		n++
	}
	l.area = hgcal.Cells * scale * scale * patterns / float64(positions)
	l.countJumps(p)
	return l
}

// group draws the fragments of a group around x, y and returns how many points
// each cell gets.
func group(s *counter.Stream, x, y, radius float64, p *PileUpParameters) (count [hgcal.Cells]int) {
	scatter(&count, s, x, y, radius, samples)
	more, reach, share := p.Companions, p.Reach, p.CompanionShare
	if s.Float64() < p.Jets {
		more, reach, share = p.JetSize, p.JetReach, p.JetShare
	}
	for more /= 1 + more; s.Float64() < more; {
		r, d := reach*s.Exp(), direction(s)
		scatter(&count, s, x+float64(r*d[0]), y+float64(r*d[1]), radius, int(math.Round(samples*share*s.Float64())))
	}
	return count
}

// scatter adds the points of a fragment to the cells they fall in. Each has its distance in a share of
// the distribution of its own, so that the first of them, which are too near to the middle to be in another
// cell, need not be drawn.
func scatter(count *[hgcal.Cells]int, s *counter.Stream, x, y, radius float64, points int) {
	middle := hgcal.Point{x, y}
	near := points
	if radius > 0 {
		near = int(float64(points)*-math.Expm1(-hgcal.Room(middle)/radius) - 1e-6)
	}
	if near > 0 {
		s.Skip(2 * near)
		if cell, ok := hgcal.CellAt(middle); ok {
			count[cell] = min(count[cell]+near, mostShare*samples)
		}
	}
	for k := near; k < points; k++ {
		r := -radius * math.Log1p(-(float64(k)+s.Float64())/float64(points))
		d := direction(s)
		if cell, ok := hgcal.CellAt(hgcal.Point{x + float64(r*d[0]), y + float64(r*d[1])}); ok {
			count[cell] = min(count[cell]+1, mostShare*samples)
		}
	}
}

func frac(x float64) float64 { return x - math.Floor(x) }

// fill keeps the largest shares; smaller ones are lost, as a group's
// outskirts are below the cut of the front end.
func fill(q *pattern, count *[hgcal.Cells]int) {
	cells := make([]int, 0, hgcal.Cells)
	for cell, c := range count {
		if c > 0 {
			cells = append(cells, cell)
		}
	}
	slices.SortStableFunc(cells, func(a, b int) int { return count[b] - count[a] })
	for k := range q.cell {
		q.cell[k] = offWafer
		if k < len(cells) {
			q.cell[k], q.share[k] = uint8(cells[k]), float32(count[cells[k]])/samples
		}
	}
}

// countJumps integrates the library over the energies.
func (l *library) countJumps(p *PileUpParameters) {
	var times [mostShare*samples + 1]float64 // how often each share occurs
	for i := range l.pattern {
		for _, w := range l.pattern[i].share {
			times[int(math.Round(float64(w)*samples))]++
		}
	}
	for n := 1; n <= mostShare*samples; n++ {
		if times[n] == 0 {
			continue
		}
		w := float64(n) / samples
		above := p.exceed(0.5 * jumpBin / w)
		for j := 1; j < jumpBins; j++ {
			next := p.exceed((float64(j) + 0.5) * jumpBin / w)
			l.jumps[j] += float64(times[n] * (above - next))
			above = next
		}
		l.jumps[0] += float64(times[n] * above) // more than the threshold at once
	}
	for j := range l.jumps {
		l.jumps[j] *= l.area / patterns / hgcal.Cells
	}
}

// exceed is the share of groups with a main fragment above an energy.
func (p *PileUpParameters) exceed(e float64) float64 {
	return math.Pow(1+math.Pow(e/p.Scale, p.Shape), -p.Tail)
}

// nodes is the number of rates that above takes at a time.
const nodes = 3

// above returns the probabilities that a cell is above the threshold where there
// are so many groups a trigger cell, by Panjer's recursion for the compound
// Poisson sum below it.
func (l *library) above(rates [nodes]float64) (p [nodes]float64) {
	total := 0.0
	var moment [jumpBins]float64
	for j, v := range l.jumps {
		total += v
		moment[j] = float64(j) * v
	}
	var g [jumpBins][nodes]float64
	for k, rate := range rates {
		g[0][k] = math.Exp(-rate * total)
	}
	below := g[0]
	for n := 1; n < jumpBins; n++ {
		var a, b, c float64 // three sums side by side: each waits for itself alone
		for j := 1; j <= n; j++ {
			m, h := moment[j], &g[n-j]
			a += float64(m * h[0])
			b += float64(m * h[1])
			c += float64(m * h[2])
		}
		for k, sum := range [nodes]float64{a, b, c} {
			g[n][k] = float64(sum * (rates[k] / float64(n)))
			below[k] += g[n][k]
		}
	}
	for k := range p {
		p[k] = 1 - below[k]
	}
	return p
}

// curve is above on a logarithmic grid of rates, averaged over the activity.
type curve struct {
	value [curvePoints]float64
}

const (
	curvePoints = 160
	curveStep   = 0.1  // in ln rate
	curveStart  = -9.0 // ln rate
)

func (l *library) newCurve(activity float64) *curve {
	c := &curve{}
	// Gauss–Hermite quadrature over a normal deviate.
	weights := [nodes]float64{1. / 6, 2. / 3, 1. / 6}
	var spread [nodes]float64
	for k, z := range [nodes]float64{-math.Sqrt(3), 0, math.Sqrt(3)} {
		spread[k] = spreadActivity(activity, z)
	}
	for i := range c.value {
		rate := math.Exp(curveStart + float64(curveStep*float64(i)))
		for k, p := range l.above([nodes]float64{rate * spread[0], rate * spread[1], rate * spread[2]}) {
			c.value[i] += float64(weights[k] * p)
		}
	}
	return c
}

// spreadActivity is a log-normal factor of mean 1.
func spreadActivity(sigma, z float64) float64 {
	return math.Exp(float64(sigma*z) - float64(sigma*sigma/2))
}

func (c *curve) at(logRate float64) float64 {
	x := min(max((logRate-curveStart)/curveStep, 0), curvePoints-1.001)
	i := int(x)
	return c.value[i] + float64((x-float64(i))*(c.value[i+1]-c.value[i]))
}

// gradient is how the rate of groups changes across a wafer: its logarithm
// rises by strength per unit of the drawing in the direction x, y.
type gradient struct {
	x, y, strength float64
}

// solve returns the rate in the middle of a wafer at which the mean number of
// cells above the threshold is mean.
func (c *curve) solve(mean float64, g gradient) float64 {
	var rise [hgcal.Cells]float64
	for i, p := range hgcal.CellCentres() {
		rise[i] = float64(g.strength * (float64(g.x*p[0]) + float64(g.y*p[1])))
	}
	cells := func(logRate float64) float64 {
		n := 0.0
		for _, r := range rise {
			n += c.at(logRate + r)
		}
		return n
	}
	lo, hi := curveStart, curveStart+curveStep*curvePoints
	for range 40 {
		if mid := (lo + hi) / 2; cells(mid) < mean {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp((lo + hi) / 2)
}

// energies turns a uniform number into the energy of a main fragment: the inverse of
// exceed, tabulated where it is smooth.
type energies struct {
	table              [energyBins + 1]float32
	scale, shape, tail float64
	cap                float32 // no energy is larger
}

const energyBins = 4096

func newEnergies(p *PileUpParameters) *energies {
	e := &energies{scale: p.Scale, shape: p.Shape, tail: p.Tail, cap: math.MaxFloat32}
	for i := range energyBins {
		e.table[i] = float32(e.exact(1 - float64(i)/energyBins))
	}
	return e
}

// exact is the energy that a share above of main fragments exceeds.
func (e *energies) exact(above float64) float64 {
	return e.scale * math.Pow(math.Pow(above, -1/e.tail)-1, 1/e.shape)
}

// at takes 32 random bits.
func (e *energies) at(bits uint32) float32 {
	i := bits >> 20
	if i >= energyBins-16 {
		return min(float32(e.exact(1-(float64(bits)+0.5)*0x1p-32)), e.cap)
	}
	t := float32(bits&(1<<20-1)) * 0x1p-20
	return min(e.table[i]+float32(t*(e.table[i+1]-e.table[i])), e.cap)
}

// draw adds the pile-up of one bunch crossing to the energies of 48 cells (and
// of one that stands for everything off the wafer), in MIP_T.
func (l *library) draw(s *counter.Stream, e *energies, cells *[hgcal.Cells + 1]float32, rate float64, g gradient) {
	// Positions are drawn evenly and kept in proportion to the local rate.
	const reach = 1.2 * hgcal.DrawingRadius
	top := math.Exp(g.strength * reach)
	n := poisson(s, rate*top*l.area)
	gx, gy := float32(g.strength*g.x), float32(g.strength*g.y)
	cut := float32(1 / top)
	for range n {
		bits := s.Uint64()
		p := &l.pattern[bits&(patterns-1)]
		t := float32(gx*p.x) + float32(gy*p.y)
		// 20 bits decide, 32 make the energy. The cubic is exp within 0.3 % for
		// the steepest wafers.
		if float32(bits>>12&(1<<20-1))*0x1p-20 > cut*(1+float32(t*(1+float32(t*(0.5+float32(t*(1./6))))))) {
			continue
		}
		energy := e.at(uint32(bits >> 32))
		cells[p.cell[0]] += float32(energy * p.share[0])
		cells[p.cell[1]] += float32(energy * p.share[1])
		for i := 2; i < patternLen && p.share[i] > 0; i++ {
			cells[p.cell[i]] += float32(energy * p.share[i])
		}
	}
}
