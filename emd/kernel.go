package emd

import (
	"fmt"
	"sync"

	"barrow/emd/internal/simplex64"
)

// choose turns the setting into an implementation that this processor has.
func (k Kernel) choose() (simplex64.Kernel, error) {
	var want simplex64.Kernel
	switch k {
	case KernelAuto:
		return simplex64.Best(), nil
	case KernelPortable:
		want = simplex64.Portable
	case KernelAVX2:
		want = simplex64.AVX2
	case KernelAVX512:
		want = simplex64.AVX512
	default:
		return 0, fmt.Errorf("emd: Settings.Kernel %d is unknown", k)
	}
	if want > simplex64.Best() {
		return 0, fmt.Errorf("emd: the kernel %v is not available on this processor or in this build", k)
	}
	return want, nil
}

// fastTable keeps what Solvers of one metric share.
type fastTable struct {
	mu    sync.Mutex
	items []fastItem
}

type fastItem struct {
	nodes   int
	kernel  simplex64.Kernel
	problem *simplex64.Problem
}

// problem returns the tables for the cells of m, and one node at distance 0
// from all of them where nodes is one more.
func (t *fastTable) problem(m *Metric, nodes int, k simplex64.Kernel) *simplex64.Problem {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.items {
		if x.nodes == nodes && x.kernel == k {
			return x.problem
		}
	}
	p := simplex64.NewProblem(nodes, m.n, func(i, j int) float64 {
		if i == m.n || j == m.n {
			return 0
		}
		return m.At(i, j)
	}, k)
	t.items = append(t.items, fastItem{nodes, k, p})
	return p
}
