package counter

import (
	"fmt"
	"math"
	"math/bits"
	"testing"
)

func ExampleNew() {
	a, b := New(1, 7), New(1, 7)
	a.Uint64()
	b.Uint64()
	fmt.Println(a.Float64() == b.Float64())
	// Output: true
}

// TestStreams looks for the faults a counting generator can have: outputs that
// follow the seed, the stream or the position.
func TestStreams(t *testing.T) {
	const n = 200_000
	for name, draw := range map[string]func(i uint64) uint64{
		"position": func() func(uint64) uint64 { s := New(1, 1); return func(uint64) uint64 { return s.Uint64() } }(),
		"stream":   func(i uint64) uint64 { s := New(1, i); return s.Uint64() },
		"seed":     func(i uint64) uint64 { s := New(i, 1); return s.Uint64() },
	} {
		var ones [64]int
		var flips float64
		var previous uint64
		for i := range uint64(n) {
			v := draw(i)
			for b := range ones {
				ones[b] += int(v >> b & 1)
			}
			flips += float64(bits.OnesCount64(v ^ previous))
			previous = v
		}
		for b, c := range ones {
			if z := (float64(c) - n/2) / math.Sqrt(n/4); math.Abs(z) > 5 {
				t.Errorf("%s: bit %d is set %d times of %d", name, b, c, n)
			}
		}
		if z := (flips/n - 32) / math.Sqrt(16.0/n); math.Abs(z) > 5 {
			t.Errorf("%s: %.3f bits change from one number to the next, want 32", name, flips/n)
		}
	}
}

func TestMoments(t *testing.T) {
	const n = 400_000
	s := New(3, 0)
	var u, uu, e, ee, g, gg, q, qq float64
	var count [7]int
	for range n {
		x, y := s.Float64(), s.Exp()
		if x <= 0 || x >= 1 || y <= 0 {
			t.Fatalf("out of range: %g, %g", x, y)
		}
		u, uu, e, ee = u+x, uu+x*x, e+y, ee+y*y
		z, k := s.Normal(), float64(s.Poisson(2))
		g, gg, q, qq = g+z, gg+z*z, q+k, qq+k*k
		count[s.IntN(7)]++
	}
	for _, c := range []struct {
		name            string
		got, want, size float64
	}{
		{"uniform mean", u / n, 0.5, math.Sqrt(1. / 12)},
		{"uniform second moment", uu / n, 1. / 3, math.Sqrt(4. / 45)},
		{"exponential mean", e / n, 1, 1},
		{"exponential second moment", ee / n, 2, math.Sqrt(20)},
		{"normal mean", g / n, 0, 1},
		{"normal second moment", gg / n, 1, math.Sqrt(2)},
		{"Poisson mean", q / n, 2, math.Sqrt(2)},
		{"Poisson second moment", qq / n, 6, math.Sqrt(94 - 36)},
	} {
		if z := (c.got - c.want) / c.size * math.Sqrt(n); math.Abs(z) > 5 {
			t.Errorf("%s = %g, want %g", c.name, c.got, c.want)
		}
	}
	for k, c := range count {
		if z := (float64(c) - n/7.) / math.Sqrt(n*6./49); math.Abs(z) > 5 {
			t.Errorf("IntN(7) = %d came %d times of %d", k, c, n)
		}
	}
}

func TestSkip(t *testing.T) {
	a, b := New(3, 4), New(3, 4)
	for range 11 {
		a.Uint64()
	}
	if b.Skip(11); a.Uint64() != b.Uint64() {
		t.Error("what is skipped is not what is drawn")
	}
}

func TestPerm(t *testing.T) {
	s := New(1, 2)
	first := [5]int{}
	for range 10_000 {
		p := s.Perm(5)
		seen := 0
		for _, v := range p {
			seen |= 1 << v
		}
		if seen != 31 {
			t.Fatalf("no permutation: %v", p)
		}
		first[p[0]]++
	}
	for v, c := range first {
		if math.Abs(float64(c)-2000) > 200 {
			t.Errorf("%d came first %d times of 10000", v, c)
		}
	}
	if len(s.Perm(0)) != 0 {
		t.Error("Perm(0)")
	}
}

func BenchmarkUint64(b *testing.B) {
	s := New(1, 1)
	for b.Loop() {
		s.Uint64()
	}
}
