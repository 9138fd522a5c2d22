package econt

import (
	"fmt"
	"math/bits"
	"strings"
)

// Sizes of the chip.
const (
	Channels = 48 // trigger cells
	ERxWords = 12 // input words a bunch crossing, 4 trigger cells each
	MaxETx   = 13 // output links, one 32-bit word each a bunch crossing
	OrbitBX  = 3564
)

// An Algorithm is the value of the register alg_type (older: select).
type Algorithm uint8

// The five algorithms. Register values 5 to 7 fall back to Repeater.
const (
	ThresholdSum Algorithm = iota
	SuperTriggerCell
	BestChoice
	Repeater
	Autoencoder
)

var algorithmNames = [...]string{"TS", "STC", "BC", "RPT", "AE"}

// String gives the short name: TS, STC, BC, RPT or AE.
func (a Algorithm) String() string {
	if int(a) < len(algorithmNames) {
		return algorithmNames[a]
	}
	return fmt.Sprintf("algorithm %d", uint8(a))
}

// ParseAlgorithm reads a short name, in either case.
func ParseAlgorithm(s string) (Algorithm, error) {
	for i, name := range algorithmNames {
		if strings.EqualFold(s, name) {
			return Algorithm(i), nil
		}
	}
	return 0, fmt.Errorf("econt: algorithm %q: want one of %s", s, strings.Join(algorithmNames[:], ", "))
}

// An STCType is the value of the register stc_type.
type STCType uint8

// The super trigger cell types: 4 or 16 trigger cells each, the sum in the
// format named, with the address of the largest cell except for coarse cells
// (CTC). Type 4 is not covered by a golden. The three public programs that pack
// or unpack it (hgcal-tpg-fe's emulator and its unpacker, CMSSW's unpacker) use
// 9 bits in 5E4M, no address, and 3, 6, 10 and 12 sums on 1 to 4 links, though a
// comment in them, on the register, says 5E3M: 8 bits, of which 3, 7, 11 and 12
// would fit.
const (
	STC4A5E4M  STCType = iota // 12 × (2 bit address, 5E4M)
	STC16A5E4M                // 3 × (4 bit address, 5E4M)
	CTC4N4E3M                 // 12 × 4E3M of the sum with dropped bits
	STC4A4E3M                 // 12 × (2 bit address, 4E3M of the sum with dropped bits)
	CTC4N5E4M                 // 12 × 5E4M
)

var stcNames = [...]string{"STC4 5E4M", "STC16 5E4M", "CTC4 4E3M", "STC4 4E3M", "CTC4 5E4M"}

// String names the type by its cells and the format of its sums, as in
// "STC4 5E4M"; CTC are the coarse cells.
func (t STCType) String() string {
	if int(t) < len(stcNames) {
		return stcNames[t]
	}
	return fmt.Sprintf("STC type %d", uint8(t))
}

// Groups is how many super trigger cells of the type the given number of links
// carries: 0 where there are more links than the type can use, on which the
// chip sends zeros, and for what is no type or no number of links.
func (t STCType) Groups(links int) int {
	if int(t) >= len(stcShapes) || links < 1 || links > MaxETx {
		return 0
	}
	return stcShapes[t].onLinks[links]
}

// Addressed reports whether the type sends which of its cells is the largest.
func (t STCType) Addressed() bool { return int(t) < len(stcShapes) && stcShapes[t].address > 0 }

// Drops reports whether the type drops bits of its sums.
func (t STCType) Drops() bool { return int(t) < len(stcShapes) && stcShapes[t].drop }

// Drops reports whether an algorithm, of STC with the type, drops Config.DropLSB bits of what it
// sends: the others send whole charges and sums.
func (a Algorithm) Drops(t STCType) bool {
	switch a {
	case ThresholdSum, BestChoice, Repeater:
		return true
	case SuperTriggerCell:
		return t.Drops()
	}
	return false
}

// MaxDropLSB is the most bits that are dropped.
const MaxDropLSB = 4

// Overflow says what happens to an encoder output that needs more than nine
// bits. No golden decides it.
type Overflow uint8

const (
	Saturate Overflow = iota // 511
	Wrap                     // the low nine bits
)

// Config is the state of the registers that decide the output. The zero value
// is not the chip's: start from [Defaults] or read a file with [ReadConfig].
type Config struct {
	Algorithm   Algorithm
	HighDensity bool             // alg_high_density: input codes in units of 8 instead of 2
	Links       uint16           // mask of active output links, bit i = eTx i
	DropLSB     uint8            // 0..7: bits dropped before 4E3M; above MaxDropLSB acts as 0
	STCType     STCType          // 0..4
	UseSum      bool             // TS and BC send the sum of all cells, not of those left out
	Threshold   [Channels]uint32 // TS: CALQ ≥ threshold passes, 22 bits
	Cal         [Channels]uint16 // multiplier in units of 1/2048, 12 bits
	Mux         [Channels]uint8  // channel c reads input Mux[c], counted as Convention says
	Convention  MuxConvention    // how Mux counts inputs
	T1, T2, T3  uint16           // buffer thresholds in 16-bit words
	IdlePattern uint16           // low 11 bits of an idle word
	Keep        Mask             // AE: which of the 144 output bits are sent
	Weights     *Weights         // AE; nil elsewhere
	Overflow    Overflow         // AE
}

// ETx is the number of active output links.
func (c *Config) ETx() int { return bits.OnesCount16(c.Links) }

// LinkMask is the mask of the first n links; n is 1..13.
func LinkMask(n int) uint16 { return uint16(1)<<n - 1 }

// drop is the number of bits the chip really drops.
func (c *Config) drop() uint {
	if c.DropLSB > MaxDropLSB {
		return 0
	}
	return uint(c.DropLSB)
}

// Validate reports the first register that no chip could hold, or that names
// something undefined.
func (c *Config) Validate() error {
	switch {
	case c.Algorithm > Autoencoder:
		return fmt.Errorf("econt: algorithm %d: want 0 to 4", c.Algorithm)
	case c.Links == 0 || c.Links >= 1<<MaxETx:
		return fmt.Errorf("econt: link mask %#x: want 1 to 13 links, bits 0 to 12", c.Links)
	case c.DropLSB > 7:
		return fmt.Errorf("econt: drop_lsb %d: want 0 to 7", c.DropLSB)
	case c.STCType > CTC4N5E4M:
		return fmt.Errorf("econt: stc_type %d: want 0 to 4", c.STCType)
	case c.T1 > 511 || c.T2 > 511 || c.T3 > 31:
		return fmt.Errorf("econt: buffer thresholds %d, %d, %d: want at most 511, 511, 31", c.T1, c.T2, c.T3)
	case c.IdlePattern > 2047:
		return fmt.Errorf("econt: idle pattern %#x: want 11 bits", c.IdlePattern)
	case c.Convention > MuxP1:
		return fmt.Errorf("econt: multiplexer convention %d: want MuxProd or MuxP1", c.Convention)
	case c.Overflow > Wrap:
		return fmt.Errorf("econt: overflow %d: want Saturate or Wrap", c.Overflow)
	case c.Algorithm == Autoencoder && c.Weights == nil:
		return fmt.Errorf("econt: algorithm AE without weights: give Encoder registers or a weights file")
	}
	for i := range Channels {
		switch {
		case c.Threshold[i] >= 1<<22:
			return fmt.Errorf("econt: threshold of channel %d is %d: want less than %d", i, c.Threshold[i], 1<<22)
		case c.Cal[i] >= 1<<12:
			return fmt.Errorf("econt: calibration of channel %d is %d: want less than 4096", i, c.Cal[i])
		case c.Mux[i] >= Channels:
			return fmt.Errorf("econt: multiplexer of channel %d selects input %d: want 0 to 47", i, c.Mux[i])
		}
	}
	if c.Weights != nil {
		return c.Weights.Validate()
	}
	return nil
}

// Defaults are the registers after reset, as the register maps of pflib and
// econt_sw have them.
func Defaults() Config {
	c := Config{
		Links:       LinkMask(2),
		STCType:     STC16A5E4M,
		UseSum:      true,
		T1:          48,
		T2:          511,
		IdlePattern: 290,
		Keep:        KeepAll(),
	}
	for i := range Channels {
		c.Cal[i] = 2048
		c.Mux[i] = uint8(i)
	}
	return c
}
