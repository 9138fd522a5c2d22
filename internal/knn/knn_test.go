package knn

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barrow/emd"
)

// The neighbours are those of all distances, sorted, the lower row first.
func TestEuclidean(t *testing.T) {
	r := rand.New(rand.NewPCG(71, 72))
	for trial := range 20 {
		cells, rows, images := 1+r.IntN(9), 1+r.IntN(30), r.IntN(5)
		k := 1 + r.IntN(rows)
		draw := func(n int) []float64 {
			v := make([]float64, n*cells)
			for i := range v {
				v[i] = float64(r.IntN(3))
			}
			return v
		}
		p, q := draw(images), draw(rows)
		normalise := trial%2 == 1
		near := make([]emd.Neighbour, k*images)
		if err := Euclidean(context.Background(), p, q, cells, k, 1+trial%3, normalise, near); err != nil {
			t.Fatal(err)
		}
		part := func(v []float64, i, c int) float64 {
			x := v[i*cells+c]
			if normalise {
				sum := 0.0
				for _, y := range v[i*cells:][:cells] {
					sum += y
				}
				if sum > 0 {
					x /= sum
				}
			}
			return x
		}
		for i := range images {
			all := make([]emd.Neighbour, rows)
			for j := range all {
				square := 0.0
				for c := range cells {
					d := part(p, i, c) - part(q, j, c)
					square += d * d
				}
				all[j] = emd.Neighbour{Row: j, EMD: math.Sqrt(square)}
			}
			slices.SortStableFunc(all, func(a, b emd.Neighbour) int { return cmp.Compare(math.Round(1e9*a.EMD), math.Round(1e9*b.EMD)) })
			for l, got := range near[i*k:][:k] {
				if math.Abs(got.EMD-all[l].EMD) > 1e-12 || !normalise && got.Row != all[l].Row {
					t.Errorf("trial %d, image %d, neighbour %d: %v, want %v", trial, i, l, got, all[l])
				}
			}
		}
	}
	if err := Euclidean(context.Background(), nil, []float64{1, 2}, 2, 2, 1, false, nil); err == nil {
		t.Error("two neighbours of one image")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Euclidean(ctx, []float64{1}, []float64{1}, 1, 1, 1, false, make([]emd.Neighbour, 1)); err == nil {
		t.Error("cancelled, and no error")
	}
}

func Example() {
	labels := []string{"cat", "dog", "dog", "cat"}
	near := make([]emd.Neighbour, 3)
	err := Euclidean(context.Background(), []float64{2, 0}, []float64{2, 1, 3, 0, 5, 0, 9, 9}, 2, 3, 1, false, near)
	fmt.Println(near, err)
	label := func(row int) string { return labels[row] }
	fmt.Println(Vote(near, label), Vote(near[:2], label), Vote(Without(near, 2), label))
	// Output:
	// [{0 1} {1 1} {2 3}] <nil>
	// dog cat cat
}
