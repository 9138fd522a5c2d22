package simulate

import (
	"fmt"
	"math"
	"slices"

	"barrow/hgcal"
)

// place is a wafer on the endcap with all that does not change from image to
// image.
type place struct {
	module   hgcal.Module
	sector   int
	x, y     float64 // centre in cm, with the sector's turn
	cos, sin float64 // of the sector's turn
	eta      float64
	depth    float64 // as V11 layer
	links    int
	rate     float64 // groups a trigger cell in the middle, at the set pile-up
	slope    gradient
	library  *library  // nil where there is no pile-up
	front    *frontEnd // of the module in all sectors
}

// detector is the wafers that images are drawn of.
type detector struct {
	places []place
	layers []detectorLayer
	perMap map[int]int // layer number to index in layers
}

// detectorLayer finds wafers by position.
type detectorLayer struct {
	layer  int
	z      float64
	first  int // its places are places[first:end]
	end    int
	bucket [buckets * buckets][]int32
}

const (
	buckets    = 24
	bucketSize = 16.8 // cm, a little more than a wafer
)

func bucketOf(v float64) int { return int(math.Floor(v/bucketSize)) + buckets/2 }

func newDetector(s *Settings) (*detector, error) {
	d := &detector{perMap: map[int]int{}}
	named := map[[3]int]bool{}
	for _, m := range s.Modules {
		named[m] = true
	}
	layers := slices.Compact(slices.Sorted(slices.Values(s.Layers)))
	d.layers = make([]detectorLayer, 0, len(layers))
	for _, layer := range layers {
		l := detectorLayer{layer: layer, first: len(d.places)}
		d.addPlaces(s, &l, named)
		l.end = len(d.places)
		for i := l.first; i < l.end; i++ {
			b := bucketOf(d.places[i].y)*buckets + bucketOf(d.places[i].x)
			l.bucket[b] = append(l.bucket[b], int32(i))
		}
		d.perMap[layer] = len(d.layers)
		d.layers = append(d.layers, l)
	}
	d.layers = slices.DeleteFunc(d.layers, func(l detectorLayer) bool { return l.first == l.end })
	for i, l := range d.layers {
		d.perMap[l.layer] = i
	}
	for _, p := range d.places {
		delete(named, [3]int{p.module.Layer, p.module.U, p.module.V})
	}
	for _, m := range s.Modules { // the first that is missing
		if named[m] {
			return nil, fmt.Errorf("simulate: no module %d, %d in layer %d of geometry %v%s", m[1], m[2], m[0], s.Geometry, s.otherConditions())
		}
	}
	if len(d.places) == 0 {
		return nil, fmt.Errorf("simulate: no full wafer of layers %v has its centre within η %g:%g%s",
			s.Layers, s.EtaMin, s.EtaMax, s.otherConditions())
	}
	return d, nil
}

// addPlaces adds the wafers of a layer that are wanted.
func (d *detector) addPlaces(s *Settings, l *detectorLayer, named map[[3]int]bool) {
	at := depth(s.Geometry, l.layer)
	var lib *library
	if s.PileUp > 0 {
		lib = libraryOf(s.Parameters.PileUp.spread(at), &s.Parameters.PileUp)
	}
	for _, m := range s.Geometry.Modules() {
		if m.Layer != l.layer {
			continue
		}
		eta, links := m.Eta(), s.Allocation.links(m)
		if !wanted(s, &m, eta, links, named) {
			continue
		}
		l.z = m.Z
		p := place{module: m, eta: eta, depth: at, links: links, library: lib,
			front: newFrontEnd(m, &s.Parameters.Electronics)}
		p.setRate(s.PileUp, m.X, m.Y)
		for p.sector = range hgcal.Sectors {
			p.sin, p.cos = math.Sincos(2 * math.Pi / hgcal.Sectors * float64(p.sector))
			if s.Spot != [2]float64{} { // then sectors differ
				x, y := s.Spot[0], s.Spot[1]
				p.setRate(s.PileUp, m.X-float64(p.cos*x)-float64(p.sin*y), m.Y-float64(p.cos*y)+float64(p.sin*x))
			}
			p.x, p.y = float64(p.cos*m.X)-float64(p.sin*m.Y), float64(p.sin*m.X)+float64(p.cos*m.Y)
			d.places = append(d.places, p)
		}
	}
}

// wanted reports whether images are drawn of a module.
func wanted(s *Settings, m *hgcal.Module, eta float64, links int, named map[[3]int]bool) bool {
	if len(s.Links) > 0 && !slices.Contains(s.Links, links) || len(s.Wafers) > 0 && !slices.Contains(s.Wafers, [2]int{m.U, m.V}) {
		return false
	}
	if s.Modules != nil {
		return named[[3]int{m.Layer, m.U, m.V}]
	}
	return m.Full() && eta >= s.EtaMin && eta <= s.EtaMax
}

// otherConditions names what else Settings ask of a wafer.
func (s *Settings) otherConditions() string {
	text := ""
	if len(s.Links) > 0 {
		text += fmt.Sprintf(", one of %v links", s.Links)
	}
	if len(s.Wafers) > 0 {
		text += fmt.Sprintf(", one of %v as u, v", s.Wafers)
	}
	return text
}

// setRate finds the rate of groups, 0 without pile-up, that makes the published mean occupancy, for a wafer at x, y
// from the beam in its sector's frame. Nearer to the beam than the published modules it is the rate
// that goes on growing as the mean would: more cells than a wafer has are never above the threshold,
// however many groups there are.
func (p *place) setRate(pileUp, x, y float64) {
	if p.library == nil {
		return
	}
	z := p.module.Z
	r := math.Hypot(x, y)
	eta := math.Asinh(math.Abs(z) / r)
	if x == p.module.X && y == p.module.Y {
		eta = p.eta
	}
	mean, slope := meanCells(p.depth, eta)
	growth := 1.0
	if edge := lastEta(p.depth); eta > edge {
		at, _ := meanCells(p.depth, edge)
		mean, growth = at, mean/at
	}
	// dη/dr at fixed z; towards the beam η rises. The drawing mirrors x.
	perUnit := cmPerUnit / (r * math.Sqrt(1+r*r/(z*z)))
	p.slope = gradient{x: x / r, y: -y / r, strength: slope * perUnit}
	p.rate = p.library.curve.solve(mean, p.slope) * growth * pileUp / 200
}

// spread is the mean radius of fragments at a depth given as V11 layer.
func (p *PileUpParameters) spread(depth float64) float64 {
	nodes := [...]float64{1, 9, 28, 50}
	i := 1
	for i < len(nodes)-1 && depth > nodes[i] {
		i++
	}
	t := (depth - nodes[i-1]) / (nodes[i] - nodes[i-1])
	return p.Spread[i-1] + float64(t*(p.Spread[i]-p.Spread[i-1]))
}

// find returns the place of the layer whose centre is nearest to a point, if
// the point is on that wafer.
func (d *detector) find(l *detectorLayer, x, y float64) (int, bool) {
	best, least := -1, math.Inf(1)
	bx, by := bucketOf(x), bucketOf(y)
	for j := max(by-1, 0); j <= min(by+1, buckets-1); j++ {
		for i := max(bx-1, 0); i <= min(bx+1, buckets-1); i++ {
			for _, k := range l.bucket[j*buckets+i] {
				p := &d.places[k]
				if r := float64((p.x-x)*(p.x-x)) + float64((p.y-y)*(p.y-y)); r < least {
					best, least = int(k), r
				}
			}
		}
	}
	if best < 0 {
		return 0, false
	}
	_, on := d.places[best].cell(x, y)
	return best, on
}

// cell returns the trigger cell of the wafer at a point of its layer.
func (p *place) cell(x, y float64) (int, bool) {
	dx, dy := x-p.x, y-p.y
	return cellAt(float64(p.cos*dx)+float64(p.sin*dy), float64(p.cos*dy)-float64(p.sin*dx))
}
