package nn

import (
	"math"
)

// The reference: every layer written from its definition, one sample and one
// number at a time, in float64.

type reference struct {
	layers []LayerShape
	params map[string][]float64
	sides  map[string][][]float64 // by layer, by sample
	mode   Mode
}

func newReference(n *Network, mode Mode) *reference {
	r := &reference{layers: n.layers, params: map[string][]float64{}, sides: map[string][][]float64{}, mode: mode}
	for _, p := range n.params {
		v := make([]float64, len(p.Value))
		for i, x := range p.Value {
			v[i] = float64(x)
		}
		r.params[p.Name] = v
	}
	for name, t := range n.sides {
		r.sides[name] = samples(t)
	}
	return r
}

func samples(t *Tensor) [][]float64 {
	out := make([][]float64, t.N)
	buf := make([]float32, t.Shape.Size())
	for n := range out {
		t.Sample(n, buf)
		out[n] = make([]float64, len(buf))
		for i, v := range buf {
			out[n][i] = float64(v)
		}
	}
	return out
}

func (r *reference) forward(x [][]float64) [][]float64 {
	outputs := map[string][][]float64{}
	for _, l := range r.layers {
		if l.Kind == KindAdd {
			x = sum(x, outputs[l.From])
		} else {
			x = r.layer(l, x)
		}
		outputs[l.Name] = x
	}
	return x
}

func sum(x, y [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for n := range x {
		out[n] = make([]float64, len(x[n]))
		for i := range out[n] {
			out[n][i] = x[n][i] + y[n][i]
		}
	}
	return out
}

func (r *reference) layer(l LayerShape, x [][]float64) [][]float64 {
	switch l.Kind {
	case KindSwapPair, KindNegatePair:
		for _, v := range x[:len(x):len(x)] {
			w := make([]float64, len(v))
			for i := range v {
				if l.Kind == KindNegatePair {
					w[i] = -v[i]
				} else {
					c := i % l.In.C
					w[i] = v[i-c+(c+l.In.C/2)%l.In.C]
				}
			}
			x = append(x, w)
		}
		return x
	case KindPairMean, KindPairDifference:
		half := len(x) / 2
		out := make([][]float64, half)
		for n := range out {
			out[n] = make([]float64, len(x[n]))
			for i := range out[n] {
				if out[n][i] = (x[n][i] + x[n+half][i]) / 2; l.Kind == KindPairDifference {
					out[n][i] = x[n][i] - x[n+half][i]
				}
			}
		}
		return out
	case KindBatchNorm:
		return r.batchNorm(l, x)
	}
	out := make([][]float64, len(x))
	for n, v := range x {
		out[n] = r.single(l, v, n)
	}
	return out
}

func (r *reference) batchNorm(l LayerShape, x [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for n := range x {
		out[n] = make([]float64, len(x[n]))
	}
	for c := range l.In.C {
		mean, variance := r.params[l.Name+"/moving_mean"][c], r.params[l.Name+"/moving_variance"][c]
		if r.mode == Training {
			mean, variance = 0, 0
			count := float64(len(x) * l.In.Positions())
			for _, v := range x {
				for i := c; i < len(v); i += l.In.C {
					mean += v[i] / count
				}
			}
			for _, v := range x {
				for i := c; i < len(v); i += l.In.C {
					variance += (v[i] - mean) * (v[i] - mean) / count
				}
			}
		}
		for n, v := range x {
			for i := c; i < len(v); i += l.In.C {
				out[n][i] = (v[i]-mean)/math.Sqrt(variance+l.Epsilon)*r.params[l.Name+"/gamma"][c] + r.params[l.Name+"/beta"][c]
			}
		}
	}
	return out
}

// single is a layer that treats each sample alone.
func (r *reference) single(l LayerShape, v []float64, n int) []float64 {
	each := func(f func(float64) float64) []float64 {
		out := make([]float64, len(v))
		for i := range v {
			out[i] = f(v[i])
		}
		return out
	}
	switch l.Kind {
	case KindConv2D, KindConv2DTranspose:
		return r.conv(l, v)
	case KindDense:
		w := r.weights(l, "kernel")
		out := make([]float64, l.Units)
		for j := range out {
			for i := range v {
				out[j] += v[i] * w[i*l.Units+j]
			}
		}
		return r.addBias(l, out)
	case KindReLU:
		return each(func(x float64) float64 { return math.Max(x, 0) })
	case KindSigmoid:
		return each(func(x float64) float64 { return 1 / (1 + math.Exp(-x)) })
	case KindTanh:
		return each(math.Tanh)
	case KindSiLU:
		return each(func(x float64) float64 { return x / (1 + math.Exp(-x)) })
	case KindSquare:
		return each(func(x float64) float64 { return x * x })
	case KindCrop:
		out := make([]float64, l.Out.Size())
		for i := range out {
			c, x, y := i%l.Out.C, i/l.Out.C%l.Out.W, i/l.Out.C/l.Out.W
			out[i] = v[((y+l.Top)*l.In.W+x+l.Left)*l.In.C+c]
		}
		return out
	case KindConcat:
		s := r.sides[l.Name]
		s0 := s[n%len(s)]
		out := make([]float64, l.Out.Size())
		for i := range out {
			c, p := i%l.Out.C, i/l.Out.C
			if c < l.In.C {
				out[i] = v[p*l.In.C+c]
			} else {
				out[i] = s0[p*l.Channels+c-l.In.C]
			}
		}
		return out
	case KindQuantizedBits, KindQuantizedReLU:
		return each(func(x float64) float64 { return quantiseExactly(l.Layer, x) })
	}
	return v // flatten, reshape
}

// quantiseExactly is QKeras' definition, word for word.
func quantiseExactly(l Layer, x float64) float64 {
	round := math.RoundToEven
	if l.Rounding == RoundFloor {
		round = math.Floor
	}
	mi := math.Exp2(float64(l.Integer))
	if l.Kind == KindQuantizedReLU || l.Unsigned && l.Kind == KindQuantizedBits {
		m := math.Exp2(float64(l.Bits))
		return mi * math.Max(0, math.Min(1-1/m, round(x*m/mi)/m))
	}
	m := math.Exp2(float64(l.Bits - 1))
	return mi * math.Max(-1, math.Min(1-1/m, round(x*m/mi)/m))
}

func (r *reference) weights(l LayerShape, name string) []float64 {
	w := r.params[l.Name+"/"+name]
	if l.Bits == 0 || w == nil {
		return w
	}
	out := make([]float64, len(w))
	for i, x := range w {
		out[i] = quantiseExactly(l.Layer, x)
	}
	return out
}

func (r *reference) addBias(l LayerShape, out []float64) []float64 {
	if b := r.weights(l, "bias"); b != nil {
		for i := range out {
			out[i] += b[i%len(b)]
		}
	}
	return out
}

// conv writes a convolution as a sum over inputs for each output, and a
// transposed one as each input's spreading over the outputs, then crops.
func (r *reference) conv(l LayerShape, v []float64) []float64 {
	k, s, w := l.Kernel, l.Stride, r.weights(l, "kernel")
	out := make([]float64, l.Out.Size())
	pad := func(big, small int) int {
		if l.Padding != PaddingSame {
			return 0
		}
		total := (small-1)*s + k - big
		if total < 0 {
			return 0
		}
		return total / 2 // TensorFlow puts the odd one after
	}
	if l.Kind == KindConv2D {
		py, px := pad(l.In.H, l.Out.H), pad(l.In.W, l.Out.W)
		for oy := range l.Out.H {
			for ox := range l.Out.W {
				for f := range l.Filters {
					sum := 0.0
					for ky := range k {
						for kx := range k {
							y, x := oy*s+ky-py, ox*s+kx-px
							if y < 0 || x < 0 || y >= l.In.H || x >= l.In.W {
								continue
							}
							for c := range l.In.C {
								sum += v[(y*l.In.W+x)*l.In.C+c] * w[((ky*k+kx)*l.In.C+c)*l.Filters+f]
							}
						}
					}
					out[(oy*l.Out.W+ox)*l.Filters+f] = sum
				}
			}
		}
		return r.addBias(l, out)
	}
	py, px := pad(l.Out.H, l.In.H), pad(l.Out.W, l.In.W)
	for iy := range l.In.H {
		for ix := range l.In.W {
			for ky := range k {
				for kx := range k {
					y, x := iy*s+ky-py, ix*s+kx-px
					if y < 0 || x < 0 || y >= l.Out.H || x >= l.Out.W {
						continue
					}
					for f := range l.Filters {
						for c := range l.In.C {
							out[(y*l.Out.W+x)*l.Filters+f] += v[(iy*l.In.W+ix)*l.In.C+c] * w[((ky*k+kx)*l.Filters+f)*l.In.C+c]
						}
					}
				}
			}
		}
	}
	return r.addBias(l, out)
}
