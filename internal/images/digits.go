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
// after another, as by many hands: the same strokes with jitter of every corner, place, size,
// slant and thickness.
func Digit(digit, side int, seed uint64) ([]float64, error) {
	if digit < 0 || digit > 9 || side < 1 {
		return nil, fmt.Errorf("images: digit %d of %d pixels: want 0 to 9, and at least 1", digit, side)
	}
	r := rand.New(rand.NewPCG(seed, 1000+uint64(digit)))
	about := func(mean, spread float64) float64 { return mean + spread*(2*r.Float64()-1) }
	wide, high := about(0.36, 0.08), about(0.6, 0.1)
	slant, turn := about(0.1, 0.3), about(0, 0.15)
	sin, cos := math.Sincos(turn)
	x0, y0 := about(0.5, 0.08), about(0.5, 0.08)
	bow := [4]float64{about(0, 0.07), about(0, 0.07), about(0, 0.6), about(0, 0.6)}
	place := func(p pt) pt {
		// Strokes bend as a whole, and every corner is a little off.
		p.x += bow[0]*math.Sin(math.Pi*(2*p.y+bow[2])) + 0.025*r.NormFloat64()
		p.y += bow[1]*math.Sin(math.Pi*(2*p.x+bow[3])) + 0.025*r.NormFloat64()
		x, y := (p.x-0.5)*wide, (p.y-0.5)*high
		x -= slant * y
		return pt{x0 + cos*x - sin*y, y0 + sin*x + cos*y}
	}
	var lines [][]pt
	for _, s := range strokes[digit] {
		line := make([]pt, len(s))
		for k, p := range s {
			line[k] = place(p)
		}
		lines = append(lines, line)
	}
	thick, edge := about(0.045, 0.02), 1/float64(side)
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
	return v, nil
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
