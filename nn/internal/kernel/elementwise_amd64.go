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
}

func at(x []float32, j int) unsafe.Pointer {
	if len(x) == 0 {
		return nil
	}
	return unsafe.Pointer(&x[j])
}

func (s *strip) arg() *byte { return (*byte)(unsafe.Pointer(s)) }

// columns calls f for each strip of w columns, with its first column; s.mask
// is set. It returns the first column not done.
func columns(s *strip, w int, f func(s *strip, j int, wide bool)) int {
	switch level {
	case levelAVX512:
		for j := 0; j < w; j += 16 {
			s.mask = 1<<min(16, w-j) - 1
			f(s, j, true)
		}
		return w
	case levelAVX2:
		j := 0
		for ; j+8 <= w; j += 8 {
			f(s, j, false)
		}
		return j
	}
	return 0
}

// flat calls f for n values as rows of whole vectors, and with AVX-512 for the
// masked rest. It returns the first value not done.
func flat(s *strip, n int, f func(s *strip, j int, wide bool)) int {
	switch level {
	case levelAVX512:
		s.rows, s.stride, s.mask = n/16, 64, 1<<16-1
		f(s, 0, true)
		if rest := n % 16; rest > 0 {
			s.rows, s.mask = 1, 1<<rest-1
			f(s, n-rest, true)
		}
		return n
	case levelAVX2:
		s.rows, s.stride = n/8, 32
		f(s, 0, false)
		return n - n%8
	}
	return 0
}

func maskSumFast(sum, g, y []float32) int {
	if len(g) == 0 {
		return 0
	}
	s := strip{rows: len(g) / len(sum), stride: 4 * len(sum)}
	return columns(&s, len(sum), func(s *strip, j int, wide bool) {
		s.g, s.y, s.p0 = at(g, j), at(y, j), at(sum, j)
		if wide {
			stripMaskSum512(s.arg())
		} else {
			stripMaskSum256(s.arg())
		}
	})
}

func momentsFast(mean, dev, x []float32) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{rows: len(x) / len(mean), stride: 4 * len(mean)}
	s.scalars[0] = 1 / float32(s.rows)
	return columns(&s, len(mean), func(s *strip, j int, wide bool) {
		s.x, s.p0, s.p1 = at(x, j), at(mean, j), at(dev, j)
		if wide {
			stripMoments512(s.arg())
		} else {
			stripMoments256(s.arg())
		}
	})
}

func affineFast(y, x, scale, shift []float32, relu bool) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{rows: len(x) / len(scale), stride: 4 * len(scale)}
	if !relu {
		s.scalars[0] = negInf
	}
	return columns(&s, len(scale), func(s *strip, j int, wide bool) {
		s.x, s.y, s.p0, s.p1 = at(x, j), at(y, j), at(scale, j), at(shift, j)
		if wide {
			stripAffine512(s.arg())
		} else {
			stripAffine256(s.arg())
		}
	})
}

func correlateFast(sum, dot, g, x, y, centre []float32) int {
	if len(g) == 0 {
		return 0
	}
	s := strip{rows: len(g) / len(sum), stride: 4 * len(sum)}
	return columns(&s, len(sum), func(s *strip, j int, wide bool) {
		s.g, s.x, s.y = at(g, j), at(x, j), at(y, j)
		s.p0, s.p1, s.p2 = at(sum, j), at(dot, j), at(centre, j)
		if wide {
			stripCorrelate512(s.arg())
		} else {
			stripCorrelate256(s.arg())
		}
	})
}

func normGradFast(dx, g, x, centre, scale, a, b []float32) int {
	if len(g) == 0 {
		return 0
	}
	s := strip{rows: len(g) / len(scale), stride: 4 * len(scale)}
	return columns(&s, len(scale), func(s *strip, j int, wide bool) {
		s.out, s.g, s.x = at(dx, j), at(g, j), at(x, j)
		s.p0, s.p1, s.p2, s.p3 = at(scale, j), at(a, j), at(centre, j), at(b, j)
		if wide {
			stripNormGrad512(s.arg())
		} else {
			stripNormGrad256(s.arg())
		}
	})
}

func blendFast(y, x []float32, a, b float32) int {
	if len(y) == 0 {
		return 0
	}
	s := strip{scalars: [8]float32{a, b}}
	return flat(&s, len(y), func(s *strip, j int, wide bool) {
		s.x, s.y = at(x, j), at(y, j)
		if wide {
			stripBlend512(s.arg())
		} else {
			stripBlend256(s.arg())
		}
	})
}

// sumSquaresFast adds the lanes in their order.
func sumSquaresFast(x []float32) (float64, int) {
	lanes := [16]float64{}
	s := strip{stride: 64, mask: 1<<16 - 1, p0: unsafe.Pointer(&lanes)}
	if level == levelAVX2 {
		s.stride = 32
	}
	n := len(x) - len(x)%(s.stride/4)
	if n == 0 || level == levelPortable {
		return 0, 0
	}
	s.x, s.rows = at(x, 0), 4*n/s.stride
	if level == levelAVX512 {
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

func sigmoidFast(y, x []float32) int {
	if len(x) == 0 {
		return 0
	}
	return flat(&strip{}, len(x), func(s *strip, j int, wide bool) {
		s.x, s.y = at(x, j), at(y, j)
		if wide {
			stripSigmoid512(s.arg())
		} else {
			stripSigmoid256(s.arg())
		}
	})
}

func sigmoidGradFast(dx, dy, y []float32) int {
	if len(y) == 0 {
		return 0
	}
	return flat(&strip{}, len(y), func(s *strip, j int, wide bool) {
		s.out, s.g, s.y = at(dx, j), at(dy, j), at(y, j)
		if wide {
			stripSigmoidGrad512(s.arg())
		} else {
			stripSigmoidGrad256(s.arg())
		}
	})
}

func quantiseFast(y, x []float32, step, low, high float32, floor bool) int {
	if len(x) == 0 {
		return 0
	}
	s := strip{scalars: [8]float32{1 / step, step, low, high}}
	return flat(&s, len(x), func(s *strip, j int, wide bool) {
		s.x, s.y = at(x, j), at(y, j)
		switch {
		case wide && floor:
			quantiseFloor512(s.arg())
		case wide:
			quantise512(s.arg())
		case floor:
			quantiseFloor256(s.arg())
		default:
			quantise256(s.arg())
		}
	})
}

func adamFast(w, g, m, v []float32, a AdamStep) int {
	if len(w) == 0 {
		return 0
	}
	s := strip{scalars: [8]float32{a.Beta1, a.Rest1, a.Beta2, a.Rest2, a.Rate, a.Epsilon, a.Keep}}
	return flat(&s, len(w), func(s *strip, j int, wide bool) {
		s.x, s.g, s.y, s.out = at(w, j), at(g, j), at(m, j), at(v, j)
		if wide {
			stripAdam512(s.arg())
		} else {
			stripAdam256(s.arg())
		}
	})
}
