package econt

import (
	"context"
	"errors"
	"io"
	"math/bits"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// slice is a source in memory.
type slice[T any] struct{ rows []T }

func from[T any](rows []T) Source[T] { return &slice[T]{rows} }

func (s *slice[T]) Read(row *T) error {
	if len(s.rows) == 0 {
		return io.EOF
	}
	*row, s.rows = s.rows[0], s.rows[1:]
	return nil
}

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
			r, err := Verify(context.Background(), tc.config, from(in), from(golden))
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
	if r, err := Verify(context.Background(), c, from(in), from(golden)); err != nil || !r.OK() || r.Rows != len(golden) || r.Truncated != e.Truncated() {
		t.Fatalf("%+v, %v", r, err)
	}
	late := 0
	for row := range golden {
		changed := append([]Output(nil), golden...)
		changed[row][1] ^= 1 << 16
		r, err := Verify(context.Background(), c, from(in), from(changed))
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
	if _, err := Verify(context.Background(), c, from(in), from(golden[:59])); err == nil {
		t.Error("a golden that is too short was accepted")
	}
	if _, err := Verify(context.Background(), c, from(in), from(append(golden, Output{}))); err == nil || !strings.Contains(err.Error(), "buffer is empty") {
		t.Errorf("a golden that is too long: %v", err)
	}
}

// TestVerifyLong: with many more rows than are kept at hand, and a buffer as
// deep as it gets, a flipped bit is still found in its field.
func TestVerifyLong(t *testing.T) {
	c, err := BaselineConfig(ThresholdSum, 1, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.T1, c.T2, c.T3 = 511, 511, 0
	in, golden := vector(t, c, 5000)
	for i := range in {
		in[i].BX %= OrbitBX
	}
	in, golden = again(t, c, in, golden)
	deepest := 0
	for _, row := range []int{0, 63, 64, 500, 1023, 1024, 1100, 3000, 4935, 4936, 4999} {
		changed := append([]Output(nil), golden...)
		changed[row][0] ^= 1 << 7
		r, err := Verify(context.Background(), c, from(in), from(changed))
		if err != nil {
			t.Fatal(err)
		}
		d := r.First[0]
		if r.Rows != 5000 || r.Identical != 4999 || d.Row != row+1 || bits.OnesCount64(d.Want^d.Got) != 1 || d.Partial {
			t.Errorf("row %d: %+v: %+v", row+1, r, d)
		}
		deepest = max(deepest, d.Row-d.FrameRow)
	}
	if deepest < 200 {
		t.Errorf("no frame left more than %d rows after it came: the buffer was never deep", deepest)
	}
	// Every row wrong.
	for i := range golden {
		golden[i][0] ^= 1
	}
	if r, err := Verify(context.Background(), c, from(in), from(golden)); err != nil || r.Identical != 0 || r.Rows != 5000 {
		t.Errorf("all rows wrong: %+v, %v", r, err)
	}
}

// again gives the chip's answer to an input that was changed.
func again(t *testing.T, c Config, in []BunchCrossing, out []Output) ([]BunchCrossing, []Output) {
	t.Helper()
	e, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	for i := range in {
		e.Step(&in[i], &out[i])
	}
	return in, out
}

func TestVerifyErrors(t *testing.T) {
	c, err := BaselineConfig(BestChoice, 2, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, golden := vector(t, c, 3)
	if _, err := Verify(context.Background(), c, from(in[:0]), from(golden[:0])); err == nil || !strings.Contains(err.Error(), "nothing was compared") {
		t.Errorf("no rows: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Verify(ctx, c, from(in), from(golden)); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

// broken fails after some bytes, as a full disk does.
type broken struct{ left int }

func (w *broken) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, io.ErrShortWrite
	}
	return len(p), nil
}

// TestRun: row by row is the same as Step, and no failed write is lost.
func TestRun(t *testing.T) {
	c, err := BaselineConfig(ThresholdSum, 2, true, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, want := vector(t, c, 3000)
	run := func(ctx context.Context, w io.Writer, drain bool) error {
		e, err := New(c)
		if err != nil {
			t.Fatal(err)
		}
		out := NewOutputWriter(w)
		n, err := e.Run(ctx, from(in), out, drain)
		if err == nil && n != len(in) {
			t.Errorf("%d rows of %d", n, len(in))
		}
		if err == nil {
			err = out.Flush()
		}
		return err
	}
	var text, drained strings.Builder
	if err := errors.Join(run(context.Background(), &text, false), run(context.Background(), &drained, true)); err != nil {
		t.Fatal(err)
	}
	r, err := NewOutputReader(strings.NewReader(text.String()))
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(r)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%d rows, not those of Step: %v", len(got), err)
	}
	if len(drained.String()) <= text.Len() || !strings.HasPrefix(drained.String(), text.String()) {
		t.Error("draining adds nothing")
	}
	for _, room := range []int{0, 100, 200_000} {
		if err := run(context.Background(), &broken{room}, false); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("room for %d bytes: %v", room, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := run(ctx, io.Discard, false); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}
