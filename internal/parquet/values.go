package parquet

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Values are entries of a column.
type Values struct {
	// Rep and Def are the levels of each entry; empty where a column has none. An
	// entry whose definition level is less than the column's has no value.
	Rep, Def []uint8
	// The values that there are, as they are stored: truth values (0 and 1) and whole
	// numbers in Int, Float and Double in Float, all others in Text.
	Int   []int64
	Float []float64
	Text  []string
}

func (v *Values) reset() {
	v.Rep, v.Def, v.Int, v.Float, v.Text = v.Rep[:0], v.Def[:0], v.Int[:0], v.Float[:0], v.Text[:0]
}

// count is the number of values.
func (v *Values) count() int { return max(len(v.Int), len(v.Float), len(v.Text)) }

// decoder adds the next n values of a page.
type decoder interface {
	read(v *Values, n int) error
}

// encoding is how values are written, by its number in the format.
type encoding int

const (
	plainEncoding   encoding = 0
	plainDictionary encoding = 2
	runs            encoding = 3
	deltaNumbers    encoding = 5
	deltaLengths    encoding = 6
	deltaTexts      encoding = 7
	dictionary      encoding = 8
	byteStreams     encoding = 9
)

// newDecoder reads n values of a page, which may refer to those of d.
func newDecoder(l *Leaf, e encoding, b []byte, n int, d *Values, scrap *[]uint32) (decoder, error) {
	text := l.Physical == ByteArray
	whole := l.Physical == Int32 || l.Physical == Int64
	switch {
	case e == plainEncoding:
		return newPlain(l, b, n)
	case e == plainDictionary || e == dictionary:
		if d == nil {
			return nil, fmt.Errorf("a page refers to a dictionary that is not there")
		}
		if n == 0 {
			return &plain{}, nil
		}
		if len(b) == 0 {
			return nil, errValues
		}
		h, err := newHybrid(b[1:], uint(b[0]))
		return &indexed{h, d, scrap}, err
	case e == runs && l.Physical == Boolean:
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil, errValues
		}
		h, err := newHybrid(b[4:4+binary.LittleEndian.Uint32(b)], 1)
		return &truths{h, nil}, err
	case e == deltaNumbers && whole:
		d, err := newDelta(b, l.Physical == Int32)
		if err == nil && d.left < uint64(n) {
			err = errValues
		}
		return &numbers{d}, err
	case e == deltaLengths && text:
		return newLengths(b, n)
	case e == deltaTexts && (text || l.Physical == FixedLenByteArray):
		return newPrefixed(b, n)
	case e == byteStreams:
		return newStreams(l, b, n)
	}
	return nil, fmt.Errorf("values of type %s in encoding %d: not read here", l.valueType(), e)
}

// width is the size of a value in bytes; 0 where they differ or are less than one.
func (l *Leaf) width() int {
	switch l.Physical {
	case Int32, Float:
		return 4
	case Int64, Double:
		return 8
	case Int96:
		return 12
	case FixedLenByteArray:
		return l.Length
	}
	return 0
}

// plain reads values that stand one behind the other.
type plain struct {
	physical Physical
	width    int
	b        []byte
	bit      uint64
}

func newPlain(l *Leaf, b []byte, n int) (decoder, error) {
	p := &plain{physical: l.Physical, width: l.width(), b: b}
	if n > len(b)/max(p.width, 1) && l.Physical != Boolean || l.Physical == Boolean && (n+7)/8 > len(b) {
		return nil, errValues
	}
	return p, nil
}

func (p *plain) read(v *Values, n int) error {
	if p.physical == ByteArray {
		return p.texts(v, n)
	}
	if p.physical == Boolean {
		for range n {
			v.Int = append(v.Int, int64(p.b[p.bit>>3]>>(p.bit&7)&1))
			p.bit++
		}
		return nil
	}
	b := p.b[:n*p.width]
	p.b = p.b[len(b):]
	switch p.physical {
	case Int32:
		for ; len(b) >= 4; b = b[4:] {
			v.Int = append(v.Int, int64(int32(binary.LittleEndian.Uint32(b))))
		}
	case Int64:
		for ; len(b) >= 8; b = b[8:] {
			v.Int = append(v.Int, int64(binary.LittleEndian.Uint64(b)))
		}
	case Float:
		for ; len(b) >= 4; b = b[4:] {
			v.Float = append(v.Float, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))))
		}
	case Double:
		v.Float = longer(v.Float, n)
		for i, part := 0, v.Float[len(v.Float)-n:]; i < n; i++ {
			part[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
		}
	default:
		all := string(b)
		for ; len(all) > 0; all = all[p.width:] {
			v.Text = append(v.Text, all[:p.width])
		}
	}
	return nil
}

// texts reads texts with their lengths before them. Those of a call share memory.
func (p *plain) texts(v *Values, n int) error {
	at := 0
	for range n {
		if len(p.b)-at < 4 {
			return errValues
		}
		k := uint64(binary.LittleEndian.Uint32(p.b[at:]))
		if k > uint64(len(p.b)-at-4) {
			return errValues
		}
		if k > maxText {
			return fmt.Errorf("a text of %d bytes", k)
		}
		at += 4 + int(k)
	}
	all := string(p.b[:at])
	p.b = p.b[at:]
	for at = 0; at < len(all); {
		k := int(uint32(all[at]) | uint32(all[at+1])<<8 | uint32(all[at+2])<<16 | uint32(all[at+3])<<24)
		v.Text = append(v.Text, all[at+4:at+4+k])
		at += 4 + k
	}
	return nil
}

// indexed reads places in a dictionary.
type indexed struct {
	index  hybrid
	values *Values
	scrap  *[]uint32 // memory of all pages
}

func (d *indexed) read(v *Values, n int) error {
	part := grown(*d.scrap, n)
	*d.scrap = part
	if err := fill(&d.index, part); err != nil {
		return err
	}
	size := uint32(d.values.count())
	for _, i := range part {
		if i >= size {
			return fmt.Errorf("value %d of a dictionary of %d", i, size)
		}
	}
	switch {
	case len(d.values.Int) > 0:
		v.Int = gather(v.Int, d.values.Int, part)
	case len(d.values.Float) > 0:
		v.Float = gather(v.Float, d.values.Float, part)
	default:
		v.Text = gather(v.Text, d.values.Text, part)
	}
	return nil
}

func gather[T any](to, from []T, index []uint32) []T {
	to = longer(to, len(index))
	part := to[len(to)-len(index):]
	for k, i := range index {
		part[k] = from[i]
	}
	return to
}

// truths reads truth values in runs.
type truths struct {
	h    hybrid
	part []uint8
}

func (t *truths) read(v *Values, n int) error {
	t.part = grown(t.part, n)
	if err := fill(&t.h, t.part); err != nil {
		return err
	}
	for _, b := range t.part {
		v.Int = append(v.Int, int64(b&1))
	}
	return nil
}

// numbers reads whole numbers by their differences.
type numbers struct{ *delta }

func (d *numbers) read(v *Values, n int) error {
	at := len(v.Int)
	v.Int = longer(v.Int, n)
	return d.fill(v.Int[at:])
}

// streams reads BYTE_STREAM_SPLIT: all first bytes, then all second ones, and so on.
type streams struct {
	leaf  *Leaf
	width int
	n, at int
	b     []byte
	part  []byte
}

func newStreams(l *Leaf, b []byte, n int) (decoder, error) {
	s := &streams{leaf: l, width: l.width(), b: b}
	if s.width == 0 || l.Physical == Int96 {
		return nil, fmt.Errorf("values of type %s as streams of bytes", l.valueType())
	}
	if s.n = len(b) / s.width; s.n < n {
		return nil, errValues
	}
	return s, nil
}

func (s *streams) read(v *Values, n int) error {
	s.part = grown(s.part, n*s.width)
	for k := range s.width {
		stream := s.b[k*s.n+s.at:][:n]
		for i, c := range stream {
			s.part[i*s.width+k] = c
		}
	}
	s.at += n
	p := plain{physical: s.leaf.Physical, width: s.width, b: s.part}
	return p.read(v, n)
}
