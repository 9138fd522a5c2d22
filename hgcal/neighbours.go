package hgcal

import "math"

// neighbourReach separates neighbours from the rest on the benchmark metric:
// the farthest neighbours are 2.291 apart, the nearest others 3.041.
const neighbourReach = 2.6

// Edges returns the 120 pairs of neighbouring cells, i < j, sorted: the 33
// edges of the triangular lattice inside each rhombus and 7 across each seam.
func Edges() [][2]int {
	p := Benchmark()
	var edges [][2]int
	for i := range p {
		for j := i + 1; j < len(p); j++ {
			if math.Hypot(p[i][0]-p[j][0], p[i][1]-p[j][1]) < neighbourReach {
				edges = append(edges, [2]int{i, j})
			}
		}
	}
	return edges
}

// Neighbours returns for each cell its 3, 4 or 6 neighbours in rising order.
func Neighbours() [Cells][]int {
	var n [Cells][]int
	for _, e := range Edges() {
		n[e[0]] = append(n[e[0]], e[1])
		n[e[1]] = append(n[e[1]], e[0])
	}
	return n
}
