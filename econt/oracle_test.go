package econt

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/internal/simd"
)

// The oracle writes frames as strings of binary digits, from the rules in
// words. It shares no code with the emulator but the number formats, which
// float_test.go tests, and the encoder, which kernel_test.go tests.

func bin(v uint64, width int) string { return fmt.Sprintf("%0*b", width, v) }

func oracleHeader(bx, width int) string {
	h := bin(uint64(bx%16), 5)
	if bx == 0 {
		h = "11111"
	}
	if width == 4 {
		h = h[:1] + h[2:]
	}
	return h
}

func oracleSum(q []uint32) (s uint64) {
	for _, v := range q {
		s += uint64(v)
	}
	return s
}

// oracleFrame is the frame up to its padding.
func oracleFrame(c *Config, bx int, q [48]uint32) string {
	d := []uint{0, 1, 2, 3, 4, 0, 0, 0}[c.DropLSB]
	charge := func(ch int) string { return bin(uint64(F4E3M.Encode(uint64(q[ch]>>d))), 7) }
	switch c.Algorithm {
	case Repeater:
		s := oracleHeader(bx, 5)
		for ch := range q {
			s += charge(ch)
		}
		return s[:min(len(s), 32*c.ETx())]
	case ThresholdSum:
		return oracleTS(c, bx, q, charge)
	case BestChoice:
		return oracleBC(c, bx, q, d, charge)
	case SuperTriggerCell:
		return oracleSTC(c, bx, q, d)
	}
	return oracleAE(c, bx, q)
}

func oracleTS(c *Config, bx int, q [48]uint32, charge func(int) string) string {
	var list []int
	var rest []uint32
	for ch := range q {
		if q[ch] >= c.Threshold[ch] {
			list = append(list, ch)
		} else {
			rest = append(rest, q[ch])
		}
	}
	sum := oracleSum(rest)
	if c.UseSum {
		sum = oracleSum(q[:])
	}
	s := bin(uint64(F5E3M.Encode(sum)), 8)
	switch {
	case len(list) == 0:
		return oracleHeader(bx, 5) + "000" + s
	case len(list) < 8:
		s = "010" + s + bin(uint64(len(list)), 3)
		for _, ch := range list {
			s += bin(uint64(ch), 6)
		}
	default:
		s = "100" + s + oracleMap(list)
	}
	for _, ch := range list {
		s += charge(ch)
	}
	return oracleHeader(bx, 5) + s
}

func oracleMap(list []int) string {
	m := []byte(strings.Repeat("0", 48))
	for _, ch := range list {
		m[ch] = '1'
	}
	return string(m)
}

func oracleBC(c *Config, bx int, q [48]uint32, d uint, charge func(int) string) string {
	n := map[int]int{1: 1, 2: 4, 3: 6, 4: 9, 5: 14, 6: 18, 7: 23, 8: 28, 9: 32, 10: 37, 11: 41, 12: 46, 13: 48}[c.ETx()]
	value, channel := q, [48]int{}
	for i := range value {
		value[i] >>= d
		channel[i] = i
	}
	all := oracleSum(value[:])
	// Merge exchange, as a loop over strides.
	for p := 32; p >= 1; p /= 2 {
		r, dist := 0, p
		for q2 := 32; q2 >= p; q2 /= 2 {
			for i := 0; i+dist < 48; i++ {
				if i&p == r && value[i] < value[i+dist] {
					value[i], value[i+dist] = value[i+dist], value[i]
					channel[i], channel[i+dist] = channel[i+dist], channel[i]
				}
			}
			dist, r = q2-p, p
		}
	}
	sum := oracleSum(value[n:])
	if c.UseSum {
		sum = all
	}
	m := oracleMap(channel[:n])
	s := oracleHeader(bx, 4) + bin(uint64(F5E3M.Encode(sum)), 8)
	if n >= 8 {
		s += m
	}
	charges := ""
	for ch := range m {
		if m[ch] == '1' {
			if n < 8 {
				s += bin(uint64(ch), 6)
			}
			charges += charge(ch)
		}
	}
	return s + charges
}

func oracleSTC(c *Config, bx int, q [48]uint32, d uint) string {
	cells, address, f, links := 4, 2, F5E4M, map[int]int{1: 2, 2: 5, 3: 8, 4: 11, 5: 12}
	switch c.STCType {
	case 1:
		cells, address, links = 16, 4, map[int]int{1: 2, 2: 3}
	case 2:
		address, f, links = 0, F4E3M, map[int]int{1: 4, 2: 8, 3: 12}
	case 3:
		f, links = F4E3M, map[int]int{1: 3, 2: 6, 3: 10, 4: 12}
	case 4:
		address, links = 0, map[int]int{1: 3, 2: 6, 3: 10, 4: 12}
	}
	n := links[c.ETx()]
	if n == 0 {
		return ""
	}
	addresses, sums := "", ""
	for g := range n {
		group := q[g*cells : (g+1)*cells]
		best := 0
		for i := range group {
			if group[i] >= group[best] {
				best = i
			}
		}
		if address > 0 {
			addresses += bin(uint64(best), address)
		}
		sum := oracleSum(group)
		if f == F4E3M {
			sum >>= d
		}
		sums += bin(uint64(f.Encode(sum)), f.Bits())
	}
	return oracleHeader(bx, 4) + addresses + sums
}

func oracleAE(c *Config, bx int, q [48]uint32) string {
	e, err := NewEncoder(c.Weights, EncoderSettings{Overflow: c.Overflow, Kernel: simd.Portable})
	if err != nil {
		panic(err)
	}
	out := make([]uint16, 16)
	if err := e.Encode(q[:], out, nil); err != nil {
		panic(err)
	}
	bits := ""
	for j := 15; j >= 0; j-- {
		bits += bin(uint64(out[j]), 9)
	}
	kept := ""
	mask := fmt.Sprintf("%0144b", c.Keep.Int())
	for i := range bits {
		if mask[i] == '1' {
			kept += bits[i : i+1]
		}
	}
	room := min(18+32*(c.ETx()-1), 146)
	if len(kept) > room {
		kept = kept[len(kept)-room:]
	}
	return oracleHeader(bx, 5) + bin(uint64(F5E4M.Encode(oracleSum(q[:]))), 9) + strings.Repeat("0", room-len(kept)) + kept
}

// randomConfig draws registers over their whole ranges.
func randomConfig(r *rand.Rand, a Algorithm) Config {
	c := Defaults()
	c.Algorithm = a
	c.HighDensity = r.IntN(2) == 1
	c.Links = LinkMask(1 + r.IntN(13))
	c.DropLSB = uint8(r.IntN(8))
	c.STCType = STCType(r.IntN(5))
	c.UseSum = r.IntN(2) == 1
	c.T1, c.T2, c.T3 = uint16(26+r.IntN(486)), uint16(r.IntN(512)), uint16(r.IntN(32))
	c.IdlePattern = uint16(r.IntN(2048))
	c.Convention = MuxConvention(r.IntN(2))
	c.Overflow = Overflow(r.IntN(2))
	level := r.Uint32N(1 << (4 + r.IntN(14)))
	for ch := range Channels {
		c.Threshold[ch] = level + r.Uint32N(64)
		c.Cal[ch] = uint16(r.IntN(4096))
		c.Mux[ch] = uint8(r.IntN(48))
	}
	switch r.IntN(3) {
	case 0:
		c.Keep = KeepTop(r.IntN(10))
	case 1:
		for i := range MaskBits {
			if r.IntN(2) == 0 {
				c.Keep[i>>6] &^= 1 << (i & 63)
			}
		}
	}
	if a == Autoencoder {
		c.Weights = randomWeights(r)
	}
	return c
}

func randomWeights(r *rand.Rand) *Weights {
	var reg [WeightCount]int8
	for i := range reg {
		reg[i] = int8(r.IntN(64) - 32)
	}
	w, err := WeightsFromRegisters(&reg)
	if err != nil {
		panic(err)
	}
	return w
}

// randomCALQ draws wafers from empty to full, with many ties.
func randomCALQ(r *rand.Rand) (q [48]uint32) {
	top := uint32(1) << (1 + r.IntN(22))
	fill := r.IntN(49)
	for ch := range q {
		if r.IntN(48) < fill {
			q[ch] = r.Uint32N(top)
		}
	}
	return q
}

// TestFramesAgainstOracle compares frames of random registers and charges.
func TestFramesAgainstOracle(t *testing.T) {
	for a := ThresholdSum; a <= Autoencoder; a++ {
		t.Run(a.String(), func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(a), 3))
			trials := 1500
			if a == Autoencoder {
				trials = 300
			}
			for trial := range trials {
				c := randomConfig(r, a)
				e, err := New(c)
				if err != nil {
					t.Fatal(err)
				}
				q, bx := randomCALQ(r), r.IntN(3)*r.IntN(OrbitBX)
				e.calq = q
				e.format(bx)
				want := oracleFrame(&c, bx, q)
				got := ""
				for _, w := range e.frame.words {
					got += bin(uint64(w), 16)
				}
				idle := strings.Repeat("0", 16)
				if a == ThresholdSum {
					idle = oracleHeader(bx, 5) + bin(uint64(c.IdlePattern), 11)
				}
				for len(want)%16 != 0 {
					want += "0"
				}
				for len(want) < len(got) {
					want += idle
				}
				if a == Repeater {
					got, want = got[:32*c.ETx()], want[:32*c.ETx()]
				}
				if got != want {
					t.Fatalf("trial %d, %d links, bx %d:\n got %s\nwant %s", trial, c.ETx(), bx, got, want)
				}
			}
		})
	}
}

// TestBuffer drives the buffer by hand: 1 link takes 2 words a bunch crossing.
func TestBuffer(t *testing.T) {
	c := Defaults()
	c.Algorithm = ThresholdSum
	c.Links, c.UseSum, c.IdlePattern = LinkMask(1), true, 0x122
	c.T1, c.T2, c.T3 = 12, 3, 2
	for ch := range c.Threshold {
		c.Threshold[ch] = 100
	}
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	few := func(n int) (q [48]uint32) { // n cells of 128
		for ch := range n {
			q[ch] = 128
		}
		return q
	}
	sum := func(n int) uint32 { return F5E3M.Encode(uint64(128 * n)) }
	var out Output
	step := func(bx, n int) uint32 {
		t.Helper()
		q := few(n)
		if err := e.StepCALQ(bx, &q, &out); err != nil {
			t.Fatal(err)
		}
		return out[0]
	}
	// Nothing over threshold: one word of type 000 and an idle one.
	if got, want := step(1, 0), uint32(1<<27|0b000<<24|0<<16|1<<11|0x122); got != want {
		t.Errorf("empty wafer: %08x, want %08x", got, want)
	}
	// Three cells: 16 + 3 + 3·13 = 58 bits, four words; two leave, two stay.
	first := uint32(2<<27 | 0b010<<24 | sum(3)<<16)
	charge := F4E3M.Encode(128)
	body := uint64(3)<<45 | 0<<39 | 1<<33 | 2<<27 | uint64(charge)<<20 | uint64(charge)<<13 | uint64(charge)<<6
	if got, want := step(2, 3), first|uint32(body>>32); got != want {
		t.Errorf("three cells: %08x, want %08x", got, want)
	}
	// Full wafer of 25 words: 2+25 > T1, truncated with type 110, queued as one.
	if got, want := step(3, 48), uint32(body); got != want {
		t.Errorf("rest of three cells: %08x, want %08x", got, want)
	}
	if e.Truncated() != 1 || e.buffer.fill != 1 {
		t.Errorf("after a frame too long: %d truncated, %d words waiting", e.Truncated(), e.buffer.fill)
	}
	// Seven cells: 16+3+91 = 110 bits, seven words behind the truncated one.
	seven := uint32(4<<11 | 0b010<<8 | sum(7))
	if got, want := step(4, 7), uint32(3<<27|0b110<<24|sum(48)<<16)|seven; got != want {
		t.Errorf("truncated word: %08x, want %08x", got, want)
	}
	// Six words wait, more than T2; a frame of 1 ≤ T3 words: type 111.
	if e.buffer.fill != 6 {
		t.Fatalf("%d words waiting", e.buffer.fill)
	}
	step(5, 0)
	if e.Truncated() != 2 || e.buffer.fill != 5 {
		t.Errorf("T2: %d truncated, %d words waiting", e.Truncated(), e.buffer.fill)
	}
	// Five wait, more than T2, and four words > T3: it goes in whole.
	step(6, 3)
	if e.Truncated() != 2 || e.buffer.fill != 7 {
		t.Errorf("T3: %d truncated, %d words waiting", e.Truncated(), e.buffer.fill)
	}
	var words []uint32
	for e.Drain(&out) {
		words = append(words, out[0])
	}
	// Two words of seven cells are left, then 111 for bunch crossing 5, then 6.
	if len(words) != 4 {
		t.Fatalf("drained %08x", words)
	}
	if got, want := words[1]>>16, uint32(5<<11|0b111<<8); got != want {
		t.Errorf("T2 truncation: %04x, want %04x", got, want)
	}
	if got, want := words[1]&0xffff, uint32(6<<11|0b010<<8|sum(3)); got != want {
		t.Errorf("after it: %04x, want %04x", got, want)
	}
	// The last word waited alone: an idle word of its own frame follows.
	if got, want := words[3]&0xffff, uint32(6<<11|0x122); got != want {
		t.Errorf("last word: %04x, want idle %04x", got, want)
	}
}

// TestLinksWithGaps sends the k-th word by the k-th active link.
func TestLinksWithGaps(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	q := randomCALQ(r)
	c := Defaults()
	c.Algorithm = BestChoice
	c.Links = 0b1_0000_0010_1000
	var dense, gaps Output
	for _, p := range []struct {
		links uint16
		out   *Output
	}{{LinkMask(3), &dense}, {c.Links, &gaps}} {
		c.Links = p.links
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		if err := e.StepCALQ(5, &q, p.out); err != nil {
			t.Fatal(err)
		}
	}
	want := Output{3: dense[0], 5: dense[1], 12: dense[2]}
	if gaps != want {
		t.Errorf("got %08x, want %08x", gaps, want)
	}
}

// TestNetworkSorts: by the 0-1 principle on random zeros and ones, and that
// equal charges are not kept in order.
func TestNetworkSorts(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	stable := true
	for range 20000 {
		var v [48]uint32
		ones := r.IntN(49)
		for i := range v {
			v[i] = uint32(i)
			if r.IntN(48) < ones {
				v[i] |= 1 << 6
			}
		}
		batcherSort(&v)
		for i := 1; i < 48; i++ {
			if v[i-1]>>6 < v[i]>>6 {
				t.Fatalf("not sorted: %x", v)
			}
			if v[i-1]>>6 == v[i]>>6 && v[i-1] > v[i] {
				stable = false
			}
		}
	}
	if stable {
		t.Error("the network looks stable: it is not the chip's")
	}
}

func TestMaskIntIsRegister(t *testing.T) {
	m := KeepTop(9)
	want, _ := new(big.Int).SetString("ffffffffffffffffffffffffffffffffffff", 16)
	if m.Int().Cmp(want) != 0 {
		t.Errorf("all bits as a register: %x", m.Int())
	}
}
