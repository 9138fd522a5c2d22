package images

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// ions are the places in a slice of tissue, x and y from −1 to 1, that a kind of ion is in.
var ions = []func(x, y float64) float64{
	func(x, y float64) float64 { return 1 },
	func(x, y float64) float64 { return step(-x) },
	func(x, y float64) float64 { return step(x) },
	func(x, y float64) float64 { return step(y) },
	func(x, y float64) float64 { return step(-y) },
	func(x, y float64) float64 { return step(0.4 - math.Hypot(x, y)) },
	func(x, y float64) float64 { return step(math.Hypot(x, y) - 0.65) },
	func(x, y float64) float64 { return step(0.15 - math.Abs(math.Hypot(x, y)-0.5)) },
	func(x, y float64) float64 { return step(0.2 - math.Abs(x)) },
	func(x, y float64) float64 { return step(0.2 - math.Abs(y)) },
	func(x, y float64) float64 {
		return step(0.25-math.Hypot(x-0.45, y)) + step(0.25-math.Hypot(x+0.45, y))
	},
	func(x, y float64) float64 { return step(math.Sin(3 * math.Pi * (x + y) / 2)) },
	func(x, y float64) float64 { return (1 + x) / 2 },
}

// step goes from 0 to 1 where v is 0.
func step(v float64) float64 { return 1 / (1 + math.Exp(-v/0.04)) }

// Ions are how many patterns Ion has.
func Ions() int { return len(ions) }

// Ion is the image of an ion by imaging mass spectrometry, such as H. Hu et al. (Anal. Chem. 2022) cluster: counts
// in side×side pixels of a round slice of tissue. The patterns, 0 to Ions()-1, are parts of the tissue, of
// which no two images have quite the same borders, intensity, background and smooth unevenness. counts is the mean of
// a bright pixel: Poisson noise beside which few show the pattern by themselves.
func Ion(pattern, side int, counts float64, seed uint64) ([]float64, error) {
	if pattern < 0 || pattern >= len(ions) || side < 1 || !(counts >= 0) {
		return nil, fmt.Errorf("images: ion %d of %d pixels and %v counts: want 0 to %d, at least 1, and no less than 0", pattern, side, counts, len(ions)-1)
	}
	r := rand.New(rand.NewPCG(seed, 2000+uint64(pattern)))
	about := func(spread float64) float64 { return spread * (2*r.Float64() - 1) }
	dx, dy, turn, zoom := about(0.06), about(0.06), about(0.1), math.Exp(about(0.1))
	bright, ground := counts*math.Exp(about(0.7)), 0.05+0.15*r.Float64()
	var wave [3][4]float64
	for k := range wave {
		wave[k] = [4]float64{about(3), about(3), about(math.Pi), about(0.25)}
	}
	sin, cos := math.Sincos(turn)
	v := make([]float64, side*side)
	for k := range v {
		x, y := (2*float64(k%side)+1)/float64(side)-1, 1-(2*float64(k/side)+1)/float64(side)
		uneven := 0.0
		for _, w := range wave {
			uneven += w[3] * math.Sin(w[0]*x+w[1]*y+w[2])
		}
		tissue := step(0.9 - math.Hypot(x, y))
		a, b := zoom*(cos*x+sin*y)+dx, zoom*(cos*y-sin*x)+dy
		v[k] = poisson(r, bright*tissue*math.Exp(uneven)*(ground+(1-ground)*ions[pattern](a, b)))
	}
	return v, nil
}

// poisson draws a Poisson number, part by part where the mean is large.
func poisson(r *rand.Rand, mean float64) float64 {
	n := 0.0
	for ; mean > 20; mean -= 20 {
		n += poisson(r, 20)
	}
	for p, least := r.Float64(), math.Exp(-mean); p > least; p *= r.Float64() {
		n++
	}
	return n
}

// Character is the image of a character of a made-up alphabet, side×side grey values as Digit's, by as many
// hands as there are seeds: two to four strokes of three to five corners each, rounded, as in Omniglot
// (B. Lake, R. Salakhutdinov, J. Tenenbaum, Science 350 (2015) 1332), whose characters have a few examples each.
func Character(character, side int, seed uint64) ([]float64, error) {
	if character < 0 || side < 1 {
		return nil, fmt.Errorf("images: character %d of %d pixels: want none below 0, and at least 1", character, side)
	}
	own := rand.New(rand.NewPCG(uint64(character), 3000))
	var lines [][]pt
	for range 2 + own.IntN(3) {
		corners := make([]pt, 3+own.IntN(3))
		for k := range corners {
			corners[k] = pt{own.Float64(), own.Float64()}
		}
		lines = append(lines, rounded(corners))
	}
	r := rand.New(rand.NewPCG(seed, 3000+uint64(character)))
	return ink(r, written(r, lines), side), nil
}

// rounded cuts corners (G. Chaikin, 1974).
func rounded(line []pt) []pt {
	for range 2 {
		next := []pt{line[0]}
		for k := range len(line) - 1 {
			a, b := line[k], line[k+1]
			next = append(next, pt{0.75*a.x + 0.25*b.x, 0.75*a.y + 0.25*b.y}, pt{0.25*a.x + 0.75*b.x, 0.25*a.y + 0.75*b.y})
		}
		line = append(next, line[len(line)-1])
	}
	return line
}
