package ttree

import (
	"encoding/binary"
	"math"
	"slices"

	"barrow/internal/root"
)

// values appends the values in p, which has a whole number of them.
func (l *layout) values(a *root.Array, p []byte) {
	t := &numbers[l.number]
	n := len(p) / t.size
	l.grow(a, n)
	if t.kind == root.Float {
		at := len(a.Float)
		a.Float = a.Float[:at+n]
		l.floats(a.Float[at:], p)
		return
	}
	at := len(a.Int)
	a.Int = a.Int[:at+n]
	l.ints(a.Int[at:], p)
}

// grow makes room for n values.
func (l *layout) grow(a *root.Array, n int) {
	if numbers[l.number].kind == root.Float {
		a.Float = slices.Grow(a.Float, n)
	} else {
		a.Int = slices.Grow(a.Int, n)
	}
}

// floats reads len(out) numbers of floating point.
func (l *layout) floats(out []float64, p []byte) {
	switch l.number {
	case f32:
		for i := range out {
			out[i] = float64(math.Float32frombits(binary.BigEndian.Uint32(p)))
			p = p[4:]
		}
	case f64:
		for i := range out {
			out[i] = math.Float64frombits(binary.BigEndian.Uint64(p))
			p = p[8:]
		}
	case short32:
		mask, sign := uint32(1)<<(l.bits+1)-1, uint32(1)<<(l.bits+1)
		for i := range out {
			m := uint32(binary.BigEndian.Uint16(p[1:]))
			v := float64(math.Float32frombits(uint32(p[0])<<23 | (m&mask)<<(23-l.bits)))
			if m&sign != 0 {
				v = -v
			}
			out[i] = v
			p = p[3:]
		}
	case ranged:
		for i := range out {
			out[i] = l.low + l.step*float64(binary.BigEndian.Uint32(p))
			p = p[4:]
		}
	}
}

// ints reads len(out) integers.
func (l *layout) ints(out []int64, p []byte) {
	switch l.number {
	case i8:
		for i, v := range p[:len(out)] {
			out[i] = int64(int8(v))
		}
	case u8:
		for i, v := range p[:len(out)] {
			out[i] = int64(v)
		}
	case truth:
		for i, v := range p[:len(out)] {
			out[i] = 0
			if v != 0 {
				out[i] = 1
			}
		}
	case i16:
		for i := range out {
			out[i] = int64(int16(binary.BigEndian.Uint16(p)))
			p = p[2:]
		}
	case u16:
		for i := range out {
			out[i] = int64(binary.BigEndian.Uint16(p))
			p = p[2:]
		}
	case i32:
		for i := range out {
			out[i] = int64(int32(binary.BigEndian.Uint32(p)))
			p = p[4:]
		}
	case u32:
		for i := range out {
			out[i] = int64(binary.BigEndian.Uint32(p))
			p = p[4:]
		}
	case i64, u64:
		for i := range out {
			out[i] = int64(binary.BigEndian.Uint64(p))
			p = p[8:]
		}
	}
}
