package keras

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"barrow/model"
)

// An execution runs a model as it stands, layer by layer, whatever graph they make. It
// serves models that are no chain of nn's layers; sums are formed in double precision
// and results rounded to single.
type execution struct {
	c      *config
	inputs []*layerConfig
	arrays map[*layerConfig]map[string]*block
}

// A block is an array, samples first.
type block struct {
	shape []int
	data  []float64
}

func newBlock(shape ...int) (*block, error) {
	n := 1
	for _, d := range shape {
		if d < 0 || d > 0 && n > maxBlock/d {
			return nil, fmt.Errorf("an array of %v numbers is more than is supported", shape)
		}
		n *= d
	}
	return &block{slices.Clone(shape), make([]float64, n)}, nil
}

// maxBlock bounds the numbers of one array, and maxBatch the samples run at once.
const (
	maxBlock = 1 << 28
	maxBatch = 256
)

// executionOf makes ready to run a file that has a Config.
func executionOf(f *File) (*execution, error) {
	c, err := parseConfig([]byte(f.Config))
	if err != nil {
		return nil, err
	}
	x := &execution{c: c, arrays: map[*layerConfig]map[string]*block{}}
	if x.inputs, err = c.inputLayers(); err != nil {
		return nil, err
	}
	var wanted []slot
	c.walk(nil, func(l *layerConfig) {
		if f := layerRuns[l.class]; err == nil && f == nil && l.nested == nil && l.class != "InputLayer" && !l.isOperation() {
			err = l.fail(fmt.Errorf("layers of class %q are not supported; %s", l.class, runAdvice))
		}
		if d := l.dtype(); err == nil && d != "" && l.arrays() != nil {
			err = l.fail(fmt.Errorf("dtype %s is not supported; %s", d, dtypeAdvice))
		}
		for _, name := range l.arrays() {
			wanted = append(wanted, slot{layer: l.id, name: name, from: l, optional: name == "gamma" || name == "beta"})
		}
	})
	if err != nil {
		return nil, err
	}
	if err := f.agrees(c); err != nil {
		return nil, err
	}
	places := f.fitted(c).places()
	index := indexOf(places)
	part, err := whole(c, wanted, places, index)
	if err != nil {
		return nil, err
	}
	for _, s := range wanted {
		p, err := find(index, s, part)
		if again := s; err != nil && s.name == "depthwise_kernel" { // as Keras 3 calls it
			again.name = "kernel"
			p, err = find(index, again, part)
		}
		if err != nil {
			return nil, err
		}
		if p == nil {
			continue
		}
		p.used = true
		b := &block{shape: p.w.Shape, data: make([]float64, len(p.w.Data))}
		for i, v := range p.w.Data {
			b.data[i] = float64(v)
		}
		if x.arrays[s.from] == nil {
			x.arrays[s.from] = map[string]*block{}
		}
		x.arrays[s.from][s.name] = b
	}
	if err := unused(places, part); err != nil {
		return nil, cmp.Or(c.unread(places), err)
	}
	return x, x.try()
}

// unused says which weights of the file the architecture has not asked for.
func unused(places []*place, part string) error {
	for _, p := range places {
		if !p.used && (part == "" || p.group == part) && p.path[len(p.path)-1] != "iteration" && p.path[len(p.path)-1] != "count" {
			return fmt.Errorf("layer %q: weight %q (shape %v) is in the file but not in the architecture: they do not belong together", p.group, p.w.Name, p.w.Shape)
		}
	}
	return nil
}

// unread says of weights that are not asked for what keeps them: a layer of a class that
// is not run, or the additions of a LoRA.
func (c *config) unread(places []*place) error {
	var err error
	c.walk(nil, func(l *layerConfig) {
		if err != nil || l.nested != nil || l.class == "InputLayer" {
			return
		}
		var cfg struct {
			LoRA *int `json:"lora_rank"`
		}
		theirs := func(p *place) bool {
			return !p.used && (p.group == l.path[0] || strings.TrimRight(p.group, "_0123456789") == snake(l.class))
		}
		switch {
		case !slices.ContainsFunc(places, theirs):
		case l.read(&cfg) == nil && cfg.LoRA != nil:
			err = l.fail(fmt.Errorf("lora_rank %d, weights apart from the kernel, is not supported; save the model as .keras, which adds them to the kernel, or leave enable_lora out and set the sum", *cfg.LoRA))
		case l.arrays() == nil && layerRuns[l.class] == nil:
			err = l.fail(fmt.Errorf("layers of class %q are not supported; %s", l.class, runAdvice))
		}
	})
	return err
}

// dtype is the layer's number format where it is none that is run.
func (c *layerConfig) dtype() string {
	var cfg struct {
		DType json.RawMessage `json:"dtype"`
	}
	if err := c.read(&cfg); err != nil {
		return "" // told when the layer is run
	}
	if d := dtype(cfg.DType); d != "float32" && d != "float64" {
		return d
	}
	return ""
}

const dtypeAdvice = "supported is \"float32\": set the policy to float32, build the model again and give it the weights (set_weights)"

const runAdvice = "run are the layers of Keras and QKeras for vectors, series and images, and TensorFlow's and Keras' operations on them; convert the model to ONNX or a frozen graph, or leave the layer out"

// try runs the model on one sample of zeros, so that what it cannot do is known before
// it is used. Inputs of an open size are tried at eight.
func (x *execution) try() error {
	var in []*block
	for _, l := range x.inputs {
		shape, err := l.sampleShape()
		if err != nil {
			return l.fail(err)
		}
		for i, d := range shape {
			if d < 0 {
				shape[i] = 8
			}
		}
		b, err := newBlock(append([]int{1}, shape...)...)
		if err != nil {
			return l.fail(err)
		}
		in = append(in, b)
	}
	_, _, err := x.run(in)
	return err
}

// sampleShape is the shape of one sample of an input, -1 what is open.
func (c *layerConfig) sampleShape() ([]int, error) {
	var cfg struct {
		Batch  []*int `json:"batch_input_shape"`
		Batch2 []*int `json:"batch_shape"`
	}
	if err := c.read(&cfg); err != nil {
		return nil, err
	}
	dims := cfg.Batch
	if dims == nil {
		dims = cfg.Batch2
	}
	if len(dims) == 0 {
		return nil, fmt.Errorf("does not say its input shape (batch_input_shape): save the model after it is built")
	}
	out := []int{}
	for _, d := range dims[1:] {
		switch {
		case d == nil:
			out = append(out, -1)
		case *d < 1 || *d > 1<<20:
			return nil, fmt.Errorf("an input of impossible size %d", *d)
		default:
			out = append(out, *d)
		}
	}
	return out, nil
}

// Inputs implements model.Runner.
func (x *execution) Inputs() []model.Port {
	var out []model.Port
	for _, l := range x.inputs {
		shape, _ := l.sampleShape()
		out = append(out, model.Port{Name: l.name, Shape: append([]int{-1}, shape...)})
	}
	return out
}

// Run implements model.Runner.
func (x *execution) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	ports := x.Inputs()
	if len(in) != len(ports) {
		return nil, errorf("model %q has %d inputs, %d are given", x.c.name, len(ports), len(in))
	}
	n := 0
	for i, p := range ports {
		if in[i] == nil {
			return nil, errorf("input %q is not given", p.Name)
		}
		shape := in[i].Shape
		fits := len(shape) == len(p.Shape) && shape[0] > 0
		for k := 1; fits && k < len(shape); k++ {
			fits = p.Shape[k] < 0 || p.Shape[k] == shape[k]
		}
		if !fits {
			return nil, errorf("input %q is given in the shape %v, wanted is %v (-1 is any length)", p.Name, shape, p.Shape)
		}
		if i == 0 {
			n = shape[0]
		}
		if shape[0] != n {
			return nil, errorf("%d samples for the input %q, %d for %q", n, ports[0].Name, shape[0], p.Name)
		}
	}
	var out model.Vectors
	for from := 0; from < n; from += maxBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(n, from+maxBatch)
		blocks := make([]*block, len(in))
		for i, a := range in {
			part := a.Slice(from, to)
			blocks[i] = &block{shape: part.Shape, data: rounded32(slices.Clone(part.Data))}
		}
		y, latent, err := x.run(blocks)
		if err != nil {
			return nil, errorf("%w", err)
		}
		var names []string
		for i := range y {
			names = append(names, "y")
			if i > 0 {
				names[i] = fmt.Sprintf("y%d", i)
			}
		}
		if latent != nil {
			y, names = append(y, latent), append(names, "latent")
		}
		for i, b := range y {
			if len(b.shape) == 0 || b.shape[0] != to-from {
				return nil, errorf("output %s of the shape %v is not of one row a sample, which is not supported", names[i], b.shape)
			}
			if from == 0 {
				out = append(out, model.Vector{Name: names[i], Array: &model.Array{Shape: append([]int{n}, b.shape[1:]...)}})
			}
			out[i].Array.Data = append(out[i].Array.Data, b.data...)
		}
	}
	return out, nil
}

// run gives the outputs, and what a model within the model makes of it that ends in a
// vector.
func (x *execution) run(in []*block) (out []*block, latent *block, err error) {
	f := &frame{x: x, c: x.c, calls: new(int), depth: new(int), latent: new(*block)}
	return f.model(in)
}

// A frame is one call of a model.
type frame struct {
	x      *execution
	c      *config
	bound  map[string]*block
	done   map[call][]*block
	busy   map[call]bool
	calls  *int
	depth  *int
	latent **block
}

func (f *frame) model(in []*block) ([]*block, *block, error) {
	names, err := f.c.inputLayers()
	if err != nil {
		return nil, nil, err
	}
	if len(names) != len(in) {
		return nil, nil, fmt.Errorf("model %q has %d inputs but is called with %d", f.c.name, len(names), len(in))
	}
	f.bound, f.done, f.busy = map[string]*block{}, map[call][]*block{}, map[call]bool{}
	for i, n := range names {
		f.bound[n.name] = in[i]
	}
	if f.c.class == "Sequential" {
		v := in
		for _, l := range f.c.layers {
			if l.class == "InputLayer" {
				continue
			}
			if v, err = f.apply(l, arguments{args: []any{v[0]}}); err != nil {
				return nil, nil, l.fail(err)
			}
		}
		return v, *f.latent, nil
	}
	var out []*block
	for _, r := range f.c.outputs {
		r.output = true
		v, err := f.follow(r)
		if err != nil {
			return nil, nil, err
		}
		out = append(out, v)
	}
	return out, *f.latent, nil
}

func (f *frame) follow(r ref) (*block, error) {
	if v, ok := f.bound[r.layer]; ok {
		return v, nil
	}
	l := f.c.byName[r.layer]
	if l == nil {
		return nil, fmt.Errorf("architecture: model %q: layer %q is referred to but not there", f.c.name, r.layer)
	}
	if l.class == "InputLayer" {
		return nil, l.fail(fmt.Errorf("is not among the model's inputs"))
	}
	k := call{r.layer, r.node}
	out, ok := f.done[k]
	if !ok {
		if f.busy[k] {
			return nil, l.fail(fmt.Errorf("depends on itself"))
		}
		at := l.callOf(r)
		if at < 0 || at >= len(l.calls) {
			return nil, l.fail(fmt.Errorf("has no call %d", r.node))
		}
		f.busy[k] = true
		defer delete(f.busy, k)
		if *f.depth++; *f.depth > 2000 {
			return nil, l.fail(fmt.Errorf("graphs deeper than 2000 layers are not supported"))
		}
		defer func() { *f.depth-- }()
		a, err := f.arguments(l, l.calls[at])
		if err != nil {
			return nil, l.fail(err)
		}
		if out, err = f.apply(l, a); err != nil {
			return nil, l.fail(err)
		}
		f.done[k] = out
	}
	if r.tensor < 0 || r.tensor >= len(out) {
		return nil, l.fail(fmt.Errorf("has no output %d", r.tensor))
	}
	return out[r.tensor], nil
}

// apply runs a layer.
func (f *frame) apply(l *layerConfig, a arguments) ([]*block, error) {
	if *f.calls++; *f.calls > maxCalls {
		return nil, fmt.Errorf("graphs of more than %d layer calls are not supported", maxCalls)
	}
	if training, ok := a.named["training"].(bool); ok && training {
		return nil, fmt.Errorf("called with training=True, it does in use what it does in training, which is not supported")
	}
	if l.nested != nil {
		inner := *f
		inner.c = l.nested
		out, _, err := inner.model(a.blocks())
		if err == nil && len(out) == 1 && len(out[0].shape) == 2 && *f.latent == nil && f.c == f.x.c {
			*f.latent = out[0]
		}
		return out, err
	}
	var common struct {
		Format string `json:"data_format"`
	}
	if err := l.read(&common); err != nil {
		return nil, err
	}
	if d := l.dtype(); d != "" && !l.isOperation() {
		return nil, fmt.Errorf("dtype %s is not supported; %s", d, dtypeAdvice)
	}
	if common.Format == "channels_first" {
		return nil, fmt.Errorf("data_format %q is not supported; supported is \"channels_last\": build the model again with it and permute the input", common.Format)
	}
	run := layerRuns[l.class]
	if l.isOperation() {
		run = operationLayer
	}
	if run == nil {
		return nil, fmt.Errorf("layers of class %q are not supported; %s", l.class, runAdvice)
	}
	var cfg map[string]any
	if err := l.read(&cfg); err != nil {
		return nil, err
	}
	r := &layerRun{l: l, cfg: cfg, w: f.x.arrays[l], a: a}
	if l.isOperation() {
		return run(r)
	}
	if err := r.settings(); err != nil {
		return nil, err
	}
	if in := a.blocks(); len(in) == 1 && l.arrays() != nil {
		if err := r.sized(in[0].shape); err != nil {
			return nil, err
		}
	}
	return run(r)
}
