package physics

import "math"

// Shape says how the energy of a cluster is spread, from the transverse energies e of
// its cells. Layers are counted from 1 as Geometry.Layers has them.
type Shape struct {
	FirstLayer float64 // first with any energy
	MaxLayer   float64 // with the largest energy, the first of equal ones
	// MeanDepth is Σe·k/Σe over cells in layer k, DepthSpread the square root of
	// Σe·(k − MeanDepth)²/Σe.
	MeanDepth, DepthSpread float64
	// Layer10, Layer50 and Layer90 are the depths, interpolated, up to which there
	// is so much in 100 of the energy: k − 1 is where layer k begins, k where it ends.
	Layer10, Layer50, Layer90 float64
	// Length is the largest number of layers in a row with at least a hundredth of
	// the energy each.
	Length float64
	// SpreadR, SpreadEta and SpreadPhi are √(Σe·(v − mean)²/Σe) for r/z, η and φ.
	SpreadR, SpreadEta, SpreadPhi float64
	// SpreadMax is the largest in any layer of √(Σe·d²/Σe), with the distance d in x/z, y/z
	// from the mean in that layer.
	SpreadMax float64
	// Core is the share of the energy within a third of the cluster's radius around its
	// direction.
	Core float64
	// TopCell is the share of the largest cell.
	TopCell float64
}

// ShapeNames are the names of Shape.Values, in their order.
func ShapeNames() []string {
	return []string{"first layer", "largest layer", "mean depth", "depth spread", "depth of 10 %", "depth of 50 %", "depth of 90 %",
		"length", "spread in r/z", "spread in η", "spread in φ", "largest layer's spread", "core", "largest cell"}
}

// variables are where the variables are, in the order of ShapeNames.
func (s *Shape) variables() [14]*float64 {
	return [...]*float64{&s.FirstLayer, &s.MaxLayer, &s.MeanDepth, &s.DepthSpread, &s.Layer10, &s.Layer50, &s.Layer90,
		&s.Length, &s.SpreadR, &s.SpreadEta, &s.SpreadPhi, &s.SpreadMax, &s.Core, &s.TopCell}
}

// Values are the variables in the order of ShapeNames.
func (s *Shape) Values() []float64 {
	var values []float64
	for _, v := range s.variables() {
		values = append(values, *v)
	}
	return values
}

// deposit is the energy of a cell of a cluster.
type deposit struct {
	depth  int
	x, y   float64 // direction
	energy float64 // MIP_T
}

// moments sums a variable's first and second moments about a point near its mean.
type moments struct{ about, e, ev, evv float64 }

func (m *moments) add(v, e float64) {
	v -= m.about
	m.e += e
	m.ev += float64(e * v)
	m.evv += float64(e * v * v)
}

func (m *moments) mean() float64 { return m.about + m.ev/m.e }

func (m *moments) spread() float64 {
	mean := m.ev / m.e
	return math.Sqrt(math.Max(0, m.evv/m.e-float64(mean*mean)))
}

// shapeOf measures a cluster of at least one cell, whose direction and layers are known.
func shapeOf(deposits []deposit, c *Cluster, radius float64) Shape {
	var s Shape
	center := math.Hypot(c.X, c.Y)
	depth, r := moments{}, moments{about: center}
	eta, phi := moments{about: c.Eta}, moments{}
	x, y := make([]moments, len(c.Layers)), make([]moments, len(c.Layers))
	for i := range x {
		x[i].about, y[i].about = c.X, c.Y
	}
	core, top := 0.0, 0.0
	for _, d := range deposits {
		rz := math.Hypot(d.x, d.y)
		depth.add(float64(d.depth+1), d.energy)
		r.add(rz, d.energy)
		eta.add(math.Asinh(1/rz), d.energy)
		// The angle against the cluster's own, which does not jump at ±π.
		phi.add(math.Atan2(float64(c.X*d.y)-float64(c.Y*d.x), float64(c.X*d.x)+float64(c.Y*d.y)), d.energy)
		x[d.depth].add(d.x, d.energy)
		y[d.depth].add(d.y, d.energy)
		if within(d.x-c.X, d.y-c.Y, radius/3) {
			core += d.energy
		}
		top = math.Max(top, d.energy)
	}
	s.MeanDepth, s.DepthSpread = depth.mean(), depth.spread()
	s.SpreadR, s.SpreadEta, s.SpreadPhi = r.spread(), eta.spread(), phi.spread()
	s.Core, s.TopCell = core/depth.e, top/depth.e
	for i := range x {
		if x[i].e > 0 {
			s.SpreadMax = math.Max(s.SpreadMax, math.Hypot(x[i].spread(), y[i].spread()))
		}
	}
	s.longitudinal(c.Layers, depth.e)
	return s
}

// longitudinal measures the energies by layer.
func (s *Shape) longitudinal(layers []float64, total float64) {
	largest, run := 0.0, 0.0
	for i, e := range layers {
		if e > 0 && s.FirstLayer == 0 {
			s.FirstLayer = float64(i + 1)
		}
		if e > largest {
			largest, s.MaxLayer = e, float64(i+1)
		}
		if e < 0.01*total {
			run = 0
			continue
		}
		run++
		s.Length = math.Max(s.Length, run)
	}
	s.Layer10, s.Layer50, s.Layer90 = reached(layers, 0.1*total), reached(layers, 0.5*total), reached(layers, 0.9*total)
}

// reached is the depth at which the energies of layers add up to a sum.
func reached(layers []float64, sum float64) float64 {
	for i, e := range layers {
		if e >= sum && e > 0 {
			return float64(i) + sum/e
		}
		sum -= e
	}
	return float64(len(layers))
}
