// Package counter generates random numbers by counting: number n of stream s
// of a seed is a fixed function of (seed, s, n). Whoever asks for stream s gets
// the same numbers whatever was drawn elsewhere before, in whatever order and
// on however many threads.
//
// The function is SplitMix64 (Steele, Lea and Flood, Fast Splittable
// Pseudorandom Number Generators, OOPSLA 2014) with a second word of key
// entering between its two rounds, so that streams whose counters happen to
// overlap still differ.
package counter

import (
	"math"
	"math/bits"
)

// Stream is one stream of random numbers. Its zero value is a valid stream;
// New makes distinct ones. Copying it copies its place.
type Stream struct {
	state, key uint64
}

const gamma = 0x9e3779b97f4a7c15

// New returns stream number stream of a seed, at its beginning.
func New(seed, stream uint64) Stream {
	k := mix(seed + gamma)
	return Stream{state: mix(k ^ mix(stream+gamma)), key: mix(k + mix(stream^gamma))}
}

func mix(z uint64) uint64 {
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Uint64 returns the next 64 random bits.
func (s *Stream) Uint64() uint64 {
	s.state += gamma
	z := s.state
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ s.key ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Float64 returns the next number, uniform in the open interval (0, 1).
func (s *Stream) Float64() float64 {
	return (float64(s.Uint64()>>12) + 0.5) * 0x1p-52
}

// Skip passes over n numbers.
func (s *Stream) Skip(n int) { s.state += uint64(n) * gamma }

// IntN returns the next number, uniform in 0..n-1. n must be positive.
func (s *Stream) IntN(n int) int {
	// Lemire's method; the rejection keeps it exactly uniform.
	u := uint64(n)
	hi, lo := bits.Mul64(s.Uint64(), u)
	if lo < u {
		for limit := -u % u; lo < limit; {
			hi, lo = bits.Mul64(s.Uint64(), u)
		}
	}
	return int(hi)
}

// Exp returns the next number, exponential with mean 1.
func (s *Stream) Exp() float64 { return -math.Log(s.Float64()) }

// Normal returns the next number, normal with mean 0 and variance 1, of two uniform ones (G. Box, M. Muller, Ann.
// Math. Stat. 29 (1958) 610).
func (s *Stream) Normal() float64 {
	u, v := s.Float64(), s.Float64()
	return float64(math.Sqrt(-2*math.Log(u)) * math.Cos(2*math.Pi*v))
}

// Poisson returns the next number, Poisson of a small mean: it multiplies mean+1 uniform numbers on average, and
// e^−mean must not vanish.
func (s *Stream) Poisson(mean float64) int {
	n, p, least := 0, s.Float64(), math.Exp(-mean)
	for p > least {
		p *= s.Float64()
		n++
	}
	return n
}

// Perm returns a random order of 0..n-1.
func (s *Stream) Perm(n int) []int {
	p := make([]int, n)
	for i := range p {
		j := s.IntN(i + 1)
		p[i], p[j] = p[j], i
	}
	return p
}
