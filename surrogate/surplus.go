package surrogate

import (
	"fmt"
	"math"
	"math/bits"

	"barrow/emd"
)

// A surplus is a pair of images as a potential network sees it: what one has
// more than the other, cell by cell. The side with fewer cells is the sources,
// whichever image it comes from, so that a pair and the pair the other way
// round are the same problem.
type surplus struct {
	x        [Cells]float64 // positive at sources, negative at sinks; each side sums to 1 in size
	total    float64        // the charge on each side, of images that sum to 1
	swapped  bool           // the sources are cells where the second image has more
	source   []int
	sink     []int
	neither  []int
	cells    [3][Cells]int
	residual [Cells]float64 // of sources: charge beyond that of the sinks assigned to them
}

// set takes the surplus of two rows that sum to 1. It reports false, and
// nothing else is set, where the rows are equal but for rounding.
func (d *surplus) set(p, q []float64) bool {
	var plus, minus uint64
	tp, tm := 0.0, 0.0
	for c, v := range p {
		s := v - q[c]
		d.x[c] = s
		switch {
		case s > 0:
			tp += s
			plus |= 1 << c
		case s < 0:
			tm -= s
			minus |= 1 << c
		}
	}
	if min(tp, tm) < leastSurplus {
		return false
	}
	d.total = (tp + tm) / 2
	np, nm := bits.OnesCount64(plus), bits.OnesCount64(minus)
	// Of sides with equally many cells the one with the first cell.
	d.swapped = nm < np || nm == np && bits.TrailingZeros64(minus) < bits.TrailingZeros64(plus)
	sign := 1.0
	if d.swapped {
		tp, tm, sign = tm, tp, -1
	}
	d.source, d.sink, d.neither = d.cells[0][:0], d.cells[1][:0], d.cells[2][:0]
	for c, s := range d.x {
		switch s *= sign; {
		case s > 0:
			s /= tp
			d.source = append(d.source, c)
		case s < 0:
			s /= tm
			d.sink = append(d.sink, c)
		default:
			d.neither = append(d.neither, c)
		}
		d.x[c] = s
	}
	return true
}

// A geometry holds what potentials need of a ground metric. Inside the
// potential network, lengths are in units of half the mean distance between
// nearest cells, 0.98 of the benchmark metric's.
type geometry struct {
	metric   *emd.Metric
	unit     float64
	dist     [Cells][Cells]float64 // in units
	mean     float64               // of dist
	diameter float64               // the largest
}

func newGeometry(m *emd.Metric) (*geometry, error) {
	if m.Len() != Cells {
		return nil, fmt.Errorf("surrogate: the metric has %d points, an image %d cells", m.Len(), Cells)
	}
	g := &geometry{metric: m}
	for i := range Cells {
		nearest := math.Inf(1)
		for j := range Cells {
			if i != j {
				nearest = min(nearest, m.At(i, j))
			}
		}
		g.unit += nearest / (2 * Cells)
	}
	if !(g.unit > 0) {
		return nil, fmt.Errorf("surrogate: the metric's cells all lie on others")
	}
	for i := range Cells {
		for j := range Cells {
			g.dist[i][j] = m.At(i, j) / g.unit
			g.mean += g.dist[i][j] / (Cells * Cells)
			g.diameter = max(g.diameter, g.dist[i][j])
		}
	}
	return g, nil
}

// features is the number of inputs of a potential network: three for each
// cell.
const features = 3 * Cells

// setFeatures writes a surplus's features: x, its signed square root, which
// tells small charges from none, and the mean distance to the sinks less that
// to the sources, the potential of the energy distance.
func (g *geometry) setFeatures(d *surplus, row []float32) {
	var far [Cells]float64
	for _, side := range [][]int{d.source, d.sink} {
		for _, i := range side {
			x := d.x[i]
			for k, v := range &g.dist[i] {
				far[k] -= x * v
			}
		}
	}
	for c, x := range d.x {
		row[c] = float32(4 * x)
		row[Cells+c] = float32(math.Copysign(2*math.Sqrt(math.Abs(x)), x))
		row[2*Cells+c] = float32(2 * far[c] / g.mean)
	}
}

// lift makes potentials feasible, given any at the sources of d: sinks get the
// least value that the sources allow, then every cell the greatest that the
// sinks allow. |f_i − f_j| ≤ D_ij then holds for all cells, so that the result
// Σ x f is a lower bound of the EMD of x (Kantorovich duality), no smaller than
// that of the sources' values before. Cells that are neither are put midway
// between the least and the greatest value that the others allow.
func (g *geometry) lift(d *surplus, f *[Cells]float64) float64 {
	clear(d.residual[:])
	v := 0.0
	for _, j := range d.sink {
		best, at := math.Inf(-1), 0
		row := &g.dist[j]
		for _, i := range d.source {
			if t := f[i] - row[i]; t > best {
				best, at = t, i
			}
		}
		f[j] = best
		v += d.x[j] * best
		d.residual[at] += d.x[j]
	}
	most := func(k int) float64 {
		best := math.Inf(1)
		row := &g.dist[k]
		for _, j := range d.sink {
			best = min(best, f[j]+row[j])
		}
		return best
	}
	for _, i := range d.source {
		f[i] = most(i)
		v += d.x[i] * f[i]
		d.residual[i] += d.x[i]
	}
	for _, k := range d.neither {
		least := math.Inf(-1)
		row := &g.dist[k]
		for _, i := range d.source {
			least = max(least, f[i]-row[i])
		}
		f[k] = (least + most(k)) / 2
	}
	return v
}

// temperatures of the dual steps after the network, in units of the geometry.
var temperatures = [...]float64{0.6, 0.3, 0.15, 0.07}

// A smoothing takes steps up the dual whose minimum is softened by a
// temperature ε (Cuturi 2013; Peyré and Cuturi, Computational Optimal
// Transport, 2019, section 5.3): every source is moved by ε·ln of its charge
// over the charge of the sinks that choose it.
type smoothing struct {
	epsilon float64
	kernel  [Cells][Cells]float64 // exp(−D/ε)
}

func newSmoothing(g *geometry, epsilon float64) *smoothing {
	s := &smoothing{epsilon: epsilon}
	for i := range Cells {
		for j := range Cells {
			s.kernel[i][j] = math.Exp(-g.dist[i][j] / epsilon)
		}
	}
	return s
}

// climb takes steps from the sources' potentials in f. Where numbers run out
// of range it leaves them as they are.
func (s *smoothing) climb(d *surplus, f *[Cells]float64, steps int) {
	top := math.Inf(-1)
	for _, i := range d.source {
		top = max(top, f[i])
	}
	var u [Cells]float64
	for _, i := range d.source {
		u[i] = math.Exp(max((f[i]-top)/s.epsilon, -300))
	}
	for range steps {
		var chosen [Cells]float64
		for _, j := range d.sink {
			row := &s.kernel[j]
			c := 0.0
			for _, i := range d.source {
				c += u[i] * row[i]
			}
			r := -d.x[j] / c
			for _, i := range d.source {
				chosen[i] += row[i] * r
			}
		}
		for _, i := range d.source {
			u[i] = d.x[i] / chosen[i]
		}
	}
	for _, i := range d.source {
		if !(u[i] > 1e-200 && u[i] < 1e200) {
			return
		}
	}
	for _, i := range d.source {
		f[i] = s.epsilon * math.Log(u[i])
	}
}
