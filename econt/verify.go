package econt

import (
	"context"
	"fmt"
	"io"
	"sort"
)

// A Difference is a field that differs from the golden.
type Difference struct {
	Row       int    // of the output, from 1
	Link      int    // eTx of the field's first differing bit
	High, Low int    // its differing bits within that word, 31 the first sent
	Field     string // what the bits mean
	FrameRow  int    // the input row whose frame it is, from 1; 0 outside any frame
	BX        int    // of that row
	Want, Got uint64 // the whole field; without a frame, the word
	Width     int    // of the field in bits
	Partial   bool   // parts of the field never left the chip and count as zero in Want
}

// String is one line: row, word, bits, meaning, expected, got.
func (d Difference) String() string {
	frame := ""
	if d.FrameRow > 0 {
		frame = fmt.Sprintf(", frame of row %d (BX %d)", d.FrameRow, d.BX)
	}
	digits := (d.Width + 3) / 4
	return fmt.Sprintf("row %d (line %d), TX_DATA_%d bits %d..%d: %s%s: expected 0x%0*x, got 0x%0*x",
		d.Row, d.Row+1, d.Link, d.High, d.Low, d.Field, frame, digits, d.Want, digits, d.Got)
}

// A FieldCount says in how many rows a kind of field differs.
type FieldCount struct {
	Field string
	Rows  int
}

// A Comparison is the result of Verify.
type Comparison struct {
	Rows      int          // compared
	Identical int          // of these
	First     []Difference // every field that differs in the first row that does
	ByField   []FieldCount // most frequent first
	Truncated int          // frames the buffer refused
	Overflows int          // AE frames decided by Config.Overflow
}

// OK says whether every row is identical.
func (r *Comparison) OK() bool { return r.Identical == r.Rows }

// Verify runs the chip on the input and compares every bit with the golden. A
// golden longer than the input is compared with what the buffer still sends;
// a shorter one, one that goes on after the buffer is empty, and one without
// rows are errors. Memory does not grow with the rows.
func Verify(ctx context.Context, c Config, input Source[BunchCrossing], golden Source[Output]) (*Comparison, error) {
	e, err := New(c)
	if err != nil {
		return nil, err
	}
	e.trace = true
	v := &verifier{emulator: e, layout: *e, counts: map[string]int{}}
	v.layout.frame.trace = true
	if err := v.run(ctx, input, golden); err != nil {
		return nil, err
	}
	return v.result(), nil
}

const (
	// verifyRows are the rows at hand. A word leaves at most 282 rows after its
	// frame came, as the buffer holds 564 and two leave a row.
	verifyRows = 1024
	// verifySpread is more than the rows over which the words of one frame leave:
	// 26 words, two a row at least.
	verifySpread = 64
)

// verifier holds one comparison. Row i is at i modulo verifyRows.
type verifier struct {
	emulator *Emulator
	layout   Emulator // builds frames again for their fields
	input    [verifyRows]BunchCrossing
	golden   [verifyRows]Output
	got      [verifyRows]Output
	from     [verifyRows][frameWords]origin
	rows     int // read
	// left is where each 16-bit word of a frame left, row<<5 | place, for the rows
	// from first to last; nil until a row differs.
	left        map[origin]int
	first, last int

	report Comparison
	counts map[string]int
}

// run reads and compares, verifySpread rows behind what is read.
func (v *verifier) run(ctx context.Context, input Source[BunchCrossing], golden Source[Output]) error {
	inputs := -1 // rows of input, once it has ended
	for {
		if v.rows%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at := v.rows % verifyRows
		goldenErr := golden.Read(&v.golden[at])
		if goldenErr != nil && goldenErr != io.EOF {
			return goldenErr
		}
		if inputs < 0 {
			switch err := input.Read(&v.input[at]); {
			case err == io.EOF:
				inputs = v.rows
			case err != nil:
				return err
			case goldenErr == io.EOF:
				return fmt.Errorf("econt: golden ends after %d rows, the input goes on", v.rows)
			}
		}
		if goldenErr == io.EOF {
			break
		}
		if inputs < 0 {
			v.emulator.Step(&v.input[at], &v.got[at])
		} else if !v.emulator.Drain(&v.got[at]) {
			return fmt.Errorf("econt: golden goes on after %d rows of input and %d of output, but the buffer is empty", inputs, v.rows)
		}
		v.from[at] = v.emulator.origin
		v.rows++
		if i := v.rows - 1 - verifySpread; i >= 0 {
			v.compare(i)
		}
	}
	for i := max(v.rows-verifySpread, 0); i < v.rows; i++ {
		v.compare(i)
	}
	if v.rows == 0 {
		return fmt.Errorf("econt: golden and input have no rows: nothing was compared")
	}
	return nil
}

// compare compares row i.
func (v *verifier) compare(i int) {
	if v.got[i%verifyRows] == v.golden[i%verifyRows] {
		v.report.Identical++
		return
	}
	v.index(i)
	list := v.differences(i)
	if v.report.First == nil {
		v.report.First = list
	}
	kinds := map[string]bool{}
	for _, d := range list {
		kinds[d.kind()] = true
	}
	for k := range kinds {
		v.counts[k]++
	}
}

func (v *verifier) result() *Comparison {
	r := &v.report
	r.Rows, r.Truncated, r.Overflows = v.rows, v.emulator.truncated, v.emulator.overflows
	for k, n := range v.counts {
		r.ByField = append(r.ByField, FieldCount{k, n})
	}
	sort.Slice(r.ByField, func(i, j int) bool {
		a, b := r.ByField[i], r.ByField[j]
		return a.Rows > b.Rows || a.Rows == b.Rows && a.Field < b.Field
	})
	return r
}

// kind is the field without its number.
func (d *Difference) kind() string {
	for i, c := range d.Field {
		if c == ' ' {
			return d.Field[:i]
		}
	}
	return d.Field
}

// index notes where every word of every frame left in the rows around row i.
func (v *verifier) index(i int) {
	from, to := max(i-verifySpread, 0), min(i+verifySpread, v.rows-1)
	if v.left == nil || v.last < from {
		v.left, v.first, v.last = make(map[origin]int), from, from-1
	}
	for ; v.first < from; v.first++ {
		for _, o := range v.from[v.first%verifyRows] {
			if at, ok := v.left[o]; ok && at>>5 == v.first {
				delete(v.left, o)
			}
		}
	}
	for v.last < to {
		v.last++
		for p, o := range v.from[v.last%verifyRows] {
			if o.row >= 0 {
				v.left[o] = v.last<<5 | p
			}
		}
	}
}

// differences lists the fields that differ in output row i.
func (v *verifier) differences(i int) []Difference {
	var list []Difference
	known := map[string]bool{}
	for p, o := range v.from[i%verifyRows] {
		link, shift := p/2, 16-16*(p%2)
		diff := uint16((v.got[i%verifyRows][link] ^ v.golden[i%verifyRows][link]) >> shift)
		if diff == 0 {
			continue
		}
		if o.row < 0 {
			list = append(list, v.outside(i, p, diff))
			continue
		}
		for _, f := range v.fields(o) {
			mask := fieldMask(f, o.word)
			if mask&diff == 0 {
				continue
			}
			key := fmt.Sprint(o.row, o.truncated, f)
			if known[key] {
				continue
			}
			known[key] = true
			d := v.field(i, o, f)
			d.Link, d.High, d.Low = link, topBit(mask&diff)+shift, lowBit(mask&diff)+shift
			list = append(list, d)
		}
	}
	return list
}

// outside describes a word that no frame reaches.
func (v *verifier) outside(i, p int, diff uint16) Difference {
	link, shift := p/2, 16-16*(p%2)
	name := "inactive link"
	if v.layout.config.Links>>link&1 != 0 {
		name = "idle before the first frame"
	}
	return Difference{
		Row: i + 1, Link: link, High: topBit(diff) + shift, Low: lowBit(diff) + shift, Field: name, Width: 32,
		Want: uint64(v.golden[i%verifyRows][link]), Got: uint64(v.got[i%verifyRows][link]),
	}
}

// fields gives the fields of the frame that o belongs to.
func (v *verifier) fields(o origin) []Field {
	e := &v.layout
	in := &v.input[o.row%verifyRows]
	e.front.calq(&in.ERx, &e.calq)
	e.format(in.BX)
	if !o.truncated {
		return e.frame.fields
	}
	list := []Field{{"header", -1, 0, 5}, {"type", -1, 5, 3}, {"sum", -1, 8, 8}}
	for w := 1; w < frameWords; w++ {
		list = append(list, Field{"idle", w, 16 * w, 16})
	}
	return list
}

// field gathers the field's value on both sides from where its bits left.
func (v *verifier) field(i int, o origin, f Field) Difference {
	d := Difference{Row: i + 1, Field: fieldName(&v.layout.config, f), FrameRow: o.row + 1, BX: v.input[o.row%verifyRows].BX, Width: f.Width}
	for bit := f.Bit; bit < f.Bit+f.Width; bit++ {
		at, ok := v.left[origin{o.row, bit / 16, o.truncated}]
		d.Want, d.Got = d.Want<<1, d.Got<<1
		if !ok {
			d.Partial = true
			continue
		}
		row, p := at>>5%verifyRows, at&31
		s := 31 - 16*(p%2) - bit%16
		d.Want |= uint64(v.golden[row][p/2] >> s & 1)
		d.Got |= uint64(v.got[row][p/2] >> s & 1)
	}
	return d
}

// fieldMask is the part of a frame's word that belongs to the field.
func fieldMask(f Field, word int) (mask uint16) {
	for bit := max(f.Bit, 16*word); bit < min(f.Bit+f.Width, 16*word+16); bit++ {
		mask |= 1 << (15 - bit%16)
	}
	return mask
}

func topBit(x uint16) int {
	for b := 15; ; b-- {
		if x>>b&1 != 0 {
			return b
		}
	}
}

func lowBit(x uint16) int {
	for b := 0; ; b++ {
		if x>>b&1 != 0 {
			return b
		}
	}
}

// fieldName says what a field means.
func fieldName(c *Config, f Field) string {
	switch {
	case f.Name == "charge":
		return fmt.Sprintf("charge of channel %d, 4E3M", f.Index)
	case f.Name == "map":
		return fmt.Sprintf("map bit of channel %d", f.Index)
	case f.Name == "output":
		return fmt.Sprintf("output %d of the encoder", f.Index)
	case f.Name == "address" && c.Algorithm == SuperTriggerCell:
		return fmt.Sprintf("address of the largest cell of group %d", f.Index)
	case f.Name == "address":
		return fmt.Sprintf("address number %d", f.Index)
	case f.Name == "sum" && c.Algorithm == SuperTriggerCell:
		return fmt.Sprintf("sum of group %d, %s", f.Index, stcShapes[c.STCType].format)
	case f.Name == "sum" && c.Algorithm == Autoencoder:
		return "sum of all cells, 5E4M"
	case f.Name == "sum":
		return "sum of the module, 5E3M"
	case f.Name == "header":
		return "header (bunch crossing)"
	case f.Name == "type":
		return "type of the frame"
	case f.Name == "count":
		return "count of charges"
	case f.Name == "idle":
		return "idle word"
	}
	return f.Name
}
