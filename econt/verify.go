package econt

import (
	"fmt"
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

// Report is the result of Verify.
type Report struct {
	Rows      int          // compared
	Identical int          // of these
	First     []Difference // every field that differs in the first row that does
	ByField   []FieldCount // most frequent first
	Truncated int          // frames the buffer refused
	Overflows int          // AE frames decided by Config.Overflow
}

// OK says whether every row is identical.
func (r *Report) OK() bool { return r.Identical == r.Rows }

// Verify runs the chip on the input and compares every bit with the golden. A
// golden longer than the input is compared with what the buffer still sends;
// a shorter one, or one that goes on after the buffer is empty, is an error.
func Verify(c Config, input []BunchCrossing, golden []Output) (*Report, error) {
	if len(golden) < len(input) {
		return nil, fmt.Errorf("econt: golden has %d rows for %d rows of input", len(golden), len(input))
	}
	e, err := New(c)
	if err != nil {
		return nil, err
	}
	e.trace = true
	v := &verifier{input: input, golden: golden, layout: *e}
	v.layout.frame.trace = true
	v.got = make([]Output, len(golden))
	v.from = make([][frameWords]origin, len(golden))
	for i := range golden {
		if i < len(input) {
			e.Step(&input[i], &v.got[i])
		} else if !e.Drain(&v.got[i]) {
			return nil, fmt.Errorf("econt: golden has %d rows, but the buffer is empty after %d", len(golden), i)
		}
		v.from[i] = e.origin
	}
	r := v.report()
	r.Truncated, r.Overflows = e.truncated, e.overflows
	return r, nil
}

// verifier holds one comparison.
type verifier struct {
	input  []BunchCrossing
	golden []Output
	got    []Output
	from   [][frameWords]origin
	layout Emulator // builds frames again for their fields
	// where each 16-bit word of a frame left: row<<5 | place
	left map[origin]int
}

func (v *verifier) report() *Report {
	r := &Report{Rows: len(v.golden)}
	counts := map[string]int{}
	for i := range v.golden {
		if v.got[i] == v.golden[i] {
			r.Identical++
			continue
		}
		if v.left == nil {
			v.index()
		}
		list := v.differences(i)
		if r.First == nil {
			r.First = list
		}
		kinds := map[string]bool{}
		for _, d := range list {
			kinds[d.kind()] = true
		}
		for k := range kinds {
			counts[k]++
		}
	}
	for k, n := range counts {
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

// index notes where every word of every frame left.
func (v *verifier) index() {
	v.left = make(map[origin]int, frameWords*len(v.from))
	for i := range v.from {
		for p, o := range v.from[i] {
			if o.row >= 0 {
				v.left[o] = i<<5 | p
			}
		}
	}
}

// differences lists the fields that differ in output row i.
func (v *verifier) differences(i int) []Difference {
	var list []Difference
	known := map[string]bool{}
	for p, o := range v.from[i] {
		link, shift := p/2, 16-16*(p%2)
		diff := uint16((v.got[i][link] ^ v.golden[i][link]) >> shift)
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
		Want: uint64(v.golden[i][link]), Got: uint64(v.got[i][link]),
	}
}

// fields gives the fields of the frame that o belongs to.
func (v *verifier) fields(o origin) []Field {
	e := &v.layout
	in := &v.input[o.row]
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
	d := Difference{Row: i + 1, Field: fieldName(&v.layout.config, f), FrameRow: o.row + 1, BX: v.input[o.row].BX, Width: f.Width}
	for bit := f.Bit; bit < f.Bit+f.Width; bit++ {
		at, ok := v.left[origin{o.row, bit / 16, o.truncated}]
		d.Want, d.Got = d.Want<<1, d.Got<<1
		if !ok {
			d.Partial = true
			continue
		}
		row, p := at>>5, at&31
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
