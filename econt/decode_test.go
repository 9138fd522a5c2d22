package econt

import (
	"encoding/binary"
	"hash/fnv"
	"math"
	"math/bits"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
)

// contains says whether a decoded value lies in the interval of what the chip
// truncated, or the interval is above the format.
func contains(f Format, v uint64, drop uint, got float64) bool {
	code := f.Encode(v >> drop)
	lo, hi := f.Interval(code)
	if code == 1<<f.Bits()-1 {
		return got >= float64(lo<<drop)
	}
	return float64(lo<<drop) <= got && got < float64((hi+1)<<drop)
}

// TestDecodeRoundTrip encodes random charges with random registers and decodes
// the frame: every charge, sum and address comes back within its code.
func TestDecodeRoundTrip(t *testing.T) {
	for a := ThresholdSum; a <= Autoencoder; a++ {
		r := rand.New(rand.NewPCG(uint64(a), 11))
		for trial := range 800 {
			c := randomConfig(r, a)
			if a == SuperTriggerCell {
				c.Links = LinkMask(1 + r.IntN(stcLinks(c.STCType)))
			}
			e, err := New(c)
			if err != nil {
				t.Fatal(err)
			}
			d, err := NewDecoder(c, DecoderSettings{ZeroCode: true})
			if err != nil {
				t.Fatal(err)
			}
			e.calq = randomCALQ(r)
			e.format(17)
			words := e.frame.words[:(e.frame.pos+15)/16]
			if a == Repeater {
				words = words[:min(len(words), 2*c.ETx())]
			}
			var out Decoded
			if err := d.Frame(words, &out); err != nil {
				t.Fatalf("%v trial %d: %v", a, trial, err)
			}
			bits := e.frame.pos
			if a == Autoencoder { // zeros before the outputs say nothing
				bits = 5 + 9 + min(c.Keep.Count(), payloadBits(c.ETx()))
			}
			if a != Repeater && out.Bits != bits {
				t.Fatalf("%v: %d bits, want %d", a, out.Bits, bits)
			}
			checkDecoded(t, &c, e, &out)
		}
	}
}

func checkDecoded(t *testing.T, c *Config, e *Emulator, out *Decoded) {
	t.Helper()
	switch c.Algorithm {
	case Autoencoder:
		var latent [16]uint16
		e.encoder.encodeOne(&e.calq, &latent)
		lost := max(c.Keep.Count()-payloadBits(c.ETx()), 0)
		for i := MaskBits - 1; i >= 0; i-- {
			want := latent[i/9] >> (i % 9) & 1
			if c.Keep.Bit(i) && lost > 0 {
				lost--
				want = 0
			} else if !c.Keep.Bit(i) {
				want = 0
			}
			if out.Latent[i/9]>>(i%9)&1 != want {
				t.Fatalf("bit %d of the outputs is not %d", i, want)
			}
		}
		return
	case SuperTriggerCell:
		shape := stcShapes[c.STCType]
		drop := uint(0)
		if shape.drop {
			drop = e.drop
		}
		for g := range shape.onLinks[c.ETx()] {
			first := g * shape.cells
			got := 0.0
			for ch := first; ch < first+shape.cells; ch++ {
				got += out.Image[ch]
			}
			if s := oracleSum(e.calq[first : first+shape.cells]); !contains(shape.format, s, drop, got+1e-6) {
				t.Fatalf("group %d: decoded %v for %d", g, got, s)
			}
			if shape.address > 0 {
				at := first + bits.TrailingZeros64(out.Sent>>first)
				for ch := first; ch < first+shape.cells; ch++ {
					if e.calq[ch] > e.calq[at] || e.calq[ch] == e.calq[at] && ch > at {
						t.Fatalf("group %d: address says %d, but %d is larger", g, at, ch)
					}
				}
			}
		}
		return
	}
	for ch, q := range e.calq {
		if out.Sent>>ch&1 != 0 {
			if !contains(F4E3M, uint64(q), e.drop, out.Image[ch]) {
				t.Fatalf("%v channel %d: decoded %v for %d", c.Algorithm, ch, out.Image[ch], q)
			}
		} else if out.Image[ch] != 0 {
			t.Fatalf("%v channel %d was not sent and decodes to %v", c.Algorithm, ch, out.Image[ch])
		}
	}
}

// TestDecodeChoices: zero codes, pedestal, rest and sharing, by hand.
func TestDecodeChoices(t *testing.T) {
	c, err := BaselineConfig(BestChoice, 1, false, nil) // one cell, one dropped bit
	if err != nil {
		t.Fatal(err)
	}
	decode := func(c Config, s DecoderSettings, q [48]uint32) Decoded {
		t.Helper()
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewDecoder(c, s)
		if err != nil {
			t.Fatal(err)
		}
		e.calq = q
		e.format(1)
		var out Decoded
		if err := d.Frame(e.frame.words[:], &out); err != nil {
			t.Fatal(err)
		}
		return out
	}
	// All cells at the pedestal of an empty low-density input, one dropped bit.
	var empty [48]uint32
	for ch := range empty {
		empty[ch] = 1
	}
	sent := func(o Decoded) float64 { return o.Image[bits.TrailingZeros64(o.Sent)] }
	if o := decode(c, DecoderSettings{}, empty); sent(o) != 0 || o.Sum != 0 {
		t.Errorf("code 0 decodes to %v, sum %v", sent(o), o.Sum)
	}
	if o := decode(c, DecoderSettings{ZeroCode: true}, empty); sent(o) != 0.5 {
		t.Errorf("the middle of code 0 is %v, want 0.5", sent(o))
	}
	if o := decode(c, DecoderSettings{ZeroCode: true, Point: Lowest}, empty); sent(o) != 0 {
		t.Errorf("the lowest of code 0 is %v", sent(o))
	}
	// One charge of 200 and 47 of 2: codes of 100 and 47·1 after dropping.
	var q [48]uint32
	for ch := range q {
		q[ch] = 2
	}
	q[9] = 200
	o := decode(c, DecoderSettings{Rest: true, Point: Lowest}, q)
	if o.Image[9] != 192 { // 100 = 1100100b keeps 1100…: 96·2
		t.Errorf("charge %v, want 192", o.Image[9])
	}
	if want := 88.0 / 47; math.Abs(o.Image[0]-want) > 1e-12 { // 47 keeps 44, twice
		t.Errorf("rest of %v a cell, want %v", o.Image[0], want)
	}
	// An STC sum of 4 empty high-density cells is all pedestal.
	c, err = BaselineConfig(SuperTriggerCell, 5, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	for ch := range empty {
		empty[ch] = 4
	}
	if o := decode(c, DecoderSettings{Pedestal: true, Point: Lowest}, empty); o.Image != [48]float64{} {
		t.Errorf("pedestal left: %v", o.Image)
	}
	empty[6] += 100
	o = decode(c, DecoderSettings{Pedestal: true, Point: Lowest, Share: ShareEqual}, empty)
	if o.Image[4] != o.Image[6] || o.Image[6] != (116.0-16)/4 {
		t.Errorf("shared: %v", o.Image[4:8])
	}
	o = decode(c, DecoderSettings{Point: Lowest}, empty)
	if o.Image[6] != 116 || o.Image[4] != 0 {
		t.Errorf("largest: %v", o.Image[4:8])
	}
}

// TestStreamGolden decodes the buffered golden: every frame in turn, and what
// it says is what the chip saw.
func TestStreamGolden(t *testing.T) {
	input := readGoldenInput(t)
	for _, name := range []string{"TS_Thr47_5eTx_MRL", "TS_Thr47_13eTx", "BC_5eTx", "STC_type0_eTx5", "AE", "RPT_13eTx"} {
		c := readGoldenConfig(t, name).Config
		golden, err := readOutput(open(t, filepath.Join(dataDir(t), name, "testOutput.csv")))
		if err != nil {
			t.Fatal(err)
		}
		d, err := NewDecoder(c, DecoderSettings{})
		if err != nil {
			t.Fatal(err)
		}
		list, err := d.Stream(golden)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(list) < len(input)-40 {
			t.Fatalf("%s: %d frames of %d", name, len(list), len(input))
		}
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		truncated := 0
		for i := range list {
			e.CALQ(&input[i], &e.calq)
			if list[i].Truncated {
				truncated++
				continue
			}
			out := list[i]
			if c.Algorithm == BestChoice || c.Algorithm == ThresholdSum {
				for ch, q := range e.calq {
					if out.Sent>>ch&1 != 0 && q>>e.drop != 0 && !contains(F4E3M, uint64(q), e.drop, out.Image[ch]) {
						t.Fatalf("%s frame %d channel %d: decoded %v for %d", name, i+1, ch, out.Image[ch], q)
					}
				}
			}
		}
		if (truncated > 0) != strings.HasSuffix(name, "MRL") {
			t.Errorf("%s: %d truncated frames", name, truncated)
		}
	}
}

// TestStreamThreshold sends frames of all types through a small buffer and
// reads them back, idle words and all.
func TestStreamThreshold(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	for _, links := range []int{1, 2, 5, 13} {
		c, err := BaselineConfig(ThresholdSum, links, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.T1, c.T2, c.T3 = uint16(26+35*links), 20, 3
		c.IdlePattern = 0x70f // looks like type 111 but for its bunch crossing
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		var rows []Output
		var seen [][48]uint32
		const n = 5000
		for i := range n {
			q := randomCALQ(r)
			if r.IntN(3) > 0 {
				q = [48]uint32{}
				q[r.IntN(48)] = 300
			}
			var out Output
			if err := e.StepCALQ(i%OrbitBX, &q, &out); err != nil {
				t.Fatal(err)
			}
			rows, seen = append(rows, out), append(seen, q)
		}
		for out := (Output{}); e.Drain(&out); {
			rows = append(rows, out)
		}
		d, err := NewDecoder(c, DecoderSettings{})
		if err != nil {
			t.Fatal(err)
		}
		list, err := d.Stream(rows)
		if err != nil {
			t.Fatal(err)
		}
		if len(list) != n {
			t.Fatalf("%d links: %d frames of %d", links, len(list), n)
		}
		truncated := 0
		for i, o := range list {
			if uint64(o.Header) != header5(i%OrbitBX) {
				t.Fatalf("frame %d: header %d", i, o.Header)
			}
			if o.Truncated {
				truncated++
				if o.SumCode != F5E3M.Encode(oracleSum(seen[i][:])) {
					t.Fatalf("frame %d: truncated sum %d", i, o.SumCode)
				}
				continue
			}
			for ch, q := range seen[i] {
				if (q >= c.Threshold[ch]) != (o.Sent>>ch&1 != 0) {
					t.Fatalf("frame %d channel %d: charge %d, sent %d", i, ch, q, o.Sent>>ch&1)
				}
			}
		}
		if truncated != e.Truncated() {
			t.Errorf("%d links: %d truncated, want %d", links, truncated, e.Truncated())
		}
	}
}

// FuzzDecode: no words make the decoders fail other than by an error.
func FuzzDecode(f *testing.F) {
	f.Add(uint8(0), uint8(5), []byte{0xfc, 0x2d, 0xfe, 0xea, 0xfd, 0xf7, 0xff, 0xef})
	f.Add(uint8(0), uint8(1), []byte{0x12, 0x00, 0xe0})
	f.Add(uint8(2), uint8(2), []byte{0x14, 0x13, 0x09, 0xd0})
	f.Add(uint8(4), uint8(3), []byte{0x0a, 0xe4, 0x54, 0xbf})
	f.Fuzz(func(t *testing.T, kind, links uint8, data []byte) {
		c := Defaults()
		c.Algorithm = Algorithm(kind % 5)
		c.STCType = STCType(kind / 5 % 5)
		c.Links = LinkMask(1 + int(links)%MaxETx)
		d, err := NewDecoder(c, DecoderSettings{Rest: true, Pedestal: true})
		if err != nil {
			t.Fatal(err)
		}
		rows := make([]Output, (len(data)+51)/52)
		for i, b := range data {
			rows[i/52][i%52/4] |= uint32(b) << (24 - 8*(i%4))
		}
		list, err := d.Stream(rows)
		for _, o := range list {
			for ch, v := range o.Image {
				if err == nil && !(v >= 0) {
					t.Fatalf("channel %d decodes to %v", ch, v)
				}
			}
		}
	})
}

// TestHandRules holds what the decoders' choices make of random frames to the
// bits that they made before groups were told.
func TestHandRules(t *testing.T) {
	h := fnv.New64a()
	var b [8]byte
	for a := ThresholdSum; a <= Repeater; a++ {
		r := rand.New(rand.NewPCG(uint64(a), 12))
		for range 400 {
			c := randomConfig(r, a)
			if a == SuperTriggerCell {
				c.Links = LinkMask(1 + r.IntN(stcLinks(c.STCType)))
			}
			s := DecoderSettings{Point: Point(r.IntN(2)), Share: Share(r.IntN(2)), ZeroCode: r.IntN(2) > 0, Pedestal: r.IntN(2) > 0, Rest: r.IntN(2) > 0}
			out := sendOne(t, c, s, randomCALQ(r))
			for _, v := range out.Image {
				binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
				h.Write(b[:])
			}
		}
	}
	if got := h.Sum64(); got != 0x35d4a9877a12851 {
		t.Errorf("digest %#x", got)
	}
}

// sendOne is what a decoder makes of the frame of some charges.
func sendOne(t *testing.T, c Config, s DecoderSettings, q [Channels]uint32) (out Decoded) {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(c, s)
	if err != nil {
		t.Fatal(err)
	}
	e.calq = q
	e.format(17)
	words := e.frame.words[:(e.frame.pos+15)/16]
	if c.Algorithm == Repeater {
		words = words[:min(len(words), 2*c.ETx())]
	}
	if err := d.Frame(words, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestGroups: of random frames, what the groups say is true of the charges that
// were sent, and every channel is known, in a group, or cut off by the links.
func TestGroups(t *testing.T) {
	for a := ThresholdSum; a <= Autoencoder; a++ {
		r := rand.New(rand.NewPCG(uint64(a), 13))
		limited := 0
		for range 400 {
			c := randomConfig(r, a)
			if a == SuperTriggerCell {
				c.Links = LinkMask(1 + r.IntN(stcLinks(c.STCType)))
			}
			q := randomCALQ(r)
			out := sendOne(t, c, DecoderSettings{ZeroCode: true, Rest: r.IntN(2) > 0}, q)
			seen := out.Known()
			for _, g := range out.Groups() {
				if g.Cells == 0 || seen&g.Cells != 0 || (g.Carrier >= 0) != (a == SuperTriggerCell && c.STCType.Addressed()) {
					t.Fatalf("%v: group %+v after channels %x", a, g, seen)
				}
				seen |= g.Cells
				if g.Limit > 0 {
					limited++
				}
				sum := uint64(0)
				for ch, v := range q {
					if g.Cells>>ch&1 == 0 {
						continue
					}
					sum += uint64(v)
					if g.Limit > 0 && float64(v) > g.Limit {
						t.Fatalf("%v: charge %d of channel %d is above %v", a, v, ch, g.Limit)
					}
					if g.Carrier >= 0 && v > q[g.Carrier] {
						t.Fatalf("%v: charge %d of channel %d is above that of %d", a, v, ch, g.Carrier)
					}
				}
				// Below what the formats hold the middle is within 1/16 of the truth, or a bit dropped from every charge.
				if off := math.Abs(g.Sum - float64(sum)); !c.UseSum && sum < 1<<17 && off > float64(sum)/15+48*16 {
					t.Fatalf("%v: group sum %v of %d", a, g.Sum, sum)
				}
			}
			cut := a == Repeater && c.ETx() < 11 || a == SuperTriggerCell && len(out.Groups())*bits.OnesCount64(out.Groups()[0].Cells) < Channels
			if (seen != allChannels) != cut {
				t.Fatalf("%v on %d links: channels %x accounted for", a, c.ETx(), seen)
			}
		}
		if want := a == ThresholdSum || a == BestChoice; (limited > 0) != want {
			t.Errorf("%v: %d groups with a limit", a, limited)
		}
	}
}
