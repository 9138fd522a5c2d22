package nn

import (
	"barrow/nn/internal/kernel"
)

// linear is a convolution, transposed convolution or dense layer, with the
// ReLU that may follow it.
type linear struct {
	in, out *edge
	level   kernel.Level
	l       LayerShape
	kernel  *Param
	bias    *Param
	relu    bool

	fwd, bwd *lowering // bwd computes the input's gradient
	grad     *weightGrad
	split    *split    // in place of the three before, or nil
	biasRow  []float32 // the bias for every output column
	quant    []float32 // the fake-quantised kernel, if any

	// Outside training the BatchNorm that follows is a constant scale and
	// shift, which folds into the weights and the bias.
	norm   *batchNorm
	folded []float32
	fold   bool // in the pass under way

	backPacked bool // whether bwd has the weights of the last packAll

	sums []float32 // partial column sums of the gradient

	back func() // makes what a backward pass takes: bwd, grad and sums

	rows   int // of the pass under way, for the tasks below
	chunks int
	tasks  struct{ pack, packBack, forward, mask, backward func(int) }
}

// rowChunk is how many rows of a batch one task covers; biasChunk is how many
// rows are summed at once for the bias. Only the latter shows in the bits.
const (
	rowChunk  = 112
	biasChunk = 128
)

// linear compiles a layer with a kernel.
func (b *builder) linear(l LayerShape, relu bool) {
	small := l.Kind != KindDense && l.Filters < 16
	switch {
	case l.Kind == KindDense: // reads any layout
	case small && b.last.channels < 16:
		b.factor()
		b.flatten()
	default:
		b.unflatten()
	}
	next := *b.last
	next.pixels, next.channels, next.flat = l.Out.Positions(), l.Out.C, small
	in, out := b.push(l, next)
	o := &linear{in: in, out: out, level: b.n.level, l: l, relu: relu, kernel: b.n.byName[l.Name+"/kernel"], bias: b.n.byName[l.Name+"/bias"]}
	conns, weight := connections(l, in)
	o.biasRow = make([]float32, out.width())
	if l.Bits > 0 {
		o.quant = make([]float32, len(o.kernel.Value))
	}
	o.bindTasks(b.n)
	pieces := out.groups() * ((out.rows(b.n.settings.MaxBatch) + biasChunk - 1) / biasChunk)
	if splits(l) && !in.flat {
		o.split = newSplit(b.n, o)
	} else {
		o.fwd = lower(o.level, conns, in.side(), out.side(), panelWidth(out), weight)
	}
	// A later reshape may change the edges' pixels and channels, so they are looked at now.
	from, to, panel, width := out.side(), in.side(), panelWidth(in), out.width()
	o.back = func() {
		o.sums = make([]float32, pieces*width)
		if o.split != nil {
			o.split.back()
			return
		}
		turned := make([]connection, len(conns))
		for i, c := range conns {
			turned[i] = connection{in: c.out, out: c.in, tap: c.tap}
		}
		o.bwd = lower(o.level, turned, from, to, panel, func(t, i, o int) int { return weight(t, o, i) })
		o.grad = newWeightGrad(o.fwd, out, len(o.kernel.Value))
		o.grad.bind(o)
	}
	b.op(o)
	b.n.weights = append(b.n.weights, o)
}

// panelWidth is 32 columns, two AVX-512 registers, or 16 where that wastes
// less.
func panelWidth(e *edge) int {
	w := e.width()
	if w <= 16 || e.flat && e.pixels > 1 || (w%32 != 0 && w < 64) {
		return 16
	}
	return 32
}

// connections lists which pixels a layer joins, and where its weights lie.
func connections(l LayerShape, in *edge) ([]connection, func(t, i, o int) int) {
	var conns []connection
	ci, co := in.channels, l.Out.C
	if l.Kind == KindDense {
		for p := range in.pixels {
			conns = append(conns, connection{in: p, out: 0, tap: p})
		}
		return conns, func(t, i, o int) int { return (t*ci+i)*co + o }
	}
	k, s := l.Kernel, l.Stride
	// A convolution joins input s·o + t − pad to output o; a transposed one
	// joins its input i to output s·i + t − pad, the same with ends exchanged.
	small, big := l.Out, l.In
	if l.Kind == KindConv2DTranspose {
		small, big = l.In, l.Out
	}
	padY, padX := 0, 0
	if l.Padding == PaddingSame {
		padY = max((small.H-1)*s+k-big.H, 0) / 2
		padX = max((small.W-1)*s+k-big.W, 0) / 2
	}
	for y := range small.H {
		for x := range small.W {
			for ky := range k {
				for kx := range k {
					by, bx := y*s+ky-padY, x*s+kx-padX
					if by < 0 || by >= big.H || bx < 0 || bx >= big.W {
						continue
					}
					c := connection{in: by*big.W + bx, out: y*small.W + x, tap: ky*k + kx}
					if l.Kind == KindConv2DTranspose {
						c.in, c.out = c.out, c.in
					}
					conns = append(conns, c)
				}
			}
		}
	}
	if l.Kind == KindConv2DTranspose {
		return conns, func(t, i, o int) int { return (t*co+o)*ci + i }
	}
	return conns, func(t, i, o int) int { return (t*ci+i)*co + o }
}

// bindTasks makes the closures of the parallel parts once, so that a pass
// allocates nothing.
func (o *linear) bindTasks(n *Network) {
	o.tasks.pack = func(i int) { o.fwd.pack(i, o.values()) }
	o.tasks.packBack = func(i int) { o.bwd.pack(i, o.values()) }
	o.tasks.forward = func(i int) {
		u := o.fwd.units[i/o.chunks]
		r0, r1 := span(o.rows, o.chunks, i%o.chunks)
		out, relu := o.target()
		o.fwd.apply(u, o.in.val, out.val, o.biasRow, o.rows, out.width(), r0, r1, relu)
	}
	o.tasks.backward = func(i int) {
		u := o.bwd.units[i/o.chunks]
		r0, r1 := span(o.rows, o.chunks, i%o.chunks)
		out, _ := o.target()
		o.bwd.apply(u, out.grad, o.in.grad, nil, o.rows, o.in.width(), r0, r1, false)
	}
	o.tasks.mask = func(i int) {
		w := o.out.width()
		parts := (o.rows + biasChunk - 1) / biasChunk
		g, r0 := i/parts, i%parts*biasChunk
		r1 := min(r0+biasChunk, o.rows)
		lo, hi := (g*o.rows+r0)*w, (g*o.rows+r1)*w
		var mask []float32
		out, relu := o.target()
		if relu {
			mask = out.val[lo:hi]
		}
		o.level.MaskSum(o.sums[i*w:(i+1)*w], out.grad[lo:hi], mask)
	}
}

// span is the i-th of parts nearly equal pieces of n rows.
func span(n, parts, i int) (lo, hi int) { return n * i / parts, n * (i + 1) / parts }

// target is where the pass under way puts the output, and whether rectified.
func (o *linear) target() (*edge, bool) {
	if o.fold {
		return o.norm.out, o.norm.relu
	}
	return o.out, o.relu
}

// values are the weights that the products use.
func (o *linear) values() []float32 {
	switch {
	case o.fold:
		return o.folded
	case o.quant != nil:
		return o.quant
	}
	return o.kernel.Value
}

// foldNorm prepares folded and biasRow; bias is the layer's own.
func (o *linear) foldNorm(bias []float32) {
	o.fold = false // so that values are the layer's own
	w := o.values()
	o.norm.fix()
	scale := o.norm.scale
	run := 1 // of weights in a row that make the same channel
	if o.l.Kind == KindConv2DTranspose {
		run = o.l.In.C
	}
	for i := 0; i < len(w); {
		for _, s := range scale {
			for end := i + run; i < end; i++ {
				o.folded[i] = w[i] * s
			}
		}
	}
	for j, s := range scale {
		bias[j] = (bias[j]-o.norm.centre[j])*s + o.norm.beta.Value[j]
	}
	o.fold = true
}

// packAll brings the packed weights up to date for the mode of the pass.
func (n *Network) packAll(training bool) {
	for _, o := range n.weights {
		q := newQuantiser(o.l.Layer)
		if o.quant != nil {
			q.apply(n.level, o.quant, o.kernel.Value)
		}
		c := o.l.Out.C
		bias := o.biasRow[:c]
		if o.bias == nil {
			clear(bias)
		} else {
			copy(bias, o.bias.Value)
			if o.quant != nil {
				q.apply(n.level, bias, bias)
			}
		}
		if o.fold = o.norm != nil && !training; o.fold {
			o.foldNorm(bias)
		}
		for i := c; i < len(o.biasRow); i += c {
			copy(o.biasRow[i:], bias)
		}
		if o.split != nil {
			o.split.pack(n, bias)
		} else {
			n.runPacking(o.fwd, o.tasks.pack)
		}
		o.backPacked = false
	}
}

// packAlone is the number of weights below which handing out the packing takes
// longer than doing it.
const packAlone = 1 << 16

func (n *Network) runPacking(lo *lowering, task func(int)) {
	if lo.packed == nil {
		lo.packed = make([]float32, lo.size)
	}
	if lo.size >= packAlone {
		n.team.run(len(lo.blocks), task)
		return
	}
	for i := range lo.blocks {
		task(i)
	}
}

func (o *linear) trainable() bool { return true }

func (o *linear) forward(n *Network) {
	o.rows = o.out.rows(n.n)
	if o.split != nil {
		o.split.rows = o.rows
		o.split.forward(n)
		return
	}
	o.fwd.aim(o.rows)
	o.chunks = (o.rows + rowChunk - 1) / rowChunk
	n.team.run(len(o.fwd.units)*o.chunks, o.tasks.forward)
}

func (o *linear) backward(n *Network, input, weights bool) {
	o.rows = o.out.rows(n.n)
	parts := (o.rows + biasChunk - 1) / biasChunk
	pieces := o.out.groups() * parts
	if _, relu := o.target(); relu || weights && o.bias != nil {
		n.team.run(pieces, o.tasks.mask)
	}
	if weights {
		if o.bias != nil {
			o.addBias(pieces)
		}
		if o.split != nil {
			o.split.addGrad(n)
		} else {
			o.grad.compute(n, o.rows)
		}
	}
	if input && o.split != nil {
		o.split.backward(n)
	} else if input {
		if !o.backPacked {
			n.runPacking(o.bwd, o.tasks.packBack)
			o.backPacked = true
		}
		o.bwd.aim(o.rows)
		o.chunks = (o.rows + rowChunk - 1) / rowChunk
		n.team.run(len(o.bwd.units)*o.chunks, o.tasks.backward)
	}
}

// addBias adds the column sums of pieces parts, in their order.
func (o *linear) addBias(pieces int) {
	w, grad := o.out.width(), o.bias.Grad
	c := len(grad)
	for i := 1; i < pieces; i++ {
		kernel.Add(o.sums[:w], o.sums[i*w:(i+1)*w])
	}
	for j, s := range o.sums[:w] {
		grad[j%c] += s
	}
}

// weightGrad computes the gradient of a lowered layer's weights.
type weightGrad struct {
	lo    *lowering
	out   *edge
	tiles []gradTile
	pairs []gradPair
	run   []kernel.Tap
	rows  int
	// Where blocks are not affine or share weights, they are computed apart
	// and gathered: weight w is the sum of the packed elements
	// from[start[w]:start[w+1]].
	apart       []float32
	start, from []int32
	tile        func(int)
	gather      func(int)
}

// A gradTile is rows [r0, r1) of one block.
type gradTile struct{ block, r0, r1, first, last int }

// A gradPair is one meeting of input columns and output columns in a block.
type gradPair struct{ inGroup, k0, outGroup, col int }

// gradRows is how many rows of a block one task computes; gatherChunk is how
// many weights one task gathers.
const (
	gradRows    = 42
	gatherChunk = 256
)

func newWeightGrad(lo *lowering, out *edge, weights int) *weightGrad {
	g := &weightGrad{lo: lo, out: out}
	pairs := make([][]gradPair, len(lo.blocks))
	for _, u := range lo.units {
		for _, t := range lo.taps[u.first:u.last] {
			pairs[t.block] = append(pairs[t.block], gradPair{t.group, t.k0, u.group, u.col})
		}
	}
	counts := make([]int32, weights+1)
	direct := true
	lo.each(func(_, w int) {
		counts[w+1]++
		direct = direct && counts[w+1] == 1
	})
	for i, b := range lo.blocks {
		direct = direct && b.affine
		first := len(g.pairs)
		g.pairs = append(g.pairs, pairs[i]...)
		parts := (b.k + gradRows - 1) / gradRows
		for j := range parts {
			r0, r1 := span(b.k, parts, j)
			g.tiles = append(g.tiles, gradTile{i, r0, r1, first, len(g.pairs)})
		}
	}
	g.run = make([]kernel.Tap, len(g.pairs))
	if direct {
		return g
	}
	g.apart = make([]float32, lo.size)
	for i := range weights {
		counts[i+1] += counts[i]
	}
	g.start = counts
	g.from = make([]int32, counts[weights])
	next := append([]int32(nil), counts[:weights]...)
	lo.each(func(i, w int) {
		g.from[next[w]] = int32(i)
		next[w]++
	})
	return g
}

func (g *weightGrad) bind(o *linear) {
	g.tile = func(i int) {
		t := g.tiles[i]
		b := g.lo.blocks[t.block]
		p := kernel.Product{
			A: o.in.val[t.r0:], B: o.out.grad, Taps: g.run[t.first:t.last],
			M: t.r1 - t.r0, N: b.cols,
			ARow: 1, ACol: o.in.width(), BRow: o.out.width(),
		}
		if g.apart == nil {
			p.C, p.CRow, p.Accumulate = o.kernel.Grad[b.base+t.r0*b.stride:], b.stride, true
		} else {
			p.C, p.CRow = g.apart[b.off+t.r0*g.lo.panel:], g.lo.panel
		}
		o.level.Run(&p)
	}
	g.gather = func(i int) {
		grad := o.kernel.Grad
		for w := i * gatherChunk; w < min((i+1)*gatherChunk, len(grad)); w++ {
			s := grad[w]
			for _, x := range g.from[g.start[w]:g.start[w+1]] {
				s += g.apart[x]
			}
			grad[w] = s
		}
	}
}

// compute adds the gradient for the batch in o's edges.
func (g *weightGrad) compute(n *Network, rows int) {
	if g.rows != rows {
		g.rows = rows
		in, out := g.lo.width, g.out.width()
		for i, p := range g.pairs {
			g.run[i] = kernel.Tap{A: p.inGroup*rows*in + p.k0, B: p.outGroup*rows*out + p.col, K: rows}
		}
	}
	n.team.run(len(g.tiles), g.tile)
	if g.apart != nil {
		n.team.run((len(g.start)-1+gatherChunk-1)/gatherChunk, g.gather)
	}
}
