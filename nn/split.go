package nn

import "barrow/nn/internal/kernel"

// split does the products of a convolution on 4×4 images by splitting its
// Toeplitz matrices (see kernel.Level.Spread): 52 products of channels in place of
// 196 for 5×5 kernels, in each of the three passes.
type split struct {
	o        *linear
	taps     *kernel.Taps
	fwd, bwd []float32 // the matrices of all planes; bwd's are transposed
	turned   []float32 // the taps, transposed
	cells    []float32 // of the taps' four groups of nine
	bias     []float32 // of splitRows samples
	grad     []float32 // of the planes' matrices, by piece of the batch
	scratch  chan *planes
	rows     int
	max      int // samples of a batch

	tasks struct{ pack, turn, packBack, forward, backward, weights, sum, join, add func(int) }
}

// planes are the values that one task works on.
type planes struct{ in, out, zero []float32 }

// splitRows is how many samples are split at once: enough for full tiles of the
// products, few enough for their planes to stay in the second-level cache.
// gradPieces is in how many pieces at most a batch is cut for the weights'
// gradient, which shows in the bits. planeGap keeps planes from falling on the same
// lines of the cache.
const (
	splitRows  = 32
	gradPieces = 8
	planeGap   = 16
)

// splits reports whether splitting saves enough products to pay for the sums.
func splits(l LayerShape) bool {
	return l.Kind == KindConv2D && l.In.H == 4 && l.In.W == 4 && l.Stride == 1 && l.Padding == PaddingSame &&
		l.Kernel == 5 && l.In.C*l.Out.C >= 3*(l.In.C+l.Out.C) && l.Out.C >= 16
}

func newSplit(n *Network, o *linear) *split {
	ci, co := o.l.In.C, o.l.Out.C
	size := ci * co
	s := &split{
		o: o, max: n.settings.MaxBatch, scratch: n.scratch, taps: kernel.NewTaps(o.l.Kernel),
		fwd: make([]float32, kernel.Planes*size), cells: make([]float32, 36*size), bias: make([]float32, splitRows*co),
	}
	group := func(x []float32, g int) []float32 {
		return x[g*kernel.GroupPlanes*size : (g+1)*kernel.GroupPlanes*size]
	}
	cells := func(g int) []float32 { return s.cells[9*g*size : 9*(g+1)*size] }
	s.tasks.pack = func(g int) { s.taps.Split(o.level, group(s.fwd, g), cells(g), o.values(), g, size) }
	s.tasks.packBack = func(g int) { s.taps.Split(o.level, group(s.bwd, g), cells(g), s.turned, g, size) }
	s.tasks.turn = func(t int) {
		src, dst := o.values()[t*size:(t+1)*size], s.turned[t*size:(t+1)*size]
		for i := range ci {
			for j, v := range src[i*co : (i+1)*co] {
				dst[j*ci+i] = v
			}
		}
	}
	s.tasks.forward = func(i int) {
		out, relu := o.target()
		s.apply(i, out.val, o.in.val, s.fwd, s.bias, ci, co, false, relu)
	}
	s.tasks.backward = func(i int) {
		out, _ := o.target()
		s.apply(i, o.in.grad, out.grad, s.bwd, nil, co, ci, true, false)
	}
	s.tasks.weights = func(piece int) { s.weights(piece, ci, co) }
	s.tasks.sum = func(p int) {
		for piece := 1; piece < s.pieces(); piece++ {
			kernel.Add(s.grad[p*size:(p+1)*size], s.grad[(piece*kernel.Planes+p)*size:][:size])
		}
	}
	s.tasks.join = func(g int) { s.taps.Join(o.level, cells(g), group(s.grad, g), size) }
	s.tasks.add = func(t int) { s.taps.Add(o.level, o.kernel.Grad[t*size:(t+1)*size], s.cells, t) }
	return s
}

// back makes what a backward pass takes.
func (s *split) back() {
	s.bwd = make([]float32, len(s.fwd))
	s.grad = make([]float32, len(s.fwd)*min(gradPieces, (s.o.out.rows(s.max)+splitRows-1)/splitRows))
	s.turned = make([]float32, len(s.o.kernel.Value))
}

// pack brings the matrices and the bias up to date.
func (s *split) pack(n *Network, bias []float32) {
	for i := 0; i < len(s.bias); i += len(bias) {
		copy(s.bias[i:], bias)
	}
	n.team.run(4, s.tasks.pack)
}

// blocks is in how many blocks of up to splitRows samples the batch is cut.
func (s *split) blocks() int { return (s.rows + splitRows - 1) / splitRows }

// pieces is in how many pieces of whole blocks it is cut for the gradient.
func (s *split) pieces() int { return min(gradPieces, s.blocks()) }

// apply computes dst from src, of co and ci channels, for the samples of block
// i. In reverse it is the transpose.
func (s *split) apply(i int, dst, src, w, bias []float32, ci, co int, reverse, relu bool) {
	r0 := i * splitRows
	rows := min(splitRows, s.rows-r0)
	from, stepIn, to, stepOut := r0*ci, s.rows*ci, r0*co, s.rows*co
	if reverse {
		from, stepIn = from+15*stepIn, -stepIn
		to, stepOut = to+15*stepOut, -stepOut
	}
	work, tap := <-s.scratch, [1]kernel.Tap{{K: ci}}
	if bias == nil {
		bias = work.zero
	}
	in, out := splitRows*ci+planeGap, splitRows*co+planeGap
	s.o.level.Spread(work.in, src, rows*ci, in, from, stepIn)
	for p := range kernel.Planes {
		s.o.level.Run(&kernel.Product{
			A: work.in[p*in:], B: w[p*ci*co:], C: work.out[p*out:], Taps: tap[:], M: rows, N: co,
			ARow: ci, ACol: 1, BRow: co, CRow: co,
		})
	}
	s.o.level.Gather(dst, work.out, bias, rows*co, out, to, stepOut, relu)
	s.scratch <- work
}

// weights computes the gradient of the planes' matrices over one piece of the
// batch: the input's planes times those of the output's gradient, which the
// transposed sums make.
func (s *split) weights(piece, ci, co int) {
	work, tap := <-s.scratch, [1]kernel.Tap{}
	b0, b1 := span(s.blocks(), s.pieces(), piece)
	in, out := splitRows*ci+planeGap, splitRows*co+planeGap
	for b := b0; b < b1; b++ {
		r0 := b * splitRows
		rows := min(splitRows, s.rows-r0)
		s.o.level.Spread(work.in, s.o.in.val, rows*ci, in, r0*ci, s.rows*ci)
		s.o.level.Spread(work.out, s.o.out.grad, rows*co, out, r0*co+15*s.rows*co, -s.rows*co)
		tap[0].K = rows
		for p := range kernel.Planes {
			s.o.level.Run(&kernel.Product{
				A: work.in[p*in:], B: work.out[p*out:], C: s.grad[(piece*kernel.Planes+p)*ci*co:], Taps: tap[:], M: ci, N: co,
				ARow: 1, ACol: ci, BRow: co, CRow: co, Accumulate: b > b0,
			})
		}
	}
	s.scratch <- work
}

// addGrad adds the gradient of the weights.
func (s *split) addGrad(n *Network) {
	n.team.run(s.pieces(), s.tasks.weights)
	n.team.run(kernel.Planes, s.tasks.sum)
	n.team.run(4, s.tasks.join)
	n.team.run(len(s.turned)/(s.o.l.In.C*s.o.l.Out.C), s.tasks.add)
}

func (s *split) forward(n *Network) {
	n.team.run(s.blocks(), s.tasks.forward)
}

func (s *split) backward(n *Network) {
	if !s.o.backPacked {
		n.team.run(s.o.l.Kernel*s.o.l.Kernel, s.tasks.turn)
		n.team.run(4, s.tasks.packBack)
		s.o.backPacked = true
	}
	n.team.run(s.blocks(), s.tasks.backward)
}

// allocScratch gives every thread its planes, large enough for all layers.
func (n *Network) allocScratch() {
	widest := 0
	for _, o := range n.weights {
		if o.split != nil {
			widest = max(widest, o.l.In.C, o.l.Out.C)
		}
	}
	if widest == 0 {
		return
	}
	for range cap(n.scratch) {
		size := kernel.Planes * (splitRows*widest + planeGap)
		n.scratch <- &planes{make([]float32, size), make([]float32, size), make([]float32, splitRows*widest)}
	}
}
