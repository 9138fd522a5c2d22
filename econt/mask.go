package econt

import (
	"fmt"
	"math/big"
	"math/bits"
)

// MaskBits is the width of the encoder's output before the mask: 16 outputs of
// nine bits.
const MaskBits = 144

// A Mask is the register keep_auto_encoder_bits: bit 9j+b set keeps bit b of
// output j. Word 0 holds bits 0–63.
type Mask [3]uint64

// KeepAll keeps all 144 bits, the default.
func KeepAll() Mask { return Mask{^uint64(0), ^uint64(0), 1<<16 - 1} }

// KeepTop keeps the n most significant bits of every output, 0 ≤ n ≤ 9.
func KeepTop(n int) Mask {
	var widths [16]int
	for j := range widths {
		widths[j] = n
	}
	return KeepHighest(widths)
}

// KeepHighest keeps of each output its n most significant bits, 0 ≤ n ≤ 9.
func KeepHighest(n [16]int) Mask {
	var m Mask
	for j := range n {
		for b := outputBits - n[j]; b < outputBits; b++ {
			m.set(outputBits*j + b)
		}
	}
	return m
}

// TopBits is how many bits an output the chip is meant to send on n links:
// 1, 3, 5, 7 on one to four links and all nine on more.
func TopBits(links int) int { return min(2*links-1, 9) }

func (m *Mask) set(i int) { m[i>>6] |= 1 << (i & 63) }

// Bit says whether bit i, 0..143, is kept.
func (m *Mask) Bit(i int) bool { return m[i>>6]>>(i&63)&1 != 0 }

// Count is the number of bits kept.
func (m *Mask) Count() int {
	return bits.OnesCount64(m[0]) + bits.OnesCount64(m[1]) + bits.OnesCount64(m[2])
}

// Links is the fewest links on which the chip sends all bits kept: 1 to 5, for 18, 50, 82,
// 114 and 146 bits.
func (m *Mask) Links() int {
	n := 1
	for payloadBits(n) < m.Count() {
		n++
	}
	return n
}

// Int is the mask as the register's number.
func (m *Mask) Int() *big.Int {
	v := new(big.Int)
	for i := 2; i >= 0; i-- {
		v.Lsh(v, 64)
		v.Or(v, new(big.Int).SetUint64(m[i]))
	}
	return v
}

// MaskFromInt reads a register's number, 0 ≤ v < 2^144.
func MaskFromInt(v *big.Int) (Mask, error) {
	if v.Sign() < 0 || v.BitLen() > MaskBits {
		return Mask{}, fmt.Errorf("econt: keep mask %#x: want 0 to 2^144−1", v)
	}
	var m Mask
	rest := new(big.Int).Set(v)
	low := new(big.Int).SetUint64(^uint64(0))
	for i := range m {
		m[i] = new(big.Int).And(rest, low).Uint64()
		rest.Rsh(rest, 64)
	}
	return m, nil
}

// take gives the bits kept of output j, the most significant first, and how
// many they are.
func (m *Mask) take(j int, out uint16) (v uint16, n int) {
	for b := outputBits - 1; b >= 0; b-- {
		if m.Bit(outputBits*j + b) {
			v = v<<1 | out>>b&1
			n++
		}
	}
	return v, n
}
