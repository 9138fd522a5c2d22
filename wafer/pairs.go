package wafer

import (
	"fmt"

	"barrow/internal/counter"
)

// Pair is two images by index.
type Pair struct{ A, B int }

// IndependentPairs draws count pairs of two different images out of n, each
// pair independently of the others. It fails if n < 2.
func IndependentPairs(n, count int, seed uint64) ([]Pair, error) {
	if n < 2 || count < 0 {
		return nil, fmt.Errorf("wafer: %d pairs of %d images: want at least 2 images", count, n)
	}
	random := counter.New(seed, pairStream)
	p := make([]Pair, count)
	for k := range p {
		a, b := random.IntN(n), random.IntN(n-1)
		if b >= a {
			b++
		}
		p[k] = Pair{a, b}
	}
	return p, nil
}

// DisjointPairs deals n images into ⌊n/2⌋ random pairs so that none is used
// twice: the pairs are independent even as a whole.
func DisjointPairs(n int, seed uint64) []Pair {
	random := counter.New(seed, pairStream)
	order := random.Perm(n)
	p := make([]Pair, n/2)
	for k := range p {
		p[k] = Pair{order[2*k], order[2*k+1]}
	}
	return p
}

// OrderedPairs returns all n² ordered pairs, each image with itself included,
// as the paper's pair sets have them. To keep training and validation apart
// split the images first and pair within each part.
func OrderedPairs(n int) []Pair {
	p := make([]Pair, 0, n*n)
	for a := range n {
		for b := range n {
			p = append(p, Pair{a, b})
		}
	}
	return p
}
