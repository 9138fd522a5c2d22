//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"

	"barrow/internal/simd"
)

//go:generate go run ./gen -out kernel_amd64.s -stubs stubs_amd64.go -pkg kernel

// A tile is what the assembly is told of tiles of C, one below the other. Strides are in bytes.
// The generator knows the offsets.
type tile struct {
	a, b, c, bias unsafe.Pointer
	taps          *Tap
	count         int
	aRow, aCol    int
	bRow, cRow    int
	mask          uintptr // AVX-512: a bit a column; AVX2: address of the mask's words
	flags         int     // 1: start from C; 2: rectify
	blocks        int     // of rows, one below the other
}

// detect lists the kernels that the CPU runs, best first.
func detect() []string {
	var out []string
	if cpu.X86.HasAVX512F && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512VL {
		out = append(out, simd.AVX512)
	}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		out = append(out, simd.AVX2)
	}
	return append(out, simd.Portable)
}

func (l Level) run(p *Product) {
	switch l {
	case avx512:
		product512(p)
	case avx2:
		product256(p)
	default:
		productGo(p)
	}
}

func newTile(p *Product) tile {
	t := tile{
		a: unsafe.Pointer(unsafe.SliceData(p.A)), b: unsafe.Pointer(unsafe.SliceData(p.B)),
		c: unsafe.Pointer(unsafe.SliceData(p.C)), bias: unsafe.Pointer(unsafe.SliceData(p.Bias)),
		taps: unsafe.SliceData(p.Taps), count: len(p.Taps),
		aRow: 4 * p.ARow, aCol: 4 * p.ACol, bRow: 4 * p.BRow, cRow: 4 * p.CRow,
	}
	if p.Accumulate {
		t.flags |= 1
	}
	if p.ReLU {
		t.flags |= 2
	}
	return t
}

// at moves a copy of t to row i and column j. An operand that ends before that
// belongs to taps without terms and is not read: its pointer stays, lest it
// point into somebody else's memory.
func (t tile) at(p *Product, i, j int) tile {
	if i*p.ARow < len(p.A) {
		t.a = unsafe.Add(t.a, i*t.aRow)
	}
	if j < len(p.B) {
		t.b = unsafe.Add(t.b, 4*j)
	}
	t.c = unsafe.Add(t.c, i*t.cRow+4*j)
	if t.bias != nil {
		t.bias = unsafe.Add(t.bias, 4*j)
	}
	return t
}

// heights cuts rows into the fewest blocks of at most most rows, of nearly equal
// height: tall of height+1 rows and then short of height.
func heights(rows, most int) (height, tall, short int) {
	blocks := (rows + most - 1) / most
	height = rows / blocks
	tall = rows - blocks*height
	return height, tall, blocks - tall
}

// product512 cuts C into column strips of 32 and these into row tiles.
func product512(p *Product) {
	base := newTile(p)
	height, tall, short := heights(p.M, 14)
	for j := 0; j < p.N; j += 32 {
		cols := min(32, p.N-j)
		if tall > 0 {
			t := base.at(p, 0, j)
			t.blocks = tall
			strip512(height+1, cols, &t)
		}
		t := base.at(p, tall*(height+1), j)
		t.blocks = short
		strip512(height, cols, &t)
	}
}

func strip512(height, cols int, t *tile) {
	arg := (*byte)(unsafe.Pointer(t))
	t.mask = 1<<cols - 1
	switch {
	case cols == 32:
		tile512full(height, arg)
	case cols > 16:
		tile512wide(height, arg)
	default:
		tile512narrow(height, arg)
	}
}

// maskWords is sixteen ones and sixteen zeros: the mask of n columns starts
// n words before the middle.
var maskWords = [32]int32{
	-1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1,
}

// product256 is like product512 with strips of 16 columns.
func product256(p *Product) {
	base := newTile(p)
	for j := 0; j < p.N; j += 16 {
		cols, most := min(16, p.N-j), 6
		if cols < 16 {
			most = 4
		}
		height, tall, short := heights(p.M, most)
		if tall > 0 {
			t := base.at(p, 0, j)
			t.blocks = tall
			strip256(height+1, cols, &t)
		}
		t := base.at(p, tall*(height+1), j)
		t.blocks = short
		strip256(height, cols, &t)
	}
}

func strip256(height, cols int, t *tile) {
	arg := (*byte)(unsafe.Pointer(t))
	if cols == 16 {
		tile256(height, arg)
		return
	}
	t.mask = uintptr(unsafe.Pointer(&maskWords[16-cols]))
	tile256masked(height, arg)
}

func tile512full(rows int, t *byte) {
	switch rows {
	case 1:
		tile512x1x2full(t)
	case 2:
		tile512x2x2full(t)
	case 3:
		tile512x3x2full(t)
	case 4:
		tile512x4x2full(t)
	case 5:
		tile512x5x2full(t)
	case 6:
		tile512x6x2full(t)
	case 7:
		tile512x7x2full(t)
	case 8:
		tile512x8x2full(t)
	case 9:
		tile512x9x2full(t)
	case 10:
		tile512x10x2full(t)
	case 11:
		tile512x11x2full(t)
	case 12:
		tile512x12x2full(t)
	case 13:
		tile512x13x2full(t)
	case 14:
		tile512x14x2full(t)
	}
}

func tile512wide(rows int, t *byte) {
	switch rows {
	case 1:
		tile512x1x2(t)
	case 2:
		tile512x2x2(t)
	case 3:
		tile512x3x2(t)
	case 4:
		tile512x4x2(t)
	case 5:
		tile512x5x2(t)
	case 6:
		tile512x6x2(t)
	case 7:
		tile512x7x2(t)
	case 8:
		tile512x8x2(t)
	case 9:
		tile512x9x2(t)
	case 10:
		tile512x10x2(t)
	case 11:
		tile512x11x2(t)
	case 12:
		tile512x12x2(t)
	case 13:
		tile512x13x2(t)
	case 14:
		tile512x14x2(t)
	}
}

func tile512narrow(rows int, t *byte) {
	switch rows {
	case 1:
		tile512x1x1(t)
	case 2:
		tile512x2x1(t)
	case 3:
		tile512x3x1(t)
	case 4:
		tile512x4x1(t)
	case 5:
		tile512x5x1(t)
	case 6:
		tile512x6x1(t)
	case 7:
		tile512x7x1(t)
	case 8:
		tile512x8x1(t)
	case 9:
		tile512x9x1(t)
	case 10:
		tile512x10x1(t)
	case 11:
		tile512x11x1(t)
	case 12:
		tile512x12x1(t)
	case 13:
		tile512x13x1(t)
	case 14:
		tile512x14x1(t)
	}
}

func tile256(rows int, t *byte) {
	switch rows {
	case 1:
		tile256x1(t)
	case 2:
		tile256x2(t)
	case 3:
		tile256x3(t)
	case 4:
		tile256x4(t)
	case 5:
		tile256x5(t)
	case 6:
		tile256x6(t)
	}
}

func tile256masked(rows int, t *byte) {
	switch rows {
	case 1:
		tile256x1masked(t)
	case 2:
		tile256x2masked(t)
	case 3:
		tile256x3masked(t)
	case 4:
		tile256x4masked(t)
	}
}
