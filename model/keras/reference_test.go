package keras

import (
	"math"
	"slices"
	"testing"

	"barrow/nn"
)

// An array is one sample in (y, x, channel) order.
type array struct {
	h, w, c int
	v       []float64
}

func newArray(h, w, c int) array { return array{h, w, c, make([]float64, h*w*c)} }

func (a array) at(y, x, c int) *float64 { return &a.v[(y*a.w+x)*a.c+c] }

// reference is a forward pass in double precision, one sample at a time, each
// layer written down as Keras' documentation defines it. It shares no code
// with nn but the description.
func reference(t testing.TB, m *Model, in []float64, sides map[string][]float64) []float64 {
	t.Helper()
	a := array{m.Spec.Input.H, m.Spec.Input.W, m.Spec.Input.C, in}
	outputs := map[string][]float64{}
	for i := 0; i < len(m.Spec.Layers); i++ {
		l := &m.Spec.Layers[i]
		switch l.Kind {
		case nn.KindSwapPair, nn.KindNegatePair:
			end := slices.IndexFunc(m.Spec.Layers, func(l nn.Layer) bool {
				return l.Kind == nn.KindPairMean || l.Kind == nn.KindPairDifference
			})
			inner := &Model{Weights: m.Weights}
			inner.Spec = nn.Spec{Input: m.Spec.Input, Layers: m.Spec.Layers[i+1 : end]}
			other := newArray(a.h, a.w, a.c)
			for p := range a.h * a.w {
				for c := range a.c {
					if l.Kind == nn.KindNegatePair {
						other.v[p*a.c+c] = -a.v[p*a.c+c]
					} else {
						other.v[p*a.c+c] = a.v[p*a.c+(c+a.c/2)%a.c]
					}
				}
			}
			x, y := reference(t, inner, a.v, nil), reference(t, inner, other.v, nil)
			for j := range x {
				if m.Spec.Layers[end].Kind == nn.KindPairMean {
					x[j] = (x[j] + y[j]) / 2
				} else {
					x[j] -= y[j]
				}
			}
			a, i = array{1, 1, len(x), x}, end
		case nn.KindConcat:
			a = array{1, 1, a.c + l.Channels, append(a.v[:len(a.v):len(a.v)], sides[l.Name]...)}
		case nn.KindAdd:
			a = array{a.h, a.w, a.c, slices.Clone(a.v)}
			for j, v := range outputs[l.From] {
				a.v[j] += v
			}
		default:
			a = referenceLayer(t, l, m.Weights, a)
		}
		outputs[l.Name] = a.v
	}
	return a.v
}

func referenceLayer(t testing.TB, l *nn.Layer, w map[string][]float32, a array) array {
	t.Helper()
	each := func(f func(v float64) float64) array {
		out := newArray(a.h, a.w, a.c)
		for i, v := range a.v {
			out.v[i] = f(v)
		}
		return out
	}
	weight := func(name string) func(i int) float64 {
		v := w[l.Name+"/"+name]
		if name == "bias" && v == nil {
			return func(int) float64 { return 0 }
		}
		if l.Bits == 0 {
			return func(i int) float64 { return float64(v[i]) }
		}
		return func(i int) float64 { return quantised(float64(v[i]), l.Bits, l.Integer, -1, math.RoundToEven) }
	}
	switch l.Kind {
	case nn.KindConv2D:
		return referenceConv(l, a, weight("kernel"), weight("bias"))
	case nn.KindConv2DTranspose:
		return referenceTransposed(l, a, weight("kernel"), weight("bias"))
	case nn.KindDense:
		out := newArray(1, 1, l.Units)
		kernel, bias := weight("kernel"), weight("bias")
		for j := range out.v {
			out.v[j] = bias(j)
			for i, v := range a.v {
				out.v[j] += v * kernel(i*l.Units+j)
			}
		}
		return out
	case nn.KindBatchNorm:
		gamma, beta, mean, variance := weight("gamma"), weight("beta"), weight("moving_mean"), weight("moving_variance")
		out := newArray(a.h, a.w, a.c)
		for i, v := range a.v {
			c := i % a.c
			out.v[i] = (v-mean(c))/math.Sqrt(variance(c)+l.Epsilon)*gamma(c) + beta(c)
		}
		return out
	case nn.KindReLU:
		return each(func(v float64) float64 { return max(v, 0) })
	case nn.KindSigmoid:
		return each(func(v float64) float64 { return 1 / (1 + math.Exp(-v)) })
	case nn.KindTanh:
		return each(math.Tanh)
	case nn.KindSiLU:
		return each(func(v float64) float64 { return v / (1 + math.Exp(-v)) })
	case nn.KindSquare:
		return each(func(v float64) float64 { return v * v })
	case nn.KindQuantizedBits:
		round := math.RoundToEven
		if l.Rounding == nn.RoundFloor {
			round = math.Floor
		}
		low := -1.0
		bits := l.Bits
		if l.Unsigned {
			low, bits = 0, bits+1
		}
		return each(func(v float64) float64 { return quantised(v, bits, l.Integer, low, round) })
	case nn.KindQuantizedReLU:
		return each(func(v float64) float64 { return quantised(v, l.Bits+1, l.Integer, 0, math.RoundToEven) })
	case nn.KindFlatten:
		return array{1, 1, len(a.v), a.v}
	case nn.KindReshape:
		return array{l.Height, l.Width, l.Channels, a.v}
	case nn.KindCrop:
		out := newArray(l.Height, l.Width, a.c)
		for y := range l.Height {
			for x := range l.Width {
				for c := range a.c {
					*out.at(y, x, c) = *a.at(y+l.Top, x+l.Left, c)
				}
			}
		}
		return out
	}
	t.Fatalf("the reference has no %s", l.Kind)
	return array{}
}

// quantised is QKeras' quantized_bits with bits−1 bits besides the sign.
func quantised(v float64, bits, integer int, low float64, round func(float64) float64) float64 {
	m, scale := math.Ldexp(1, bits-1), math.Ldexp(1, integer)
	return scale * min(max(round(v*m/scale)/m, low), 1-1/m)
}

// samePad is TensorFlow's padding before the first pixel.
func samePad(n, kernel, stride int) int {
	out := (n + stride - 1) / stride
	return max((out-1)*stride+kernel-n, 0) / 2
}

func referenceConv(l *nn.Layer, a array, kernel, bias func(int) float64) array {
	k, s := l.Kernel, max(l.Stride, 1)
	h, w, top, left := (a.h-k)/s+1, (a.w-k)/s+1, 0, 0
	if l.Padding == nn.PaddingSame {
		h, w = (a.h+s-1)/s, (a.w+s-1)/s
		top, left = samePad(a.h, k, s), samePad(a.w, k, s)
	}
	out := newArray(h, w, l.Filters)
	for y := range h {
		for x := range w {
			for f := range l.Filters {
				sum := bias(f)
				for i := range k {
					for j := range k {
						r, q := y*s+i-top, x*s+j-left
						if r < 0 || r >= a.h || q < 0 || q >= a.w {
							continue
						}
						for c := range a.c {
							sum += *a.at(r, q, c) * kernel(((i*k+j)*a.c+c)*l.Filters+f)
						}
					}
				}
				*out.at(y, x, f) = sum
			}
		}
	}
	return out
}

// referenceTransposed spreads each pixel over the output: the gradient of a
// convolution with the same padding, which is how Keras defines the layer.
func referenceTransposed(l *nn.Layer, a array, kernel, bias func(int) float64) array {
	k, s := l.Kernel, max(l.Stride, 1)
	h, w, top, left := a.h*s+max(k-s, 0), a.w*s+max(k-s, 0), 0, 0
	if l.Padding == nn.PaddingSame {
		h, w = a.h*s, a.w*s
		top, left = samePad(h, k, s), samePad(w, k, s)
	}
	out := newArray(h, w, l.Filters)
	for i := range out.v {
		out.v[i] = bias(i % l.Filters)
	}
	for y := range a.h {
		for x := range a.w {
			for i := range k {
				for j := range k {
					r, q := y*s+i-top, x*s+j-left
					if r < 0 || r >= h || q < 0 || q >= w {
						continue
					}
					for f := range l.Filters {
						for c := range a.c {
							*out.at(r, q, f) += *a.at(y, x, c) * kernel(((i*k+j)*l.Filters+f)*a.c+c)
						}
					}
				}
			}
		}
	}
	return out
}

// referenceAll runs the reference on samples given input by input.
func referenceAll(t testing.TB, m *Model, n int, inputs ...[]float32) []float64 {
	t.Helper()
	var out []float64
	for s := range n {
		x := newArray(m.Spec.Input.H, m.Spec.Input.W, m.Spec.Input.C)
		sides := map[string][]float64{}
		at := 0
		for i, in := range m.Inputs {
			v := inputs[i][s*in.Shape.Size() : (s+1)*in.Shape.Size()]
			if in.Side != "" {
				for _, f := range v {
					sides[in.Side] = append(sides[in.Side], float64(f))
				}
				continue
			}
			for j, f := range v {
				x.v[j/in.Shape.C*x.c+at+j%in.Shape.C] = float64(f)
			}
			at += in.Shape.C
		}
		out = append(out, reference(t, m, x.v, sides)...)
	}
	return out
}
