package validate

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"sync"

	"barrow/hgcal"
	"barrow/simulate"
	"barrow/simulate/internal/occupancy"
	"barrow/wafer"
)

// threshold of the published occupancies in MIP_T.
const threshold = 1.35

// layerResult is the occupancy of one layer.
type layerResult struct {
	layer     int
	got, want cells48 // distribution over all full modules
	ks        float64
	ksError   float64 // statistical, of ks, one standard deviation at most
	bins      []binResult
}

// binResult is the occupancy in one bin of η.
type binResult struct {
	eta, got, want, gotRatio, wantRatio float64
	err                                 float64 // statistical, of got
}

// occupancy compares the number of cells above the threshold in every layer.
func (r *Result) occupancy(ctx context.Context, s Settings) error {
	reference, origin, err := references(s)
	if err != nil {
		return err
	}
	r.Origins = append(r.Origins, "occupancy: "+origin)
	layers := hgcal.GeometryV11.TriggerLayers()
	r.layers = make([]layerResult, len(layers))
	var mu sync.Mutex
	done := 0
	err = parallel(ctx, s.Threads, len(layers), func(i int) error {
		var err error
		r.layers[i], err = drawLayer(s, layers[i], reference[layers[i]])
		mu.Lock()
		defer mu.Unlock()
		done++
		s.Progress(0.9*float64(done)/float64(len(layers)), fmt.Sprintf("occupancy of layer %d", layers[i]))
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range r.layers {
		r.Checks = append(r.Checks, s.check(Check{"occupancy, distribution", fmt.Sprintf("KS distance, layer %d", l.layer), l.ks, 0, 0.02, false}, l.ksError))
	}
	for _, l := range r.layers {
		for _, b := range l.bins {
			r.Checks = append(r.Checks, s.check(Check{"occupancy, mean", fmt.Sprintf("layer %d, η %.2f", l.layer, b.eta), b.got, b.want, 0.10, true}, b.err))
		}
	}
	return nil
}

// references reads the histograms, or takes what package simulate keeps.
func references(s Settings) (map[int]simulate.Occupancy, string, error) {
	out := map[int]simulate.Occupancy{}
	kept := func() (map[int]simulate.Occupancy, string, error) {
		for _, o := range simulate.ReferenceOccupancy() {
			out[o.Layer] = o
		}
		return out, "table kept in the code, derived from nTCs_hists of mhassans/hgcal-linkmapping", nil
	}
	if s.Data == "" {
		return kept()
	}
	const file = "occupancy/nTCs_hists.csv"
	modules, err := occupancy.ReadFile(filepath.Join(s.Data, filepath.FromSlash(file)))
	if errors.Is(err, fs.ErrNotExist) {
		return kept()
	}
	if err != nil {
		return nil, "", fmt.Errorf("validate: %w", err)
	}
	byLayer := map[int][]occupancy.Module{}
	for _, m := range modules {
		byLayer[m.Layer] = append(byLayer[m.Layer], m)
	}
	for layer, own := range byLayer {
		o := simulate.Occupancy{Layer: layer, Share: occupancy.Pool(own)}
		for _, b := range occupancy.Bins(own) {
			o.Bins = append(o.Bins, simulate.OccupancyBin{Eta: b.Eta, Modules: b.Modules, Mean: b.Mean, Ratio: b.Ratio})
		}
		out[layer] = o
	}
	return out, file, nil
}

// drawLayer draws every full module of a layer, often enough for 1 % of its
// mean.
func drawLayer(s Settings, layer int, want simulate.Occupancy) (layerResult, error) {
	r := layerResult{layer: layer, want: want.Share}
	g, err := simulate.New(simulate.Settings{Preset: "pileup200", Layers: []int{layer}, EtaMin: 1.4, EtaMax: 3.1,
		Unit: simulate.MIPT, KeepEmpty: true, Seed: s.Seed, Parameters: s.Parameters})
	if err != nil {
		return r, err
	}
	type sums struct{ modules, mean, ratio, variance float64 }
	images := 0.0 // modules over them: Σ 1/n
	bins := map[int]*sums{}
	modules := g.Modules()
	for i, m := range modules {
		k := occupancy.BinOf(m.Eta())
		bin := reference(want.Bins, k)
		if bin == nil {
			continue // no module there has published numbers
		}
		n := int(min(max(2e4/(bin.Mean*float64(bin.Modules)), 1000), 50_000))
		if s.Quick {
			n /= 10
		}
		var count cells48
		g.ModuleImages(i, 0, n, func(image []float64) { count[wafer.Occupancy(image, threshold)]++ })
		module := occupancy.Module{Count: count}
		b := bins[k]
		if b == nil {
			b = &sums{}
			bins[k] = b
		}
		b.modules++
		b.mean += module.Mean()
		b.variance += module.Variance() / float64(n)
		images += 1 / float64(n)
		if module.Mean() > 0 {
			b.ratio += module.Ratio()
		}
		for c, v := range count {
			r.got[c] += v / float64(n)
		}
	}
	total := 0.0
	for _, v := range r.got {
		total += v
	}
	a, b := 0.0, 0.0
	for c := range r.got {
		r.got[c] /= total
		a, b = a+r.got[c], b+r.want[c]
		r.ks = math.Max(r.ks, math.Abs(a-b))
	}
	// The error of a share is at most that of one half.
	r.ksError = math.Sqrt(images) / total / 2
	for _, w := range want.Bins {
		if b := bins[occupancy.BinOf(w.Eta)]; b != nil {
			r.bins = append(r.bins, binResult{w.Eta, b.mean / b.modules, w.Mean, b.ratio / b.modules, w.Ratio, math.Sqrt(b.variance) / b.modules})
		}
	}
	return r, nil
}

func reference(bins []simulate.OccupancyBin, k int) *simulate.OccupancyBin {
	for i := range bins {
		if occupancy.BinOf(bins[i].Eta) == k {
			return &bins[i]
		}
	}
	return nil
}
