package physics

import (
	"fmt"
	"math"
	"slices"
)

// turnOn is the generated transverse momentum at which an efficiency is reached at the
// fixed rate.
//
// The efficiencies in the fine bins of p_T are made to rise: neighbours that do not are
// merged (isotonic regression with their numbers as weights, by pooling adjacent
// violators). Between the bins' mean p_T it is linear.
func turnOn(efficiency float64) func(v *view) measure {
	return func(v *view) measure {
		t, n := v.trigger, len(v.rows)
		if t.note != "" {
			return measure{n: n, note: t.note}
		}
		if n < least {
			return measure{n: n, note: few(n, "particles")}
		}
		c := newCurve(v)
		if len(c.at) < 2 {
			return measure{n: n, note: "all particles are in one bin of p_T"}
		}
		return measure{n: n, statistic: func(times *times) (float64, string) {
			return c.crossing(times, t.threshold(times), efficiency)
		}}
	}
}

// curve is the particles by bins of generated p_T.
type curve struct {
	pt  *sample // the trigger's
	bin []int32 // of every particle of pt
	at  []float64
}

func newCurve(v *view) *curve {
	c := &curve{pt: v.triggerPt()}
	sum, n := make([]float64, len(v.fine)), make([]float64, len(v.fine))
	for _, i := range v.rows {
		pt := v.columns.TruthPt[i]
		b := binOf(v.fine, pt)
		c.bin = append(c.bin, int32(b))
		if b >= 0 {
			sum[b] += pt
			n[b]++
		}
	}
	// Bins without a particle go.
	to := make([]int32, len(v.fine))
	for b := range sum {
		to[b] = int32(len(c.at))
		if n[b] > 0 {
			c.at = append(c.at, sum[b]/n[b])
		}
	}
	for i, b := range c.bin {
		if b >= 0 {
			c.bin[i] = to[b]
		}
	}
	return c
}

// crossing is where the efficiency is reached.
func (c *curve) crossing(times *times, threshold, efficiency float64) (float64, string) {
	pass, all := make([]float64, len(c.at)), make([]float64, len(c.at))
	for i, pt := range c.pt.value {
		if b := c.bin[i]; b >= 0 {
			n := float64(times.particles[c.pt.event[i]])
			all[b] += n
			if pt >= threshold {
				pass[b] += n
			}
		}
	}
	rising := isotonic(pass, all)
	k := slices.IndexFunc(rising, func(e float64) bool { return e >= efficiency })
	switch {
	case k < 0:
		return math.NaN(), fmt.Sprintf("the efficiency reaches %.3g", slices.Max(rising))
	case k == 0:
		return math.NaN(), fmt.Sprintf("the efficiency is %.3g at %.3g GeV already", rising[0], c.at[0])
	}
	return c.at[k-1] + (efficiency-rising[k-1])/(rising[k]-rising[k-1])*(c.at[k]-c.at[k-1]), ""
}

// isotonic returns the shares pass/all, merged where they do not rise; a bin of which
// there is nothing has the one before's, the first 0.
func isotonic(pass, all []float64) []float64 {
	type block struct {
		pass, all float64
		bins      int
	}
	share := func(b *block) float64 {
		if b.all == 0 {
			return 0
		}
		return b.pass / b.all
	}
	var blocks []block
	for i := range pass {
		blocks = append(blocks, block{pass[i], all[i], 1})
		for n := len(blocks); n > 1 && (blocks[n-1].all == 0 || share(&blocks[n-2]) > share(&blocks[n-1])); n = len(blocks) {
			last := blocks[n-1]
			blocks = blocks[:n-1]
			to := &blocks[n-2]
			to.pass, to.all, to.bins = to.pass+last.pass, to.all+last.all, to.bins+last.bins
		}
	}
	var rising []float64
	for i := range blocks {
		rising = append(rising, slices.Repeat([]float64{share(&blocks[i])}, blocks[i].bins)...)
	}
	return rising
}

// checkEdges reports edges of bins that are not at least two, and rising. Nil is none.
func checkEdges(lists ...[]float64) error {
	for _, edges := range lists {
		if edges != nil && len(edges) < 2 {
			return fmt.Errorf("physics: the edges %v of bins: want at least two", edges)
		}
		for i, e := range edges {
			if math.IsNaN(e) || i > 0 && e <= edges[i-1] {
				return fmt.Errorf("physics: the edges %v of bins do not rise", edges)
			}
		}
	}
	return nil
}

// binOf is the bin of a value among rising edges, -1 if there is none. The last bin has
// its upper edge.
func binOf(edges []float64, x float64) int {
	if len(edges) < 2 || !(x >= edges[0] && x <= edges[len(edges)-1]) {
		return -1
	}
	i, found := slices.BinarySearch(edges, x)
	if !found {
		i--
	}
	return min(i, len(edges)-2)
}
