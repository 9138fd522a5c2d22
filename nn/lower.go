package nn

import "barrow/nn/internal/kernel"

// A linear layer on tiny images is lowered to products of plain matrices.
//
// Its definition is a list of connections: input pixel i reaches output pixel
// o through kernel tap t. For each output matrix (a pixel, or the whole sample
// where the layout is flat) and each panel of its columns, the lowering lists
// the runs of input columns that reach it, and packs the weights between them
// into a block of the panel's width. Blocks with equal content are shared. A
// position-major convolution then has one block per kernel tap and panel, and
// multiplies no padding; a flat one, on images with few channels, becomes a
// dense matrix product that skips the parts that are zero for a whole panel.
type lowering struct {
	level  kernel.Level
	panel  int // columns of a panel
	units  []panelUnit
	taps   []panelTap
	blocks []block
	size   int       // of packed
	packed []float32 // made with the first packing

	run   []kernel.Tap // taps with the offsets of the current batch size
	rows  int          // that run was made for
	width int          // of the source edge
}

// A panelUnit is one panel of one output matrix.
type panelUnit struct {
	group, col, cols int
	first, last      int // its taps
}

// A panelTap is one run of k input columns, starting at column k0 of matrix
// group, and the block of weights that it meets.
type panelTap struct {
	group, k0, block int
}

// A block is k rows of the panel's width, packed at off.
type block struct {
	k, cols, off int
	// affine blocks hold weight base + row·stride + column: their gradient can
	// be added in place.
	affine       bool
	base, stride int
	// Otherwise index is the weight of each packed element, or −1 for zero.
	index []int32
}

// A connection says that input pixel in reaches output pixel out by tap.
type connection struct{ in, out, tap int }

// A side is the layout at one end of a linear layer.
type side struct {
	pixels, channels int
	flat             bool
}

func (e *edge) side() side { return side{e.pixels, e.channels, e.flat || e.pixels == 1} }

// lower builds the lowering from src to dst; weight(t, i, o) is the index of
// the weight from source channel i to destination channel o at tap t.
func lower(level kernel.Level, conns []connection, src, dst side, panel int, weight func(t, i, o int) int) *lowering {
	lo := &lowering{level: level, panel: panel, width: src.channels}
	if src.flat {
		lo.width = src.pixels * src.channels
	}
	reach := make([][]connection, dst.pixels)
	for _, c := range conns {
		reach[c.out] = append(reach[c.out], c)
	}
	known := map[string]int{}
	groups, width := dst.pixels, dst.channels
	if dst.flat {
		groups, width = 1, dst.pixels*dst.channels
	}
	for g := range groups {
		for col := 0; col < width; col += panel {
			u := panelUnit{group: g, col: col, cols: min(panel, width-col), first: len(lo.taps)}
			p0, p1 := g, g+1
			if dst.flat {
				p0, p1 = col/dst.channels, (col+u.cols-1)/dst.channels+1
			}
			// hit[s] lists, for source pixel s, its tap to each pixel of the panel.
			hit := make([][]int, src.pixels)
			for p := p0; p < p1; p++ {
				for _, c := range reach[p] {
					if hit[c.in] == nil {
						hit[c.in] = make([]int, p1-p0)
					}
					hit[c.in][p-p0] = c.tap + 1
				}
			}
			lo.addRuns(&u, hit, src, dst, known, weight)
			u.last = len(lo.taps)
			lo.units = append(lo.units, u)
		}
	}
	lo.run = make([]kernel.Tap, len(lo.taps))
	return lo
}

// addRuns appends the taps of one unit.
func (lo *lowering) addRuns(u *panelUnit, hit [][]int, src, dst side, known map[string]int, weight func(t, i, o int) int) {
	for s := 0; s < src.pixels; s++ {
		if hit[s] == nil {
			continue
		}
		end := s + 1
		for src.flat && end < src.pixels && hit[end] != nil {
			end++
		}
		key := make([]byte, 0, 64)
		put := func(v int) { key = append(key, byte(v), byte(v>>8), byte(v>>16), byte(v>>24)) }
		put(u.col % dst.channels)
		put(u.cols)
		for _, taps := range hit[s:end] {
			for _, t := range taps {
				put(t)
			}
			put(-1)
		}
		b, ok := known[string(key)]
		if !ok {
			b = lo.addBlock(u, hit[s:end], src, dst, weight)
			known[string(key)] = b
		}
		tap := panelTap{group: s, block: b}
		if src.flat {
			tap.group, tap.k0 = 0, s*src.channels
		}
		lo.taps = append(lo.taps, tap)
		s = end - 1
	}
}

func (lo *lowering) addBlock(u *panelUnit, hit [][]int, src, dst side, weight func(t, i, o int) int) int {
	b := block{k: len(hit) * src.channels, cols: u.cols, off: lo.size, affine: true}
	first := u.col / dst.channels
	index := make([]int32, 0, b.k*lo.panel)
	for r := range b.k {
		taps, i := hit[r/src.channels], r%src.channels
		for j := range lo.panel {
			w := -1
			if j < u.cols {
				col := u.col + j
				pixel, o := 0, col
				if dst.flat {
					pixel, o = col/dst.channels-first, col%dst.channels
				}
				if t := taps[pixel]; t > 0 {
					w = weight(t-1, i, o)
				}
			}
			index = append(index, int32(w))
			switch {
			case j >= u.cols:
			case r == 0 && j == 0:
				b.base = w
			case r == 1 && j == 0:
				b.stride = w - b.base
			}
			if j < u.cols && (w < 0 || w != b.base+r*b.stride+j) {
				b.affine = false
			}
		}
	}
	if !b.affine {
		b.index = index
	}
	lo.size += len(index)
	lo.blocks = append(lo.blocks, b)
	return len(lo.blocks) - 1
}

// aim fills run with the offsets for a batch of rows rows.
func (lo *lowering) aim(rows int) {
	if lo.rows == rows {
		return
	}
	lo.rows = rows
	for i, t := range lo.taps {
		b := lo.blocks[t.block]
		lo.run[i] = kernel.Tap{A: t.group*rows*lo.width + t.k0, B: b.off, K: b.k}
	}
}

// each calls f with every packed element that is a weight, and which one it is.
func (lo *lowering) each(f func(element, weight int)) {
	for _, b := range lo.blocks {
		for r := range b.k {
			row := r * lo.panel
			if b.affine {
				for j := range b.cols {
					f(b.off+row+j, b.base+r*b.stride+j)
				}
				continue
			}
			for j, w := range b.index[row : row+lo.panel] {
				if w >= 0 {
					f(b.off+row+j, int(w))
				}
			}
		}
	}
}

// pack copies the weights of block b into place.
func (lo *lowering) pack(b int, w []float32) {
	bl := lo.blocks[b]
	if bl.affine {
		for r := range bl.k {
			copy(lo.packed[bl.off+r*lo.panel:][:bl.cols], w[bl.base+r*bl.stride:][:bl.cols])
		}
		return
	}
	dst := lo.packed[bl.off : bl.off+bl.k*lo.panel]
	for i, x := range bl.index {
		if x >= 0 {
			dst[i] = w[x]
		}
	}
}

// apply computes rows [r0, r1) of unit u: out = src·weights, from bias.
func (lo *lowering) apply(u panelUnit, src, out, bias []float32, rows, outWidth, r0, r1 int, relu bool) {
	p := kernel.Product{
		A: src[r0*lo.width:], B: lo.packed, C: out[(u.group*rows+r0)*outWidth+u.col:],
		Taps: lo.run[u.first:u.last], M: r1 - r0, N: u.cols,
		ARow: lo.width, ACol: 1, BRow: lo.panel, CRow: outWidth, ReLU: relu,
	}
	if bias != nil {
		p.Bias = bias[u.col : u.col+u.cols]
	}
	lo.level.Run(&p)
}
