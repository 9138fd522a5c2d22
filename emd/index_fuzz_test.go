package emd

import (
	"context"
	"testing"
)

// FuzzIndex reads a grid, images and a number of neighbours from bytes, and demands what comparing
// all pairs says.
func FuzzIndex(f *testing.F) {
	f.Add([]byte{12, 13, 0, 2, 1, 9, 3, 200, 17, 4, 4, 90, 1})
	f.Add([]byte{9, 3, 5, 1, 0, 0, 0, 1})
	f.Add([]byte{20, 8, 14, 3, 255, 0, 255, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) < 4 {
			return
		}
		shape, kind, k := []int{1 + int(data[0])%20, 1 + int(data[1])%20}, data[2], int(data[3])
		data = data[4:]
		n := shape[0] * shape[1]
		g, err := NewGrid(shape, Norm(kind%3), []bool{kind&4 != 0, kind&8 != 0})
		if err != nil {
			t.Fatal(err)
		}
		s := Settings{Unequal: UnequalNormalise, Threads: 1}
		if kind&16 != 0 {
			s = Settings{Unequal: UnequalPenalty, Penalty: 0.25 + float64(kind>>5), Threads: 1}
		}
		// Each pair of bytes is a cell and a mass; images have four cells at most.
		var q []float64
		for rows := 0; len(data) >= 2 && rows < 20; rows++ {
			row := make([]float64, n)
			row[(7*rows)%n] = 1
			for range min(4, len(data)/2) {
				row[int(data[0])*n/256] += float64(data[1]) / 16
				data = data[2:]
			}
			q = append(q, row...)
		}
		rows := len(q) / n
		if rows < 2 {
			return
		}
		p, q := q[:n], q[n:]
		k = 1 + k%(rows-1)
		x, err := NewIndex(context.Background(), g, q, s)
		if err != nil {
			t.Fatal(err)
		}
		near := make([]Neighbour, k)
		if _, err := x.Nearest(context.Background(), p, k, near); err != nil {
			t.Fatal(err)
		}
		if want := bruteForce(t, g, s, p, q, k); !same(near, want) {
			t.Errorf("grid %v, settings %+v: %v, not %v", shape, s, near, want)
		}
	})
}
