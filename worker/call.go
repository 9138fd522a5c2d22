package worker

import (
	"encoding/json"
	"fmt"
	"slices"
	"unsafe"
)

// element is what arrays consist of.
type element interface {
	float64 | float32 | int64 | int32 | uint8 | uint16 | uint32 | uint64
}

func dtypeOf[T element]() dtype {
	var zero T
	switch any(zero).(type) {
	case float64:
		return tFloat64
	case float32:
		return tFloat32
	case int64:
		return tInt64
	case int32:
		return tInt32
	case uint8:
		return tUint8
	case uint16:
		return tUint16
	case uint32:
		return tUint32
	}
	return tUint64
}

// A call is what a handler is called with: a request's params and arrays, and where its
// results go. Views of arrays are valid until the handler returns.
type call struct {
	row    int // the number of the call's first row for the client's user, from 0
	arena  *arena
	in     []array
	out    []array
	params []byte
	of     any // the object that one is opened on, nil if on none

	end     int64   // of what is used of the arena
	written []bool  // which of out the handler has filled
	fresh   []array // results whose places the worker chose
	reply   []byte  // params of the reply
}

// begin sets the call up for a request whose arrays lie within the arena.
func (c *call) begin(r *request, a *arena) error {
	*c = call{row: int(r.row), arena: a, in: r.in, out: r.out, params: r.params, written: c.written[:0], fresh: c.fresh[:0]}
	for _, x := range c.in {
		c.end = max(c.end, x.offset+x.bytes)
	}
	for _, x := range c.out {
		c.end = max(c.end, x.offset+x.bytes)
		c.written = append(c.written, false)
	}
	return a.reach(c.end)
}

// decode reads the params strictly into what v points to.
func (c *call) decode(v any) error { return decode(c.params, v) }

// answer sets the params of the reply.
func (c *call) answer(v any) (err error) {
	c.reply, err = json.Marshal(v)
	return err
}

// shape has the dimensions of an array of the request, nil where there is none of the
// name.
func (c *call) shape(name string) []int {
	for i := range c.in {
		if c.in[i].name == name {
			return c.in[i].shape
		}
	}
	return nil
}

// has says whether the request has an array of the name.
func (c *call) has(name string) bool {
	return slices.ContainsFunc(c.in, func(a array) bool { return a.name == name })
}

// wants says whether the client has made room for a result of the name.
func (c *call) wants(name string) bool {
	return slices.ContainsFunc(c.out, func(a array) bool { return a.name == name })
}

// in is an array of the request, as a view of the mapped file: of this element, and of
// the given shape, where -1 stands for any dimension.
func in[T element](c *call, name string, shape ...int) ([]T, error) {
	for i := range c.in {
		if c.in[i].name == name {
			if err := c.in[i].fits(dtypeOf[T](), shape); err != nil {
				return nil, err
			}
			return view[T](c.arena, &c.in[i]), nil
		}
	}
	return nil, fmt.Errorf("worker: the array %q is missing", name)
}

// out is room for a result, of the given shape: where the client wants it, which then must
// have made room for this shape, or else anew behind all that is in use. New room is not
// cleared.
func out[T element](c *call, name string, shape ...int) ([]T, error) {
	a, err := c.place(name, dtypeOf[T](), shape)
	if err != nil {
		return nil, err
	}
	return view[T](c.arena, a), nil
}

// place is where a result goes.
func (c *call) place(name string, d dtype, shape []int) (*array, error) {
	for i := range c.out {
		if c.out[i].name == name {
			if err := c.out[i].fits(d, shape); err != nil {
				return nil, err
			}
			c.written[i] = true
			return &c.out[i], nil
		}
	}
	if slices.ContainsFunc(c.fresh, func(a array) bool { return a.name == name }) {
		return nil, &failure{Kind: kindInternal, Message: fmt.Sprintf("worker: two results %q", name)}
	}
	a := array{name: name, dtype: d, shape: slices.Clone(shape)}
	if err := a.measure(); err != nil {
		return nil, err
	}
	a.offset = (c.end + alignment - 1) &^ (alignment - 1)
	if err := c.arena.grow(a.offset + a.bytes); err != nil {
		return nil, err
	}
	c.end = a.offset + a.bytes
	c.fresh = append(c.fresh, a)
	return &c.fresh[len(c.fresh)-1], nil
}

// fits holds an array to what a handler needs.
func (a *array) fits(d dtype, shape []int) error {
	if a.dtype != d {
		return fmt.Errorf("worker: the array %q has elements of %v, want %v", a.name, a.dtype, d)
	}
	ok := len(a.shape) == len(shape)
	for i := 0; ok && i < len(shape); i++ {
		ok = shape[i] < 0 || a.shape[i] == shape[i]
	}
	if !ok {
		return fmt.Errorf("worker: the array %q has the shape %v, want %v (-1: any)", a.name, a.shape, shape)
	}
	return nil
}

// view is an array of the arena, which reaches as far.
func view[T element](a *arena, x *array) []T {
	b := a.bytes(x)
	if len(b) == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/dtypes[x.dtype].size)
}

// finish checks that the handler has filled all results that the client made room for.
func (c *call) finish() error {
	for i, w := range c.written {
		if !w {
			return fmt.Errorf("worker: there is no result %q", c.out[i].name)
		}
	}
	return nil
}
