package wafer

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
)

// Digest is the SHA-256 of the charges (64-bit floats, little-endian, in
// order), in hexadecimal: a run records it to know its images again.
func (s *Set) Digest() string {
	h := sha256.New()
	var b [8]byte
	for _, v := range s.Charge {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}
