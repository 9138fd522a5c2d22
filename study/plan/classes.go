package plan

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"barrow/hgcal"
)

// A class is like modules: of the same number of links, of the same density, near in depth and
// pseudorapidity, on which the occupancy depends.
type class struct {
	links   int
	high    bool
	modules []int // numbers in the list of modules
	places  []place

	layer, eta float64 // means
	layers     [2]int  // first and last
	etas       [2]float64
}

// band is what modules of a class have in common at first.
type band struct {
	links, high, part, depth, eta int
}

// classes puts modules into classes: those of equal links and density within LayerBand
// trigger layers of the same part of the detector, electromagnetic or hadronic, and EtaBand
// of |η|, counted from 0. Classes with fewer than Fewest modules join, the smallest first,
// that of equal links and density which is nearest, a layer band being as far as an η band; the
// last one of a number of links stays, however small.
func (p Plan) classes(list []module) []class {
	g := p.geometry()
	depth := map[int]int{}
	for i, l := range g.TriggerLayers() {
		depth[l] = i
	}
	at := map[band]int{}
	var all []class
	for i := range list {
		m := &list[i]
		b := band{links: m.links, depth: depth[m.Layer] / p.LayerBand, eta: int(m.Eta() / p.EtaBand)}
		if m.HighDensity() {
			b.high = 1
		}
		if !g.Electromagnetic(m.Layer) {
			b.part = 1
		}
		k, ok := at[b]
		if !ok {
			k = len(all)
			at[b] = k
			all = append(all, class{links: m.links, high: m.HighDensity()})
		}
		all[k].modules = append(all[k].modules, i)
	}
	for i := range all {
		all[i].settle(list, depth)
	}
	all = p.join(all, list, depth)
	slices.SortStableFunc(all, func(a, b class) int {
		return cmp.Or(cmp.Compare(a.links, b.links), cmp.Compare(density(a.high), density(b.high)), cmp.Compare(a.layer, b.layer), cmp.Compare(a.eta, b.eta))
	})
	return all
}

// join joins small classes to those like them.
func (p Plan) join(all []class, list []module, depth map[int]int) []class {
	alone := map[int]bool{} // by first module: nothing is like them
	for {
		least := -1
		for i, c := range all {
			if len(c.modules) < p.Fewest && !alone[c.modules[0]] && (least < 0 || len(c.modules) < len(all[least].modules)) {
				least = i
			}
		}
		if least < 0 {
			return all
		}
		c, to, near := &all[least], -1, math.Inf(1)
		for i, o := range all {
			if i == least || o.links != c.links || o.high != c.high {
				continue
			}
			if d := math.Hypot((o.layer-c.layer)/float64(p.LayerBand), (o.eta-c.eta)/p.EtaBand); d < near {
				to, near = i, d
			}
		}
		if to < 0 {
			alone[c.modules[0]] = true
			continue
		}
		all[to].modules = append(all[to].modules, c.modules...)
		slices.Sort(all[to].modules)
		all[to].settle(list, depth)
		all = slices.Delete(all, least, least+1)
	}
}

// settle finds what the modules have in common.
func (c *class) settle(list []module, depth map[int]int) {
	c.layer, c.eta, c.places = 0, 0, nil
	c.layers, c.etas = [2]int{math.MaxInt, 0}, [2]float64{math.Inf(1), 0}
	seen := map[place]bool{}
	n := float64(len(c.modules))
	for _, i := range c.modules {
		m := &list[i]
		eta := m.Eta()
		c.layer += float64(depth[m.Layer]) / n
		c.eta += eta / n
		c.layers = [2]int{min(c.layers[0], m.Layer), max(c.layers[1], m.Layer)}
		c.etas = [2]float64{min(c.etas[0], eta), max(c.etas[1], eta)}
		if !seen[m.place()] {
			seen[m.place()] = true
			c.places = append(c.places, m.place())
		}
	}
}

// density is the number of the class's among pairs of chips: 0 low, 1 high.
func (c *class) density() int {
	if c.high {
		return 1
	}
	return 0
}

// name says in words what the modules are.
func (c *class) name() string {
	layers := fmt.Sprintf("layers %d–%d", c.layers[0], c.layers[1])
	if c.layers[0] == c.layers[1] {
		layers = fmt.Sprintf("layer %d", c.layers[0])
	}
	return fmt.Sprintf("%s, %s, %s, |η| %.2f–%.2f", links(c.links), density(c.high), layers, c.etas[0], c.etas[1])
}

func links(n int) string {
	if n == 1 {
		return "1 link"
	}
	return fmt.Sprintf("%d links", n)
}

// outline is a module's place in its layer: a hexagon with a corner above its centre.
func outline(x, y float64) [][2]float64 {
	const side = 16.77 / 1.7320508 // cm, of the distance of neighbours
	var corners [][2]float64
	for _, p := range hgcal.Outline() {
		corners = append(corners, [2]float64{x + side/hgcal.DrawingRadius*p[0], y + side/hgcal.DrawingRadius*p[1]})
	}
	return corners
}
