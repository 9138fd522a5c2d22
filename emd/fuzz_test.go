package emd_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barrow/emd"
)

// FuzzCertificate reads a number of cells, their positions, and two images from
// bytes, any bits at all, and demands a proof of optimality of whatever is
// accepted, and an error for what is not.
func FuzzCertificate(f *testing.F) {
	f.Add([]byte{3, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{64, 1, 9, 200, 255, 17, 33, 0, 0, 0, 1})
	f.Add([]byte{70, 2, 128, 7})
	f.Add([]byte{9, 3, 0, 0, 0, 0, 0, 0, 240, 127})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 2 {
			return
		}
		n, kind := 1+int(data[0])%80, data[1]
		data = data[2:]
		next := func() byte {
			if len(data) == 0 {
				return 1
			}
			b := data[0]
			data = data[1:]
			return b
		}
		mass := func() float64 {
			switch kind & 3 {
			case 0:
				return float64(next())
			case 1:
				return math.Ldexp(float64(next()), int(next())-128)
			case 2:
				return float64(next()&3) / 3
			}
			var b [8]byte
			for i := range b {
				b[i] = next()
			}
			return math.Float64frombits(binary.LittleEndian.Uint64(b[:]))
		}
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{float64(next()), float64(next())}
		}
		m, err := emd.Euclidean(points)
		if err != nil {
			if len(slices.Compact(points)) > 1 || n == 1 {
				t.Fatal(err)
			}
			return // all points are the same
		}
		p, q := make([]float64, n), make([]float64, n)
		sound := true
		for i := range p {
			p[i], q[i] = mass(), mass()
			sound = sound && p[i] >= 0 && q[i] >= 0 && !math.IsInf(p[i], 0) && !math.IsInf(q[i], 0)
		}
		set := emd.Settings{Unequal: emd.UnequalNormalise}
		if kind&4 != 0 {
			set = emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 1 + float64(kind)}
		}
		s, err := emd.NewSolver(m, set)
		if err != nil {
			t.Fatal(err)
		}
		c, err := s.Certificate(p, q)
		if empty := sum(p) == 0 || sum(q) == 0; err != nil {
			if sound && !(empty && set.Penalty == 0) {
				t.Fatalf("sound masses: %v", err)
			}
			return
		}
		if !sound {
			t.Fatal("masses that are none were accepted")
		}
		if sum(p) > 1e300 || sum(q) > 1e300 {
			return // sums over the masses overflow here, outside the solver
		}
		if err := c.Check(1e-13); err != nil && c.Mass > 1e-290 {
			t.Fatalf("%v\np = %v\nq = %v", err, p, q)
		}
	})
}

// FuzzCost is FuzzCertificate for costs between two sets: small integers of either
// sign, powers of ten beside them, or any bits.
func FuzzCost(f *testing.F) {
	f.Add([]byte{2, 3, 0, 1, 2, 3, 4, 5, 6, 7, 8})
	f.Add([]byte{1, 9, 1, 9, 200, 255, 17})
	f.Add([]byte{40, 33, 2, 128, 7})
	f.Add([]byte{3, 2, 3, 240, 63, 240, 191})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 3 {
			return
		}
		n, m, kind := 1+int(data[0])%45, 1+int(data[1])%45, data[2]
		data = data[3:]
		next := func() byte {
			if len(data) == 0 {
				return 1
			}
			b := data[0]
			data = data[1:]
			return b
		}
		costs := make([]float64, n*m)
		for k := range costs {
			switch x := next(); kind & 3 {
			case 0:
				costs[k] = float64(int8(x))
			case 1:
				costs[k] = float64(x & 15)
				if x&16 != 0 {
					costs[k] = math.Pow(10, float64(x>>3))
				}
			case 2:
				costs[k] = math.Sqrt(float64(x))
			case 3:
				costs[k] = math.Float64frombits(uint64(x)<<56 | uint64(next())<<48)
			}
		}
		c, err := emd.NewCost(n, m, costs)
		if err != nil {
			for _, x := range costs {
				if !(math.Abs(x) <= 1e200) {
					return
				}
			}
			t.Fatal(err)
		}
		p, q := make([]float64, n), make([]float64, m)
		for i := range p {
			p[i] = float64(next() & 15)
		}
		for j := range q {
			q[j] = float64(next() & 15)
		}
		set := emd.Settings{Unequal: emd.UnequalNormalise}
		if kind&4 != 0 {
			set = emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 1 + float64(kind)}
		}
		s, err := emd.NewSolver(c, set)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Certificate(p, q)
		if err != nil {
			if set.Penalty == 0 && (sum(p) == 0 || sum(q) == 0) {
				return
			}
			t.Fatalf("sound masses: %v", err)
		}
		if err := got.Check(1e-13); err != nil {
			t.Fatalf("%v\ncosts = %v\np = %v\nq = %v", err, costs, p, q)
		}
	})
}

// A million random pairs with BARROW_LONG set, a few ten thousand otherwise, on
// random metrics of every size up to 64, each proved optimal.
func TestRandomCertificates(t *testing.T) {
	r := rand.New(rand.NewPCG(31, 32))
	sets := append([]pairSet{{"any", func(r *rand.Rand, n int) (p, q []float64) {
		return cellsOf(r, n, 1+r.IntN(n), r.ExpFloat64), cellsOf(r, n, 1+r.IntN(n), r.ExpFloat64)
	}}}, degenerateSets...)
	ks := emd.Kernels()
	pairs := size(1_000_000)
	for pairs > 0 {
		n := 2 + r.IntN(63)
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{math.Round(20 * r.Float64()), 20 * r.Float64()}
			if r.IntN(2) == 0 {
				points[i][1] = math.Round(points[i][1])
			}
		}
		m, err := emd.Euclidean(points)
		if err != nil {
			t.Fatal(err)
		}
		s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: ks[r.IntN(len(ks))]})
		for range 100 {
			p, q := sets[r.IntN(len(sets))].draw(r, n)
			certified(t, s, p, q)
			pairs--
		}
	}
}
