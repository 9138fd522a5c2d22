package npz

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/x448/float16"
)

// floats turns the items of b, little-endian, into numbers.
func (t Type) floats(out []float64, b []byte) {
	le := binary.LittleEndian
	_, letter, size := t.parts()
	b = b[:len(out)*size]
	switch letter {
	case 'f':
		switch size {
		case 8:
			for k := range out {
				out[k] = math.Float64frombits(le.Uint64(b[8*k:]))
			}
		case 4:
			for k := range out {
				out[k] = float64(math.Float32frombits(le.Uint32(b[4*k:])))
			}
		case 2:
			for k := range out {
				out[k] = float64(float16.Frombits(le.Uint16(b[2*k:])).Float32())
			}
		}
	case 'b':
		for k, v := range b {
			out[k] = truth(v)
		}
	case 'i':
		switch size {
		case 8:
			for k := range out {
				out[k] = float64(int64(le.Uint64(b[8*k:])))
			}
		case 4:
			for k := range out {
				out[k] = float64(int32(le.Uint32(b[4*k:])))
			}
		case 2:
			for k := range out {
				out[k] = float64(int16(le.Uint16(b[2*k:])))
			}
		case 1:
			for k, v := range b {
				out[k] = float64(int8(v))
			}
		}
	case 'u':
		switch size {
		case 8:
			for k := range out {
				out[k] = float64(le.Uint64(b[8*k:]))
			}
		case 4:
			for k := range out {
				out[k] = float64(le.Uint32(b[4*k:]))
			}
		case 2:
			for k := range out {
				out[k] = float64(le.Uint16(b[2*k:]))
			}
		case 1:
			for k, v := range b {
				out[k] = float64(v)
			}
		}
	}
}

func truth(v byte) float64 {
	if v != 0 {
		return 1
	}
	return 0
}

// ints turns the items of b, whole and little-endian, into numbers, and returns the
// index of the first that is too large, or -1.
func (t Type) ints(out []int64, b []byte) int {
	le := binary.LittleEndian
	_, letter, size := t.parts()
	signed := letter == 'i'
	large := -1
	switch size {
	case 8:
		for k := range out {
			out[k] = int64(le.Uint64(b[8*k:]))
			if large < 0 && out[k] < 0 && !signed {
				large = k
			}
		}
	case 4:
		for k := range out {
			v := le.Uint32(b[4*k:])
			if out[k] = int64(v); signed {
				out[k] = int64(int32(v))
			}
		}
	case 2:
		for k := range out {
			v := le.Uint16(b[2*k:])
			if out[k] = int64(v); signed {
				out[k] = int64(int16(v))
			}
		}
	case 1:
		for k := range out {
			v := b[k]
			switch out[k] = int64(v); {
			case signed:
				out[k] = int64(int8(v))
			case letter == 'b':
				out[k] = int64(truth(v))
			}
		}
	}
	return large
}

// texts turns the items of b, little-endian, into text: UTF-32, or bytes that must be
// UTF-8. NumPy fills items up with zeros, which are no part of the text. All of out
// share one string. The error is about the item whose index is returned.
func (r *Reader) texts(t Type, out []string, b []byte) (int, error) {
	_, letter, size := t.parts()
	all, ends := r.text[:0], r.ends[:0]
	defer func() { r.text, r.ends = all, ends }() // to be used again
	for k := range out {
		item := b[k*size : (k+1)*size]
		if letter == 'S' {
			for len(item) > 0 && item[len(item)-1] == 0 {
				item = item[:len(item)-1]
			}
			if !utf8.Valid(item) {
				return k, fmt.Errorf("%q is not UTF-8; save it as text, as with numpy.char.decode(a, 'latin1')", item)
			}
			all = append(all, item...)
		} else {
			var bad uint32
			if all, bad = appendUTF32(all, item); bad != 0 {
				return k, fmt.Errorf("%#x is no character: the file is damaged", bad)
			}
		}
		ends = append(ends, len(all))
	}
	text, from := string(all), 0
	for k, to := range ends {
		out[k] = text[from:to]
		from = to
	}
	return 0, nil
}

// appendUTF32 appends the characters of an item, and returns one that is none, or 0.
func appendUTF32(b, item []byte) ([]byte, uint32) {
	for len(item) > 0 && binary.LittleEndian.Uint32(item[len(item)-4:]) == 0 {
		item = item[:len(item)-4]
	}
	for ; len(item) > 0; item = item[4:] {
		c := binary.LittleEndian.Uint32(item)
		switch {
		case c < utf8.RuneSelf:
			b = append(b, byte(c))
		case c > utf8.MaxRune || !utf8.ValidRune(rune(c)):
			return b, c
		default:
			b = utf8.AppendRune(b, rune(c))
		}
	}
	return b, 0
}

// swapped copies big-endian items to dst as little-endian ones.
func (t Type) swapped(dst, b []byte) []byte {
	_, letter, unit := t.parts()
	if letter == 'U' {
		unit = 4
	}
	dst = append(dst[:0], b...)
	if letter != 'S' && unit > 1 {
		for at := 0; at < len(dst); at += unit {
			slices.Reverse(dst[at : at+unit])
		}
	}
	return dst
}
