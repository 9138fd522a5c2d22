package nn

// The operations of this file copy values between edges and have no
// parameters.

// relayout turns position-major into one row a sample, or back.
type relayout struct {
	in, out *edge
	rows    int
	fwd     func(int)
	bwd     func(int)
}

// moveRows is how many samples one task moves: the cache lines of a wafer's
// pixels that it touches stay in the first-level cache.
const moveRows = 16

func newRelayout(in, out *edge) *relayout {
	o := &relayout{in: in, out: out}
	pixels, channels := in.pixels, in.channels // a later reshape may change the edge's
	o.fwd = func(i int) {
		r0, r1 := i*moveRows, min((i+1)*moveRows, o.rows)
		if out.flat {
			toRows(out.val, in.val, pixels, channels, o.rows, r0, r1)
		} else {
			toPixels(out.val, in.val, pixels, channels, o.rows, r0, r1)
		}
	}
	o.bwd = func(i int) {
		r0, r1 := i*moveRows, min((i+1)*moveRows, o.rows)
		if out.flat {
			toPixels(in.grad, out.grad, pixels, channels, o.rows, r0, r1)
		} else {
			toRows(in.grad, out.grad, pixels, channels, o.rows, r0, r1)
		}
	}
	return o
}

func (o *relayout) trainable() bool { return false }

func (o *relayout) forward(n *Network) {
	o.rows = o.in.rows(n.n)
	n.team.run((o.rows+moveRows-1)/moveRows, o.fwd)
}

func (o *relayout) backward(n *Network, input, _ bool) {
	if input {
		n.team.run((o.rows+moveRows-1)/moveRows, o.bwd)
	}
}

// toRows copies samples r0 to r1 of position-major src into rows of whole
// samples.
func toRows(dst, src []float32, pixels, c, rows, r0, r1 int) {
	w := pixels * c
	if c == 1 {
		for r := r0; r < r1; r++ {
			row := dst[r*w : (r+1)*w]
			for p := range row {
				row[p] = src[p*rows+r]
			}
		}
		return
	}
	for r := r0; r < r1; r++ {
		for p := range pixels {
			copy(dst[r*w+p*c:][:c], src[(p*rows+r)*c:][:c])
		}
	}
}

// toPixels is the inverse of toRows.
func toPixels(dst, src []float32, pixels, c, rows, r0, r1 int) {
	w := pixels * c
	if c == 1 {
		for r := r0; r < r1; r++ {
			for p, v := range src[r*w : (r+1)*w] {
				dst[p*rows+r] = v
			}
		}
		return
	}
	for r := r0; r < r1; r++ {
		for p := range pixels {
			copy(dst[(p*rows+r)*c:][:c], src[r*w+p*c:][:c])
		}
	}
}

// crop keeps a rectangle of pixels.
type crop struct {
	in, out *edge
	l       LayerShape
}

func (o *crop) trainable() bool { return false }

// each calls f with the offsets of every kept pixel in both edges.
func (o *crop) each(n *Network, f func(in, out, size int)) {
	size := o.in.rows(n.n) * o.l.In.C
	for y := range o.l.Out.H {
		for x := range o.l.Out.W {
			f(((y+o.l.Top)*o.l.In.W+x+o.l.Left)*size, (y*o.l.Out.W+x)*size, size)
		}
	}
}

func (o *crop) forward(n *Network) {
	o.each(n, func(in, out, size int) { copy(o.out.val[out:out+size], o.in.val[in:in+size]) })
}

func (o *crop) backward(n *Network, input, _ bool) {
	if !input {
		return
	}
	clear(o.in.grad[:o.in.size(n.n)])
	o.each(n, func(in, out, size int) { copy(o.in.grad[in:in+size], o.out.grad[out:out+size]) })
}

// concat appends the side input's channels.
type concat struct {
	in, out *edge
	l       LayerShape
}

func (o *concat) trainable() bool { return false }

func (o *concat) forward(n *Network) {
	a, b := o.l.In.C, o.l.Channels
	side := n.sides[o.l.Name].Data
	rows := o.in.rows(n.n)
	for p := range o.in.pixels {
		for r := range rows {
			i, s := p*rows+r, p*n.n+r%n.n // both halves of a pair get the same
			copy(o.out.val[i*(a+b):], o.in.val[i*a:(i+1)*a])
			copy(o.out.val[i*(a+b)+a:], side[s*b:(s+1)*b])
		}
	}
}

func (o *concat) backward(n *Network, input, _ bool) {
	if !input {
		return
	}
	a, b := o.l.In.C, o.l.Channels
	for r := range o.in.rows(n.n) * o.in.pixels {
		copy(o.in.grad[r*a:(r+1)*a], o.out.grad[r*(a+b):])
	}
}

// pairOpen doubles the batch: the samples, then each one with its channel
// halves exchanged, or negated.
type pairOpen struct {
	in, out *edge
	negate  bool
}

func (o *pairOpen) trainable() bool { return false }

func (o *pairOpen) forward(n *Network) {
	c, rows := o.in.channels, n.n
	for p := range o.in.pixels {
		src := o.in.val[p*rows*c : (p+1)*rows*c]
		first := o.out.val[2*p*rows*c : (2*p+1)*rows*c]
		second := o.out.val[(2*p+1)*rows*c : (2*p+2)*rows*c]
		copy(first, src)
		if o.negate {
			for i, v := range src {
				second[i] = -v
			}
			continue
		}
		for r := 0; r < len(src); r += c {
			copy(second[r:], src[r+c/2:r+c])
			copy(second[r+c/2:r+c], src[r:])
		}
	}
}

func (o *pairOpen) backward(n *Network, input, _ bool) {
	if !input {
		return
	}
	c, rows := o.in.channels, n.n
	for p := range o.in.pixels {
		dst := o.in.grad[p*rows*c : (p+1)*rows*c]
		first := o.out.grad[2*p*rows*c : (2*p+1)*rows*c]
		second := o.out.grad[(2*p+1)*rows*c : (2*p+2)*rows*c]
		if o.negate {
			for i, v := range first {
				dst[i] = v - second[i]
			}
			continue
		}
		for r := 0; r < len(dst); r += c {
			for j := range c {
				dst[r+j] = first[r+j] + second[r+(j+c/2)%c]
			}
		}
	}
}

// pairClose makes one sample of two: their mean, or the first less the second.
type pairClose struct {
	in, out    *edge
	difference bool
}

func (o *pairClose) trainable() bool { return false }

func (o *pairClose) forward(n *Network) {
	size := n.n * o.out.channels
	for p := range o.out.pixels {
		first := o.in.val[2*p*size : (2*p+1)*size]
		second := o.in.val[(2*p+1)*size : (2*p+2)*size]
		out := o.out.val[p*size : (p+1)*size]
		for i, v := range first {
			if o.difference {
				out[i] = v - second[i]
			} else {
				out[i] = (v + second[i]) / 2
			}
		}
	}
}

func (o *pairClose) backward(n *Network, input, _ bool) {
	if !input {
		return
	}
	size := n.n * o.out.channels
	for p := range o.out.pixels {
		first := o.in.grad[2*p*size : (2*p+1)*size]
		second := o.in.grad[(2*p+1)*size : (2*p+2)*size]
		for i, g := range o.out.grad[p*size : (p+1)*size] {
			if o.difference {
				first[i], second[i] = g, -g
			} else {
				first[i], second[i] = g/2, g/2
			}
		}
	}
}
