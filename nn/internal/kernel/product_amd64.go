//go:build !purego

package kernel

import (
	"unsafe"

	"golang.org/x/sys/cpu"

	"barrow/internal/simd"
)

//go:generate go run ./gen -out kernel_amd64.s -stubs stubs_amd64.go -pkg kernel

// A tile is what the assembly is told of one tile of C. Strides are in bytes.
// The generator knows the offsets.
type tile struct {
	a, b, c, bias unsafe.Pointer
	taps          *Tap
	count         int
	aRow, aCol    int
	bRow, cRow    int
	mask          uintptr // AVX-512: a bit a column; AVX2: address of the mask's words
	flags         int     // 1: start from C; 2: rectify
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

// product512 cuts C into column strips of 32 and these into row tiles of
// nearly equal height.
func product512(p *Product) {
	base := newTile(p)
	tiles := (p.M + 13) / 14
	for j := 0; j < p.N; j += 32 {
		cols := min(32, p.N-j)
		i := 0
		for k := range tiles {
			end := p.M * (k + 1) / tiles
			t := base.at(p, i, j)
			t.mask = 1<<cols - 1
			if cols > 16 {
				tile512wide(end-i, (*byte)(unsafe.Pointer(&t)))
			} else {
				tile512narrow(end-i, (*byte)(unsafe.Pointer(&t)))
			}
			i = end
		}
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
		tiles := (p.M + most - 1) / most
		i := 0
		for k := range tiles {
			end := p.M * (k + 1) / tiles
			t := base.at(p, i, j)
			if cols < 16 {
				t.mask = uintptr(unsafe.Pointer(&maskWords[16-cols]))
				tile256masked(end-i, (*byte)(unsafe.Pointer(&t)))
			} else {
				tile256(end-i, (*byte)(unsafe.Pointer(&t)))
			}
			i = end
		}
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
