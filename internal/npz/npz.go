// Package npz writes and reads NumPy's arrays, alone (.npy) and in archives (.npz),
// as streams: rows come and go in pieces, so memory does not grow with them. (The
// module npyio, v0.14.0, has arrays whole in memory on both sides, takes memory by
// the counts in a header, and knows no version 3 and no Fortran order of records.)
//
// An array is a header, the text of a Python dictionary, and its items: NumPy
// Enhancement Proposal 1, versions 1.0 to 3.0. An archive is a ZIP file with an
// entry NAME.npy for each array.
package npz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/x448/float16"
)

// A Type is what the items of an array are, as NumPy spells it: <f8, |u1, >i4, <U5.
type Type string

// The types that are written.
const (
	Float64 Type = "<f8"
	Float32 Type = "<f4"
	Float16 Type = "<f2" // of []float32, rounded to nearest, ties to even
	Int64   Type = "<i8"
	Int32   Type = "<i4"
	Uint8   Type = "|u1"
	// Text is of []string, UTF-8. In the file it is as wide as the longest: <U5.
	Text Type = "<U"
)

// A Kind is what items are read as.
type Kind int

const (
	Other Kind = iota // not read: objects, times, complex numbers, …
	Whole             // whole numbers and truth values
	Real              // floating point of 16, 32 or 64 bits
	Words             // text, and bytes that are UTF-8
)

// parts takes a type apart: byte order, letter, bytes an item. The letter is 0 where
// it is no type of NumPy's.
func (t Type) parts() (big bool, letter byte, size int) {
	s := string(t)
	if s != "" && strings.IndexByte("<>|=", s[0]) >= 0 {
		big, s = s[0] == '>', s[1:]
	}
	if s == "" {
		return false, 0, 0
	}
	letter, s = s[0], s[1:]
	s, _, _ = strings.Cut(s, "[") // the unit of times
	switch {
	case s == "" && letter == '?':
		return big, 'b', 1
	case s == "" && letter == 'O':
		return big, letter, 8
	}
	size, err := strconv.Atoi(s)
	if err != nil || size < 0 || size > maxRow {
		return false, 0, 0
	}
	if letter == 'U' {
		size *= 4
	}
	return big, letter, size
}

// Kind is what items of the type are read as.
func (t Type) Kind() Kind {
	_, letter, size := t.parts()
	switch {
	case letter == 'b' && size == 1, (letter == 'i' || letter == 'u') && (size == 1 || size == 2 || size == 4 || size == 8):
		return Whole
	case letter == 'f' && (size == 2 || size == 4 || size == 8):
		return Real
	case letter == 'U' || letter == 'S':
		return Words
	}
	return Other
}

// Object reports whether the items are Python's own, which only Python reads.
func (t Type) Object() bool { _, letter, _ := t.parts(); return letter == 'O' }

// size is that of an item in bytes, 0 for types unknown.
func (t Type) size() int { _, _, n := t.parts(); return n }

// String is what NumPy prints of the type: float64, >i4, <U5.
func (t Type) String() string {
	big, letter, size := t.parts()
	name := map[byte]string{'i': "int", 'u': "uint", 'f': "float", 'c': "complex"}[letter]
	switch {
	case letter == 'O':
		return "object"
	case letter == 'b':
		return "bool"
	case letter == 'M', letter == 'm':
		_, unit, _ := strings.Cut(string(t), string(letter)+"8")
		return map[byte]string{'M': "datetime64", 'm': "timedelta64"}[letter] + unit
	case name != "" && (!big || size == 1):
		return name + strconv.Itoa(8*size)
	}
	return string(t)
}

// Encode appends a whole array of the given shape to b, as an entry of an archive
// holds it: values is a slice of the type's numbers or texts, as for [Writer.Append].
func Encode(b []byte, t Type, shape []int, values any) ([]byte, error) {
	if texts, ok := values.([]string); ok && t == Text {
		chars := 1
		for _, text := range texts {
			chars = max(chars, utf8.RuneCountInString(text))
		}
		b = append(b, header(wide(chars), shape)...)
		for _, text := range texts {
			b = widen(b, text, chars)
		}
		return b, nil
	}
	b, err := t.encode(append(b, header(t, shape)...), values)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	return b, nil
}

// encode appends values, a slice of the array's type, to b.
func (t Type) encode(b []byte, values any) ([]byte, error) {
	have := Type("")
	switch v := values.(type) {
	case []float64:
		have = Float64
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
	case []float32:
		if have = Float32; t == Float16 {
			for _, x := range v {
				b = binary.LittleEndian.AppendUint16(b, float16.Fromfloat32(x).Bits())
			}
			return b, nil
		}
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
		}
	case []int64:
		have = Int64
		for _, x := range v {
			b = binary.LittleEndian.AppendUint64(b, uint64(x))
		}
	case []int32:
		have = Int32
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, uint32(x))
		}
	case []uint8:
		have, b = Uint8, append(b, v...)
	}
	if have != t {
		return nil, fmt.Errorf("%T does not go into an array of %s", values, t)
	}
	return b, nil
}

const magic = "\x93NUMPY"

// header is that of a C-ordered array: magic, version, length of the text, and
// the text, padded so that the numbers begin at a multiple of 64.
func header(t Type, shape []int) []byte {
	text := fmt.Appendf(nil, "{'descr': '%s', 'fortran_order': False, 'shape': %s, }", string(t), tuple(shape))
	pad := 63 - (len(magic)+4+len(text))%64
	text = append(append(text, bytes.Repeat([]byte(" "), pad)...), '\n')
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}

// tuple is a shape as Python writes it: (5, 48), (5,), ().
func tuple(shape []int) string {
	var words []string
	for _, n := range shape {
		words = append(words, strconv.Itoa(n))
	}
	if len(words) == 1 {
		return "(" + words[0] + ",)"
	}
	return "(" + strings.Join(words, ", ") + ")"
}
