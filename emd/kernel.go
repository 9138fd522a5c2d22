package emd

import (
	"fmt"
	"sync"

	"barrow/emd/internal/columns"
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

// columnsKernel is the name of a kernel for points.
func columnsKernel(k columns.Kernel) string {
	switch k {
	case columns.AVX512:
		return simd.AVX512
	case columns.AVX2:
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

// fastTable keeps what Solvers of one metric or cost share.
type fastTable struct {
	mu    sync.Mutex
	items []fastItem
	more  []float64
}

// extended are the costs with one more row and column of zeros, for unmatched
// mass.
func (t *fastTable) extended(v *view) []float64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.more == nil {
		t.more = make([]float64, (v.rows+1)*(v.cols+1))
		for i := range v.rows {
			copy(t.more[i*(v.cols+1):], v.row(i))
		}
	}
	return t.more
}

type fastItem struct {
	nodes   int
	kernel  simplex64.Kernel
	problem *simplex64.Problem
}

// problem returns the tables for the cells of m, and one node at distance 0
// from all of them where nodes is one more.
func (t *fastTable) problem(m *Metric, nodes int, k simplex64.Kernel) *simplex64.Problem {
	return t.find(nodes, m.n, k, func(i, j int) float64 {
		if i == m.n || j == m.n {
			return 0
		}
		return m.At(i, j)
	})
}

// between returns the tables for costs: nodes are the cells of p, those of q, and
// one for unmatched mass where nodes is one more. All costs are raised so that
// none is negative. Those within a side are never looked at.
func (t *fastTable) between(v *view, nodes int, k simplex64.Kernel) *simplex64.Problem {
	return t.find(nodes, v.rows+v.cols, k, func(i, j int) float64 {
		i, j = min(i, j), max(i, j)-v.rows
		if i >= v.rows || j < 0 || j >= v.cols {
			return 0
		}
		return v.row(i)[j] - v.least
	})
}

func (t *fastTable) find(nodes, cells int, k simplex64.Kernel, dist func(i, j int) float64) *simplex64.Problem {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, x := range t.items {
		if x.nodes == nodes && x.kernel == k {
			return x.problem
		}
	}
	p := simplex64.NewProblem(nodes, cells, dist, k)
	t.items = append(t.items, fastItem{nodes, k, p})
	return p
}
