package worker

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
)

// Protocol is the version of the protocol. It goes up when a client of the version
// before would be misunderstood or would misunderstand.
const Protocol = 1

// maxFrame is the most bytes that a frame may have after its length: the arrays are
// elsewhere, so a longer one is no frame.
const maxFrame = 16 << 20

// The types of request.
const (
	typeHello uint16 = 1 + iota
	typeOpen
	typeCall
	typeClose
)

// The sizes of what is fixed in frames, the length of the frame itself left out.
const (
	requestHead = 36
	replyHead   = 36
	arrayHead   = 16
)

// maxRow bounds the number of a request's first row, so that rows can be counted from it.
const maxRow = math.MaxInt64 / 2

// maxRank bounds the dimensions of an array, as NumPy does.
const maxRank = 32

// A kind of element, as the wire has it.
type dtype uint8

const (
	tFloat64 dtype = 1 + iota
	tFloat32
	tInt64
	tInt32
	tUint8
	tUint16
	tUint32
	tUint64
)

var dtypes = [...]struct {
	name string
	size int
}{tFloat64: {"float64", 8}, tFloat32: {"float32", 4}, tInt64: {"int64", 8}, tInt32: {"int32", 4},
	tUint8: {"uint8", 1}, tUint16: {"uint16", 2}, tUint32: {"uint32", 4}, tUint64: {"uint64", 8}}

func (d dtype) known() bool { return d >= tFloat64 && int(d) < len(dtypes) }
func (d dtype) String() string {
	if !d.known() {
		return fmt.Sprintf("type %d", uint8(d))
	}
	return dtypes[d].name
}

// An array is an entry of a frame's table: where in the mapped file the elements lie,
// row by row.
type array struct {
	name   string
	offset int64
	dtype  dtype
	shape  []int
	bytes  int64 // product of the shape and the element's size
}

// A request is a frame from the client.
type request struct {
	kind   uint16
	id     uint64
	handle uint64
	row    uint64
	name   string
	in     []array
	out    []array
	params []byte
}

// parse takes a frame apart, without its length. The request's params lie in the frame.
func parse(b []byte, r *request) error {
	*r = request{in: r.in[:0], out: r.out[:0]}
	if len(b) < requestHead {
		return fmt.Errorf("worker: a frame of %d bytes: a request has at least %d", len(b), requestHead)
	}
	le := binary.LittleEndian
	r.kind = le.Uint16(b)
	version := le.Uint16(b[2:])
	r.id = le.Uint64(b[4:])
	if version != Protocol {
		return &versionError{client: version}
	}
	r.handle, r.row = le.Uint64(b[12:]), le.Uint64(b[20:])
	params, name, in, out := int(le.Uint32(b[28:])), int(le.Uint16(b[32:])), int(b[34]), int(b[35])
	if r.kind < typeHello || r.kind > typeClose {
		return fmt.Errorf("worker: request of type %d: there are %d to %d", r.kind, typeHello, typeClose)
	}
	if r.row > maxRow {
		return fmt.Errorf("worker: the first row is said to be number %d", r.row)
	}
	rest := b[requestHead:]
	if name > len(rest) {
		return fmt.Errorf("worker: the frame ends within the request's name")
	}
	r.name, rest = string(rest[:name]), rest[name:]
	for i := range in + out {
		a, more, err := parseArray(rest)
		if err != nil {
			return fmt.Errorf("worker: array %d of request %q: %w", i, r.name, err)
		}
		if rest = more; i < in {
			r.in = append(r.in, a)
		} else {
			r.out = append(r.out, a)
		}
	}
	if len(rest) != params {
		return fmt.Errorf("worker: request %q: %d bytes of parameters are announced, the frame has %d", r.name, params, len(rest))
	}
	r.params = rest
	return r.distinct()
}

// again says whether a frame is last's but for its number and first row, as one call of
// a loop after another is, and then only takes those over.
func (r *request) again(b, last []byte) bool {
	if len(b) != len(last) || len(b) < requestHead || !bytes.Equal(b[:4], last[:4]) ||
		!bytes.Equal(b[12:20], last[12:20]) || !bytes.Equal(b[28:], last[28:]) {
		return false
	}
	row := binary.LittleEndian.Uint64(b[20:])
	if row > maxRow {
		return false
	}
	r.id, r.row = binary.LittleEndian.Uint64(b[4:]), row
	r.params = b[len(b)-len(r.params):]
	return true
}

// distinct checks that names are given once and that no result lies on another array.
func (r *request) distinct() error {
	for i, o := range r.out {
		for _, a := range r.in {
			if overlap(a, o) {
				return fmt.Errorf("worker: request %q: the result %q lies on the array %q", r.name, o.name, a.name)
			}
		}
		for _, a := range r.out[:i] {
			if a.name == o.name || overlap(a, o) {
				return fmt.Errorf("worker: request %q: the result %q lies on the result %q or has its name", r.name, o.name, a.name)
			}
		}
	}
	for i, a := range r.in {
		for _, b := range r.in[:i] {
			if a.name == b.name {
				return fmt.Errorf("worker: request %q: two arrays have the name %q", r.name, a.name)
			}
		}
	}
	return nil
}

func overlap(a, b array) bool {
	return a.bytes > 0 && b.bytes > 0 && a.offset < b.offset+b.bytes && b.offset < a.offset+a.bytes
}

// parseArray takes an entry of the table off b.
func parseArray(b []byte) (a array, rest []byte, err error) {
	if len(b) < arrayHead {
		return a, nil, fmt.Errorf("the frame ends within the table")
	}
	le := binary.LittleEndian
	offset := le.Uint64(b)
	a.dtype = dtype(b[8])
	rank, name := int(b[9]), int(le.Uint16(b[10:]))
	if le.Uint32(b[12:]) != 0 {
		return a, nil, fmt.Errorf("bytes 12 to 15 of its entry are not 0")
	}
	if rank > maxRank {
		return a, nil, fmt.Errorf("%d dimensions; there may be %d", rank, maxRank)
	}
	if len(b) < arrayHead+8*rank+name {
		return a, nil, fmt.Errorf("the frame ends within the table")
	}
	a.name = string(b[arrayHead+8*rank:][:name])
	if !a.dtype.known() {
		return a, nil, fmt.Errorf("%q has elements of %v, which is none of the protocol's", a.name, a.dtype)
	}
	a.shape = make([]int, rank)
	for i := range a.shape {
		a.shape[i] = int(min(le.Uint64(b[arrayHead+8*i:]), math.MaxInt))
	}
	if err := a.measure(); err != nil {
		return a, nil, err
	}
	if offset > maxBytes || offset%uint64(dtypes[a.dtype].size) != 0 {
		return a, nil, fmt.Errorf("%q lies at offset %d: want a multiple of %d within the mapped file", a.name, offset, dtypes[a.dtype].size)
	}
	a.offset = int64(offset)
	return a, b[arrayHead+8*rank+name:], nil
}

// maxBytes bounds an array's size, and an offset: sums of them are numbers still.
const maxBytes = 1 << 60

// measure sets the array's size from its shape, which must be one that memory could hold
// even if a dimension that is 0 were 1.
func (a *array) measure() error {
	a.bytes = int64(dtypes[a.dtype].size)
	held, empty := a.bytes, false
	for _, d := range a.shape {
		switch {
		case d == 0:
			empty = true
		case d < 0 || int64(d) > maxBytes/held:
			return fmt.Errorf("the array %q of shape %v is more than memory can hold", a.name, a.shape)
		default:
			held *= int64(d)
		}
	}
	if a.bytes = held; empty {
		a.bytes = 0
	}
	return nil
}

// A reply is a frame from the worker.
type reply struct {
	id     uint64
	failed bool
	size   int64 // of the mapped file
	handle uint64
	arrays []array // those whose places the worker chose
	params []byte
}

// appendTo writes the reply as a frame, its length first.
func (r *reply) appendTo(b []byte) []byte {
	le := binary.LittleEndian
	start := len(b)
	b = le.AppendUint32(b, 0)
	status := uint16(0)
	if r.failed {
		status = 1
	}
	b = le.AppendUint16(b, status)
	b = le.AppendUint16(b, Protocol)
	b = le.AppendUint64(b, r.id)
	b = le.AppendUint64(b, uint64(r.size))
	b = le.AppendUint64(b, r.handle)
	b = le.AppendUint32(b, uint32(len(r.params)))
	b = le.AppendUint16(b, uint16(len(r.arrays)))
	b = le.AppendUint16(b, 0)
	for _, a := range r.arrays {
		b = a.appendTo(b)
	}
	b = append(b, r.params...)
	le.PutUint32(b[start:], uint32(len(b)-start-4))
	return b
}

func (a *array) appendTo(b []byte) []byte {
	le := binary.LittleEndian
	b = le.AppendUint64(b, uint64(a.offset))
	b = append(b, byte(a.dtype), byte(len(a.shape)))
	b = le.AppendUint16(b, uint16(len(a.name)))
	b = le.AppendUint32(b, 0)
	for _, d := range a.shape {
		b = le.AppendUint64(b, uint64(d))
	}
	return append(b, a.name...)
}

// decode reads params strictly into what v points to: unknown names, wrong types and
// anything behind the object are errors. No params are an empty object.
func decode(params []byte, v any) error {
	if len(params) == 0 {
		params = []byte("{}")
	}
	if bytes.Equal(bytes.TrimSpace(params), []byte("null")) {
		return fmt.Errorf("worker: parameters: null: want an object")
	}
	d := json.NewDecoder(bytes.NewReader(params))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		var other *json.UnmarshalTypeError
		if errors.As(err, &other) {
			return fmt.Errorf("worker: %s: want %s", cmp.Or(other.Field, "parameters"), inWords(other.Type))
		}
		return fmt.Errorf("worker: parameters: %w", err)
	}
	// More would not do: it takes a closing bracket for an end.
	if _, err := d.Token(); err != io.EOF {
		return fmt.Errorf("worker: parameters: something follows the object")
	}
	return nil
}

// inWords is what JSON calls values of a type.
func inWords(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Pointer:
		return inWords(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "a string"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return fmt.Sprintf("a whole number from 0 to %d", uint64(math.MaxUint64)>>(64-t.Bits()))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return "a whole number"
	case reflect.Slice, reflect.Array:
		return "a list"
	}
	return "an object"
}
