package physics

import (
	"fmt"
	"math"
	"slices"

	"barrow/hgcal"
)

// Geometry is where the trigger cells of an endcap's silicon wafers are. It is safe for
// use by several goroutines at once.
type Geometry struct {
	version hgcal.Geometry
	layers  []int
	wafers  []Wafer
	index   map[[4]int]int32 // layer, u, v in the sector, sector
	turned  map[[3]int]int32 // layer, u, v of the whole endcap
	shared  [][hgcal.Cells]cell
}

// Wafer is a wafer of the endcap.
type Wafer struct {
	// Module is the wafer's module as in the first sector.
	Module hgcal.Module
	// Sector is 0, 1 or 2: turned by so many times 120° about the beam.
	Sector int
	// Depth is the layer's place in Geometry.Layers, from 0.
	Depth int
	// U and V are the wafer's coordinates in the whole endcap, as CMSSW has them: those
	// of the module in sector 0.
	U, V int

	cells int // in shared
}

// cell is where a trigger cell is in sector 0.
type cell struct{ x, y, rz, phi float64 }

// turns are cosine and sine of the sectors' angles.
var turns = [hgcal.Sectors][2]float64{{1, 0}, {-0.5, math.Sqrt(3) / 2}, {-0.5, -math.Sqrt(3) / 2}}

// cmPerUnit is half the trigger-cell pitch, the unit of hgcal.CellCentres, in cm.
const cmPerUnit = 2.402366 / 2

// NewGeometry returns the wafers of a version of the detector, those of cut modules
// too, whose cells are taken to be where those of whole ones are.
func NewGeometry(version hgcal.Geometry) *Geometry {
	g := &Geometry{version: version, layers: version.TriggerLayers(), index: map[[4]int]int32{}, turned: map[[3]int]int32{}}
	centres := hgcal.CellCentres()
	modules := version.Modules()
	for depth, layer := range g.layers {
		from := slices.IndexFunc(modules, func(m hgcal.Module) bool { return m.Layer == layer })
		to := from
		for to < len(modules) && modules[to].Layer == layer {
			to++
		}
		grid := newLattice(modules[from:to])
		for _, m := range modules[from:to] {
			var cells [hgcal.Cells]cell
			for i, p := range centres {
				// The drawing of a wafer mirrors x.
				x, y := (m.X-float64(p[0]*cmPerUnit))/m.Z, (m.Y+float64(p[1]*cmPerUnit))/m.Z
				cells[i] = cell{x, y, math.Hypot(x, y), math.Atan2(y, x)}
			}
			for sector, turn := range turns {
				w := Wafer{Module: m, Sector: sector, Depth: depth, cells: len(g.shared)}
				w.U, w.V = grid.at(turn[0]*m.X-turn[1]*m.Y, turn[1]*m.X+turn[0]*m.Y)
				g.index[[4]int{layer, m.U, m.V, sector}] = int32(len(g.wafers))
				g.turned[[3]int{layer, w.U, w.V}] = int32(len(g.wafers))
				g.wafers = append(g.wafers, w)
			}
			g.shared = append(g.shared, cells)
		}
	}
	return g
}

// lattice is the triangular lattice of a layer's wafers: x = x0 + xu·u + xv·v, y alike.
type lattice struct{ x0, xu, xv, y0, yu, yv float64 }

// newLattice fits the lattice of a layer to its modules' centres, by least squares.
func newLattice(modules []hgcal.Module) lattice {
	var n, u1, v1, uu, uv, vv float64
	var sx, sy [3]float64
	for _, m := range modules {
		u, v := float64(m.U), float64(m.V)
		n, u1, v1 = n+1, u1+u, v1+v
		uu, uv, vv = uu+u*u, uv+u*v, vv+v*v
		for i, f := range [...]float64{1, u, v} {
			sx[i] += f * m.X
			sy[i] += f * m.Y
		}
	}
	// Against the means, so that two unknowns are left.
	uu, uv, vv = uu-u1*u1/n, uv-u1*v1/n, vv-v1*v1/n
	fit := func(s [3]float64) (c, a, b float64) {
		su, sv := s[1]-s[0]*u1/n, s[2]-s[0]*v1/n
		d := uu*vv - uv*uv
		a, b = (su*vv-sv*uv)/d, (sv*uu-su*uv)/d
		return (s[0] - a*u1 - b*v1) / n, a, b
	}
	var l lattice
	l.x0, l.xu, l.xv = fit(sx)
	l.y0, l.yu, l.yv = fit(sy)
	return l
}

// at returns the coordinates of the wafer whose centre is nearest to a point.
func (l lattice) at(x, y float64) (u, v int) {
	d := l.xu*l.yv - l.xv*l.yu
	x, y = x-l.x0, y-l.y0
	return int(math.Round((x*l.yv - y*l.xv) / d)), int(math.Round((y*l.xu - x*l.yu) / d))
}

// Layers returns the numbers of the trigger layers, rising. The slice is shared: do
// not change it.
func (g *Geometry) Layers() []int { return g.layers }

// Len is the number of wafers.
func (g *Geometry) Len() int { return len(g.wafers) }

// Wafer returns wafer i of 0 … Len−1.
func (g *Geometry) Wafer(i int) *Wafer { return &g.wafers[i] }

// Find returns the number of the wafer of a layer with these coordinates in a sector,
// 0 to 2. What there is not is an error.
func (g *Geometry) Find(layer, u, v, sector int) (int, error) {
	if i, ok := g.index[[4]int{layer, u, v, sector}]; ok {
		return int(i), nil
	}
	return 0, g.missing(layer, fmt.Sprintf("wafer %d, %d in sector %d", u, v, sector))
}

// findTurned is Find with coordinates of the whole endcap.
func (g *Geometry) findTurned(layer, u, v int) (int, error) {
	if i, ok := g.turned[[3]int{layer, u, v}]; ok {
		return int(i), nil
	}
	return 0, g.missing(layer, fmt.Sprintf("wafer %d, %d", u, v))
}

func (g *Geometry) missing(layer int, what string) error {
	if !slices.Contains(g.layers, layer) {
		return fmt.Errorf("layer %d makes no trigger data in geometry %v: want one of %v", layer, g.version, g.layers)
	}
	return fmt.Errorf("layer %d of geometry %v has no %s: is the geometry another one?", layer, g.version, what)
}

// Cell returns the direction x/z, y/z of a trigger cell (V9) of wafer i.
func (g *Geometry) Cell(i, k int) (x, y float64) {
	w := &g.wafers[i]
	c := &g.shared[w.cells][k]
	t := turns[w.Sector]
	return float64(t[0]*c.x) - float64(t[1]*c.y), float64(t[1]*c.x) + float64(t[0]*c.y)
}

// centre returns the direction x/z, y/z of the centre of wafer i.
func (g *Geometry) centre(i int) (x, y float64) {
	w := &g.wafers[i]
	t, m := turns[w.Sector], &w.Module
	return (float64(t[0]*m.X) - float64(t[1]*m.Y)) / m.Z, (float64(t[1]*m.X) + float64(t[0]*m.Y)) / m.Z
}

// EtaPhi returns pseudorapidity and azimuth, within −π … π, of a direction x/z, y/z.
func EtaPhi(x, y float64) (eta, phi float64) {
	return math.Asinh(1 / math.Hypot(x, y)), math.Atan2(y, x)
}

// Direction returns x/z and y/z of a pseudorapidity above 0 and an azimuth.
func Direction(eta, phi float64) (x, y float64) {
	sin, cos := math.Sincos(phi)
	t := 1 / math.Sinh(eta)
	return t * cos, t * sin
}
