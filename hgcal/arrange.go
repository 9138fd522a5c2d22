package hgcal

// Masked marks a pixel of an arrangement that no cell fills: it is zero.
const Masked = -1

// Arrange8x8 returns the V9 cell of each pixel of the encoder's 8×8 image, row
// by row, and Masked for the bottom right quarter. The top half holds rhombi 1
// and 0 side by side, the bottom left quarter rhombus 2, each turned so that
// cells that touch on the wafer touch in the image:
//
//	28 29 30 31  0  4  8 12
//	24 25 26 27  1  5  9 13
//	20 21 22 23  2  6 10 14
//	16 17 18 19  3  7 11 15
//	47 43 39 35  ·  ·  ·  ·
//	46 42 38 34  ·  ·  ·  ·
//	45 41 37 33  ·  ·  ·  ·
//	44 40 36 32  ·  ·  ·  ·
//
// All 80 neighbouring pixels are neighbouring cells, but 40 of the 120
// neighbouring cells are not neighbouring pixels.
func Arrange8x8() [64]int { return arrange8x8(false) }

// Arrange8x8Unmasked is Arrange8x8 with rhombus 2 once more, turned, in the
// bottom right quarter, so that its seam with rhombus 0 is in the image too.
// It also puts cells side by side that lie far apart, up to 10.4 half pitches.
func Arrange8x8Unmasked() [64]int { return arrange8x8(true) }

func arrange8x8(repeat bool) [64]int {
	var a [64]int
	for y := range 8 {
		for x := range 8 {
			r, c := y%Side, x%Side
			cell := Masked
			switch {
			case y < Side && x < Side:
				cell = Cell(1, Side-1-r, c)
			case y < Side:
				cell = Cell(0, c, r)
			case x < Side:
				cell = Cell(2, Side-1-c, Side-1-r)
			case repeat:
				cell = Cell(2, r, Side-1-c)
			}
			a[8*y+x] = cell
		}
	}
	return a
}

// Arrange443 returns the V9 cell of each entry of the EMD CNN's 4×4×3 image,
// channel fastest: entry 3·(4r+c)+k is Cell(k, r, c). The three channels at
// one pixel are 1.8 to 12.1 half pitches apart on the wafer.
func Arrange443() [Cells]int {
	var a [Cells]int
	for i := range a {
		k, r, c := Place(i)
		a[Rhombi*(Side*r+c)+k] = i
	}
	return a
}
