package nn

// An edge is the batch of values between two operations, with its gradient.
//
// Its memory is groups() matrices of rows×width() values: one a pixel
// (position-major), or, if flat, a single one whose rows hold whole samples in
// (y, x, channel) order. The two agree for vectors. A flattened image keeps
// its pixels apart in memory and only its logical shape changes, so that a
// dense layer reads it in place.
type edge struct {
	layer    string // that made it
	shape    Shape  // logical
	pixels   int    // physical
	channels int
	flat     bool
	double   bool // a pair batch
	val      []float32
	grad     []float32
	shares   *edge // whose values these are, or nil
	folded   bool  // outside training the layer after does this one's work, so there are no values
}

func (e *edge) groups() int {
	if e.flat {
		return 1
	}
	return e.pixels
}

func (e *edge) width() int {
	if e.flat {
		return e.pixels * e.channels
	}
	return e.channels
}

func (e *edge) rows(n int) int {
	if e.double {
		return 2 * n
	}
	return n
}

func (e *edge) size(n int) int { return e.rows(n) * e.pixels * e.channels }

// An op is one step of the compiled network.
type op interface {
	forward(n *Network)
	// backward reads the gradient of its output edge, which it may destroy,
	// and writes that of its input edge if input is set; with weights it adds
	// its parameters' gradients.
	backward(n *Network, input, weights bool)
	trainable() bool
}

// A builder turns checked layers into edges and operations.
type builder struct {
	n     *Network
	last  *edge
	forks map[string]*fork // by the name of the layer whose output is used twice
}

func (b *builder) build() {
	in := b.n.InputShape()
	b.last = &edge{layer: "input", shape: in, pixels: in.Positions(), channels: in.C}
	b.n.edges = append(b.n.edges, b.last)
	layers := b.n.layers
	b.forks = map[string]*fork{}
	for _, l := range layers {
		if l.Kind == KindAdd {
			b.forks[l.From] = nil
		}
	}
	for i := 0; i < len(layers); i++ {
		l := layers[i]
		_, forked := b.forks[l.Name]
		relu := i+1 < len(layers) && layers[i+1].Kind == KindReLU && !forked
		fused := b.add(l, relu)
		b.last.shape = l.Out
		if fused {
			i++
			b.last.layer = layers[i].Name
			_, forked = b.forks[b.last.layer]
		}
		if forked {
			b.fork()
		}
	}
	b.unflatten() // the layout of a Tensor
}

// add compiles one layer; it reports whether it also did the ReLU after it.
func (b *builder) add(l LayerShape, relu bool) bool {
	switch l.Kind {
	case KindConv2D, KindConv2DTranspose, KindDense:
		b.linear(l, relu)
		return relu
	case KindBatchNorm:
		b.unflatten()
		in, out := b.push(l, *b.last)
		o := newBatchNorm(b.n, l, in, out, relu)
		if w := b.n.weights; len(w) > 0 && w[len(w)-1].out == in && !w[len(w)-1].relu && in.channels == w[len(w)-1].l.Out.C {
			o.folded, in.folded = true, true
			w[len(w)-1].norm = o
			w[len(w)-1].folded = make([]float32, len(w[len(w)-1].kernel.Value))
		}
		b.op(o)
		return relu
	case KindReLU, KindSigmoid, KindTanh, KindSiLU, KindSquare, KindQuantizedBits, KindQuantizedReLU:
		in, out := b.push(l, *b.last)
		b.op(newActivation(b.n.level, l, in, out))
	case KindAdd:
		b.unflatten()
		in, out := b.push(l, *b.last)
		f := b.forks[l.From]
		o := newAdd(b.n.level, in, out, f.out)
		f.adds = append(f.adds, o)
		b.op(o)
	case KindFlatten:
		// Only the logical shape changes.
	case KindReshape:
		b.flatten()
		b.last.pixels, b.last.channels, b.last.flat = l.Out.Positions(), l.Out.C, true
	default:
		b.move(l)
	}
	return false
}

// move compiles the layers that only copy values about.
func (b *builder) move(l LayerShape) {
	b.unflatten()
	next := *b.last
	next.pixels, next.channels = l.Out.Positions(), l.Out.C
	next.double = l.Doubled
	in, out := b.push(l, next)
	switch l.Kind {
	case KindCrop:
		b.op(&crop{in: in, out: out, l: l})
	case KindConcat:
		b.op(&concat{in: in, out: out, l: l})
	case KindSwapPair, KindNegatePair:
		b.op(&pairOpen{in: in, out: out, negate: l.Kind == KindNegatePair})
	case KindPairMean, KindPairDifference:
		b.op(&pairClose{in: in, out: out, difference: l.Kind == KindPairDifference})
	}
}

// fork ends the layer whose output a later one adds, too.
func (b *builder) fork() {
	b.unflatten()
	next := *b.last
	in := b.last
	next.shares = in // the values are the same, the gradient is not
	b.last = &next
	b.n.edges = append(b.n.edges, b.last)
	f := newFork(b.n.level, in, b.last)
	b.forks[in.layer] = f
	b.op(f)
}

// push appends an edge like e for layer l and returns its input and itself.
func (b *builder) push(l LayerShape, e edge) (in, out *edge) {
	in = b.last
	e.layer, e.shape = l.Name, l.Out
	e.shares, e.folded = nil, false
	out = &e
	b.n.edges = append(b.n.edges, out)
	b.last = out
	return in, out
}

func (b *builder) op(o op) { b.n.ops = append(b.n.ops, o) }

// relayout copies the last edge into the other layout.
func (b *builder) relayout(flat bool) {
	if b.last.flat == flat {
		return
	}
	if b.last.pixels == 1 {
		b.last.flat = flat
		return
	}
	next := *b.last
	next.flat = flat
	in := b.last
	shape, layer := in.shape, in.layer
	_, out := b.push(LayerShape{Layer: Layer{Name: layer}, Out: shape}, next)
	b.op(newRelayout(in, out))
}

// flatten makes the last edge one row a sample.
func (b *builder) flatten() { b.relayout(true) }

// factor splits the last edge's samples into pixels and channels as its
// logical shape does.
func (b *builder) factor() {
	if s := b.last.shape; b.last.pixels != s.Positions() {
		b.flatten()
		b.last.pixels, b.last.channels = s.Positions(), s.C
	}
}

// unflatten gives the last edge the position-major layout of its logical
// shape.
func (b *builder) unflatten() {
	b.factor()
	b.relayout(false)
}

// allocValues makes the buffers of the values that the pass's mode needs, at the first such
// pass: a network that only holds weights does without.
func (n *Network) allocValues() {
	for _, e := range n.edges[1:] {
		switch {
		case e.shares != nil:
			e.val = e.shares.val
		case e.val == nil && (n.mode == Training || !e.folded):
			e.val = make([]float32, e.size(n.settings.MaxBatch))
		}
	}
}

// allocGrads makes what backward passes need at the first of them, so that a
// network for inference does without.
func (n *Network) allocGrads() {
	if n.edges[0].grad != nil {
		return
	}
	for _, e := range n.edges {
		e.grad = make([]float32, e.size(n.settings.MaxBatch))
	}
	for _, o := range n.weights {
		o.back()
	}
}
