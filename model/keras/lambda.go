package keras

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// A pyExpr is what a Lambda layer's function returns, in terms of its arguments. The
// function is Python's bytecode (3.6 to 3.13), which is followed instruction by
// instruction and never run: only straight calls, indexing and arithmetic are known.
type pyExpr struct {
	op    string // "arg", "const", "global", "call", "index", "slice", "tuple", "binary"
	name  string // of a global, with dots; of a binary operation
	value any    // of a constant; the number of an argument
	parts []*pyExpr
	named map[string]*pyExpr // keyword arguments of a call
}

const lambdaAdvice = "read are slices, such as x[:, :16], and tf's, Keras' and arithmetic operations on the layer's input; replace the layer by those of Keras (Cropping2D, Reshape, Rescaling, …) and save the model again, or save it with tf2onnx or as a frozen graph"

// lambda reads the function of a Lambda layer.
func (c *layerConfig) lambda() (*pyExpr, error) {
	var cfg struct {
		Function  json.RawMessage            `json:"function"`
		Type      string                     `json:"function_type"`
		Arguments map[string]json.RawMessage `json:"arguments"`
	}
	if err := c.read(&cfg); err != nil {
		return nil, err
	}
	if len(cfg.Arguments) > 0 {
		return nil, fmt.Errorf("its function has further arguments; %s", lambdaAdvice)
	}
	var wrapped struct { // of Keras 3, and of Keras 2.13 on
		Class  string          `json:"class_name"`
		Config json.RawMessage `json:"config"`
	}
	raw := cfg.Function
	if json.Unmarshal(raw, &wrapped) == nil && wrapped.Class == "__lambda__" {
		raw = wrapped.Config
	}
	var three []json.RawMessage
	if json.Unmarshal(raw, &three) != nil {
		var form struct {
			Code     json.RawMessage `json:"code"`
			Value    json.RawMessage `json:"value"`
			Defaults json.RawMessage `json:"defaults"`
			Closure  json.RawMessage `json:"closure"`
		}
		if json.Unmarshal(raw, &form) == nil {
			three = []json.RawMessage{form.Code, form.Defaults, form.Closure}
			if form.Value != nil && json.Unmarshal(form.Value, &three) != nil {
				three[0] = form.Value
			}
		}
	}
	var text string
	if len(three) == 0 || json.Unmarshal(three[0], &text) != nil {
		return nil, fmt.Errorf("its function is known by name only (%.80s), and the file does not say what it does; %s", raw, lambdaAdvice)
	}
	var values [2][]any // defaults, closure
	for i := range values {
		if len(three) > i+1 {
			_ = json.Unmarshal(three[i+1], &values[i]) // none, or something that no slice uses
		}
	}
	data, err := base64.StdEncoding.DecodeString(strings.NewReplacer("\n", "", "\r", "").Replace(text))
	if err != nil {
		return nil, fmt.Errorf("its function: %w", err)
	}
	code, err := parseMarshal(data)
	if err != nil {
		return nil, fmt.Errorf("its function: %w; %s", err, lambdaAdvice)
	}
	e, err := code.follow(values[0], values[1])
	if err != nil {
		return nil, fmt.Errorf("its function: %w; %s", err, lambdaAdvice)
	}
	return e, nil
}

// The instructions that are known, by the numbers of Python 3.6 to 3.12, and of 3.13.
// Those that change nothing of what is computed are "".
var (
	instructions = map[byte]string{
		0: "", 9: "", 151: "", 149: "", 166: "", 135: "odd",
		2: "null", 11: "negative", 19: "power", 20: "multiply", 22: "floordiv", 23: "add", 24: "subtract", 27: "truediv",
		25: "index", 26: "slice", 83: "return", 121: "returnConst", 100: "const", 102: "tuple", 103: "tuple", 106: "attribute",
		116: "global", 122: "binary", 124: "local", 125: "store", 131: "callFunction", 133: "buildSlice", 136: "free", 137: "free",
		141: "callNamed", 144: "extended", 160: "method", 161: "callMethod", 162: "extend", 171: "call", 172: "names", 82: "",
	}
	instructions313 = map[byte]string{
		0: "", 30: "", 149: "", 62: "", 34: "null", 42: "negative", 5: "index", 4: "slice", 36: "return", 103: "returnConst", 83: "const",
		52: "tuple", 47: "tuple", 82: "attribute", 91: "global", 45: "binary", 85: "local", 88: "locals", 110: "store", 50: "buildSlice",
		84: "free", 71: "extended", 81: "extend", 53: "call", 57: "callKw",
	}
	binaries = map[int]string{0: "add", 2: "floordiv", 5: "multiply", 8: "power", 10: "subtract", 11: "truediv", 13: "add", 18: "multiply", 23: "subtract", 24: "truediv"}
)

var errLambda = errors.New("it does what is not read")

// A follower is a function being followed.
type follower struct {
	c        *pyCode
	newer    int // 0 before 3.11; 11, 12, 13
	stack    []*pyExpr
	local    map[int]*pyExpr
	closure  []any
	keywords []string // for the next call
}

// follow gives what the function returns. defaults are its last parameters' values,
// closure those of the variables around it.
func (c *pyCode) follow(defaults, closure []any) (*pyExpr, error) {
	f := &follower{c: c, closure: closure, local: map[int]*pyExpr{}}
	if c.layout == layout311 {
		f.newer = 12
		for i := 0; i+1 < len(c.code); i += 2 {
			if c.code[i] == 166 && f.newer != 13 { // PRECALL
				f.newer = 11
			}
			if i == 0 && c.code[0] == 149 && c.code[1] == 0 || i == 2 && c.code[2] == 149 && c.code[0] == 62 {
				f.newer = 13 // its RESUME
			}
		}
	}
	for i := range c.args {
		f.local[i] = &pyExpr{op: "arg", value: i}
		if d := i - (c.args - len(defaults)); d >= 0 && i > 0 {
			f.local[i] = constant(defaults[d])
		}
	}
	table, high := instructions, 0
	if f.newer == 13 {
		table = instructions313
	}
	for i := 0; i+1 < len(c.code); i += 2 {
		op, known := table[c.code[i]]
		arg := high<<8 | int(c.code[i+1])
		if !known {
			return nil, fmt.Errorf("%w (instruction %d)", errLambda, c.code[i])
		}
		if high = 0; op == "extended" {
			high = arg & 0xffff
			continue
		}
		if done, err := f.step(op, arg); err != nil || done != nil {
			return done, err
		}
	}
	return nil, errLambda
}

func constant(v any) *pyExpr { return constantOf(v, 0) }

// constantOf takes lists as no slice or padding needs longer or deeper ones: in a file
// the same list may be named many times over.
func constantOf(v any, depth int) *pyExpr {
	list, ok := v.(pyTuple)
	if other, is := v.([]any); is {
		list, ok = other, true
	}
	if !ok {
		return &pyExpr{op: "const", value: v}
	}
	if len(list) > 64 || depth > 2 {
		return &pyExpr{op: "const", value: pyOther{}}
	}
	e := &pyExpr{op: "tuple"}
	for _, x := range list {
		e.parts = append(e.parts, constantOf(x, depth+1))
	}
	return e
}

func (f *follower) push(e *pyExpr) { f.stack = append(f.stack, e) }

// pop takes the last n, in their order.
func (f *follower) pop(n int) ([]*pyExpr, error) {
	if n < 0 || n > len(f.stack) {
		return nil, errLambda
	}
	at := len(f.stack) - n
	out := slices.Clone(f.stack[at:])
	f.stack = f.stack[:at]
	return out, nil
}

// step follows an instruction. It gives what the function returns, at its end.
func (f *follower) step(op string, arg int) (*pyExpr, error) {
	switch op {
	case "":
	case "null":
		f.push(nil)
	case "const", "returnConst":
		if arg >= len(f.c.consts) {
			return nil, errLambda
		}
		e := constant(f.c.consts[arg])
		if op == "returnConst" {
			return e, nil
		}
		f.push(e)
	case "local":
		return nil, f.load(arg)
	case "locals":
		return nil, errors.Join(f.load(arg>>4), f.load(arg&15))
	case "store":
		v, err := f.pop(1)
		if err != nil {
			return nil, err
		}
		f.local[arg] = v[0]
	case "free":
		return nil, f.loadFree(arg)
	case "global", "attribute", "method":
		return nil, f.name(op, arg)
	case "return":
		v, err := f.pop(1)
		if err != nil || v[0] == nil {
			return nil, errLambda
		}
		return v[0], nil
	case "names":
		if arg >= len(f.c.consts) {
			return nil, errLambda
		}
		var err error
		f.keywords, err = words(f.c.consts[arg])
		return nil, err
	case "call", "callFunction", "callMethod", "callNamed", "callKw":
		return nil, f.call(op, arg)
	default:
		return nil, f.combine(op, arg)
	}
	return nil, nil
}

func (f *follower) load(k int) error {
	v := f.local[k]
	if v == nil {
		return errLambda
	}
	f.push(v)
	return nil
}

func (f *follower) loadFree(arg int) error {
	k := arg - f.c.cells
	if f.newer > 0 {
		k = 0
		for i, kind := range f.c.kinds[:min(arg, len(f.c.kinds))] {
			if kind&0x80 != 0 && i < arg {
				k++
			}
		}
	}
	if k < 0 || k >= len(f.closure) {
		return fmt.Errorf("%w (a variable from outside of it)", errLambda)
	}
	f.push(constant(f.closure[k]))
	return nil
}

// name follows a global name, or an attribute of one.
func (f *follower) name(op string, arg int) error {
	called := false // a mark of nothing goes with it, to be taken away by the call
	if f.newer >= 11 && op == "global" || f.newer >= 12 && op == "attribute" {
		called, arg = arg&1 != 0, arg>>1
	}
	called = called || op == "method"
	if arg >= len(f.c.names) {
		return errLambda
	}
	e := &pyExpr{op: "global", name: f.c.names[arg]}
	if op != "global" {
		of, err := f.pop(1)
		if err != nil || of[0] == nil || of[0].op != "global" {
			return fmt.Errorf("%w (the attribute %s)", errLambda, e.name)
		}
		e.name = of[0].name + "." + e.name
	}
	switch {
	case called && (f.newer == 11 || f.newer == 12):
		f.push(nil)
		f.push(e)
	case called:
		f.push(e)
		f.push(nil)
	default:
		f.push(e)
	}
	return nil
}

func (f *follower) call(op string, n int) error {
	if op == "callNamed" || op == "callKw" {
		v, err := f.pop(1)
		if err != nil || v[0] == nil || v[0].op != "tuple" {
			return errLambda
		}
		f.keywords = nil
		for _, p := range v[0].parts {
			name, ok := p.value.(string)
			if !ok {
				return errLambda
			}
			f.keywords = append(f.keywords, name)
		}
	}
	args, err := f.pop(n)
	if err != nil {
		return err
	}
	size := 2
	if op == "callFunction" || op == "callNamed" {
		size = 1
	}
	of, err := f.pop(size)
	if err != nil {
		return err
	}
	of = slices.DeleteFunc(of, func(e *pyExpr) bool { return e == nil })
	if len(of) != 1 || of[0].op != "global" || len(f.keywords) > len(args) || slices.Contains(args, nil) {
		return errLambda
	}
	e := &pyExpr{op: "call", name: of[0].name, parts: args[:len(args)-len(f.keywords)], named: map[string]*pyExpr{}}
	for i, name := range f.keywords {
		e.named[name] = args[len(e.parts)+i]
	}
	f.keywords = nil
	f.push(e)
	return nil
}

// combine follows an instruction that makes one value of those before it.
func (f *follower) combine(op string, arg int) error {
	n := map[string]int{"index": 2, "slice": 3, "tuple": arg, "buildSlice": arg, "extend": 2, "negative": 1}[op]
	name := op
	if op == "binary" {
		if name = binaries[arg]; name == "" {
			return errLambda
		}
	}
	if n == 0 && op != "tuple" {
		n = 2
	}
	if op == "odd" {
		return errLambda
	}
	v, err := f.pop(n)
	if err != nil || slices.Contains(v, nil) {
		return errLambda
	}
	e := &pyExpr{op: "binary", name: name, parts: v}
	switch op {
	case "index", "tuple":
		e.op = op
	case "slice":
		e = &pyExpr{op: "index", parts: []*pyExpr{v[0], {op: "slice", parts: v[1:]}}}
	case "buildSlice":
		e.op = "slice"
	case "negative":
		e.op = "call"
		if v[0].op == "const" {
			if x, ok := v[0].value.(float64); ok {
				e = constant(-x)
			}
		}
	case "extend":
		if v[0].op != "tuple" || v[1].op != "tuple" || len(v[0].parts)+len(v[1].parts) > 64 {
			return errLambda
		}
		e = &pyExpr{op: "tuple", parts: append(slices.Clone(v[0].parts), v[1].parts...)}
	}
	f.push(e)
	return nil
}
