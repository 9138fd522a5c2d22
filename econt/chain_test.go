package econt

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// chainRegisters writes a configuration as a register file in the words of a
// dialect, by hand: WriteRegisters is not used.
func chainRegisters(c *Config, d Dialect, r *rand.Rand) string {
	var s strings.Builder
	number := func(v uint64) string { // YAML's spellings of an integer
		return []string{fmt.Sprint(v), fmt.Sprintf("%#x", v), fmt.Sprintf("0b%b", v)}[r.IntN(3)]
	}
	list := func(name string, at func(ch int) uint64) {
		fmt.Fprintf(&s, "%s:\n", name)
		for _, ch := range r.Perm(48) {
			fmt.Fprintf(&s, "  %d: %s\n", ch, number(at(ch)))
		}
	}
	high, sum := uint64(0), uint64(0)
	if c.HighDensity {
		high = 1
	}
	if c.UseSum {
		sum = 1
	}
	if d == DialectEcontSW {
		return chainEcontSW(c, high, sum)
	}
	p1 := d == DialectP1
	if p1 {
		fmt.Fprintf(&s, "Algorithm:\n  Global:\n    select: %d\n    density: %d\n", c.Algorithm, high)
	} else {
		fmt.Fprintf(&s, "ConfigAlgo:\n  Global:\n    alg_type: %d\n    alg_high_density: %d\n", c.Algorithm, high)
	}
	fmt.Fprintf(&s, "AlgoDroplsb:\n  Global:\n    drop_lsb: %d\n", c.DropLSB)
	list("AlgoThreshold", func(ch int) uint64 { return uint64(c.Threshold[ch]) })
	list("Cal", func(ch int) uint64 { return uint64(c.Cal[ch]) })
	list("Mux", func(ch int) uint64 { return uint64(c.Mux[ch]) })
	links := uint64(c.Links)
	if p1 {
		links = uint64(c.ETx())
	}
	fmt.Fprintf(&s, "FormatterBuffer:\n  Global:\n    active_etxs: %s\n    buff_t1: %d\n    buff_t2: %d\n    buff_t3: %d\n    stc_type: %d\n    use_sum: %d\n    link_reset_pattern: %d\n",
		number(links), c.T1, c.T2, c.T3, c.STCType, sum, c.IdlePattern)
	if c.Algorithm == Autoencoder {
		if mask := c.Keep.Int(); p1 {
			high, low := new(big.Int).DivMod(mask, big.NewInt(1<<16), new(big.Int))
			fmt.Fprintf(&s, "    mask_ae: %#x\n    mask_ae2: %v\n", high, low)
		} else {
			fmt.Fprintf(&s, "    keep_auto_encoder_bits: %v\n", mask)
		}
	}
	return s.String()
}

// chainEcontSW is the same in the words of econt_sw.
func chainEcontSW(c *Config, high, sum uint64) string {
	var s strings.Builder
	s.WriteString("ECON-T:\n RW:\n")
	block := func(name string) { fmt.Fprintf(&s, "  %s:\n   registers:\n", name) }
	list := func(blockName, name string, at func(ch int) uint64) {
		block(blockName)
		var v []string
		for ch := range 48 {
			v = append(v, fmt.Sprint(at(ch)))
		}
		fmt.Fprintf(&s, "    '%s_*': {value: [%s]}\n", name, strings.Join(v, ", "))
	}
	list("MFC_MUX_SELECT", "mux_select", func(ch int) uint64 { return uint64(c.Mux[ch]) })
	list("MFC_CAL_VAL", "cal", func(ch int) uint64 { return uint64(c.Cal[ch]) })
	list("ALGO_THRESHOLD_VAL", "threshold_val", func(ch int) uint64 { return uint64(c.Threshold[ch]) })
	block("ALGO_DROPLSB")
	fmt.Fprintf(&s, "    drop_lsb: {value: %d}\n", c.DropLSB)
	block("MFC_ALGORITHM_SEL_DENSITY")
	fmt.Fprintf(&s, "    algo: {value: %#x}\n", high<<3|uint64(c.Algorithm))
	block("FMTBUF_ALL")
	fmt.Fprintf(&s, "    tx_sync_word: {value: %d}\n    buff_t1: {value: %d}\n    buff_t2: {value: %d}\n    buff_t3: {value: %d}\n", c.IdlePattern, c.T1, c.T2, c.T3)
	if c.STCType < 4 {
		fmt.Fprintf(&s, "    config: {value: %#x}\n", uint64(c.ETx())<<4|sum<<2|uint64(c.STCType))
	} else { // has no room in the register's two bits
		fmt.Fprintf(&s, "    config: {params: {eporttx_numen: {param_value: %d}, use_sum: {param_value: %d}, stc_type: {param_value: 4}}}\n", c.ETx(), sum)
	}
	upper, lower := new(big.Int).DivMod(c.Keep.Int(), big.NewInt(1<<16), new(big.Int))
	fmt.Fprintf(&s, "    mask_ae: {value: %v}\n    mask_ae2: {value: %#x}\n", upper, lower)
	return s.String()
}

// chainCharges is the front end in the words of its rules: which seven bits the
// multiplexer takes, the middle of their interval, the calibration.
func chainCharges(c *Config, p1 bool, words [12]uint32) (q [48]uint32) {
	d := uint(1)
	if c.HighDensity {
		d = 3
	}
	for ch := range q {
		m := c.Mux[ch]
		place := m % 4 // from the word's high end
		if p1 {
			place = 3 - place
		}
		digits := bin(uint64(words[m/4]), 32)[4+7*place:][:7]
		code, err := strconv.ParseUint(digits, 2, 8)
		if err != nil {
			panic(err)
		}
		e, mantissa := uint(code/8), code%8
		value := mantissa<<d + 1<<(d-1)
		if e > 0 {
			value = (8+mantissa)<<(e-1+d) + 1<<(e+d-2)
		}
		q[ch] = uint32(value * uint64(c.Cal[ch]) / 2048)
	}
	return q
}

// chainBuffer is the output buffer as a list of 16-bit words.
type chainBuffer struct {
	words []string
	idle  string // behind the last frame
}

// step takes a frame of digits and gives the words that leave.
func (b *chainBuffer) step(c *Config, bx int, q [48]uint32, digits string) (out []string) {
	zero := strings.Repeat("0", 16)
	b.idle = zero
	if c.Algorithm == ThresholdSum {
		b.idle = oracleHeader(bx, 5) + bin(uint64(c.IdlePattern), 11)
	}
	var frame []string
	for len(digits)%16 != 0 {
		digits += "0"
	}
	for i := 0; i < len(digits); i += 16 {
		frame = append(frame, digits[i:i+16])
	}
	// All but TS count the links' words, BC on 13 links its own 25, and STC
	// types that send nothing two.
	count := len(frame)
	switch {
	case c.Algorithm == SuperTriggerCell && count == 0:
		count = 2
	case c.Algorithm != ThresholdSum:
		count = 2 * c.ETx()
		if c.Algorithm == BestChoice && c.ETx() == 13 {
			count = 25
		}
	}
	for len(frame) < count {
		frame = append(frame, zero)
	}
	frame = frame[:count]
	short := ""
	switch n := len(b.words); {
	case n+count > int(c.T1):
		short = "110"
	case n > int(c.T2) && count <= int(c.T3):
		short = "111"
	}
	switch {
	case short == "":
		b.words = append(b.words, frame...)
	case c.Algorithm == ThresholdSum:
		b.words = append(b.words, oracleHeader(bx, 5)+short+bin(uint64(F5E3M.Encode(oracleSum(q[:]))), 8))
	default:
		b.words = append(b.words, zero)
	}
	for range 2 * c.ETx() {
		if len(b.words) == 0 {
			out = append(out, b.idle)
			continue
		}
		out = append(out, b.words[0])
		b.words = b.words[1:]
	}
	return out
}

// TestChain runs whole chips, from a register file and input words to output
// words, against a reference that is written from the rules alone: the three
// dialects and both multiplexer conventions, both densities, calibrations,
// dropped bits, thresholds, both sums, every STC type and BC on every number of
// links, RPT on too few, AE through any keep mask, and buffers that truncate.
func TestChain(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 88))
	truncated, seen := 0, map[string]bool{}
	for trial := range 650 {
		c := randomConfig(r, Algorithm(trial%5))
		c.Overflow = Saturate
		c.Links = LinkMask(1 + trial/5%13)
		c.STCType = STCType(trial / 65 % 5)
		dialect := Dialect(r.IntN(3))
		p1 := dialect != DialectProd
		c.Convention = MuxProd
		if p1 {
			c.Convention = MuxP1
		}
		switch r.IntN(3) { // usual chips: unit calibration, one threshold, the multiplexer's identity
		case 0:
			for ch := range c.Cal {
				c.Cal[ch] = 2048
			}
		case 1:
			for ch := range c.Cal {
				c.Cal[ch], c.Mux[ch], c.Threshold[ch] = 2048, uint8(47-ch), 47
			}
		}
		if r.IntN(2) == 0 {
			c.T1, c.T2, c.T3 = uint16(26+r.IntN(100)), uint16(r.IntN(40)), uint16(r.IntN(32))
		}
		reg, err := ReadRegisters(strings.NewReader(chainRegisters(&c, dialect, r)))
		if err != nil {
			t.Fatalf("trial %d: %v", trial, err)
		}
		if reg.Dialect != dialect {
			t.Fatalf("trial %d: read as %v, written as %v", trial, reg.Dialect, dialect)
		}
		reg.Config.Weights = c.Weights
		e, err := New(reg.Config)
		if err != nil {
			t.Fatal(err)
		}
		seen[fmt.Sprint(c.Algorithm, c.ETx(), c.STCType, c.HighDensity, c.UseSum, dialect)] = true
		var buffer chainBuffer
		first := r.IntN(OrbitBX)
		for step := range 12 {
			in := BunchCrossing{BX: (first + step) % OrbitBX}
			fill := r.IntN(5)
			for k := range in.ERx {
				in.ERx[k] = 0xa << 28
				for tc := range 4 {
					if r.IntN(4) < fill {
						in.ERx[k] |= r.Uint32N(128) >> r.IntN(3) << (7 * tc)
					}
				}
			}
			var out Output
			e.Step(&in, &out)
			q := chainCharges(&c, p1, in.ERx)
			want := buffer.step(&c, in.BX, q, oracleFrame(&c, in.BX, q))
			for l := range MaxETx {
				word := strings.Repeat("0", 32)
				if 2*l < len(want) {
					word = want[2*l] + want[2*l+1]
				}
				if got := bin(uint64(out[l]), 32); got != word {
					t.Fatalf("trial %d, %v type %d on %d links, bx %d, TX_DATA_%d:\n got %s\nwant %s", trial, c.Algorithm, c.STCType, c.ETx(), in.BX, l, got, word)
				}
			}
		}
		truncated += e.Truncated()
	}
	if truncated < 50 || len(seen) < 400 {
		t.Errorf("%d truncated frames, %d kinds of chip: too few to mean anything", truncated, len(seen))
	}
}
