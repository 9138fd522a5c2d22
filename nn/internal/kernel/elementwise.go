package kernel

import "math"

// MaskReLU zeroes g wherever y ≤ 0: the gradient of y = max(0, x).
func MaskReLU(g, y []float32) {
	y = y[:len(g)]
	for i, v := range y {
		if !(v > 0) {
			g[i] = 0
		}
	}
}

// AddColumns adds the rows of x, each len(sum) long, to sum.
func AddColumns(sum, x []float32) {
	for w := len(sum); len(x) >= w; x = x[w:] {
		for j, v := range x[:w] {
			sum[j] += v
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

// Moments computes, for each of len(mean) columns of x, the mean of its values
// and the sum of their squared deviations from it.
func Moments(mean, dev, x []float32) {
	w := len(mean)
	clear(mean)
	clear(dev)
	AddColumns(mean, x)
	rows := float32(len(x) / w)
	for j := range mean {
		mean[j] /= rows
	}
	for ; len(x) >= w; x = x[w:] {
		for j, v := range x[:w] {
			d := v - mean[j]
			dev[j] += d * d
		}
	}
}

// Affine stores y = x·scale + shift by column, rectified if relu is set.
func Affine(y, x, scale, shift []float32, relu bool) {
	w := len(scale)
	for ; len(x) >= w; x, y = x[w:], y[w:] {
		out := y[:w]
		for j, v := range x[:w] {
			v = v*scale[j] + shift[j]
			if relu {
				v = max(v, 0)
			}
			out[j] = v
		}
	}
}

// Correlate computes by column sum = Σ g and dot = Σ g·(x−centre).
func Correlate(sum, dot, g, x, centre []float32) {
	w := len(sum)
	clear(sum)
	clear(dot)
	for ; len(g) >= w; g, x = g[w:], x[w:] {
		xs := x[:w]
		for j, v := range g[:w] {
			sum[j] += v
			dot[j] += v * (xs[j] - centre[j])
		}
	}
}

// NormGrad stores by column dx = scale·g + a·(x−centre) + b.
func NormGrad(dx, g, x, centre, scale, a, b []float32) {
	w := len(scale)
	for ; len(g) >= w; g, x, dx = g[w:], x[w:], dx[w:] {
		xs, out := x[:w], dx[:w]
		for j, v := range g[:w] {
			out[j] = scale[j]*v + a[j]*(xs[j]-centre[j]) + b[j]
		}
	}
}

// Sigmoid stores y = 1/(1+exp(−x)).
func Sigmoid(y, x []float32) {
	y = y[:len(x)]
	for i, v := range x {
		y[i] = float32(1 / (1 + math.Exp(-float64(v))))
	}
}

// SigmoidGrad stores dx = dy·y·(1−y).
func SigmoidGrad(dx, dy, y []float32) {
	dx, dy = dx[:len(y)], dy[:len(y)]
	for i, v := range y {
		dx[i] = dy[i] * (v * (1 - v))
	}
}

// Quantise stores y = step·clamp(round(x/step), low, high) for a step that is
// a power of two, rounding to the nearest (ties to even) or, with floor,
// downwards. NaN stays NaN.
func Quantise(y, x []float32, step, low, high float32, floor bool) {
	y = y[:len(x)]
	inverse := 1 / step
	for i, v := range x {
		f := float64(v * inverse)
		if floor {
			f = math.Floor(f)
		} else {
			f = math.RoundToEven(f)
		}
		y[i] = step * max(low, min(high, float32(f)))
	}
}

// AdamStep holds the constants of one update by [Adam].
type AdamStep struct {
	Beta1, Rest1, Beta2, Rest2 float32 // Rest is 1−Beta
	Rate, Epsilon, Keep        float32 // w = Keep·w − Rate·m/(√v+Epsilon)
}

// Adam updates the weights w by gradients g and the moments m and v.
func Adam(w, g, m, v []float32, s AdamStep) {
	g, m, v = g[:len(w)], m[:len(w)], v[:len(w)]
	for i, x := range g {
		m[i] = s.Beta1*m[i] + s.Rest1*x
		v[i] = s.Beta2*v[i] + s.Rest2*x*x
		w[i] = s.Keep*w[i] - s.Rate*m[i]/(float32(math.Sqrt(float64(v[i])))+s.Epsilon)
	}
}
