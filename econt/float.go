package econt

import (
	"fmt"
	"math/bits"
)

// A Format is one of the chip's unsigned floating-point formats. A value of at
// most Mant bits is its own code (exponent 0); a longer one of n bits has
// exponent n−Mant and keeps its leading one implicit and the next Mant bits,
// truncated. What does not fit is all ones.
type Format struct {
	Exp, Mant int // field widths in bits
}

// The formats of the ECON-T.
var (
	F4E3M = Format{4, 3} // 7 bits: one trigger cell, or a coarse sum
	F5E3M = Format{5, 3} // 8 bits: module sum of TS and BC
	F5E4M = Format{5, 4} // 9 bits: super trigger cell, module sum of AE
)

// Bits is the width of a code.
func (f Format) Bits() int { return f.Exp + f.Mant }

// String gives the usual name, such as "4E3M".
func (f Format) String() string { return fmt.Sprintf("%dE%dM", f.Exp, f.Mant) }

// Encode truncates v to a code.
func (f Format) Encode(v uint64) uint32 {
	n := bits.Len64(v)
	if n <= f.Mant {
		return uint32(v)
	}
	exp := n - f.Mant
	if exp >= 1<<f.Exp {
		return 1<<f.Bits() - 1
	}
	mant := uint32(v>>(exp-1)) & (1<<f.Mant - 1)
	return uint32(exp)<<f.Mant | mant
}

// Interval gives the values that Encode maps to the code: lo ≤ v ≤ hi. The
// all-ones code also stands for everything above hi.
func (f Format) Interval(code uint32) (lo, hi uint64) {
	exp, mant := code>>f.Mant, uint64(code&(1<<f.Mant-1))
	if exp == 0 {
		return mant, mant
	}
	lo = (1<<f.Mant | mant) << (exp - 1)
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
