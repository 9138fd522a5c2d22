package econt

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// vector makes an input and what the chip answers.
func vector(t *testing.T, c Config, n int) ([]BunchCrossing, []Output) {
	t.Helper()
	r := rand.New(rand.NewPCG(21, 21))
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	in, out := make([]BunchCrossing, n), make([]Output, n)
	for i := range in {
		in[i].BX = i
		for k := range in[i].ERx {
			in[i].ERx[k] = r.Uint32() & 0x0fffffff
		}
		e.Step(&in[i], &out[i])
	}
	return in, out
}

// TestVerifyNamesFields flips one bit at a time and asks what it was.
func TestVerifyNamesFields(t *testing.T) {
	bc, err := BaselineConfig(BestChoice, 2, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	ts, err := BaselineConfig(ThresholdSum, 3, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	ts.T1 = 200
	stc := bc
	stc.Algorithm, stc.STCType = SuperTriggerCell, STC4A4E3M
	ae, err := BaselineConfig(Autoencoder, 5, false, randomWeights(rand.New(rand.NewPCG(1, 1))))
	if err != nil {
		t.Fatal(err)
	}
	rpt := bc
	rpt.Algorithm, rpt.Links = Repeater, LinkMask(11)
	for _, tc := range []struct {
		name   string
		config Config
		row    int // 0-based
		bit    int // of the row, 0 the first sent
		want   string
	}{
		{"header", bc, 4, 0, "row 5 (line 6), TX_DATA_0 bits 31..31: header (bunch crossing), frame of row 5 (BX 4): expected 0xc, got 0x4"},
		{"sum", bc, 0, 11, "TX_DATA_0 bits 20..20: sum of the module, 5E3M"},
		{"address", bc, 0, 12, "address number 0"},
		{"charge across words", bc, 0, 12 + 24, "charge of channel"},
		{"padding", bc, 0, 63 + 0, "charge of channel"},
		{"inactive", bc, 2, 32 * 7, "row 3 (line 4), TX_DATA_7 bits 31..31: inactive link: expected 0x80000000, got 0x00000000"},
		{"stc address", stc, 1, 4, "address of the largest cell of group 0"},
		{"stc sum", stc, 1, 4 + 12, "sum of group 0, 4E3M"},
		{"ae sum", ae, 3, 13, "sum of all cells, 5E4M"},
		{"ae padding", ae, 3, 14, "padding"},
		{"ae output", ae, 3, 16, "output 15 of the encoder"},
		{"ae last", ae, 3, 159, "output 0 of the encoder"},
		{"rpt", rpt, 3, 5 + 7*47, "charge of channel 47, 4E3M"},
		{"ts type", ts, 0, 5, "type of the frame"},
		{"ts map", ts, 0, 16, "map bit of channel 0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			in, golden := vector(t, tc.config, 30)
			golden[tc.row][tc.bit/32] ^= 1 << (31 - tc.bit%32)
			r, err := Verify(tc.config, in, golden)
			if err != nil {
				t.Fatal(err)
			}
			if r.OK() || r.Identical != 29 || len(r.First) != 1 || len(r.ByField) != 1 || r.ByField[0].Rows != 1 {
				t.Fatalf("report %+v", r)
			}
			if got := r.First[0].String(); !strings.Contains(got, tc.want) {
				t.Errorf("%s\nwant … %s …", got, tc.want)
			}
		})
	}
}

// TestVerifyBuffered: a TS frame's field is named where it leaves, later than
// its bunch crossing, and truncated frames have fields of their own.
func TestVerifyBuffered(t *testing.T) {
	c, err := BaselineConfig(ThresholdSum, 2, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.T1 = 100
	in, golden := vector(t, c, 60)
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		var o Output
		e.Step(&in[i], &o)
	}
	if e.Truncated() == 0 {
		t.Fatal("nothing was truncated")
	}
	for out := (Output{}); e.Drain(&out); {
		golden = append(golden, out) // the rows after the input, too
	}
	if r, err := Verify(c, in, golden); err != nil || !r.OK() || r.Rows != len(golden) || r.Truncated != e.Truncated() {
		t.Fatalf("%+v, %v", r, err)
	}
	late := 0
	for row := range golden {
		changed := append([]Output(nil), golden...)
		changed[row][1] ^= 1 << 16
		r, err := Verify(c, in, changed)
		if err != nil {
			t.Fatal(err)
		}
		d := r.First[0]
		if d.Row != row+1 || d.Link != 1 || d.High != 16 || d.FrameRow > d.Row {
			t.Fatalf("row %d: %v", row+1, d)
		}
		if d.FrameRow < d.Row {
			late++
		}
	}
	if late == 0 {
		t.Error("no frame left later than it came")
	}
	if _, err := Verify(c, in, golden[:59]); err == nil {
		t.Error("a golden that is too short was accepted")
	}
	if _, err := Verify(c, in, append(golden, Output{})); err == nil || !strings.Contains(err.Error(), "buffer is empty") {
		t.Errorf("a golden that is too long: %v", err)
	}
}
