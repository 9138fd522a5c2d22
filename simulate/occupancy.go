package simulate

import (
	_ "embed"
	"math"
	"strconv"
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
	overFit     float64 // mean over that of the fit
}

// occupancies returns the references by layer. The table is written by
// internal/gen and checked by the tests.
var occupancies = sync.OnceValue(func() []layerReference {
	var all []layerReference
	for line := range strings.Lines(occupancyText) {
		words := strings.Fields(line)
		if words[0] == "#" {
			continue
		}
		var v []float64
		for _, word := range words[1:] {
			x, _ := strconv.ParseFloat(word, 64)
			v = append(v, x)
		}
		switch words[0] {
		case "fit":
			all = append(all, layerReference{layer: int(v[0]), fit: [3]float64(v[1:])})
		case "bin":
			r := &all[len(all)-1]
			r.bins = append(r.bins, etaReference{eta: v[1], modules: int(v[2]), mean: v[3], ratio: v[4], overFit: v[5]})
		case "all":
			for n, count := range v[1:] {
				all[len(all)-1].pool[n] = count / 1e5
			}
		}
	}
	return all
})

// meanCells returns the mean number of trigger cells above 1.35 MIP_T at
// pile-up 200, and its logarithmic slope in η, at a depth given as V11 layer
// (not necessarily whole).
func meanCells(depth, eta float64) (mean, slope float64) {
	a, b, t := around(depth)
	mean = math.Exp(float64((1-t)*a.logMean(eta)) + float64(t*b.logMean(eta)))
	slope = float64((1-t)*(a.fit[1]+float64(2*eta*a.fit[2]))) + float64(t*(b.fit[1]+float64(2*eta*b.fit[2])))
	return mean, slope
}

// around are the references on both sides of a depth, which is the part t of the way from a to b.
func around(depth float64) (a, b *layerReference, t float64) {
	all := occupancies()
	i := 1
	for i < len(all)-1 && depth > float64(all[i].layer) {
		i++
	}
	a, b = &all[i-1], &all[i]
	return a, b, (depth - float64(a.layer)) / float64(b.layer-a.layer)
}

// lastEta is how near to the beam modules are published at a depth.
func lastEta(depth float64) float64 {
	const reach = 0.12 // of the last bin, which is 0.2 wide, from its mean
	a, b, t := around(depth)
	return float64((1-t)*a.bins[len(a.bins)-1].eta) + float64(t*b.bins[len(b.bins)-1].eta) + reach
}

// logMean is the fit, corrected by what it is off in each bin of η.
func (r *layerReference) logMean(eta float64) float64 {
	v := r.fit[0] + float64(eta*(r.fit[1]+float64(eta*r.fit[2])))
	i := 0
	for i < len(r.bins) && r.bins[i].eta < eta {
		i++
	}
	switch i {
	case 0:
		return v + math.Log(r.bins[0].overFit)
	case len(r.bins):
		return v + math.Log(r.bins[i-1].overFit)
	}
	a, b := r.bins[i-1], r.bins[i]
	t := (eta - a.eta) / (b.eta - a.eta)
	return v + float64((1-t)*math.Log(a.overFit)) + float64(t*math.Log(b.overFit))
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

// Occupancy is what is published of the trigger cells above 1.35 MIP_T in the
// full modules of one V11 layer at pile-up 200.
type Occupancy struct {
	Layer int
	// Share is the distribution of the number of cells, all modules together.
	Share [hgcal.Cells + 1]float64
	Bins  []OccupancyBin
}

// OccupancyBin is the modules of a layer in one bin of η, 0.2 wide.
type OccupancyBin struct {
	Eta         float64 // mean
	Modules     int
	Mean, Ratio float64 // of the number of cells: mean, variance over mean
}

// ReferenceOccupancy returns the table that pile-up is calibrated to. Origin:
// the histograms of mhassans/hgcal-linkmapping, ttbar at pile-up 200.
func ReferenceOccupancy() []Occupancy {
	var all []Occupancy
	for _, r := range occupancies() {
		o := Occupancy{Layer: r.layer, Share: r.pool}
		for _, b := range r.bins {
			o.Bins = append(o.Bins, OccupancyBin{Eta: b.eta, Modules: b.modules, Mean: b.mean, Ratio: b.ratio})
		}
		all = append(all, o)
	}
	return all
}
