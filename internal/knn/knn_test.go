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
	for trial := range 60 {
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
		unequal := emd.Unequal(trial % 3)
		near := make([]emd.Neighbour, k*images)
		if err := Euclidean(context.Background(), p, q, cells, k, emd.Settings{Unequal: unequal, Threads: 1 + trial%3}, near); err != nil {
			t.Fatal(err)
		}
		sum := func(v []float64, i int) float64 {
			sum := 0.0
			for _, y := range v[i*cells:][:cells] {
				sum += y
			}
			return sum
		}
		for i := range images {
			var all []emd.Neighbour
			for j := range rows {
				a, b := sum(p, i), sum(q, j)
				if unequal != emd.UnequalPenalty && (a == 0 || b == 0) {
					continue
				}
				if unequal != emd.UnequalNormalise {
					a, b = 1, 1
				}
				square := 0.0
				for c := range cells {
					d := p[i*cells+c]/a - q[j*cells+c]/b
					square += d * d
				}
				all = append(all, emd.Neighbour{Row: j, Distance: math.Sqrt(square)})
			}
			slices.SortStableFunc(all, func(a, b emd.Neighbour) int {
				return cmp.Compare(math.Round(1e9*a.Distance), math.Round(1e9*b.Distance))
			})
			for l, got := range near[i*k:][:k] {
				if l >= len(all) {
					if got.Row != -1 || !math.IsNaN(got.Distance) {
						t.Errorf("trial %d, image %d, neighbour %d of %d: %v", trial, i, l, len(all), got)
					}
				} else if math.Abs(got.Distance-all[l].Distance) > 1e-12 || unequal != emd.UnequalNormalise && got.Row != all[l].Row {
					t.Errorf("trial %d, image %d, neighbour %d: %v, want %v", trial, i, l, got, all[l])
				}
			}
		}
	}
	if err := Euclidean(context.Background(), nil, []float64{1, 2}, 2, 2, emd.Settings{}, nil); err == nil {
		t.Error("two neighbours of one image")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Euclidean(ctx, []float64{1}, []float64{1}, 1, 1, emd.Settings{}, make([]emd.Neighbour, 1)); err == nil {
		t.Error("cancelled, and no error")
	}
}

// Rows that are none have no vote, and are not what is left out.
func TestNone(t *testing.T) {
	none := emd.Neighbour{Row: -1, Distance: math.NaN()}
	label := func(row int) string { return []string{"cat", "dog"}[row] }
	if v := Vote([]emd.Neighbour{{Row: 1}, none, none}, label); v != "dog" {
		t.Errorf("the vote of one is %q", v)
	}
	if v := Vote([]emd.Neighbour{none, none}, label); v != "" {
		t.Errorf("the vote of none is %q", v)
	}
	near := Without([]emd.Neighbour{{Row: 1}, none, none}, 0)
	if len(near) != 2 || near[0].Row != 1 || near[1].Row != -1 {
		t.Errorf("without another row: %v", near)
	}
	if near = Without([]emd.Neighbour{{Row: 0}, {Row: 1}, none}, 0); near[0].Row != 1 || near[1].Row != -1 {
		t.Errorf("without the first row: %v", near)
	}
}

func Example() {
	labels := []string{"cat", "dog", "dog", "cat"}
	near := make([]emd.Neighbour, 3)
	err := Euclidean(context.Background(), []float64{2, 0}, []float64{2, 1, 3, 0, 5, 0, 9, 9}, 2, 3, emd.Settings{}, near)
	fmt.Println(near, err)
	label := func(row int) string { return labels[row] }
	fmt.Println(Vote(near, label), Vote(near[:2], label), Vote(Without(near, 2), label))
	// Output:
	// [{0 1} {1 1} {2 3}] <nil>
	// dog cat cat
}
