//go:build !purego

package kernel

import "unsafe"

// A strip is what the assembly is told of one vector's width of columns. A
// flat array is a strip whose rows are whole vectors. The generator knows the
// offsets.
type strip struct {
	x, y, g, out   unsafe.Pointer
	p0, p1, p2, p3 unsafe.Pointer
	rows, stride   int
	mask           uintptr
	scalars        [8]float32
	pixel, plane   int // bytes between pixels, and between planes
}

func at(x []float32, j int) unsafe.Pointer {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Pointer(&x[j])
}

func (s *strip) arg() *byte { return (*byte)(unsafe.Pointer(s)) }

// span is how many of n columns or values the assembly does, and how many of
// them at once: 16 with AVX-512, which masks the last ones, or 8.
func (l Level) span(n int) (end, step int) {
	switch l {
	case avx512:
		return n, 16
	case avx2:
		return n - n%8, 8
	}
	return 0, 1
}

// columns masks what lies beyond the last of rest columns.
func (s *strip) columns(rest int) { s.mask = 1<<min(16, rest) - 1 }

// flat makes s the whole vectors from value j on, or, where there are none,
// the masked rest. It returns the value after them.
func (s *strip) flat(j, end, step int) int {
	s.stride = 4 * step
	if s.rows = (end - j) / step; s.rows > 0 {
		s.mask = 1<<16 - 1
		return j + s.rows*step
	}
	s.rows, s.mask = 1, 1<<(end-j)-1
	return end
}

func (l Level) maskSumFast(sum, g, y []float32) int {
	if len(g) == 0 {
		return 0
	}
	s := strip{rows: len(g) / len(sum), stride: 4 * len(sum)}
	end, step := l.span(len(sum))
	for j := 0; j < end; j += step {
		s.columns(len(sum) - j)
		s.g, s.y, s.p0 = at(g, j), at(y, j), at(sum, j)
		if step == 16 {
			stripMaskSum512(s.arg())
		} else {
			stripMaskSum256(s.arg())
		}
	}
	return end
}

func (l Level) momentsFast(mean, dev, x []float32) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{rows: len(x) / len(mean), stride: 4 * len(mean)}
	s.scalars[0] = 1 / float32(s.rows)
	end, step := l.span(len(mean))
	for j := 0; j < end; j += step {
		s.columns(len(mean) - j)
		s.x, s.p0, s.p1 = at(x, j), at(mean, j), at(dev, j)
		if step == 16 {
			stripMoments512(s.arg())
		} else {
			stripMoments256(s.arg())
		}
	}
	return end
}

func (l Level) affineFast(y, x, centre, scale, shift []float32, relu bool) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{rows: len(x) / len(scale), stride: 4 * len(scale)}
	if !relu {
		s.scalars[0] = negInf
	}
	end, step := l.span(len(scale))
	for j := 0; j < end; j += step {
		s.columns(len(scale) - j)
		s.x, s.y = at(x, j), at(y, j)
		s.p0, s.p1, s.p2 = at(scale, j), at(shift, j), at(centre, j)
		if step == 16 {
			stripAffine512(s.arg())
		} else {
			stripAffine256(s.arg())
		}
	}
	return end
}

func (l Level) correlateFast(sum, dot, g, x, y, centre []float32) int {
	if len(g) == 0 {
		return 0
	}
	s := strip{rows: len(g) / len(sum), stride: 4 * len(sum)}
	end, step := l.span(len(sum))
	for j := 0; j < end; j += step {
		s.columns(len(sum) - j)
		s.g, s.x, s.y = at(g, j), at(x, j), at(y, j)
		s.p0, s.p1, s.p2 = at(sum, j), at(dot, j), at(centre, j)
		if step == 16 {
			stripCorrelate512(s.arg())
		} else {
			stripCorrelate256(s.arg())
		}
	}
	return end
}

func (l Level) normGradFast(dx, g, x, centre, scale, a, b []float32) int {
	if len(g) == 0 {
		return 0
	}
	s := strip{rows: len(g) / len(scale), stride: 4 * len(scale)}
	end, step := l.span(len(scale))
	for j := 0; j < end; j += step {
		s.columns(len(scale) - j)
		s.out, s.g, s.x = at(dx, j), at(g, j), at(x, j)
		s.p0, s.p1, s.p2, s.p3 = at(scale, j), at(a, j), at(centre, j), at(b, j)
		if step == 16 {
			stripNormGrad512(s.arg())
		} else {
			stripNormGrad256(s.arg())
		}
	}
	return end
}

func (l Level) blendFast(y, x []float32, a, b float32) int {
	if len(y) == 0 {
		return 0
	}
	s := strip{scalars: [8]float32{a, b}}
	end, step := l.span(len(y))
	for j := 0; j < end; {
		next := s.flat(j, end, step)
		s.x, s.y = at(x, j), at(y, j)
		if step == 16 {
			stripBlend512(s.arg())
		} else {
			stripBlend256(s.arg())
		}
		j = next
	}
	return end
}

// sumSquaresFast adds the lanes in their order.
func (l Level) sumSquaresFast(x []float32) (float64, int) {
	lanes := [16]float64{}
	s := strip{stride: 64, mask: 1<<16 - 1, p0: unsafe.Pointer(&lanes)}
	if l == avx2 {
		s.stride = 32
	}
	n := len(x) - len(x)%(s.stride/4)
	if n == 0 || l == portable {
		return 0, 0
	}
	s.x, s.rows = at(x, 0), 4*n/s.stride
	if l == avx512 {
		stripSumSquares512(s.arg())
	} else {
		stripSumSquares256(s.arg())
	}
	sum := 0.0
	for _, v := range lanes {
		sum += v
	}
	return sum, n
}

// A smooth activation. Its routines are called by name, not as values: strips
// would go to the heap otherwise.
type smooth int

const (
	smoothSigmoid smooth = iota
	smoothSiLU
)

func (s *strip) smooth(a smooth, step int, gradient bool) {
	switch {
	case a == smoothSigmoid && !gradient && step == 16:
		stripSigmoid512(s.arg())
	case a == smoothSigmoid && !gradient:
		stripSigmoid256(s.arg())
	case a == smoothSigmoid && step == 16:
		stripSigmoidGrad512(s.arg())
	case a == smoothSigmoid:
		stripSigmoidGrad256(s.arg())
	case !gradient && step == 16:
		stripSiLU512(s.arg())
	case !gradient:
		stripSiLU256(s.arg())
	case step == 16:
		stripSiLUGrad512(s.arg())
	default:
		stripSiLUGrad256(s.arg())
	}
}

// smoothFast stores the activation of x, or with g the gradient g·a′, which the
// routines take from x too (the sigmoid's from its value).
func (l Level) smoothFast(a smooth, out, x, g []float32) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{}
	end, step := l.span(len(x))
	for j := 0; j < end; {
		next := s.flat(j, end, step)
		s.x, s.y = at(x, j), at(out, j)
		if g != nil {
			s.out, s.g, s.y = s.y, at(g, j), s.x
		}
		s.smooth(a, step, g != nil)
		j = next
	}
	return end
}

func (l Level) sigmoidFast(y, x []float32) int { return l.smoothFast(smoothSigmoid, y, x, nil) }
func (l Level) sigmoidGradFast(dx, dy, y []float32) int {
	return l.smoothFast(smoothSigmoid, dx, y, dy)
}
func (l Level) siluFast(y, x []float32) int          { return l.smoothFast(smoothSiLU, y, x, nil) }
func (l Level) siluGradFast(dx, dy, x []float32) int { return l.smoothFast(smoothSiLU, dx, x, dy) }

func (l Level) quantiseFast(y, x []float32, unit, low, high float32, floor bool) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{scalars: [8]float32{1 / unit, unit, low, high}}
	end, step := l.span(len(x))
	for j := 0; j < end; {
		next := s.flat(j, end, step)
		s.x, s.y = at(x, j), at(y, j)
		switch {
		case step == 16 && floor:
			quantiseFloor512(s.arg())
		case step == 16:
			quantise512(s.arg())
		case floor:
			quantiseFloor256(s.arg())
		default:
			quantise256(s.arg())
		}
		j = next
	}
	return end
}

func (l Level) adamFast(w, g, m, v []float32, a AdamStep) int {
	if len(w) == 0 {
		return 0
	}
	s := strip{scalars: [8]float32{a.Beta1, a.Rest1, a.Beta2, a.Rest2, a.Rate, a.Epsilon}}
	end, step := l.span(len(w))
	for j := 0; j < end; {
		next := s.flat(j, end, step)
		s.x, s.g, s.y, s.out = at(w, j), at(g, j), at(m, j), at(v, j)
		if step == 16 {
			stripAdam512(s.arg())
		} else {
			stripAdam256(s.arg())
		}
		j = next
	}
	return end
}
