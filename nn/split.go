package nn

import "barrow/nn/internal/kernel"

// split does the products of a convolution on 4×4 images by halving its
// Toeplitz matrices (see kernel.Level.Spread): 81 products of channels in place of
// 196 for 5×5 kernels, in each of the three passes.
type split struct {
	o        *linear
	fwd, bwd []float32                  // the matrices of all planes; bwd's are transposed
	turned   []float32                  // the taps, transposed
	plans    [kernel.Planes][]splitTerm // of each plane, its taps
	uses     [][]splitTerm              // of each tap, its planes
	grad     []float32                  // of the planes' matrices
	scratch  chan *planes
	rows     int

	tasks struct{ pack, turn, packBack, forward, backward, weights, collect func(int) }
}

// A splitTerm is one tap in a plane's matrix, or one plane that a tap is in.
type splitTerm struct {
	index int
	sign  float32
}

// planes are the values that one task works on.
type planes struct{ in, out []float32 }

// splitRows is how many samples one task takes: enough for full tiles of the
// product, few enough for nine planes to stay in the second-level cache.
const splitRows = 56

// splits reports whether splitting saves enough products to pay for the sums:
// from 5×5 kernels and 16 channels on.
func splits(l LayerShape) bool {
	return l.Kind == KindConv2D && l.In.H == 4 && l.In.W == 4 && l.Stride == 1 && l.Padding == PaddingSame &&
		l.Kernel >= 5 && l.In.C >= 16 && l.Out.C >= 16
}

func newSplit(n *Network, o *linear) *split {
	ci, co := o.l.In.C, o.l.Out.C
	size := ci * co
	s := &split{o: o, scratch: n.scratch,
		fwd: make([]float32, kernel.Planes*size),
	}
	k, pad := o.l.Kernel, (o.l.Kernel-1)/2
	s.uses = make([][]splitTerm, k*k)
	for p := range s.plans {
		offsets, signs := kernel.SplitTaps(p)
		for i, d := range offsets {
			if y, x := d[0]+pad, d[1]+pad; y >= 0 && y < k && x >= 0 && x < k {
				s.plans[p] = append(s.plans[p], splitTerm{y*k + x, signs[i]})
				s.uses[y*k+x] = append(s.uses[y*k+x], splitTerm{p, signs[i]})
			}
		}
	}
	s.tasks.pack = func(p int) { s.pack(s.fwd[p*size:(p+1)*size], o.values(), p) }
	s.tasks.packBack = func(p int) { s.pack(s.bwd[p*size:(p+1)*size], s.turned, p) }
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
		s.apply(i, out.val, o.in.val, s.fwd, o.biasRow, ci, co, false, relu)
	}
	s.tasks.backward = func(i int) {
		out, _ := o.target()
		s.apply(i, o.in.grad, out.grad, s.bwd, nil, co, ci, true, false)
	}
	s.tasks.weights = func(group int) { s.weights(group, ci, co) }
	s.tasks.collect = func(t int) {
		for _, u := range s.uses[t] {
			s.o.level.Blend(o.kernel.Grad[t*size:(t+1)*size], s.grad[u.index*size:(u.index+1)*size], 1, u.sign)
		}
	}
	return s
}

// back makes what a backward pass takes.
func (s *split) back() {
	s.bwd, s.grad = make([]float32, len(s.fwd)), make([]float32, len(s.fwd))
	s.turned = make([]float32, len(s.o.kernel.Value))
}

// pack makes the matrix of plane p of the taps w.
func (s *split) pack(dst, w []float32, p int) {
	size := len(dst)
	for i, t := range s.plans[p] {
		keep := float32(1)
		if i == 0 {
			keep = 0
			clear(dst) // what it holds could be NaN
		}
		s.o.level.Blend(dst, w[t.index*size:(t.index+1)*size], keep, t.sign)
	}
}

// apply computes dst from src, of co and ci channels, for the samples of task
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
	for group := range 9 {
		s.o.level.Spread(work.in, src, group, rows, ci, from, stepIn)
		for p := range 9 {
			s.o.level.Run(&kernel.Product{
				A: work.in[p*ci:], B: w[(9*group+p)*ci*co:], C: work.out[p*co:], Taps: tap[:], M: rows, N: co,
				ARow: 9 * ci, ACol: 1, BRow: co, CRow: 9 * co,
			})
		}
		s.o.level.Gather(dst, work.out, bias, group, rows, co, to, stepOut, relu)
	}
	s.scratch <- work
}

// weights computes the gradient of a group's nine matrices over the whole
// batch: the input's planes times those of the output's gradient, which the
// transposed sums make.
func (s *split) weights(group, ci, co int) {
	work, tap := <-s.scratch, [1]kernel.Tap{}
	for r0 := 0; r0 < s.rows; r0 += splitRows {
		rows := min(splitRows, s.rows-r0)
		s.o.level.Spread(work.in, s.o.in.val, group, rows, ci, r0*ci, s.rows*ci)
		s.o.level.Spread(work.out, s.o.out.grad, group, rows, co, r0*co+15*s.rows*co, -s.rows*co)
		tap[0].K = rows
		for p := range 9 {
			s.o.level.Run(&kernel.Product{
				A: work.in[p*ci:], B: work.out[p*co:], C: s.grad[(9*group+p)*ci*co:], Taps: tap[:], M: ci, N: co,
				ARow: 1, ACol: 9 * ci, BRow: 9 * co, CRow: co, Accumulate: r0 > 0,
			})
		}
	}
	s.scratch <- work
}

// addGrad adds the gradient of the weights.
func (s *split) addGrad(n *Network) {
	n.team.run(9, s.tasks.weights)
	n.team.run(len(s.uses), s.tasks.collect)
}

func (s *split) forward(n *Network) {
	n.team.run((s.rows+splitRows-1)/splitRows, s.tasks.forward)
}

func (s *split) backward(n *Network) {
	if !s.o.backPacked {
		n.team.run(s.o.l.Kernel*s.o.l.Kernel, s.tasks.turn)
		n.team.run(kernel.Planes, s.tasks.packBack)
		s.o.backPacked = true
	}
	n.team.run((s.rows+splitRows-1)/splitRows, s.tasks.backward)
}

// allocScratch gives every thread its planes, large enough for all layers.
func (n *Network) allocScratch() {
	widest := 0
	for _, o := range n.weights {
		if o.split != nil {
			widest = max(widest, o.l.In.C, o.l.Out.C)
		}
	}
	for range cap(n.scratch) {
		size := splitRows * 9 * widest
		n.scratch <- &planes{make([]float32, size), make([]float32, size)}
	}
}
