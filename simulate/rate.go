package simulate

import (
	"math"
	"sort"

	"barrow/hgcal"
)

// jumps[j] is the rate of deposits between (j−½) and (j+½) bins of the energy in a cell
// inside, for one group a trigger cell. The bins reach just to the threshold.
type jumps [jumpBins]float64

const (
	jumpBins = 64
	jumpBin  = cellThreshold / (jumpBins - 0.5)
)

// jumps integrates the library over the energies.
func (l *library) jumps(p *PileUpParameters) *jumps {
	rate := &jumps{}
	var times [mostShare*samples + 1]float64 // how often each share occurs
	for i := range l.pattern {
		for _, points := range l.pattern[i].points {
			times[points]++
		}
	}
	for n := 1; n <= mostShare*samples; n++ {
		if times[n] == 0 {
			continue
		}
		w := float64(n) / samples
		above := p.exceed(0.5 * jumpBin / w)
		for j := 1; j < jumpBins; j++ {
			next := p.exceed((float64(j) + 0.5) * jumpBin / w)
			rate[j] += float64(times[n] * (above - next))
			above = next
		}
		rate[0] += float64(times[n] * above) // more than the threshold at once
	}
	for j := range rate {
		rate[j] *= l.area / patterns / hgcal.Cells
	}
	return rate
}

// exceed is the share of groups with a main fragment above an energy.
func (p *PileUpParameters) exceed(e float64) float64 {
	return math.Pow(1+math.Pow(e/p.Scale, p.Shape), -p.Tail)
}

// nodes is the number of rates that above takes at a time.
const nodes = 3

// above returns the probabilities that a cell is above the threshold where there
// are so many groups a trigger cell, by Panjer's recursion for the compound
// Poisson sum below it.
func (r *jumps) above(rates [nodes]float64) (p [nodes]float64) {
	total := 0.0
	var moment [jumpBins]float64
	for j, v := range r {
		total += v
		moment[j] = float64(j) * v
	}
	var g [jumpBins][nodes]float64
	for k, rate := range rates {
		g[0][k] = math.Exp(-rate * total)
	}
	below := g[0]
	for n := 1; n < jumpBins; n++ {
		var a, b, c float64 // three sums side by side: each waits for itself alone
		for j := 1; j <= n; j++ {
			m, h := moment[j], &g[n-j]
			a += float64(m * h[0])
			b += float64(m * h[1])
			c += float64(m * h[2])
		}
		for k, sum := range [nodes]float64{a, b, c} {
			g[n][k] = float64(sum * (rates[k] / float64(n)))
			below[k] += g[n][k]
		}
	}
	for k := range p {
		p[k] = 1 - below[k]
	}
	return p
}

// curve is jumps.above on a logarithmic grid of rates, averaged over the activity.
type curve struct {
	value [curvePoints]float64
}

const (
	curvePoints = 160
	curveStep   = 0.1  // in ln rate
	curveStart  = -9.0 // ln rate
)

func newCurve(r *jumps, activity float64) (c curve) {
	// Gauss–Hermite quadrature over a normal deviate.
	weights := [nodes]float64{1. / 6, 2. / 3, 1. / 6}
	var spread [nodes]float64
	for k, z := range [nodes]float64{-math.Sqrt(3), 0, math.Sqrt(3)} {
		spread[k] = spreadActivity(activity, z)
	}
	for i := range c.value {
		rate := math.Exp(curveStart + float64(curveStep*float64(i)))
		for k, p := range r.above([nodes]float64{rate * spread[0], rate * spread[1], rate * spread[2]}) {
			c.value[i] += float64(weights[k] * p)
		}
	}
	return c
}

// spreadActivity is a log-normal factor of mean 1.
func spreadActivity(sigma, z float64) float64 {
	return math.Exp(float64(sigma*z) - float64(sigma*sigma/2))
}

func (c *curve) at(logRate float64) float64 {
	x := min(max((logRate-curveStart)/curveStep, 0), curvePoints-1.001)
	i := int(x)
	return c.value[i] + float64((x-float64(i))*(c.value[i+1]-c.value[i]))
}

// gradient is how the rate of groups changes across a wafer: its logarithm
// rises by strength per unit of the drawing in the direction x, y.
type gradient struct {
	x, y, strength float64
}

// solve returns the rate in the middle of a wafer at which the mean number of
// cells above the threshold is mean.
func (c *curve) solve(mean float64, g gradient) float64 {
	var rise [hgcal.Cells]float64
	for i, p := range hgcal.CellCentres() {
		rise[i] = float64(g.strength * (float64(g.x*p[0]) + float64(g.y*p[1])))
	}
	cells := func(logRate float64) float64 {
		n := 0.0
		for _, r := range rise {
			n += c.at(logRate + r)
		}
		return n
	}
	lo, hi := curveStart, curveStart+curveStep*curvePoints
	under, over := c.bracket(mean, lo, hi, cells)
	for range 40 {
		if mid := (lo + hi) / 2; mid <= under || mid < over && cells(mid) < mean {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp((lo + hi) / 2)
}

// bracket returns a rate between lo and hi up to which there are fewer cells than mean, and one from which
// on there are not, so that they need not be counted there: cells rises, but for rounding. The rates
// are next to where secants that begin on a wafer without a slope find the mean.
func (c *curve) bracket(mean, lo, hi float64, cells func(float64) float64) (under, over float64) {
	const rounding, near = 1e-11, 1e-9
	i := sort.SearchFloat64s(c.value[:], mean/hgcal.Cells)
	x := curveStart + curveStep*float64(i)
	last := x - curveStep
	n, before := cells(x), cells(last)
	for k := 0; k < 8 && n != before && math.Abs(n-mean) > rounding; k++ {
		next := x - (n-mean)*(x-last)/(n-before)
		last, before = x, n
		x = min(max(next, lo), hi)
		n = cells(x)
	}
	under, over = lo, hi
	if cells(x-near) < mean-rounding {
		under = x - near
	}
	if cells(x+near) > mean+rounding {
		over = x + near
	}
	return under, over
}
