//go:build !purego

package kernel

import "unsafe"

func (l Level) spreadFast(planes, x []float32, group, rows, c, first, step int) int {
	s := strip{rows: rows, stride: 4 * c, pixel: 4 * step, plane: 4 * c, planeRow: 4 * 9 * c}
	end, lanes := l.span(c)
	for j := 0; j < end; j += lanes {
		s.columns(c - j)
		s.x, s.y = at(x, first+j), at(planes, j)
		spreadStrip(&s, group, lanes)
	}
	return end
}

var noBias [16]float32

func (l Level) gatherFast(x, planes, bias []float32, group, rows, c, first, step int, relu bool) int {
	s := strip{rows: rows, stride: 4 * c, pixel: 4 * step, plane: 4 * c, planeRow: 4 * 9 * c}
	if !relu {
		s.scalars[0] = negInf
	}
	end, lanes := l.span(c)
	for j := 0; j < end; j += lanes {
		s.columns(c - j)
		s.x, s.y, s.p0 = at(x, first+j), at(planes, j), unsafe.Pointer(&noBias)
		if bias != nil {
			s.p0 = at(bias, j)
		}
		gatherStrip(&s, group, lanes)
	}
	return end
}

func spreadStrip(s *strip, group, lanes int) {
	if lanes == 16 {
		switch group {
		case 0:
			stripSpread0x512(s.arg())
		case 1:
			stripSpread1x512(s.arg())
		case 2:
			stripSpread2x512(s.arg())
		case 3:
			stripSpread3x512(s.arg())
		case 4:
			stripSpread4x512(s.arg())
		case 5:
			stripSpread5x512(s.arg())
		case 6:
			stripSpread6x512(s.arg())
		case 7:
			stripSpread7x512(s.arg())
		case 8:
			stripSpread8x512(s.arg())
		}
		return
	}
	switch group {
	case 0:
		stripSpread0x256(s.arg())
	case 1:
		stripSpread1x256(s.arg())
	case 2:
		stripSpread2x256(s.arg())
	case 3:
		stripSpread3x256(s.arg())
	case 4:
		stripSpread4x256(s.arg())
	case 5:
		stripSpread5x256(s.arg())
	case 6:
		stripSpread6x256(s.arg())
	case 7:
		stripSpread7x256(s.arg())
	case 8:
		stripSpread8x256(s.arg())
	}
}

func gatherStrip(s *strip, group, lanes int) {
	if lanes == 16 {
		switch group {
		case 0:
			stripGather0x512(s.arg())
		case 1:
			stripGather1x512(s.arg())
		case 2:
			stripGather2x512(s.arg())
		case 3:
			stripGather3x512(s.arg())
		case 4:
			stripGather4x512(s.arg())
		case 5:
			stripGather5x512(s.arg())
		case 6:
			stripGather6x512(s.arg())
		case 7:
			stripGather7x512(s.arg())
		case 8:
			stripGather8x512(s.arg())
		}
		return
	}
	switch group {
	case 0:
		stripGather0x256(s.arg())
	case 1:
		stripGather1x256(s.arg())
	case 2:
		stripGather2x256(s.arg())
	case 3:
		stripGather3x256(s.arg())
	case 4:
		stripGather4x256(s.arg())
	case 5:
		stripGather5x256(s.arg())
	case 6:
		stripGather6x256(s.arg())
	case 7:
		stripGather7x256(s.arg())
	case 8:
		stripGather8x256(s.arg())
	}
}
