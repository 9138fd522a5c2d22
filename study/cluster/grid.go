package cluster

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"barrow/hgcal"
)

// A grid says where the cells of an image lie: in the picture that a network sees, and in the plane.
type grid struct {
	height, width int // of the picture
	at            []int
	cells         int
	turns         [][]int // symmetries: cell i of an image goes to cell turn[i]; the first one moves nothing
	xy            [][2]float64
	near          [][]int // cells beside each
	rectangle     bool    // all pixels are cells, in order
}

// waferGrid is that of a wafer: its axial coordinates u, v as rows and columns of 8×8 pixels, of which 16
// are empty. All 120 pairs of neighbours lie within 3×3 pixels, which they do not in the
// encoder's arrangement. The third part of a turn moves each rhombus onto the next one: the only symmetry.
func waferGrid() *grid {
	g := &grid{height: 8, width: 8, cells: hgcal.Cells, near: make([][]int, hgcal.Cells)}
	for i := range hgcal.Cells {
		u, v := hgcal.UV(i)
		g.at = append(g.at, u*g.width+v)
	}
	for i, n := range hgcal.Neighbours() {
		g.near[i] = n
	}
	for t := range hgcal.Rhombi {
		turn := make([]int, hgcal.Cells)
		for i := range turn {
			turn[i] = (i + t*hgcal.Cells/hgcal.Rhombi) % hgcal.Cells
		}
		g.turns = append(g.turns, turn)
	}
	for _, c := range hgcal.CellCentres() {
		g.xy = append(g.xy, [2]float64{c[0] / hgcal.DrawingRadius, c[1] / hgcal.DrawingRadius})
	}
	return g
}

// encoderGrid is a wafer as the chip's encoder sees it.
func encoderGrid() *grid {
	g := waferGrid()
	for p, cell := range hgcal.Arrange8x8() {
		if cell != hgcal.Masked {
			g.at[cell] = p
		}
	}
	return g
}

// mostPixels is more than any image has that is clustered here.
const mostPixels = 128 * 128

// parseGrid reads HEIGHTxWIDTH.
func parseGrid(text string) (height, width int, err error) {
	h, w, two := strings.Cut(strings.ToLower(text), "x")
	height, err1 := strconv.Atoi(h)
	width, err2 := strconv.Atoi(w)
	if !two || err1 != nil || err2 != nil || height < 3 || width < 3 || height*width > mostPixels {
		return 0, 0, fmt.Errorf("grid = %q: want rows and columns of pixels as in 28x28, at least 3 of each and at most %d pixels", text, mostPixels)
	}
	return height, width, nil
}

// rectangle is a grid of pixels, row by row, with so many symmetric quarter turns: 1, 2 or, of a square, 4.
func rectangle(height, width, turns int) *grid {
	g := &grid{height: height, width: width, cells: height * width, rectangle: true}
	for i := range g.cells {
		y, x := i/width, i%width
		g.at = append(g.at, i)
		g.xy = append(g.xy, [2]float64{(2*float64(x) + 1 - float64(width)) / float64(width), (float64(height) - 2*float64(y) - 1) / float64(height)})
		var near []int
		for dy := -1; dy <= 1; dy++ {
			for dx := -1; dx <= 1; dx++ {
				if a, b := y+dy, x+dx; (dx != 0 || dy != 0) && a >= 0 && a < height && b >= 0 && b < width {
					near = append(near, a*width+b)
				}
			}
		}
		g.near = append(g.near, near)
	}
	for t := range turns {
		turn := make([]int, g.cells)
		for i := range turn {
			y, x := i/width, i%width
			switch t * 4 / turns {
			case 1:
				y, x = x, height-1-y
			case 2:
				y, x = height-1-y, width-1-x
			case 3:
				y, x = width-1-x, y
			}
			turn[i] = y*width + x
		}
		g.turns = append(g.turns, turn)
	}
	return g
}

// rows are what is clustered: images of one grid, each with one map or two.
type rows struct {
	grid *grid
	// value is the charge of every cell; quantum the charge that comes as one, of which a cell has a
	// Poisson number.
	value   [][]float64
	quantum []float64
	// agreement is the correlation of a cell's charges with the mean of its neighbours' over the events
	// of which a row is the mean; nil where rows are single images.
	agreement [][]float64
	events    []int
	truth     []int // classes; nil where they are not known
	classes   []string
	columns   []column // what a row is, to be written again
	naming    int      // as many of the columns, from the first, say which module it is; 0 of single images
	number    []int    // of the row in the input, of a module that of its first image; nil where all are there
	source    string
	digest    string
}

// A column says one thing of every row.
type column struct {
	name string
	text []string
}

func (r *rows) len() int { return len(r.value) }

// numberOf is where row i stands in the input.
func (r *rows) numberOf(i int) int {
	if r.number == nil {
		return i
	}
	return r.number[i]
}

// A sum adds up events of one module.
type sum struct {
	grid                *grid
	n                   int
	charge, square      []float64
	a, b, aa, bb, ab, y []float64
}

func newSum(g *grid) *sum {
	s := &sum{grid: g}
	for _, v := range []*[]float64{&s.charge, &s.square, &s.a, &s.b, &s.aa, &s.bb, &s.ab, &s.y} {
		*v = make([]float64, g.cells)
	}
	return s
}

// add adds an image. Agreement is that of the roots of charges: it is then less that of the few largest.
func (s *sum) add(image []float64) {
	s.n++
	for i, v := range image {
		s.charge[i] += v
		s.square[i] += float64(v * v)
		s.y[i] = math.Sqrt(v)
	}
	for i, y := range s.y {
		m := 0.0
		for _, j := range s.grid.near[i] {
			m += s.y[j]
		}
		m /= float64(len(s.grid.near[i]))
		s.a[i] += y
		s.b[i] += m
		s.aa[i] += float64(y * y)
		s.bb[i] += float64(m * m)
		s.ab[i] += float64(y * m)
	}
}

// into appends the mean image, its quantum and the agreement to the rows.
func (s *sum) into(r *rows) {
	n := float64(s.n)
	mean, agreement := make([]float64, len(s.charge)), make([]float64, len(s.charge))
	variance, all := 0.0, 0.0
	for i, q := range s.charge {
		mean[i] = q / n
		variance += s.square[i]/n - float64(mean[i]*mean[i])
		all += mean[i]
		va, vb := s.aa[i]/n-float64(s.a[i]/n*(s.a[i]/n)), s.bb[i]/n-float64(s.b[i]/n*(s.b[i]/n))
		if least := 1e-12 * (s.aa[i] + s.bb[i]) / n; va > least && vb > least {
			agreement[i] = (s.ab[i]/n - float64(s.a[i]/n*(s.b[i]/n))) / math.Sqrt(float64(va*vb))
		}
	}
	quantum := 0.0
	if all > 0 {
		quantum = max(0, variance/all/n)
	}
	r.value, r.agreement = append(r.value, mean), append(r.agreement, agreement)
	r.quantum, r.events = append(r.quantum, quantum), append(r.events, s.n)
}
