package tensorflow

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"barrow/model/tensorflow/internal/graphpb"
)

// A tensor holds 32-bit floating-point numbers in f or, of the other types, whole
// ones in i; truth values are 0 and 1.
type tensor struct {
	kind  graphpb.DataType
	shape []int
	f     []float32
	i     []int64
}

const (
	float     = graphpb.DataType_DT_FLOAT
	int32Kind = graphpb.DataType_DT_INT32
	int64Kind = graphpb.DataType_DT_INT64
	boolean   = graphpb.DataType_DT_BOOL
)

// maxElements is the size of the largest tensor that is made.
const maxElements = 1 << 24

// sizeOf checks a shape and multiplies it.
func sizeOf(shape []int) (int, error) {
	n := 1
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("a tensor of the shape %v, of negative size", shape)
		}
		if d > 0 && n > maxElements/d {
			return 0, fmt.Errorf("a tensor of the shape %v, of more than %d numbers", shape, maxElements)
		}
		n *= d
	}
	return n, nil
}

func newTensor(kind graphpb.DataType, shape []int) (*tensor, error) {
	n, err := sizeOf(shape)
	if err != nil {
		return nil, err
	}
	t := &tensor{kind: kind, shape: shape}
	switch kind {
	case float:
		t.f = make([]float32, n)
	case int32Kind, int64Kind, boolean:
		t.i = make([]int64, n)
	default:
		return nil, fmt.Errorf("numbers of the type %v; known are DT_FLOAT, DT_INT32, DT_INT64 and DT_BOOL", kind)
	}
	return t, nil
}

func (t *tensor) size() int { return max(len(t.f), len(t.i)) }

// with is the same numbers in another shape of the same size.
func (t *tensor) with(shape []int) *tensor { return &tensor{t.kind, shape, t.f, t.i} }

// whole gives whole numbers, as those of a shape.
func (t *tensor) whole() ([]int, error) {
	if t.kind == float || len(t.shape) > 1 {
		return nil, fmt.Errorf("%v of the shape %v where whole numbers in a row are wanted", t.kind, t.shape)
	}
	out := make([]int, len(t.i))
	for k, v := range t.i {
		if v < math.MinInt32 || v > math.MaxInt32 {
			return nil, fmt.Errorf("the number %d is out of all range", v)
		}
		out[k] = int(v)
	}
	return out, nil
}

// dims are those of a shape in a file; −1 is any, if it is allowed.
func dims(s *graphpb.TensorShapeProto, unknown bool) ([]int, error) {
	if s.GetUnknownRank() {
		return nil, errors.New("a shape of any number of dimensions; the graph must say how many")
	}
	out := []int{}
	for _, d := range s.GetDim() {
		switch {
		case d.Size < -1 || d.Size == -1 && !unknown:
			return nil, fmt.Errorf("a dimension of size %d", d.Size)
		case d.Size > maxElements:
			return nil, fmt.Errorf("a dimension of size %d, more than %d", d.Size, maxElements)
		}
		out = append(out, int(d.Size))
	}
	return out, nil
}

// constantOf is a tensor as files keep it: raw, or as a list, whose last number
// stands for all that follow.
func constantOf(p *graphpb.TensorProto) (*tensor, error) {
	if p == nil {
		return nil, errors.New("a constant without a value")
	}
	shape, err := dims(p.GetTensorShape(), false)
	if err != nil {
		return nil, err
	}
	n, err := sizeOf(shape)
	if err != nil {
		return nil, err
	}
	width := map[graphpb.DataType]int{float: 4, int32Kind: 4, int64Kind: 8, boolean: 1}[p.GetDtype()]
	raw := p.GetTensorContent()
	if len(raw) > 0 && width > 0 && len(raw) != n*width {
		return nil, fmt.Errorf("%d bytes for a tensor of the shape %v, which has %d", len(raw), shape, n*width)
	}
	// A constant may be one number for a large tensor: that is made only where the
	// file's own size answers for it, or it is no larger than any network's.
	if listed := max(len(raw), len(p.FloatVal), len(p.IntVal), len(p.Int64Val), len(p.BoolVal)); n > 1<<20 && n > 1<<10*listed {
		return nil, fmt.Errorf("a constant of the shape %v with %d numbers given", shape, listed)
	}
	t, err := newTensor(p.GetDtype(), shape)
	if err != nil {
		return nil, err
	}
	if len(raw) > 0 {
		t.decode(raw)
		return t, nil
	}
	switch t.kind {
	case float:
		err = spread(t.f, p.FloatVal, func(v float32) float32 { return v })
	case int32Kind:
		err = spread(t.i, p.IntVal, func(v int32) int64 { return int64(v) })
	case int64Kind:
		err = spread(t.i, p.Int64Val, func(v int64) int64 { return v })
	case boolean:
		err = spread(t.i, p.BoolVal, number)
	}
	return t, err
}

func (t *tensor) decode(raw []byte) {
	for k := range t.f {
		t.f[k] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*k:]))
	}
	for k := range t.i {
		switch t.kind {
		case int32Kind:
			t.i[k] = int64(int32(binary.LittleEndian.Uint32(raw[4*k:])))
		case int64Kind:
			t.i[k] = int64(binary.LittleEndian.Uint64(raw[8*k:]))
		default:
			t.i[k] = number(raw[k] != 0)
		}
	}
}

func number(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

func spread[A, B any](to []A, from []B, as func(B) A) error {
	if len(from) > len(to) {
		return fmt.Errorf("%d numbers for a tensor of %d", len(from), len(to))
	}
	for k := range to {
		if len(from) > 0 {
			to[k] = as(from[min(k, len(from)-1)])
		}
	}
	return nil
}

// steps are how far apart neighbours along each dimension are.
func steps(shape []int) []int {
	out := make([]int, len(shape))
	n := 1
	for d := len(shape) - 1; d >= 0; d-- {
		out[d] = n
		n *= shape[d]
	}
	return out
}

// pick makes a tensor of the shape whose number k is that of t at at(k), or, where
// that is negative, fill.
func (t *tensor) pick(shape []int, fill float32, at func(index []int) int) (*tensor, error) {
	out, err := newTensor(t.kind, shape)
	if err != nil {
		return nil, err
	}
	index := make([]int, len(shape))
	for k := range out.size() {
		from := at(index)
		switch {
		case t.kind == float && from < 0:
			out.f[k] = fill
		case from < 0:
			out.i[k] = int64(fill)
		case t.kind == float:
			out.f[k] = t.f[from]
		default:
			out.i[k] = t.i[from]
		}
		for d := len(shape) - 1; d >= 0; d-- {
			if index[d]++; index[d] < shape[d] {
				break
			}
			index[d] = 0
		}
	}
	return out, nil
}
