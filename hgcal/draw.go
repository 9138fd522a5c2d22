package hgcal

import "math"

// The drawing is the ideal wafer in the frame and unit of Benchmark: half the
// trigger-cell pitch, y upwards, but with the origin at the wafer's centre. A
// hexagon of side 8 falls into three rhombi, each into 4×4 rhombic cells.

// DrawingRadius is the distance from the drawing's centre to a corner of the
// wafer, in half trigger-cell pitches; also the length of a side.
const DrawingRadius = 8

// axes returns, for rhombus k, its corner farthest from row and column 0 at
// the wafer's rim and the steps along a column index and a row index.
func axes(k int) (corner, column, row Point) {
	s := math.Sqrt(3)
	switch k {
	case 0:
		return Point{0, 8}, Point{0, -2}, Point{s, -1}
	case 1:
		return Point{-4 * s, -4}, Point{s, 1}, Point{0, 2}
	default:
		return Point{4 * s, -4}, Point{-s, 1}, Point{-s, -1}
	}
}

// CellPolygons returns the four corners of each cell's rhombus, in V9 order.
// Together the 48 tile the hexagon of Outline without gap or overlap.
func CellPolygons() [Cells][4]Point {
	var p [Cells][4]Point
	for i := range p {
		k, r, c := Place(i)
		for n, d := range [4][2]int{{0, 0}, {0, 1}, {1, 1}, {1, 0}} {
			p[i][n] = corner(k, float64(r+d[0]), float64(c+d[1]))
		}
	}
	return p
}

// CellCentres returns the centre of each cell's rhombus in the drawing, in V9
// order: the ideal lattice that Benchmark approximates.
func CellCentres() [Cells]Point { return centres }

var centres = func() (p [Cells]Point) {
	for i := range p {
		k, r, c := Place(i)
		p[i] = corner(k, float64(r)+0.5, float64(c)+0.5)
	}
	return p
}()

func corner(k int, r, c float64) Point {
	o, a, b := axes(k)
	return Point{o[0] + float64(c*a[0]) + float64(r*b[0]), o[1] + float64(c*a[1]) + float64(r*b[1])}
}

// Outline returns the six corners of the wafer in the drawing, from the top
// clockwise.
func Outline() [6]Point {
	var p [6]Point
	for n := range p {
		sin, cos := math.Sincos(float64(n) * math.Pi / 3)
		p[n] = Point{DrawingRadius * sin, DrawingRadius * cos}
	}
	return p
}

// Seams returns the three lines along which the rhombi meet, each from the
// wafer's centre to a corner of Outline.
func Seams() [Rhombi][2]Point {
	var s [Rhombi][2]Point
	for k := range s {
		s[k] = [2]Point{{}, corner(k, 0, 0)}
	}
	return s
}

// CellAt returns the cell of the drawing in which a point lies; ok is false
// outside of the wafer. Points on a border belong to one of its cells.
func CellAt(p Point) (cell int, ok bool) {
	if float64(p[0]*p[0])+float64(p[1]*p[1]) > DrawingRadius*DrawingRadius+1e-9 {
		return 0, false
	}
	for k := range rhombi {
		r, c := rhombi[k].place(p)
		if c >= 0 && r >= 0 && c < Side && r < Side {
			return Cell(k, int(r), int(c)), true
		}
	}
	// What rounding leaves between the rhombi.
	const slack = 1e-12
	for k := range rhombi {
		r, c := rhombi[k].place(p)
		if c >= -slack && r >= -slack && c < Side+slack && r < Side+slack {
			return Cell(k, min(max(int(r), 0), Side-1), min(max(int(c), 0), Side-1)), true
		}
	}
	return 0, false
}

// Room is a distance, in the drawing's unit, within which all points lie where CellAt has this one:
// in the same cell, or outside of the wafer. It is 0 for some points near to a border, and never more than the
// truth.
func Room(p Point) float64 {
	const rounding = 1e-9
	outside := -math.Inf(1) // of the side of the wafer that the point is farthest beyond
	for _, n := range sides {
		outside = max(outside, math.Abs(float64(n[0]*p[0])+float64(n[1]*p[1]))-apothem)
	}
	if outside > 0 {
		return max(outside-rounding, 0)
	}
	for k := range rhombi {
		r, c := rhombi[k].place(p)
		if c >= 0 && r >= 0 && c < Side && r < Side {
			r, c = r-math.Floor(r), c-math.Floor(c)
			return max(float64(cellHeight*min(r, 1-r, c, 1-c))-rounding, 0)
		}
	}
	return 0
}

const (
	apothem    = DrawingRadius * sqrt3 / 2
	cellHeight = sqrt3 // between opposite sides of a cell, whose steps are of length 2 at 60°
	sqrt3      = 1.7320508075688772
)

// sides are the directions of the wafer's sides from its centre; each has one opposite.
var sides = [...]Point{{1, 0}, {0.5, sqrt3 / 2}, {-0.5, sqrt3 / 2}}

// affine turns a point into the row and column of a rhombus, not rounded.
type affine struct{ rx, ry, r0, cx, cy, c0 float64 }

func (t *affine) place(p Point) (r, c float64) {
	return float64(t.rx*p[0]) + float64(t.ry*p[1]) + t.r0, float64(t.cx*p[0]) + float64(t.cy*p[1]) + t.c0
}

// rhombi inverts axes.
var rhombi = func() (t [Rhombi]affine) {
	for k := range t {
		o, a, b := axes(k)
		det := float64(a[0]*b[1]) - float64(a[1]*b[0])
		t[k] = affine{
			rx: -a[1] / det, ry: a[0] / det, r0: (float64(a[1]*o[0]) - float64(a[0]*o[1])) / det,
			cx: b[1] / det, cy: -b[0] / det, c0: (float64(b[0]*o[1]) - float64(b[1]*o[0])) / det,
		}
	}
	return t
}()
