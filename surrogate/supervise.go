package surrogate

import (
	"math"

	"barrow/nn"
)

// Training on gradients adds to the loss of the values the squared error of
// the network's gradient with respect to both images, relative to the exact
// gradient's square. That error's derivative with respect to the weights would
// be a second derivative of the network. But for the direction u of the error
// it is that of the slope along u, which is a difference of two outputs: so a
// pair is trained at x + εu and x − εu, on the values and on their difference.

// stepLength is the length ε of the step on either side of a pair, relative to
// the charge that the images do not share: within it the EMD is nearly linear.
// leastUnshared keeps it long enough for single precision.
const (
	stepLength    = 0.002
	leastUnshared = 0.02
)

// leastSquare is added to the exact gradients' squares, which the errors are
// taken relative to: of pairs with next to no gradient it is the error itself
// that counts. Typical squares are 20 to 200.
const leastSquare = 5

// A step is what a pair is trained along: the unit direction is in
// objective.u. Length 0 stands for a pair without a gradient.
type step struct {
	length float64
	slope  float64 // the exact one of the network's output
	square float64 // of the exact gradient
}

// directions runs the first k pairs that are loaded and sets their steps: each
// along the error of the network's gradient.
func (o *objective) directions(k int) error {
	m := o.model
	m.fill(k, m.a, m.b)
	if _, err := m.net.Forward(m.in, nn.Frozen); err != nil {
		return err
	}
	dx, err := m.inputGradient(k)
	if err != nil {
		return err
	}
	o.steps = o.steps[:0]
	for i := range k {
		var diff [2][Cells]float64
		s := step{length: stepLength * max(leastUnshared, unshared(m.a[i*Cells:(i+1)*Cells], m.b[i*Cells:(i+1)*Cells]))}
		u := o.u[2*i*Cells : 2*(i+1)*Cells]
		var want [2][Cells]float64
		for side, rows := range [2][]float64{m.a, m.b} {
			exact := [2][]float64{o.dp, o.dq}[side][i*Cells : (i+1)*Cells]
			for c := range Cells {
				want[side][c] = exact[c]
				diff[side][c] = float64(dx.Data[at(k, i, c, side)]) - exact[c]
			}
			row := rows[i*Cells : (i+1)*Cells]
			m.centre(row, &want[side])
			m.centre(row, &diff[side])
			for _, v := range want[side] {
				s.square += v * v
			}
			if m.surplus {
				centreAdjoint(row, &diff[side])
			}
		}
		norm := 0.0
		for side := range diff {
			for c, v := range diff[side] {
				u[side*Cells+c] = v
				norm += v * v
			}
		}
		if norm = math.Sqrt(norm); norm < 1e-9 || s.square < 1e-12 {
			clear(u)
			s.length = 0
		}
		for c := range u {
			if s.length > 0 {
				u[c] /= norm
				s.slope += u[c] * want[c/Cells][c%Cells]
			}
		}
		o.steps = append(o.steps, s)
	}
	return nil
}

// centre takes a constant off a gradient on the support of an image, and sets
// it to 0 elsewhere: constants cannot be told, as images sum to 1. It is the
// mean over the cells, or over the charge where that is what reaches the images
// through the surplus.
func (m *CNN) centre(x []float64, g *[Cells]float64) {
	all, sum := 0.0, 0.0
	for c, v := range x {
		switch {
		case v == 0:
			g[c] = 0
		case m.surplus:
			all += v
			sum += v * g[c]
		default:
			all++
			sum += g[c]
		}
	}
	for c, v := range x {
		if v > 0 {
			g[c] -= sum / all
		}
	}
}

// centreAdjoint is the transpose of centring by charge.
func centreAdjoint(x []float64, g *[Cells]float64) {
	sum := 0.0
	for _, v := range g {
		sum += v
	}
	for c, v := range x {
		g[c] -= v * sum
	}
}

// unshared is half the charge that two rows do not share.
func unshared(a, b []float64) float64 {
	sum := 0.0
	for c, v := range a {
		sum += math.Abs(v - b[c])
	}
	return sum / 2
}

// fillSteps writes a batch of n+k rows into the network's input: the n pairs
// that are loaded, the first k of them a step along their directions, and then
// those k a step against them.
func (o *objective) fillSteps(n, k int) {
	m := o.model
	m.in.Resize(n + k)
	for r := range n + k {
		i := r % n
		length := 0.0
		if i < k {
			length = o.steps[i].length
		}
		if r >= n {
			length = -length
		}
		for side, rows := range [2][]float64{m.a, m.b} {
			for c, v := range rows[i*Cells : (i+1)*Cells] {
				if length != 0 {
					v += length * o.u[(2*i+side)*Cells+c]
				}
				m.in.Data[at(n+k, r, c, side)] = float32(v)
			}
		}
	}
}

// slopeError is the loss of the slopes along the steps, of outputs y. It adds
// its gradient to dy.
func (o *objective) slopeError(n, k int, y, dy []float32) float64 {
	loss := 0.0
	for i, s := range o.steps[:min(k, len(o.steps))] {
		if s.length == 0 {
			continue
		}
		r := (float64(y[i])-float64(y[n+i]))/(2*s.length) - s.slope
		weight := o.gradient / (s.square + leastSquare) / float64(k)
		loss += weight * r * r
		d := float32(weight * r / s.length)
		dy[i] += d
		dy[n+i] -= d
	}
	return loss
}
