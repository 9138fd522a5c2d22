package econt

import "fmt"

// A MuxConvention says how the multiplexer's registers count the 48 inputs.
// Both count four inputs an eRx; they differ in which end of the word comes
// first, so that m in one is 4⌊m/4⌋ + 3 − m mod 4 in the other.
type MuxConvention uint8

const (
	// MuxProd counts the trigger cell in bits 27–21 of a word first. Files
	// with ConfigAlgo registers (ECON-T-Prod) are written so.
	MuxProd MuxConvention = iota
	// MuxP1 counts the trigger cell in bits 6–0 first. Files with Algorithm
	// registers and econt_sw's register maps (ECON-T-P1) are written so.
	MuxP1
)

// String is "prod" or "p1".
func (m MuxConvention) String() string {
	if m == MuxP1 {
		return "p1"
	}
	return "prod"
}

// ParseMuxConvention reads "prod" or "p1".
func ParseMuxConvention(s string) (MuxConvention, error) {
	switch s {
	case "prod":
		return MuxProd, nil
	case "p1":
		return MuxP1, nil
	}
	return 0, fmt.Errorf("econt: multiplexer convention %q: want prod (bits 27–21 first) or p1 (bits 6–0 first)", s)
}

// Input gives the input that a register value selects, counted as MuxProd does.
func (m MuxConvention) Input(register uint8) uint8 {
	if m == MuxP1 {
		return register ^ 3
	}
	return register
}

// frontend is the part of the chip before the algorithms, with its registers
// resolved into tables.
type frontend struct {
	word  [Channels]uint8 // which eRx word a channel reads
	shift [Channels]uint8 // and how far to shift it
	value [128]uint32     // decoded input code
	cal   [Channels]uint64
}

func newFrontend(c *Config) frontend {
	var f frontend
	d := densityShift(c.HighDensity)
	for code := range f.value {
		f.value[code] = decodeTC(uint32(code), d)
	}
	for ch := range Channels {
		in := c.Convention.Input(c.Mux[ch])
		f.word[ch], f.shift[ch] = in/4, 21-7*(in%4)
		f.cal[ch] = uint64(c.Cal[ch])
	}
	return f
}

// calq is the calibrated charge of every channel.
func (f *frontend) calq(words *[ERxWords]uint32, q *[Channels]uint32) {
	for ch := range q {
		code := words[f.word[ch]] >> f.shift[ch] & 127
		q[ch] = uint32(uint64(f.value[code]) * f.cal[ch] >> 11)
	}
}
