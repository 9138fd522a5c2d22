package kernel

import "math"

// The routines below work by column on matrices whose rows are as long as
// their per-column arguments, or on flat arrays. Each has a twin in portable
// Go, which also does what the assembly's whole vectors leave over.

// MaskSum zeroes g wherever y ≤ 0, the gradient of y = max(0, x), if y is not
// nil, and stores the sums of g's columns in sum.
func (l Level) MaskSum(sum, g, y []float32) {
	from := l.maskSumFast(sum, g, y)
	maskSumGo(sum, g, y, from)
}

func maskSumGo(sum, g, y []float32, from int) {
	w := len(sum)
	clear(sum[from:])
	for i := 0; i+w <= len(g) && from < w; i += w {
		for j := from; j < w; j++ {
			if y != nil && !(y[i+j] > 0) {
				g[i+j] = 0
			}
			sum[j] += g[i+j]
		}
	}
}

// Moments computes, for each of len(mean) columns of x, the mean of its values
// and the sum of their squared deviations from it.
func (l Level) Moments(mean, dev, x []float32) {
	from := l.momentsFast(mean, dev, x)
	momentsGo(mean, dev, x, from)
}

func momentsGo(mean, dev, x []float32, from int) {
	w := len(mean)
	if from == w {
		return
	}
	clear(mean[from:])
	clear(dev[from:])
	scale := 1 / float32(len(x)/w)
	for i := 0; i+w <= len(x); i += w {
		for j := from; j < w; j++ {
			mean[j] += x[i+j]
		}
	}
	for j := from; j < w; j++ {
		mean[j] *= scale
	}
	for i := 0; i+w <= len(x); i += w {
		for j := from; j < w; j++ {
			d := x[i+j] - mean[j]
			dev[j] += d * d
		}
	}
}

// Affine stores y = (x−centre)·scale + shift by column, rectified if relu is
// set.
func (l Level) Affine(y, x, centre, scale, shift []float32, relu bool) {
	from := l.affineFast(y, x, centre, scale, shift, relu)
	affineGo(y, x, centre, scale, shift, relu, from)
}

func affineGo(y, x, centre, scale, shift []float32, relu bool, from int) {
	w := len(scale)
	for i := 0; i+w <= len(x) && from < w; i += w {
		for j := from; j < w; j++ {
			v := (x[i+j]-centre[j])*scale[j] + shift[j]
			if relu {
				v = max(v, 0)
			}
			y[i+j] = v
		}
	}
}

// Correlate masks g by y as MaskSum does and computes by column sum = Σ g and
// dot = Σ g·(x−centre).
func (l Level) Correlate(sum, dot, g, x, y, centre []float32) {
	from := l.correlateFast(sum, dot, g, x, y, centre)
	correlateGo(sum, dot, g, x, y, centre, from)
}

func correlateGo(sum, dot, g, x, y, centre []float32, from int) {
	w := len(sum)
	clear(sum[from:])
	clear(dot[from:])
	for i := 0; i+w <= len(g) && from < w; i += w {
		for j := from; j < w; j++ {
			if y != nil && !(y[i+j] > 0) {
				g[i+j] = 0
			}
			sum[j] += g[i+j]
			dot[j] += g[i+j] * (x[i+j] - centre[j])
		}
	}
}

// NormGrad stores by column dx = scale·g + a·(x−centre) + b.
func (l Level) NormGrad(dx, g, x, centre, scale, a, b []float32) {
	from := l.normGradFast(dx, g, x, centre, scale, a, b)
	normGradGo(dx, g, x, centre, scale, a, b, from)
}

func normGradGo(dx, g, x, centre, scale, a, b []float32, from int) {
	w := len(scale)
	for i := 0; i+w <= len(g) && from < w; i += w {
		for j := from; j < w; j++ {
			dx[i+j] = scale[j]*g[i+j] + (a[j]*(x[i+j]-centre[j]) + b[j])
		}
	}
}

// MaskReLU stores dx = dy where y > 0 and 0 elsewhere.
func MaskReLU(dx, dy, y []float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	for i, v := range y {
		if v > 0 {
			dx[i] = dy[i]
		} else {
			dx[i] = 0
		}
	}
}

// Add adds x to y.
func Add(y, x []float32) {
	x = x[:len(y)]
	for i, v := range x {
		y[i] += v
	}
}

// Blend stores y = a·y + b·x.
func (l Level) Blend(y, x []float32, a, b float32) {
	from := l.blendFast(y, x, a, b)
	for i := from; i < len(y); i++ {
		y[i] = a*y[i] + b*x[i]
	}
}

// SumSquares is Σ x², added in float64.
func (l Level) SumSquares(x []float32) float64 {
	sum, from := l.sumSquaresFast(x)
	for _, v := range x[from:] {
		sum += float64(v) * float64(v)
	}
	return sum
}

// Sigmoid stores y = 1/(1+exp(−x)).
func (l Level) Sigmoid(y, x []float32) {
	from := l.sigmoidFast(y, x)
	for i := from; i < len(x); i++ {
		y[i] = float32(1 / (1 + math.Exp(-float64(x[i]))))
	}
}

// SigmoidGrad stores dx = dy·y·(1−y).
func (l Level) SigmoidGrad(dx, dy, y []float32) {
	from := l.sigmoidGradFast(dx, dy, y)
	for i := from; i < len(y); i++ {
		dx[i] = dy[i] * (y[i] * (1 - y[i]))
	}
}

// SiLU stores y = x/(1+exp(−x)).
func (l Level) SiLU(y, x []float32) {
	from := l.siluFast(y, x)
	for i := from; i < len(x); i++ {
		v := max(float64(x[i]), -sigmoidLimit)
		y[i] = float32(v / (1 + math.Exp(-v)))
	}
}

// SiLUGrad stores dx = dy·s·(1+x·(1−s)) with s = 1/(1+exp(−x)).
func (l Level) SiLUGrad(dx, dy, x []float32) {
	from := l.siluGradFast(dx, dy, x)
	for i := from; i < len(x); i++ {
		v := max(float64(x[i]), -sigmoidLimit)
		s := 1 / (1 + math.Exp(-v))
		dx[i] = dy[i] * float32(s*(1+v*(1-s)))
	}
}

// sigmoidLimit is where SiLU's argument is cut off: below −87 the sigmoid is
// smaller than any normal float32.
const sigmoidLimit = 87

// Quantise stores y = step·clamp(round(x/step), low, high) for a step that is
// a power of two, rounding to the nearest (ties to even) or, with floor,
// downwards. NaN stays NaN.
func (l Level) Quantise(y, x []float32, step, low, high float32, floor bool) {
	from := l.quantiseFast(y, x, step, low, high, floor)
	inverse := 1 / step
	for i := from; i < len(x); i++ {
		f := float64(x[i] * inverse)
		if floor {
			f = math.Floor(f)
		} else {
			f = math.RoundToEven(f)
		}
		y[i] = step * max(low, min(high, float32(f)))
	}
}

// AdamStep holds the constants of one update by [Adam]. The generator knows
// their order.
type AdamStep struct {
	Beta1, Rest1, Beta2, Rest2 float32 // Rest is 1−Beta
	Rate, Epsilon              float32 // w −= Rate·m/(√v+Epsilon)
}

// Adam updates the weights w by gradients g and the moments m and v.
func (l Level) Adam(w, g, m, v []float32, s AdamStep) {
	from := l.adamFast(w, g, m, v, s)
	for i := from; i < len(w); i++ {
		x := g[i]
		m[i] = s.Beta1*m[i] + s.Rest1*x
		v[i] = s.Beta2*v[i] + s.Rest2*(x*x)
		w[i] -= s.Rate * m[i] / (float32(math.Sqrt(float64(v[i]))) + s.Epsilon)
	}
}
