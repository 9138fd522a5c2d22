package econt

import (
	"math/bits"
	"testing"
)

func TestFormatEncode(t *testing.T) {
	for _, tc := range []struct {
		f    Format
		v    uint64
		want uint32
	}{
		{F4E3M, 0, 0}, {F4E3M, 7, 7}, {F4E3M, 8, 8}, {F4E3M, 15, 15},
		{F4E3M, 16, 0b0010_000}, {F4E3M, 17, 0b0010_000}, {F4E3M, 18, 0b0010_001},
		{F4E3M, 1<<18 - 1, 0b1111_111}, {F4E3M, 1 << 18, 127}, {F4E3M, 1 << 40, 127}, // overflow: all ones
		{F5E3M, 1 << 18, 0b10000_000},
		{F5E4M, 15, 15}, {F5E4M, 16, 16}, {F5E4M, 33, 0b00010_0000}, {F5E4M, 34, 0b00010_0001},
	} {
		if got := tc.f.Encode(tc.v); got != tc.want {
			t.Errorf("%v of %d: %b, want %b", tc.f, tc.v, got, tc.want)
		}
	}
}

// TestFormatInterval: the intervals of consecutive codes tile the numbers, and
// every number is in its code's interval.
func TestFormatInterval(t *testing.T) {
	for _, f := range []Format{F4E3M, F5E3M, F5E4M} {
		next := uint64(0)
		for code := range uint32(1) << f.Bits() {
			lo, hi := f.Interval(code)
			if lo != next || hi < lo {
				t.Fatalf("%v code %d: %d to %d after %d", f, code, lo, hi, next-1)
			}
			for _, v := range []uint64{lo, hi, (lo + hi) / 2} {
				if f.Encode(v) != code {
					t.Fatalf("%v: %d encodes to %d, want %d", f, v, f.Encode(v), code)
				}
			}
			// Relative width: at most one unit of the mantissa.
			if width := hi - lo; width > lo>>f.mant() {
				t.Fatalf("%v code %d: interval %d to %d is too wide", f, code, lo, hi)
			}
			next = hi + 1
		}
	}
}

// TestDecodeTC: the chip reads a code as the middle of what the readout cut to
// it, in units of 2 or 8; code 0 is 1 or 4.
func TestDecodeTC(t *testing.T) {
	for _, d := range []uint{1, 3} {
		if got := decodeTC(0, d); got != []uint32{1: 1, 3: 4}[d] {
			t.Errorf("code 0 at shift %d reads as %d", d, got)
		}
		for code := range uint32(128) {
			lo, hi := F4E3M.Interval(code)
			middle := (lo<<d + (hi+1)<<d) / 2
			if got := decodeTC(code, d); uint64(got) != middle {
				t.Errorf("code %d at shift %d reads as %d, want %d", code, d, got, middle)
			}
		}
		if top := decodeTC(127, d); bits.Len32(top*4095>>11) > 22 {
			t.Errorf("the largest charge at shift %d needs more than 22 bits", d)
		}
	}
}

func TestMask(t *testing.T) {
	all := KeepAll()
	if all.Count() != 144 {
		t.Errorf("KeepAll keeps %d bits", all.Count())
	}
	for n := range 10 {
		m := KeepTop(n)
		if m.Count() != 16*n {
			t.Errorf("KeepTop(%d) keeps %d bits", n, m.Count())
		}
		back, err := MaskFromInt(m.Int())
		if err != nil || back != m {
			t.Errorf("KeepTop(%d) as a number and back: %v, %v", n, back, err)
		}
	}
	m := KeepTop(1)
	if !m.Bit(8) || m.Bit(7) || !m.Bit(143) {
		t.Error("KeepTop(1) does not keep the most significant bits")
	}
	for links, want := range map[int]int{1: 1, 2: 3, 3: 5, 4: 7, 5: 9, 13: 9} {
		if got := TopBits(links); got != want {
			t.Errorf("TopBits(%d) = %d, want %d", links, got, want)
		}
		if 16*TopBits(links) > payloadBits(links) {
			t.Errorf("%d bits an output do not fit %d links", TopBits(links), links)
		}
	}
}
