package wafer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// Digest is the SHA-256 of the images, in hexadecimal: a run records it to know
// its images again. It covers the charges (64-bit floats, little-endian, in
// order) and all columns, names and values, in their order. What a run does not
// use it leaves out by WithoutColumns. A number and the same number read as text
// count as the same.
func (s *Set) Digest() string {
	h := sha256.New()
	b := make([]byte, 0, 4096)
	flush := func(above int) {
		if len(b) > above {
			h.Write(b)
			b = b[:0]
		}
	}
	text := func(t string) { // its length first, so that no two lists of texts run together
		b = append(binary.LittleEndian.AppendUint64(b, uint64(len(t))), t...)
		flush(4000)
	}
	for _, v := range s.Charge {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
		flush(4000)
	}
	for _, c := range s.Columns {
		text(c.Name)
		for i := range c.Len() {
			text(c.Value(i))
		}
	}
	flush(0)
	return hex.EncodeToString(h.Sum(nil))
}
