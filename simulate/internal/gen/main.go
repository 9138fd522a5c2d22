// Command gen derives the occupancy tables of package simulate from the
// published histograms of trigger cells per module (mhassans/hgcal-linkmapping,
// nTCs_hists: ttbar at pile-up 200, CMSSW geometry V11, 54,000 entries a
// module): per layer a fit of the mean against η, the pooled distribution and
// the mean in bins of η. Run it as go generate does, in the simulate folder:
//
//	go run ./internal/gen -histograms FILE
package main

import (
	"flag"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"

	"gonum.org/v1/gonum/mat"

	"barrow/hgcal"
	"barrow/simulate/internal/occupancy"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gen: ")
	path := flag.String("histograms", filepath.Join("..", "..", "shared", "data", "occupancy", "nTCs_hists.csv"), "the histograms as CSV")
	flag.Parse()
	modules, err := occupancy.ReadFile(*path)
	if err != nil {
		log.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("# Trigger cells above 1.35 MIP_T per full module, ttbar, pile-up 200, V11. Written by internal/gen.\n")
	b.WriteString("# Origin: nTCs_hists of mhassans/hgcal-linkmapping. \"fit LAYER a b c\": ln mean = a + bη + cη²;\n")
	b.WriteString("# \"bin LAYER η modules mean var/mean mean/fit\"; \"all LAYER counts…\": per 100,000 modules with 0, 1, 2, … cells.\n")
	for _, layer := range hgcal.GeometryV11.TriggerLayers() {
		var own []occupancy.Module
		for _, m := range modules {
			if m.Layer == layer {
				own = append(own, m)
			}
		}
		a := fit(own)
		rms := 0.0
		for _, m := range own {
			d := math.Log(m.Mean()) - (a[0] + a[1]*m.Eta + a[2]*m.Eta*m.Eta)
			rms += d * d / float64(len(own))
		}
		log.Printf("layer %d: %d modules, rms of ln mean %.3f", layer, len(own), math.Sqrt(rms))
		fmt.Fprintf(&b, "fit %d %.4f %.4f %.4f\n", layer, a[0], a[1], a[2])
		for _, bin := range occupancy.Bins(own) {
			fmt.Fprintf(&b, "bin %d %.3f %d %.4f %.3f %.3f\n", layer, bin.Eta, bin.Modules, bin.Mean, bin.Ratio, overFit(own, bin, a))
		}
		p := occupancy.Pool(own)
		fmt.Fprintf(&b, "all %d", layer)
		for n, last := 0, lastAbove(p); n <= last; n++ {
			fmt.Fprintf(&b, " %.0f", 1e5*p[n])
		}
		b.WriteByte('\n')
	}
	if err := os.WriteFile("occupancy.txt", []byte(b.String()), 0o644); err != nil {
		log.Fatal(err)
	}
}

// overFit is the sum of the means in a bin over that of the fit.
func overFit(modules []occupancy.Module, bin occupancy.Bin, a [3]float64) float64 {
	mean, fit := 0.0, 0.0
	for _, m := range modules {
		if occupancy.BinOf(m.Eta) == occupancy.BinOf(bin.Eta) {
			mean += m.Mean()
			fit += math.Exp(a[0] + a[1]*m.Eta + a[2]*m.Eta*m.Eta)
		}
	}
	return mean / fit
}

func lastAbove(p [hgcal.Cells + 1]float64) int {
	last := 0
	for n, v := range p {
		if v >= 0.5e-5 {
			last = n
		}
	}
	return last
}

// fit is the least-squares parabola of ln mean against η, each module weighted
// by what its statistics and a spread of 3 % allow.
func fit(modules []occupancy.Module) [3]float64 {
	var a mat.Dense
	rows, rhs := mat.NewDense(len(modules), 3, nil), mat.NewDense(len(modules), 1, nil)
	for i, m := range modules {
		w := 1 / math.Sqrt(0.03*0.03+1.5/(m.Mean()*m.Entries()))
		rows.SetRow(i, []float64{w, w * m.Eta, w * m.Eta * m.Eta})
		rhs.Set(i, 0, w*math.Log(m.Mean()))
	}
	if err := a.Solve(rows, rhs); err != nil {
		log.Fatal(err)
	}
	return [3]float64{a.At(0, 0), a.At(1, 0), a.At(2, 0)}
}
