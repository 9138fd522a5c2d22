// Package hgcal knows the trigger-cell geometry of CMS's High-Granularity
// Calorimeter (HGCAL): where the 48 trigger cells of a silicon wafer lie, how
// the three numberings in circulation map onto each other, how a wafer is
// arranged as an image for a network, which cells are neighbours, and how a
// wafer is drawn.
//
// # Numbering
//
// Everything in Barrow is in V9 order, the numbering of CMSSW's HGCAL V9
// geometry and later: three rhombi of 4×4 cells, cells 0–15, 16–31 and 32–47,
// cell 16k+4r+c in row r and column c of rhombus k. Column 3 of row 0 is the
// cell at the centre of the wafer. Files in another numbering are converted
// where they are read; see [Order].
//
// # Units
//
// [Benchmark] positions are in units of half the trigger-cell pitch, [CMSSW]
// positions in cm. In both the nearest cells of a rhombus lie one pitch apart:
// 2 and 2.4024 cm.
package hgcal

// Cells is the number of trigger cells of a full silicon wafer.
const Cells = 48

// Rhombi is the number of rhombic thirds of a wafer, Side the number of
// trigger cells along an edge of one: Rhombi·Side·Side = Cells.
const (
	Rhombi = 3
	Side   = 4
)

// CountsPerMIPT is the number of CALQ counts of one MIP_T, the charge of a transverse
// minimum-ionising particle: 3.43 fC, what one leaves in 200 µm of silicon, over
// 100 fC/1024.
const CountsPerMIPT = 35

// Point is a position x, y in the wafer plane.
type Point = [2]float64

// Cell returns the V9 number of the cell in row r and column c of rhombus k.
// Row and column must be in 0..3 and k in 0..2.
func Cell(k, r, c int) int { return Side*Side*k + Side*r + c }

// Place is the inverse of Cell: the rhombus, row and column of V9 cell i.
func Place(i int) (k, r, c int) {
	return i / (Side * Side), i / Side % Side, i % Side
}

// UV returns the trigger cell's coordinates u, v (0..7) in CMSSW's HGCAL V9
// geometry. Source: the cellUVremap table of the Ecoder training scripts,
// which these closed forms reproduce.
func UV(i int) (u, v int) {
	k, r, c := Place(i)
	switch k {
	case 0:
		return 7 - c, 4 + r
	case 1:
		return 1 + r + c, c
	default:
		return 3 - r, 6 - r - c
	}
}

// FromUV returns the V9 cell with trigger-cell coordinates u, v; ok is false
// if there is none.
func FromUV(u, v int) (cell int, ok bool) {
	for i := range Cells {
		if a, b := UV(i); a == u && b == v {
			return i, true
		}
	}
	return 0, false
}
