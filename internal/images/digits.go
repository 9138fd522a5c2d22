package images

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// A pt is a place in the box that a digit is written in: x from 0 to 1, y down from 0 to 1.
type pt struct{ x, y float64 }

// arc is part of an ellipse, from one angle to another in units of π, 0 to the right and
// ½ below.
func arc(x, y, a, b, from, to float64) []pt {
	const steps = 10
	var line []pt
	for k := range steps + 1 {
		sin, cos := math.Sincos(math.Pi * (from + (to-from)*float64(k)/steps))
		line = append(line, pt{x + a*cos, y + b*sin})
	}
	return line
}

// strokes are how the digits are written.
var strokes = [10][][]pt{
	{arc(0.5, 0.5, 0.38, 0.5, -0.5, 1.5)},
	{{{0.3, 0.2}, {0.55, 0}, {0.55, 1}}},
	{append(arc(0.5, 0.28, 0.38, 0.28, -1, 0.2), []pt{{0.1, 1}, {0.9, 1}}...)},
	{arc(0.45, 0.26, 0.36, 0.26, -0.9, 0.5), arc(0.45, 0.74, 0.42, 0.26, -0.5, 0.9)},
	{{{0.65, 1}, {0.65, 0}, {0.08, 0.68}, {0.92, 0.68}}},
	{append([]pt{{0.85, 0}, {0.2, 0}, {0.17, 0.45}}, arc(0.45, 0.7, 0.42, 0.3, -0.6, 0.85)...)},
	{append([]pt{{0.75, 0}}, append(arc(0.5, 0.68, 0.38, 0.32, -1, 1), arc(0.5, 0.68, 0.38, 0.32, 1, 1)...)...)},
	{{{0.1, 0}, {0.9, 0}, {0.4, 1}}},
	{arc(0.5, 0.25, 0.3, 0.25, 0.5, 2.5), arc(0.5, 0.75, 0.38, 0.25, -0.5, 1.5)},
	{arc(0.5, 0.3, 0.36, 0.3, 0, 2), {{0.86, 0.3}, {0.7, 1}}},
}

// Digit is the image of a digit, 0 to 9, with side×side pixels from 0 to 255, rows of it one
// after another, as by many hands: the same strokes with jitter of the place of every corner and
// of the whole, bows, slant and thickness. As in NIST's images, as they are mostly used (Y.
// LeCun et al., Proc. IEEE 86 (1998) 2278), the longer side of the digit's box is 20/28 of
// the image, and its centre of mass is near the middle.
func Digit(digit, side int, seed uint64) ([]float64, error) {
	if digit < 0 || digit > 9 || side < 1 {
		return nil, fmt.Errorf("images: digit %d of %d pixels: want 0 to 9, and at least 1", digit, side)
	}
	r := rand.New(rand.NewPCG(seed, 1000+uint64(digit)))
	return ink(r, written(r, strokes[digit]), side), nil
}

// ink is lines seen through pixels.
func ink(r *rand.Rand, lines [][]pt, side int) []float64 {
	thick, edge := 0.02+0.045*r.Float64(), 1/float64(side)
	// The box, and the middle of the strokes by their length.
	lo, hi := pt{math.Inf(1), math.Inf(1)}, pt{math.Inf(-1), math.Inf(-1)}
	var mid pt
	length := 0.0
	for _, line := range lines {
		for k, p := range line {
			lo, hi = pt{min(lo.x, p.x), min(lo.y, p.y)}, pt{max(hi.x, p.x), max(hi.y, p.y)}
			if k > 0 {
				o := line[k-1]
				l := math.Hypot(p.x-o.x, p.y-o.y)
				mid.x, mid.y, length = mid.x+l*(p.x+o.x)/2, mid.y+l*(p.y+o.y)/2, length+l
			}
		}
	}
	scale := (20.0/28 - 2*thick) / max(hi.x-lo.x, hi.y-lo.y)
	shift := pt{0.5 + 0.04*r.NormFloat64() - scale*mid.x/length, 0.5 + 0.04*r.NormFloat64() - scale*mid.y/length}
	for _, line := range lines {
		for k, p := range line {
			line[k] = pt{scale*p.x + shift.x, scale*p.y + shift.y}
		}
	}
	v := make([]float64, side*side)
	for k := range v {
		p := pt{(float64(k%side) + 0.5) / float64(side), (float64(k/side) + 0.5) / float64(side)}
		off := math.Inf(1)
		for _, line := range lines {
			for i := range len(line) - 1 {
				off = min(off, offLine(p, line[i], line[i+1]))
			}
		}
		v[k] = math.Round(255 * min(1, max(0, (thick-off)/edge+0.5)))
	}
	return v
}

// written are strokes by one hand.
func written(r *rand.Rand, strokes [][]pt) [][]pt {
	about := func(mean, spread float64) float64 { return mean + spread*(2*r.Float64()-1) }
	wide, slant, turn := about(0.65, 0.15), about(0.15, 0.35), about(0, 0.15)
	sin, cos := math.Sincos(turn)
	type bow struct{ size, phase float64 }
	var bows [2][2]bow
	for k := range bows {
		bows[k] = [2]bow{{about(0, 0.12), about(0, 1)}, {about(0, 0.06), about(0, 1)}}
	}
	bent := func(b [2]bow, t float64) float64 {
		return b[0].size*math.Sin(math.Pi*(t+b[0].phase)) + b[1].size*math.Sin(math.Pi*(2.5*t+b[1].phase))
	}
	var lines [][]pt
	for _, s := range strokes {
		off := pt{0.03 * r.NormFloat64(), 0.03 * r.NormFloat64()}
		line := make([]pt, len(s))
		for k, p := range s {
			x := p.x + bent(bows[0], p.y) + off.x + 0.02*r.NormFloat64() - 0.5
			y := p.y + bent(bows[1], p.x) + off.y + 0.02*r.NormFloat64() - 0.5
			x = x*wide - slant*y
			line[k] = pt{cos*x - sin*y, sin*x + cos*y}
		}
		lines = append(lines, line)
	}
	return lines
}

// offLine is how far p is from the line between a and b.
func offLine(p, a, b pt) float64 {
	dx, dy := b.x-a.x, b.y-a.y
	t := 0.0
	if square := dx*dx + dy*dy; square > 0 {
		t = min(1, max(0, ((p.x-a.x)*dx+(p.y-a.y)*dy)/square))
	}
	return math.Hypot(p.x-a.x-t*dx, p.y-a.y-t*dy)
}
