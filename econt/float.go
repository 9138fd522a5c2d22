package econt

import (
	"fmt"
	"math/bits"
)

// A Format is one of the chip's unsigned floating-point formats, E bits of
// exponent and M of mantissa: 16·E + M. A value of at most M bits is its own code
// (exponent 0); a longer one of n bits has exponent n−M and keeps its leading one
// implicit and the next M bits, truncated. What does not fit is all ones.
type Format uint8

// The formats of the ECON-T.
const (
	F4E3M Format = 0x43 // 7 bits: one trigger cell, or a coarse sum
	F5E3M Format = 0x53 // 8 bits: module sum of TS and BC
	F5E4M Format = 0x54 // 9 bits: super trigger cell, module sum of AE
)

// exp and mant are the widths of the fields in bits.
func (f Format) exp() int  { return int(f >> 4) }
func (f Format) mant() int { return int(f & 15) }

// Bits is the width of a code.
func (f Format) Bits() int { return f.exp() + f.mant() }

// String gives the usual name, such as "4E3M".
func (f Format) String() string { return fmt.Sprintf("%dE%dM", f.exp(), f.mant()) }

// Encode truncates v to a code.
func (f Format) Encode(v uint64) uint32 {
	n := bits.Len64(v)
	if n <= f.mant() {
		return uint32(v)
	}
	exp := n - f.mant()
	if exp >= 1<<f.exp() {
		return 1<<f.Bits() - 1
	}
	mant := uint32(v>>(exp-1)) & (1<<f.mant() - 1)
	return uint32(exp)<<f.mant() | mant
}

// Interval gives the values that Encode maps to the code: lo ≤ v ≤ hi. The
// all-ones code also stands for everything above hi.
func (f Format) Interval(code uint32) (lo, hi uint64) {
	exp, mant := code>>f.mant(), uint64(code&(1<<f.mant()-1))
	if exp == 0 {
		return mant, mant
	}
	lo = (1<<f.mant() | mant) << (exp - 1)
	return lo, lo + 1<<(exp-1) - 1
}

// decodeTC is the chip's own reading of an input code: 4E3M in units of 2^d,
// d = 1 for low and 3 for high density, at the middle of the interval. Code 0
// therefore reads as 1 (low) or 4 (high), not as 0: a wafer whose readout sent
// zeros acquires this pedestal.
func decodeTC(code uint32, d uint) uint32 {
	exp, mant := code>>3&15, code&7
	if exp == 0 {
		return mant<<d + 1<<(d-1)
	}
	return (8+mant)<<(exp-1+uint32(d)) + 1<<(exp+uint32(d)-2)
}

// densityShift is d of decodeTC.
func densityShift(high bool) uint {
	if high {
		return 3
	}
	return 1
}
