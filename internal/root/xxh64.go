package root

import (
	"encoding/binary"
	"math/bits"
)

// Primes of XXH64, https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md.
const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

// xxh64 is the checksum in front of LZ4's frames, of seed 0.
func xxh64(p []byte) uint64 {
	n := uint64(len(p))
	h := prime5
	if len(p) >= 32 {
		p1 := prime1 // A variable: the sum overflows, as it should.
		a, b, c, d := p1+prime2, prime2, uint64(0), -p1
		for ; len(p) >= 32; p = p[32:] {
			a = xxhRound(a, binary.LittleEndian.Uint64(p))
			b = xxhRound(b, binary.LittleEndian.Uint64(p[8:]))
			c = xxhRound(c, binary.LittleEndian.Uint64(p[16:]))
			d = xxhRound(d, binary.LittleEndian.Uint64(p[24:]))
		}
		h = bits.RotateLeft64(a, 1) + bits.RotateLeft64(b, 7) + bits.RotateLeft64(c, 12) + bits.RotateLeft64(d, 18)
		for _, lane := range [4]uint64{a, b, c, d} {
			h = (h^xxhRound(0, lane))*prime1 + prime4
		}
	}
	h += n
	for ; len(p) >= 8; p = p[8:] {
		h = bits.RotateLeft64(h^xxhRound(0, binary.LittleEndian.Uint64(p)), 27)*prime1 + prime4
	}
	if len(p) >= 4 {
		h = bits.RotateLeft64(h^uint64(binary.LittleEndian.Uint32(p))*prime1, 23)*prime2 + prime3
		p = p[4:]
	}
	for _, c := range p {
		h = bits.RotateLeft64(h^uint64(c)*prime5, 11) * prime1
	}
	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

func xxhRound(acc, lane uint64) uint64 {
	return bits.RotateLeft64(acc+lane*prime2, 31) * prime1
}
