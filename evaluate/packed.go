package evaluate

import (
	"encoding/binary"
	"math"
	"math/bits"

	"barrow/wafer"
)

// packed holds images one after the other, without loss: a mask of the cells with
// charge, and their charges, as short as they are where all are whole numbers.
type packed struct {
	bytes []byte
	n     int
}

// fractions is the bit of the mask that says that charges are float64.
const fractions = 1 << Cells

func (p *packed) add(image []float64) {
	mask := uint64(0)
	for c, v := range image {
		if v != 0 {
			mask |= 1 << c
		}
		if v != math.Trunc(v) || v >= 1<<53 {
			mask |= fractions
		}
	}
	p.bytes = binary.AppendUvarint(p.bytes, mask)
	for _, v := range image {
		switch {
		case v == 0:
		case mask&fractions != 0:
			p.bytes = binary.LittleEndian.AppendUint64(p.bytes, math.Float64bits(v))
		default:
			p.bytes = binary.AppendUvarint(p.bytes, uint64(v))
		}
	}
	p.n++
}

// read puts up to n further images into s, in place of its own, and moves from
// behind them; it reports whether there were any.
func (p *packed) read(from *int, s *wafer.Set, n int) bool {
	s.Charge = s.Charge[:0]
	for ; n > 0 && *from < len(p.bytes); n-- {
		mask, used := binary.Uvarint(p.bytes[*from:])
		*from += used
		at := len(s.Charge)
		s.Charge = append(s.Charge, make([]float64, Cells)...)
		for m := mask &^ fractions; m != 0; m &= m - 1 {
			c := bits.TrailingZeros64(m)
			if mask&fractions != 0 {
				s.Charge[at+c] = math.Float64frombits(binary.LittleEndian.Uint64(p.bytes[*from:]))
				*from += 8
				continue
			}
			v, used := binary.Uvarint(p.bytes[*from:])
			*from += used
			s.Charge[at+c] = float64(v)
		}
	}
	return len(s.Charge) > 0
}
