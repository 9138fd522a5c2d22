//go:build !purego

package kernel

import "unsafe"

// splitWidth is how many values the assembly does at once.
const splitWidth = 16

// splitStrip describes the whole steps of the first n values.
func splitStrip(n, plane, step int) strip {
	return strip{rows: n / splitWidth, stride: 4 * splitWidth, mask: 1<<16 - 1, pixel: 4 * step, plane: 4 * plane}
}

func (l Level) spreadFast(planes, x []float32, n, plane, first, step int) int {
	if l == portable || n < splitWidth {
		return 0
	}
	s := splitStrip(n, plane, step)
	s.x, s.y = at(x, first), at(planes, 0)
	if l == avx512 {
		stripSpread512(s.arg())
		return s.rows * splitWidth
	}
	var folded [2 * 16 * 8]float32
	s.p0 = unsafe.Pointer(&folded)
	stripSpread256(s.arg())
	return s.rows * splitWidth
}

func (l Level) gatherFast(x, planes, bias []float32, n, plane, first, step int, relu bool) int {
	if l == portable || n < splitWidth {
		return 0
	}
	s := splitStrip(n, plane, step)
	if !relu {
		s.scalars[0] = negInf
	}
	var kept [21 * 16]float32
	s.x, s.y, s.p0, s.p1 = at(x, first), at(planes, 0), unsafe.Pointer(&kept), at(bias, 0)
	if l == avx512 {
		stripGather512(s.arg())
	} else {
		stripGather256(s.arg())
	}
	return s.rows * splitWidth
}
