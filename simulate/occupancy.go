package simulate

import (
	_ "embed"
	"fmt"
	"math"
	"strings"
	"sync"

	"barrow/hgcal"
)

//go:generate go run ./internal/gen

//go:embed occupancy.txt
var occupancyText string

// layerReference is what is known of the pile-up in one V11 layer.
type layerReference struct {
	layer int
	fit   [3]float64 // ln mean = a + bη + cη²
	bins  []etaReference
	pool  [hgcal.Cells + 1]float64 // distribution over all full modules
}

// etaReference is the reference in one bin of η.
type etaReference struct {
	eta         float64
	modules     int
	mean, ratio float64 // mean and variance over mean of the cells above 1.35 MIP_T
}

// occupancies returns the references by layer. The table is written by
// internal/gen and checked by the tests.
var occupancies = sync.OnceValue(func() []layerReference {
	var all []layerReference
	for line := range strings.Lines(occupancyText) {
		kind, rest, _ := strings.Cut(line, " ")
		switch kind {
		case "fit":
			var r layerReference
			fmt.Sscan(rest, &r.layer, &r.fit[0], &r.fit[1], &r.fit[2])
			all = append(all, r)
		case "bin":
			var b etaReference
			var layer int
			fmt.Sscan(rest, &layer, &b.eta, &b.modules, &b.mean, &b.ratio)
			r := &all[len(all)-1]
			r.bins = append(r.bins, b)
		case "all":
			r := &all[len(all)-1]
			in := strings.NewReader(rest)
			fmt.Fscan(in, &r.layer)
			for n := range r.pool {
				fmt.Fscan(in, &r.pool[n])
				r.pool[n] /= 1e5
			}
		}
	}
	return all
})

// meanCells returns the mean number of trigger cells above 1.35 MIP_T at
// pile-up 200, and its logarithmic slope in η, at a depth given as V11 layer
// (not necessarily whole).
func meanCells(depth, eta float64) (mean, slope float64) {
	all := occupancies()
	i := 1
	for i < len(all)-1 && depth > float64(all[i].layer) {
		i++
	}
	a, b := all[i-1], all[i]
	t := (depth - float64(a.layer)) / float64(b.layer-a.layer)
	value := func(c [3]float64) float64 { return c[0] + eta*(c[1]+eta*c[2]) }
	mean = math.Exp((1-t)*value(a.fit) + t*value(b.fit))
	slope = (1-t)*(a.fit[1]+2*eta*a.fit[2]) + t*(b.fit[1]+2*eta*b.fit[2])
	return mean, slope
}

// depth returns the V11 layer at the depth of a layer of the geometry: V16 has
// 26 electromagnetic planes for 28, and 21 hadronic ones for 22.
func depth(g hgcal.Geometry, layer int) float64 {
	switch {
	case g == hgcal.GeometryV11:
		return float64(layer)
	case layer <= 26:
		return 1 + float64(layer-1)*27/25
	}
	return 29 + float64(layer-27)*21/20
}
