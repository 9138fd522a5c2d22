package onnx

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/x448/float16"

	"barrow/model"
)

// Types of numbers, as TensorProto.DataType has them.
const (
	typeFloat    = 1
	typeUint8    = 2
	typeInt8     = 3
	typeUint16   = 4
	typeInt16    = 5
	typeInt32    = 6
	typeInt64    = 7
	typeBool     = 9
	typeFloat16  = 10
	typeDouble   = 11
	typeUint32   = 12
	typeUint64   = 13
	typeBfloat16 = 16
)

// A numeric describes a type of numbers: bytes a number, and the range of a whole one.
type numeric struct {
	name     string
	size     int
	whole    bool
	unsigned bool
}

var numerics = map[int64]numeric{
	typeFloat: {"float32", 4, false, false}, typeDouble: {"float64", 8, false, false}, typeFloat16: {"float16", 2, false, false}, typeBfloat16: {"bfloat16", 2, false, false},
	typeInt8: {"int8", 1, true, false}, typeInt16: {"int16", 2, true, false}, typeInt32: {"int32", 4, true, false}, typeInt64: {"int64", 8, true, false},
	typeUint8: {"uint8", 1, true, true}, typeUint16: {"uint16", 2, true, true}, typeUint32: {"uint32", 4, true, true}, typeUint64: {"uint64", 8, true, true},
	typeBool: {"bool", 1, true, true},
}

// limits are the least and the largest number of a type.
func limits(dtype int64) (low, high float64) {
	kind := numerics[dtype]
	bits := float64(8 * kind.size)
	switch {
	case !kind.whole:
		return math.Inf(-1), math.Inf(1)
	case dtype == typeBool:
		return 0, 1
	case kind.unsigned:
		return 0, math.Exp2(bits) - 1
	}
	return -math.Exp2(bits - 1), math.Exp2(bits-1) - 1
}

// maxSize is the most numbers that a tensor may have: hundreds of times those of any
// network here.
const maxSize = 1 << 26

// A tensor is numbers in a shape, the last index running fastest. Whole numbers are
// exact up to 2^53.
type tensor struct {
	dtype int64
	shape []int
	data  []float64
}

// sizeOf is the number of elements of a shape, or an error for one that is negative
// or too large.
func sizeOf(shape []int) (int, error) {
	n := 1
	if len(shape) > 16 {
		return 0, fmt.Errorf("a shape of %d dimensions, at most 16 are supported", len(shape))
	}
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("the shape %v has a negative dimension", shape)
		}
		if d > 0 && n > maxSize/d {
			return 0, fmt.Errorf("the shape %v has more than %d numbers, which is not supported", shape, maxSize)
		}
		n *= d
	}
	return n, nil
}

// newTensor is one of zeros.
func newTensor(dtype int64, shape ...int) (*tensor, error) {
	n, err := sizeOf(shape)
	if err != nil {
		return nil, err
	}
	return &tensor{dtype, slices.Clone(shape), make([]float64, n)}, nil
}

func vectorOf(dtype int64, v ...int) *tensor {
	t := &tensor{dtype, []int{len(v)}, make([]float64, len(v))}
	for i, x := range v {
		t.data[i] = float64(x)
	}
	return t
}

// like is a tensor of the same numbers in another shape.
func (t *tensor) as(shape []int) *tensor { return &tensor{t.dtype, shape, t.data} }

// whole is whether the numbers are whole by their type.
func (t *tensor) whole() bool { return numerics[t.dtype].whole }

// settle rounds the numbers to what their type can hold.
func (t *tensor) settle() *tensor {
	for i, v := range t.data {
		t.data[i] = settle(t.dtype, v)
	}
	return t
}

func settle(dtype int64, v float64) float64 {
	switch dtype {
	case typeFloat:
		return float64(float32(v))
	case typeDouble:
		return v
	case typeFloat16:
		return float64(float16.Fromfloat32(float32(v)).Float32())
	case typeBfloat16:
		return bfloat(v)
	case typeBool:
		if v != 0 {
			return 1
		}
		return 0
	}
	if v != v {
		return 0
	}
	n := toInt(v)
	switch dtype {
	case typeInt8:
		return float64(int8(n))
	case typeInt16:
		return float64(int16(n))
	case typeInt32:
		return float64(int32(n))
	case typeUint8:
		return float64(uint8(n))
	case typeUint16:
		return float64(uint16(n))
	case typeUint32:
		return float64(uint32(n))
	}
	return math.Trunc(v)
}

// bfloat rounds to the nearest bfloat16, ties to even.
func bfloat(v float64) float64 {
	b := math.Float32bits(float32(v))
	if v != v {
		return v
	}
	b += 0x7fff + b>>16&1
	return float64(math.Float32frombits(b &^ 0xffff))
}

// toInt is v as a whole number, the largest or smallest where it is beyond.
func toInt(v float64) int {
	switch {
	case v != v:
		return 0
	case v >= 1<<63:
		return math.MaxInt
	case v <= -1<<63:
		return math.MinInt
	}
	return int(v)
}

// ints are the numbers of a whole tensor, for shapes and axes.
func (t *tensor) ints() []int {
	out := make([]int, len(t.data))
	for i, v := range t.data {
		out[i] = toInt(v)
	}
	return out
}

// decode makes a tensor of a message; dir is where the data of others lie.
func (p *tensorProto) decode(dir *beside) (*tensor, error) {
	fail := func(err error) error { return fmt.Errorf("tensor %q: %w", p.name, err) }
	kind, ok := numerics[p.dtype]
	if !ok {
		return nil, fail(fmt.Errorf("numbers of the type %d are not supported", p.dtype))
	}
	t := &tensor{dtype: p.dtype, shape: make([]int, len(p.dims))}
	for i, d := range p.dims {
		if d < 0 || d > maxSize {
			return nil, fail(fmt.Errorf("a dimension of %d, want 0 to %d", d, maxSize))
		}
		t.shape[i] = int(d)
	}
	n, err := sizeOf(t.shape)
	if err != nil {
		return nil, fail(err)
	}
	raw := p.raw
	if p.outside {
		if raw, err = dir.read(p.external, n*kind.size); err != nil {
			return nil, fail(err)
		}
	} else if !p.hasRaw {
		return t, p.decodeNumbers(t, n)
	}
	if len(raw) != n*kind.size {
		return nil, fail(fmt.Errorf("%d bytes of data, want %d for %v numbers of %s", len(raw), n*kind.size, t.shape, kind.name))
	}
	t.data = make([]float64, n)
	for i := range t.data {
		t.data[i] = number(p.dtype, raw[i*kind.size:])
	}
	return t, nil
}

// decodeNumbers takes the numbers of the typed fields.
func (p *tensorProto) decodeNumbers(t *tensor, n int) error {
	if len(p.numbers) != n {
		return fmt.Errorf("tensor %q: %d numbers, want %d for %v", p.name, len(p.numbers), n, t.shape)
	}
	t.data = slices.Clone(p.numbers)
	for i, v := range t.data {
		switch p.dtype { // kept as their bits
		case typeFloat16:
			t.data[i] = float64(float16.Frombits(uint16(int64(v))).Float32())
		case typeBfloat16:
			t.data[i] = float64(math.Float32frombits(uint32(uint16(int64(v))) << 16))
		}
	}
	return nil
}

// number is the one that b begins with.
func number(dtype int64, b []byte) float64 {
	le := binary.LittleEndian
	switch dtype {
	case typeFloat:
		return float64(math.Float32frombits(le.Uint32(b)))
	case typeDouble:
		return math.Float64frombits(le.Uint64(b))
	case typeFloat16:
		return float64(float16.Frombits(le.Uint16(b)).Float32())
	case typeBfloat16:
		return float64(math.Float32frombits(uint32(le.Uint16(b)) << 16))
	case typeInt8:
		return float64(int8(b[0]))
	case typeInt16:
		return float64(int16(le.Uint16(b)))
	case typeInt32:
		return float64(int32(le.Uint32(b)))
	case typeInt64:
		return float64(int64(le.Uint64(b)))
	case typeUint16:
		return float64(le.Uint16(b))
	case typeUint32:
		return float64(le.Uint32(b))
	case typeUint64:
		return float64(le.Uint64(b))
	}
	return float64(b[0])
}

// array is the tensor as other packages have it.
func (t *tensor) array() *model.Array {
	a := &model.Array{Type: model.Float32, Shape: t.shape, Data: t.data}
	switch {
	case t.dtype == typeDouble:
		a.Type = model.Float64
	case t.whole():
		a.Type = model.Int64
	}
	return a
}

// strides are the steps of the indices of a shape.
func strides(shape []int) []int {
	out := make([]int, len(shape))
	n := 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i] = n
		n *= shape[i]
	}
	return out
}

// walk calls f with the offsets that the given steps lead to, for every index of a
// shape, the last running fastest.
func walk(shape []int, steps [][]int, f func(i int, at []int)) {
	n, _ := sizeOf(shape)
	index, at := make([]int, len(shape)), make([]int, len(steps))
	for i := range n {
		f(i, at)
		for d := len(shape) - 1; d >= 0; d-- {
			index[d]++
			for k, s := range steps {
				at[k] += s[d]
			}
			if index[d] < shape[d] {
				break
			}
			for k, s := range steps {
				at[k] -= s[d] * shape[d]
			}
			index[d] = 0
		}
	}
}

// broadcast is the shape that tensors of these shapes have together.
func broadcast(shapes ...[]int) ([]int, error) {
	var out []int
	for _, s := range shapes {
		if len(s) > len(out) {
			out = append(slices.Repeat([]int{1}, len(s)-len(out)), out...)
		}
		for i, d := range s {
			at := &out[len(out)-len(s)+i]
			switch {
			case *at == d || d == 1:
			case *at == 1:
				*at = d
			default:
				return nil, fmt.Errorf("the shapes %v do not go together", shapes)
			}
		}
	}
	if out == nil {
		out = []int{}
	}
	_, err := sizeOf(out)
	return out, err
}

// spread are the strides of a tensor of shape within a broadcast one.
func spread(shape, to []int) []int {
	out, own := make([]int, len(to)), strides(shape)
	for i, d := range shape {
		if d != 1 {
			out[len(to)-len(shape)+i] = own[i]
		}
	}
	return out
}

// transpose orders the indices anew.
func (t *tensor) transpose(perm []int) *tensor {
	out := &tensor{t.dtype, make([]int, len(perm)), make([]float64, len(t.data))}
	steps, own := make([]int, len(perm)), strides(t.shape)
	for i, p := range perm {
		out.shape[i], steps[i] = t.shape[p], own[p]
	}
	walk(out.shape, [][]int{steps}, func(i int, at []int) { out.data[i] = t.data[at[0]] })
	return out
}
