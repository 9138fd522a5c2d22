package emd

import (
	"fmt"
	"sync"

	"barrow/emd/internal/simplex64"
	"barrow/internal/simd"
)

// Kernels names the implementations of the inner loops that this processor and
// build can run, fastest first. All return the same bits.
func Kernels() []string {
	var names []string
	for k := simplex64.Best(); k >= simplex64.Portable; k-- {
		names = append(names, kernelName(k))
	}
	return names
}

func kernelName(k simplex64.Kernel) string {
	switch k {
	case simplex64.AVX512:
		return simd.AVX512
	case simplex64.AVX2:
		return simd.AVX2
	}
	return simd.Portable
}

// chooseKernel turns the setting into an implementation that this processor has.
func chooseKernel(name string) (simplex64.Kernel, error) {
	name, err := simd.Choose(name, Kernels())
	if err != nil {
		return 0, fmt.Errorf("emd: %w", err)
	}
	k := simplex64.Best()
	for kernelName(k) != name {
		k--
	}
	return k, nil
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
