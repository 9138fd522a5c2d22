package hgcal

import (
	"fmt"
	"slices"
)

// Weighting says how the telescope loss weighs its 2×2 supercells.
type Weighting int

const (
	// Published is the weighting of the published training code, with which the
	// paper's encoders were trained. It gives six supercells at the wafer's
	// centre too much (1/3 and 5/12 instead of 13/48 and 7/24), by a parenthesis
	// put in the wrong place.
	Published Weighting = iota
	// Equal is the weighting that the published code states it wants: every
	// cell counts the same.
	Equal
)

// ParseWeighting returns the weighting called published or equal.
func ParseWeighting(name string) (Weighting, error) {
	switch name {
	case "published":
		return Published, nil
	case "equal":
		return Equal, nil
	}
	return 0, fmt.Errorf("hgcal: unknown telescope weighting %q: want published or equal", name)
}

// String returns the name that ParseWeighting accepts.
func (w Weighting) String() string {
	switch w {
	case Published:
		return "published"
	case Equal:
		return "equal"
	}
	return fmt.Sprintf("Weighting(%d)", int(w))
}

// Supercell is a group of 2×2 cells, in rising order, with its weight in the
// telescope loss.
type Supercell struct {
	Cells  [4]int
	Weight float64
}

// Supercells returns the telescope's 36 groups of 2×2 cells: in each rhombus
// its nine 2×2 windows, then three across each of the three seams. The weight
// of a group is ¼·Σ over its cells of 1/(number of groups the cell is in), so
// that every cell counts the same; Published differs in six groups.
func Supercells(w Weighting) []Supercell {
	var groups []Supercell
	for k := range Rhombi {
		for r := range Side - 1 {
			for c := range Side - 1 {
				groups = append(groups, Supercell{Cells: [4]int{
					Cell(k, r, c), Cell(k, r, c+1), Cell(k, r+1, c), Cell(k, r+1, c+1)}})
			}
		}
	}
	// Row 0 of a rhombus and column 3 of the next one run side by side, both
	// ending at the wafer's centre.
	for k := range Rhombi {
		next := (k + 1) % Rhombi
		for d := range Side - 1 {
			g := [4]int{
				Cell(k, 0, Side-1-d), Cell(k, 0, Side-2-d),
				Cell(next, d, Side-1), Cell(next, d+1, Side-1)}
			slices.Sort(g[:])
			groups = append(groups, Supercell{Cells: g})
		}
	}
	var in [Cells]int
	for _, g := range groups {
		for _, i := range g.Cells {
			in[i]++
		}
	}
	for n, g := range groups {
		groups[n].Weight = weight(g.Cells, in, w)
	}
	return groups
}

func weight(cells [4]int, in [Cells]int, w Weighting) float64 {
	sum, central := 0.0, false
	for _, i := range cells {
		sum += 1 / float64(in[i])
		if _, r, c := Place(i); r == 0 && c == Side-1 {
			central = true
		}
	}
	if central && w == Published {
		return 0.25*1 + (sum - 1) // meant was 0.25*(1 + (sum - 1))
	}
	return sum / 4
}

// Rhombus returns the 16 cells of the telescope's 4×4 supercell k, one of the
// three thirds of a wafer (k in 0..2).
func Rhombus(k int) [Side * Side]int {
	var cells [Side * Side]int
	for j := range cells {
		cells[j] = Side*Side*k + j
	}
	return cells
}
