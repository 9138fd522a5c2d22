// Package npz writes and reads NumPy's archives of named arrays, as streams:
// rows come and go in pieces, so memory does not grow with them. (The module
// npyio writes whole arrays from memory.)
//
// An archive is a ZIP file with an entry NAME.npy for each array, in NumPy's
// own format: NumPy Enhancement Proposal 1, version 1.0.
package npz

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/x448/float16"
)

// A Type is the kind of an array's numbers, little-endian as NumPy spells it.
type Type string

// The types that are written; every one of them and the other integers are read.
const (
	Float64 Type = "<f8"
	Float32 Type = "<f4"
	Float16 Type = "<f2" // of []float32, rounded to nearest, ties to even
	Int64   Type = "<i8"
	Int32   Type = "<i4"
	Uint8   Type = "|u1"
)

// Encode appends a whole array of the given shape to b, as an entry of an archive
// holds it: values is a slice of the type's numbers, as for [Writer.Append].
func Encode(b []byte, t Type, shape []int, values any) ([]byte, error) {
	b, err := t.encode(append(b, header(t, shape)...), values)
	if err != nil {
		return nil, fmt.Errorf("npz: %w", err)
	}
	return b, nil
}

// size is that of one number in bytes, 0 for types unknown.
func (t Type) size() int {
	switch t {
	case "|u1", "|i1", "|b1":
		return 1
	case Float16, "<u2", "<i2":
		return 2
	case Float32, Int32, "<u4":
		return 4
	case Float64, Int64, "<u8":
		return 8
	}
	return 0
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

// decode turns len(out) numbers of b into float64.
func (t Type) decode(out []float64, b []byte) {
	le := binary.LittleEndian
	for k := range out {
		switch t {
		case "|u1":
			out[k] = float64(b[k])
		case "|b1":
			out[k] = 0
			if b[k] != 0 {
				out[k] = 1
			}
		case "|i1":
			out[k] = float64(int8(b[k]))
		case "<u2":
			out[k] = float64(le.Uint16(b[2*k:]))
		case "<i2":
			out[k] = float64(int16(le.Uint16(b[2*k:])))
		case Float16:
			out[k] = float64(float16.Frombits(le.Uint16(b[2*k:])).Float32())
		case "<u4":
			out[k] = float64(le.Uint32(b[4*k:]))
		case Int32:
			out[k] = float64(int32(le.Uint32(b[4*k:])))
		case Float32:
			out[k] = float64(math.Float32frombits(le.Uint32(b[4*k:])))
		case "<u8":
			out[k] = float64(le.Uint64(b[8*k:]))
		case Int64:
			out[k] = float64(int64(le.Uint64(b[8*k:])))
		case Float64:
			out[k] = math.Float64frombits(le.Uint64(b[8*k:]))
		}
	}
}

const magic = "\x93NUMPY"

// header is that of a C-ordered array: magic, version, length of the text, and
// the text, padded so that the numbers begin at a multiple of 64.
func header(t Type, shape []int) []byte {
	var dims strings.Builder
	for _, n := range shape {
		fmt.Fprintf(&dims, "%d, ", n)
	}
	list := dims.String()
	if len(shape) > 1 {
		list = strings.TrimSuffix(list, ", ")
	} else {
		list = strings.TrimSuffix(list, " ") // a tuple of one: (N,)
	}
	text := []byte(fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': (%s), }", t, list))
	pad := 63 - (len(magic)+4+len(text))%64
	text = append(append(text, bytes.Repeat([]byte(" "), pad)...), '\n')
	b := append([]byte(magic), 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(text)))
	return append(b, text...)
}
