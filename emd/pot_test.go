package emd_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"

	"barrow/emd"
)

// potScript solves pairs read from standard input with POT's C++ core, which
// finds the plan first and sums its cost.
const potScript = `
import sys, struct
for name in "torch", "tensorflow", "jax", "cupy": # which POT would load for nothing
    sys.modules[name] = None
try:
    import numpy as np
    try:
        from ot.lp import emd_c
    except ImportError:
        from ot.lp.emd_wrap import emd_c
except ImportError:
    sys.exit(77)
read = sys.stdin.buffer.read
n, m, pairs = struct.unpack("<qqq", read(24))
take = lambda k: np.frombuffer(read(8 * k)).copy()
d = take(n * m).reshape(n, m)
p, q = take(pairs * n).reshape(pairs, n), take(pairs * m).reshape(pairs, m)
out = np.array([emd_c(p[k], q[k], d, 10000000, 1)[1] for k in range(pairs)])
sys.stdout.buffer.write(out.tobytes())
`

// pot solves N pairs of images of equal total with POT, or skips the test.
func pot(t *testing.T, g emd.Ground, p, q []float64) []float64 {
	t.Helper()
	python := os.Getenv("BARROW_PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	n, m := g.Dims()
	var in bytes.Buffer
	d := make([]float64, 0, n*m)
	for i := range n {
		for j := range m {
			d = append(d, g.At(i, j))
		}
	}
	for _, v := range []any{[]int64{int64(n), int64(m), int64(len(p) / n)}, d, p, q} {
		if err := binary.Write(&in, binary.LittleEndian, v); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(python, "-c", potScript)
	cmd.Stdin, cmd.Stderr = &in, os.Stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 77 || errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		t.Skipf("POT is not installed for %s: apt-get install python3-pot, or set BARROW_PYTHON", python)
	}
	if err != nil {
		t.Fatal(err)
	}
	e := make([]float64, len(p)/n)
	if err := binary.Read(bytes.NewReader(out), binary.LittleEndian, e); err != nil {
		t.Fatal(err)
	}
	return e
}

// near is the agreement asked for: very small distances are limited by the
// cancellation in p − q.
func near(a, b float64) bool {
	d := math.Abs(a - b)
	return d <= 1e-12 || d <= 1e-9*math.Abs(b)
}

// POT's network simplex and Barrow agree on all degenerate sets and on images of
// every density; 140,000 pairs with BARROW_LONG set.
func TestAgainstPOT(t *testing.T) {
	m := benchmarkMetric(t)
	r := rand.New(rand.NewPCG(7, 8))
	sets := append([]pairSet{
		{"sparse", func(r *rand.Rand, n int) (p, q []float64) {
			return cellsOf(r, n, 3+r.IntN(18), r.ExpFloat64), cellsOf(r, n, 3+r.IntN(18), r.ExpFloat64)
		}},
		{"sparse against dense", func(r *rand.Rand, n int) (p, q []float64) {
			return cellsOf(r, n, 3+r.IntN(18), r.ExpFloat64), cellsOf(r, n, n, r.ExpFloat64)
		}},
		{"dense", func(r *rand.Rand, n int) (p, q []float64) {
			return cellsOf(r, n, n, r.ExpFloat64), cellsOf(r, n, n, r.ExpFloat64)
		}},
		{"near", func(r *rand.Rand, n int) (p, q []float64) {
			p = cellsOf(r, n, n, r.ExpFloat64)
			q = make([]float64, n)
			for i := range q {
				q[i] = p[i] * (0.9 + 0.2*r.Float64())
			}
			return p, q
		}},
	}, degenerateSets...)
	var ps, qs []float64
	each := size(10000)
	for _, set := range sets {
		for range each {
			p, q := set.draw(r, 48)
			ps, qs = append(ps, normalised(p)...), append(qs, normalised(q)...)
		}
	}
	s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise})
	worst := 0.0
	for i, want := range pot(t, m, ps, qs) {
		got, err := s.Distance(ps[48*i:48*(i+1)], qs[48*i:48*(i+1)])
		if err != nil {
			t.Fatal(err)
		}
		worst = max(worst, math.Abs(got-want))
		if !near(got, want) {
			t.Errorf("%s, pair %d: %.17g, POT %.17g", sets[i/each].name, i%each, got, want)
		}
	}
	t.Logf("%d pairs, largest difference %.2g", len(ps)/48, worst)
}

func normalised(p []float64) []float64 {
	total := 0.0
	for _, x := range p {
		total += x
	}
	q := make([]float64, len(p))
	for i, x := range p {
		q[i] = x / total
	}
	return q
}
