package loss

import (
	"fmt"
	"math"
	"slices"
	"sync"

	"gonum.org/v1/gonum/mat"

	"barrow/hgcal"
)

// A Lattice is where the cells of images lie: which are neighbours, what waves there are.
// Losses that compare images on larger scales than a cell need to know.
type Lattice struct {
	name  string
	cells int
	// rings are, of each cell, those at each distance in steps between neighbours, itself first.
	rings [][][]int32
	// rasters are the parts that are rows and columns.
	rasters []raster
	// waves has the eigenvectors of the neighbour graph's Laplacian.
	waves func() waves
	wafer bool
}

// A raster is a part of a lattice in rows and columns, row after row.
type raster struct {
	rows, columns int
	cells         []int32
}

// Wafer is the lattice of a wafer's 48 trigger cells in V9 order. Neighbours are those of
// hgcal.Neighbours, lengths those of CMSSW's positions, where neighbours are 2.40 cm apart.
func Wafer() *Lattice {
	l := &Lattice{name: "a wafer", cells: Cells, wafer: true}
	near := hgcal.Neighbours()
	l.rings = rings(Cells, func(i int) []int { return near[i] })
	for k := range hgcal.Rhombi {
		r := raster{rows: hgcal.Side, columns: hgcal.Side}
		for _, c := range hgcal.Rhombus(k) {
			r.cells = append(r.cells, int32(c))
		}
		l.rasters = append(l.rasters, r)
	}
	p := hgcal.CMSSW()
	pitch := math.Hypot(p[0][0]-p[1][0], p[0][1]-p[1][1])
	// In a triangular lattice of pitch a the Laplacian has, of a long wave of wave number k,
	// the eigenvalue 3/2·(a·k)².
	l.waves = sync.OnceValue(func() waves {
		return graphWaves(Cells, func(i int) []int { return near[i] }, func(eigenvalue float64) float64 {
			return 2 * math.Pi * pitch * math.Sqrt(1.5/eigenvalue)
		})
	})
	return l
}

// maxPixels and maxSide bound a grid: more than most images, few enough for its waves.
const (
	maxPixels = 1 << 20
	maxSide   = 2048
)

// Grid is the lattice of an image of rows × columns pixels, row after row, with pixels a
// pitch apart, in any unit of length. All eight pixels around one are its neighbours.
func Grid(rows, columns int, pitch float64) (*Lattice, error) {
	if rows < 2 || columns < 2 || max(rows, columns) > maxSide || rows > maxPixels/columns {
		return nil, fmt.Errorf("loss: a grid of %d×%d pixels: want from 2 to %d rows and columns, and at most %d pixels", rows, columns, maxSide, maxPixels)
	}
	if !(pitch > 0) || math.IsInf(pitch, 1) {
		return nil, fmt.Errorf("loss: a grid with the pitch %v: want a positive length", pitch)
	}
	r := raster{rows: rows, columns: columns}
	for i := range rows * columns {
		r.cells = append(r.cells, int32(i))
	}
	return &Lattice{
		name: fmt.Sprintf("a grid of %d×%d", rows, columns), cells: rows * columns,
		rasters: []raster{r}, waves: sync.OnceValue(func() waves { return newGridWaves(rows, columns, pitch) }),
	}, nil
}

// Cells is how many cells an image has.
func (l *Lattice) Cells() int { return l.cells }

// String names the lattice as a sentence would.
func (l *Lattice) String() string { return l.name }

// rings finds by breadth first search, of each cell, those at each distance.
func rings(n int, neighbours func(int) []int) [][][]int32 {
	all := make([][][]int32, n)
	for i := range n {
		seen := make([]bool, n)
		seen[i] = true
		for ring := []int32{int32(i)}; len(ring) > 0; {
			all[i] = append(all[i], ring)
			var next []int32
			for _, c := range ring {
				for _, k := range neighbours(int(c)) {
					if !seen[k] {
						seen[k] = true
						next = append(next, int32(k))
					}
				}
			}
			slices.Sort(next)
			ring = next
		}
	}
	return all
}

// largestRadius is that of the largest discs which do not all have every cell.
func (l *Lattice) largestRadius() int {
	if l.rings == nil {
		return max(l.rasters[0].rows, l.rasters[0].columns) - 2
	}
	most := 0
	for _, r := range l.rings {
		most = max(most, len(r)-2)
	}
	return most
}

// Discs are, of each cell, those within a radius of so many steps between neighbours, rising, itself
// among them: at the rim as many as there are.
func (l *Lattice) Discs(radius int) [][]int32 {
	discs := make([][]int32, l.cells)
	for i := range discs {
		if l.rings != nil {
			for _, ring := range l.rings[i][:min(radius+1, len(l.rings[i]))] {
				discs[i] = append(discs[i], ring...)
			}
			slices.Sort(discs[i])
			continue
		}
		rows, columns := l.rasters[0].rows, l.rasters[0].columns
		y, x := i/columns, i%columns
		for r := max(0, y-radius); r <= min(rows-1, y+radius); r++ {
			for c := max(0, x-radius); c <= min(columns-1, x+radius); c++ {
				discs[i] = append(discs[i], int32(r*columns+c))
			}
		}
	}
	return discs
}

// waves are an orthonormal basis of images, of which each has a wavelength.
type waves interface {
	// lengths are the wavelengths, of the mean infinite, in no order.
	lengths() []float64
	// pass makes the filter that keeps the waves that keep says, a projection.
	pass(keep []bool) func(image, out []float64)
}

// denseWaves are any basis, wave after wave.
type denseWaves struct {
	n      int
	vector []float64
	length []float64
}

func (w *denseWaves) lengths() []float64 { return w.length }

func (w *denseWaves) pass(keep []bool) func(image, out []float64) {
	n := w.n
	p := make([]float64, n*n) // Σ over waves kept of v·vᵀ
	for k, on := range keep {
		if !on {
			continue
		}
		v := w.vector[k*n : (k+1)*n]
		for i := range n {
			for j := range n {
				p[i*n+j] += v[i] * v[j]
			}
		}
	}
	return func(image, out []float64) {
		clear(out)
		j := 0
		for ; j+4 <= n; j += 4 { // P is symmetric; four rows at a time spare most of what out costs
			x, y, z, u := image[j], image[j+1], image[j+2], image[j+3]
			if x == 0 && y == 0 && z == 0 && u == 0 {
				continue
			}
			a, b, c, d := p[j*n:][:len(out)], p[(j+1)*n:][:len(out)], p[(j+2)*n:][:len(out)], p[(j+3)*n:][:len(out)]
			for i, v := range a {
				out[i] += (x*v + y*b[i]) + (z*c[i] + u*d[i])
			}
		}
		for ; j < n; j++ {
			for i, v := range p[j*n:][:len(out)] {
				out[i] += image[j] * v
			}
		}
	}
}

// graphWaves are the eigenvectors of a graph's Laplacian, degrees less neighbours.
func graphWaves(n int, neighbours func(int) []int, length func(eigenvalue float64) float64) *denseWaves {
	l := mat.NewSymDense(n, nil)
	for i := range n {
		for _, j := range neighbours(i) {
			l.SetSym(i, j, -1)
		}
		l.SetSym(i, i, float64(len(neighbours(i))))
	}
	var e mat.EigenSym
	if !e.Factorize(l, true) {
		panic("loss: the Laplacian of a lattice has no eigenvectors")
	}
	var v mat.Dense
	e.VectorsTo(&v)
	w := &denseWaves{n: n}
	for k, value := range e.Values(nil) {
		if value < 1e-9 {
			w.length = append(w.length, math.Inf(1))
		} else {
			// Waves that are turns of each other are of one length, whatever the last bits say.
			w.length = append(w.length, math.Round(length(value)*1e6)/1e6)
		}
		w.vector = append(w.vector, mat.Col(nil, k, &v)...)
	}
	return w
}

// gridWaves are products of cosines along rows and columns: the eigenvectors of the
// Laplacian of a grid in which each pixel has four neighbours (the DCT-II).
type gridWaves struct {
	rows, columns int
	down, along   []float64 // rows×rows and columns×columns: wave after wave
	length        []float64 // wave (a, b) at a·columns + b
}

func newGridWaves(rows, columns int, pitch float64) *gridWaves {
	w := &gridWaves{rows: rows, columns: columns, down: cosines(rows), along: cosines(columns)}
	for a := range rows {
		for b := range columns {
			// Half a wave more for each cosine: its wavelength is twice the side over a.
			w.length = append(w.length, 2*pitch/math.Hypot(float64(a)/float64(rows), float64(b)/float64(columns)))
		}
	}
	return w
}

// cosines are the orthonormal cosines of n points, wave after wave.
func cosines(n int) []float64 {
	c := make([]float64, n*n)
	for k := range n {
		norm := math.Sqrt(2 / float64(n))
		if k == 0 {
			norm = math.Sqrt(1 / float64(n))
		}
		for i := range n {
			c[k*n+i] = norm * math.Cos(math.Pi*float64(k)*(float64(i)+0.5)/float64(n))
		}
	}
	return c
}

func (w *gridWaves) lengths() []float64 { return w.length }

func (w *gridWaves) pass(keep []bool) func(image, out []float64) {
	h, n := w.rows, w.columns
	half, coefficients := make([]float64, h*n), make([]float64, h*n)
	return func(image, out []float64) {
		product(half, image, w.along, h, n, n, false) // along rows
		clear(coefficients)
		for a := range h {
			for y := range h {
				d := w.down[a*h+y]
				for b := range n {
					coefficients[a*n+b] += d * half[y*n+b]
				}
			}
			for b := range n {
				if !keep[a*n+b] {
					coefficients[a*n+b] = 0
				}
			}
		}
		clear(half)
		for a := range h {
			for y := range h {
				d := w.down[a*h+y]
				for b := range n {
					half[y*n+b] += d * coefficients[a*n+b]
				}
			}
		}
		product(out, half, w.along, h, n, n, true)
	}
}

// product multiplies each row of x, of n numbers, by the m×n matrix (or its transpose, if
// back): out rows are of m.
func product(out, x, matrix []float64, rows, m, n int, back bool) {
	clear(out)
	for r := range rows {
		from, to := x[r*n:(r+1)*n], out[r*m:(r+1)*m]
		if !back {
			for k := range to {
				row := matrix[k*n : (k+1)*n]
				for i, v := range from {
					to[k] += row[i] * v
				}
			}
			continue
		}
		for k, v := range from {
			row := matrix[k*n : (k+1)*n]
			for i := range to {
				to[i] += v * row[i]
			}
		}
	}
}
