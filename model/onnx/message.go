package onnx

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// The messages of onnx.proto3, as far as they are used.
type (
	modelProto struct {
		ir       int64
		producer string
		opsets   []opset
		graph    *graphProto
	}
	opset struct {
		domain  string
		version int64
	}
	graphProto struct {
		name            string
		nodes           []*nodeProto
		initializers    []*tensorProto
		inputs, outputs []*valueInfo
		values          []*valueInfo // of what lies between, for those who ask
	}
	nodeProto struct {
		name, op, domain string
		doc              string
		in, out          []string
		attrs            []*attribute
	}
	attribute struct {
		name   string
		kind   int64 // of the constants below; 0 where a writer before IR 3 left it out
		f      float32
		i      int64
		s      []byte
		t      *tensorProto
		graph  bool // whether it holds a graph
		floats []float32
		ints   []int64
		strs   [][]byte

		decoded *tensor // what t is
	}
	tensorProto struct {
		name     string
		dims     []int64
		dtype    int64
		raw      []byte
		hasRaw   bool
		numbers  []float64 // of the typed fields
		external map[string]string
		outside  bool // the data lie in another file
	}
	valueInfo struct {
		other bool // a sequence, say: no tensor
		name  string
		dtype int64
		// shape has −1 for a length that is open, and is nil where even the number
		// of dimensions is.
		shape []int
		// params names the open lengths.
		params []string
	}
)

// Kinds of attributes.
const (
	attrFloat  = 1
	attrInt    = 2
	attrString = 3
	attrTensor = 4
	attrFloats = 6
	attrInts   = 7
	attrStrs   = 8
)

// maxItems bounds the fields of one message, so that a small file cannot describe
// an enormous one.
const maxItems = 1 << 20

// A field is one field of a message as it lies in the file.
type field struct {
	num  protowire.Number
	kind protowire.Type
	v    uint64 // of varints and fixed sizes
	b    []byte // of bytes
}

// fields calls f with every field of a message.
func fields(what string, b []byte, f func(field) error) error {
	for n := 0; len(b) > 0; n++ {
		if n >= maxItems {
			return fmt.Errorf("%s has more than %d fields", what, maxItems)
		}
		num, kind, k := protowire.ConsumeTag(b)
		if k < 0 {
			return fmt.Errorf("%s is cut off or damaged: %w", what, protowire.ParseError(k))
		}
		b = b[k:]
		x := field{num: num, kind: kind}
		switch kind {
		case protowire.VarintType:
			x.v, k = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var v uint32
			v, k = protowire.ConsumeFixed32(b)
			x.v = uint64(v)
		case protowire.Fixed64Type:
			x.v, k = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			x.b, k = protowire.ConsumeBytes(b)
		default:
			return fmt.Errorf("%s: field %d has the wire type %d, which no file of ONNX has", what, num, kind)
		}
		if k < 0 {
			return fmt.Errorf("%s, field %d, is cut off or damaged: %w", what, num, protowire.ParseError(k))
		}
		b = b[k:]
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// want is an error where a field is not of the type that the schema gives it.
func (x field) want(what string, kind protowire.Type) error {
	if x.kind != kind {
		return fmt.Errorf("%s: field %d has the wire type %d, want %d", what, x.num, x.kind, kind)
	}
	return nil
}

// repeated calls add with each number of a repeated field, packed or not.
func (x field) repeated(what string, kind protowire.Type, add func(uint64)) error {
	if x.kind == kind {
		add(x.v)
		return nil
	}
	if err := x.want(what, protowire.BytesType); err != nil {
		return err
	}
	for b := x.b; len(b) > 0; {
		var v uint64
		var k int
		switch kind {
		case protowire.VarintType:
			v, k = protowire.ConsumeVarint(b)
		case protowire.Fixed32Type:
			var w uint32
			w, k = protowire.ConsumeFixed32(b)
			v = uint64(w)
		default:
			v, k = protowire.ConsumeFixed64(b)
		}
		if k < 0 {
			return fmt.Errorf("%s, field %d, is cut off or damaged: %w", what, x.num, protowire.ParseError(k))
		}
		add(v)
		b = b[k:]
	}
	return nil
}

// varint and text read single fields; an error of the wire type is kept in err.
type reader struct {
	what string
	err  error
}

func (r *reader) varint(x field) int64 {
	if err := x.want(r.what, protowire.VarintType); err != nil && r.err == nil {
		r.err = err
	}
	return int64(x.v)
}

func (r *reader) bytes(x field) []byte {
	if err := x.want(r.what, protowire.BytesType); err != nil && r.err == nil {
		r.err = err
	}
	return x.b
}

func (r *reader) text(x field) string { return string(r.bytes(x)) }

func parseModel(b []byte) (*modelProto, error) {
	m := &modelProto{}
	r := &reader{what: "the model"}
	err := fields(r.what, b, func(x field) error {
		switch x.num {
		case 1:
			m.ir = r.varint(x)
		case 2:
			m.producer = r.text(x)
		case 7:
			g, err := parseGraph(r.bytes(x))
			if err != nil {
				return err
			}
			m.graph = g
		case 8:
			var o opset
			s := &reader{what: "an operator set"}
			if err := fields(s.what, r.bytes(x), func(x field) error {
				switch x.num {
				case 1:
					o.domain = s.text(x)
				case 2:
					o.version = s.varint(x)
				}
				return s.err
			}); err != nil {
				return err
			}
			m.opsets = append(m.opsets, o)
		case 25:
			return fmt.Errorf("the model defines operators of its own (functions), which is not supported: export it with them expanded")
		}
		return r.err
	})
	if err == nil && m.graph == nil {
		err = fmt.Errorf("it holds no graph, so it is no ONNX model")
	}
	return m, err
}

func parseGraph(b []byte) (*graphProto, error) {
	g := &graphProto{}
	r := &reader{what: "the graph"}
	err := fields(r.what, b, func(x field) error {
		switch x.num {
		case 1:
			n, err := parseNode(r.bytes(x), len(g.nodes))
			if err != nil {
				return err
			}
			g.nodes = append(g.nodes, n)
		case 2:
			g.name = r.text(x)
		case 5:
			t, err := parseTensor(r.bytes(x))
			if err != nil {
				return err
			}
			g.initializers = append(g.initializers, t)
		case 11, 12, 13:
			v, err := parseValue(r.bytes(x))
			if err != nil {
				return err
			}
			switch x.num {
			case 11:
				g.inputs = append(g.inputs, v)
			case 12:
				g.outputs = append(g.outputs, v)
			default:
				g.values = append(g.values, v)
			}
		case 15:
			return fmt.Errorf("the graph has sparse tensors, which are not supported: write them as dense ones")
		}
		return r.err
	})
	return g, err
}

func parseNode(b []byte, at int) (*nodeProto, error) {
	n := &nodeProto{}
	r := &reader{what: fmt.Sprintf("node %d", at)}
	err := fields(r.what, b, func(x field) error {
		switch x.num {
		case 1:
			n.in = append(n.in, r.text(x))
		case 2:
			n.out = append(n.out, r.text(x))
		case 3:
			n.name = r.text(x)
		case 4:
			n.op = r.text(x)
		case 5:
			a, err := parseAttribute(r.what, r.bytes(x))
			if err != nil {
				return err
			}
			for _, other := range n.attrs {
				if other.name == a.name {
					return fmt.Errorf("%s has the attribute %q twice", r.what, a.name)
				}
			}
			n.attrs = append(n.attrs, a)
		case 6:
			n.doc = r.text(x)
		case 7:
			n.domain = r.text(x)
		}
		return r.err
	})
	if n.domain == "ai.onnx" {
		n.domain = ""
	}
	return n, err
}

func parseAttribute(of string, b []byte) (*attribute, error) {
	a := &attribute{}
	r := &reader{what: "an attribute of " + of}
	err := fields(r.what, b, func(x field) (err error) {
		switch x.num {
		case 1:
			a.name = r.text(x)
		case 2:
			err = x.want(r.what, protowire.Fixed32Type)
			a.f = math.Float32frombits(uint32(x.v))
		case 3:
			a.i = r.varint(x)
		case 4:
			a.s = r.bytes(x)
		case 5:
			a.t, err = parseTensor(r.bytes(x))
		case 6, 11:
			a.graph = true
		case 7:
			err = x.repeated(r.what, protowire.Fixed32Type, func(v uint64) { a.floats = append(a.floats, math.Float32frombits(uint32(v))) })
		case 8:
			err = x.repeated(r.what, protowire.VarintType, func(v uint64) { a.ints = append(a.ints, int64(v)) })
		case 9:
			a.strs = append(a.strs, r.bytes(x))
		case 20:
			a.kind = r.varint(x)
		}
		if err == nil {
			err = r.err
		}
		return err
	})
	return a, err
}

func parseTensor(b []byte) (*tensorProto, error) {
	t := &tensorProto{}
	r := &reader{what: "a tensor"}
	err := fields(r.what, b, func(x field) (err error) {
		add := func(f func(uint64) float64) func(uint64) {
			return func(v uint64) { t.numbers = append(t.numbers, f(v)) }
		}
		switch x.num {
		case 1:
			err = x.repeated(r.what, protowire.VarintType, func(v uint64) { t.dims = append(t.dims, int64(v)) })
		case 2:
			t.dtype = r.varint(x)
		case 3:
			return fmt.Errorf("a tensor in segments is not supported: write it whole")
		case 4:
			err = x.repeated(r.what, protowire.Fixed32Type, add(func(v uint64) float64 { return float64(math.Float32frombits(uint32(v))) }))
		case 5:
			err = x.repeated(r.what, protowire.VarintType, add(func(v uint64) float64 { return float64(int32(v)) }))
		case 7:
			err = x.repeated(r.what, protowire.VarintType, add(func(v uint64) float64 { return float64(int64(v)) }))
		case 8:
			t.name = r.text(x)
			r.what = fmt.Sprintf("tensor %q", t.name)
		case 9:
			t.raw, t.hasRaw = r.bytes(x), true
		case 10:
			err = x.repeated(r.what, protowire.Fixed64Type, add(math.Float64frombits))
		case 11:
			err = x.repeated(r.what, protowire.VarintType, add(func(v uint64) float64 { return float64(v) }))
		case 13:
			err = t.addExternal(r, r.bytes(x))
		case 14:
			t.outside = r.varint(x) == 1
		}
		if err == nil {
			err = r.err
		}
		return err
	})
	return t, err
}

func (t *tensorProto) addExternal(of *reader, b []byte) error {
	var k, v string
	r := &reader{what: of.what}
	err := fields(r.what, b, func(x field) error {
		switch x.num {
		case 1:
			k = r.text(x)
		case 2:
			v = r.text(x)
		}
		return r.err
	})
	if t.external == nil {
		t.external = map[string]string{}
	}
	t.external[k] = v
	return err
}

func parseValue(b []byte) (*valueInfo, error) {
	v := &valueInfo{}
	r := &reader{what: "an input or output"}
	// ValueInfoProto.type (2), TypeProto.tensor_type (1) of elem_type (1) and shape
	// (2), TensorShapeProto.dim (1) of dim_value (1) or dim_param (2).
	dim := func(x field) error {
		d := -1
		param := ""
		if err := fields(r.what, r.bytes(x), func(x field) error {
			switch x.num {
			case 1:
				n := r.varint(x)
				if n < 0 || n > maxSize {
					return fmt.Errorf("%s %q has a dimension of %d, want 0 to %d", r.what, v.name, n, int64(maxSize))
				}
				d = int(n)
			case 2:
				param = r.text(x)
			}
			return r.err
		}); err != nil {
			return err
		}
		v.shape = append(v.shape, d)
		v.params = append(v.params, param)
		return nil
	}
	tensor := func(x field) error {
		return fields(r.what, r.bytes(x), func(x field) error {
			switch x.num {
			case 1:
				v.dtype = r.varint(x)
			case 2:
				v.shape = []int{}
				return fields(r.what, r.bytes(x), func(x field) error {
					if x.num != 1 {
						return r.err
					}
					return dim(x)
				})
			}
			return r.err
		})
	}
	err := fields(r.what, b, func(x field) error {
		switch x.num {
		case 1:
			v.name = r.text(x)
		case 2:
			return fields(r.what, r.bytes(x), func(x field) error {
				switch x.num {
				case 1:
					return tensor(x)
				case 4, 5, 8, 9:
					v.other = true
				}
				return r.err
			})
		}
		return r.err
	})
	return v, err
}
