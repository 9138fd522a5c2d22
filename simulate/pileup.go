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
// fragment's energy, in points, the largest first. Unused entries have no points and cell
// offWafer. Images take the patterns in any order: two of them are a line of a processor's cache.
type pattern struct {
	x, y   float32 // in the drawing's frame, half trigger-cell pitches
	points [patternLen]uint8
	cell   [patternLen]uint8
}

// share is the part of the main fragment's energy that so many points are.
var share = func() (s [math.MaxUint8 + 1]float32) {
	for points := range s {
		s[points] = float32(points) / samples
	}
	return s
}()

// library is a set of groups spread evenly over a wafer and its surroundings,
// for one radius of fragments.
type library struct {
	pattern [patterns]pattern
	// area is that of the positions in units of a trigger cell's.
	area float64
	// curve is how often a cell is above the threshold.
	curve curve
}

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
	k := libraryKey(radius, p)
	libraries.Lock()
	defer libraries.Unlock()
	if l := libraries.of[k]; l != nil {
		return l
	}
	if libraries.of == nil || len(libraries.of) >= maxLibraries {
		libraries.of = map[string]*library{}
	}
	l := preparedLibrary(k, surroundings(radius, p))
	if l == nil {
		l = newLibrary(radius, p)
	}
	libraries.of[k] = l
	return l
}

// libraryKey tells libraries apart: floats are written so that they are read as the same.
func libraryKey(radius float64, p *PileUpParameters) string { return fmt.Sprint(radius, *p) }

// positions are points that fill a rectangle around the wafer evenly: the additive recurrence of
// the plastic number (Roberts, 2018).
type positions struct{ u, v float64 }

func newPositions() positions { return positions{0.5, 0.5} }

// next returns the next point in the drawing's frame.
func (p *positions) next() (x, y float64) {
	const g = 1.32471795724474602596
	p.u, p.v = frac(p.u+1/g), frac(p.v+1/(g*g))
	return (2*p.u - 1) * hgcal.DrawingRadius, (2*p.v - 1) * hgcal.DrawingRadius
}

// surroundings is how much larger than the wafer the region is in which groups are.
func surroundings(radius float64, p *PileUpParameters) float64 {
	margin := math.Min(4, 0.5+float64(3*max(radius, p.Reach)))
	return (hgcal.DrawingRadius + margin) / hgcal.DrawingRadius
}

// newLibrary makes the library for fragments of a mean radius, in half
// trigger-cell pitches.
func newLibrary(radius float64, p *PileUpParameters) *library {
	l := &library{}
	scale := surroundings(radius, p)
	at, n, positions := newPositions(), 0, 0
	s := counter.New(0x6c696272617279, math.Float64bits(radius))
	for n < patterns {
		x, y := at.next()
		if _, ok := hgcal.CellAt(hgcal.Point{x, y}); !ok { // outside of the hexagon
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
	l.curve = newCurve(l.jumps(p), p.Activity)
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
			q.cell[k], q.points[k] = uint8(cells[k]), uint8(count[cells[k]])
		}
	}
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
		cells[p.cell[0]] += float32(energy * share[p.points[0]])
		cells[p.cell[1]] += float32(energy * share[p.points[1]])
		for i := 2; i < patternLen && p.points[i] > 0; i++ {
			cells[p.cell[i]] += float32(energy * share[p.points[i]])
		}
	}
}
