package emd

import "math"

const (
	// integerTotal is what the masses of each side add up to as integers, up to
	// rounding.
	integerTotal = 1 << 52
	// broad is an integer mass that one unit more or less does not change by more
	// than 10⁻⁶.
	broad = 1 << 20
)

// toIntegers scales the masses of both sides to integers of equal total and returns
// the mass of one unit. It returns false where one side's total is not above below.
//
// Equal masses become equal integers wherever that is possible, so that ties are
// ties: what the two totals then differ by is spread over the entries of one side, a
// unit each, so that no entry is off by more than its own rounding and one or two.
func toIntegers(up, down []float64, below float64) (unit float64, ok bool) {
	totalUp, totalDown := sum(up), sum(down)
	if !(totalUp > below && totalDown > below) {
		return 0, false
	}
	over := round(up, integerTotal/totalUp) - round(down, integerTotal/totalDown)
	// The side with more entries takes it, where a unit is the smaller part.
	if count(up) >= count(down) {
		spread(up, -over)
	} else {
		spread(down, over)
	}
	return (totalUp/2 + totalDown/2) / integerTotal, true
}

// round scales and rounds the entries, and returns their sum.
func round(v []float64, factor float64) float64 {
	have := 0.0
	for k, x := range v {
		v[k] = math.RoundToEven(x * factor)
		have += v[k]
	}
	return have
}

func count(v []float64) int {
	n := 0
	for _, x := range v {
		if x > 0 {
			n++
		}
	}
	return n
}

// spread adds units in all, one by one, to entries that can bear it, evenly. Of
// fewer than 2³² entries one can.
func spread(v []float64, units float64) {
	able := 0
	for _, x := range v {
		if x >= broad {
			able++
		}
	}
	each := math.Trunc(units / float64(able))
	rest := units - each*float64(able)
	step := math.Copysign(1, rest)
	for k, x := range v {
		if x < broad {
			continue
		}
		v[k] += each
		if rest != 0 {
			v[k] += step
			rest -= step
		}
	}
}
