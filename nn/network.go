package nn

import (
	"fmt"
	"math"
	"math/rand/v2"

	"barrow/internal/limit"
	"barrow/internal/simd"
	"barrow/nn/internal/kernel"
)

// Settings of a network. The zero value is usable.
type Settings struct {
	Seed     uint64 // of the initial weights
	Threads  int    // 0 means all processors; results do not depend on it
	Kernel   string // one of Kernels; "" means the fastest; results differ in their last bits
	MaxBatch int    // largest number of samples in a call; 0 means 512
}

func (s Settings) withDefaults() (Settings, error) {
	var err error
	if s.Threads, err = limit.Threads(s.Threads); err != nil {
		return s, fmt.Errorf("nn: %w", err)
	}
	if s.Kernel, err = simd.Choose(s.Kernel, kernel.Available()); err != nil {
		return s, fmt.Errorf("nn: %w", err)
	}
	if s.MaxBatch == 0 {
		s.MaxBatch = 512
	}
	if s.MaxBatch < 0 || s.MaxBatch > 1<<20 {
		return s, fmt.Errorf("nn: Settings.MaxBatch is %d, want 1 to %d", s.MaxBatch, 1<<20)
	}
	return s, nil
}

// Mode says what a forward pass is for.
type Mode int

const (
	// Training normalises by the batch's statistics and updates the running
	// ones. Backward and BackwardWeights may follow.
	Training Mode = iota
	// Inference normalises by the running statistics; no backward pass can
	// follow.
	Inference
	// Frozen gives Inference's results and lets Backward follow: it computes
	// the gradient of the input alone and leaves every weight, running
	// statistic and weight gradient as it is.
	Frozen
)

// A Param is one array of a network: a weight, or a running statistic (then
// Trainable is false). Views of one network share their Params.
type Param struct {
	Name      string // layer/kernel, layer/bias, layer/gamma, …
	Shape     []int  // as Keras shapes it
	Value     []float32
	Grad      []float32 // of Trainable ones; backward passes add into it
	L2        float64   // penalty L2·Σ Value²
	Trainable bool

	level kernel.Level // of the network that it was made for
}

// A Network is a chain of layers with the buffers for one batch. It serves one
// goroutine; View makes further ones.
type Network struct {
	spec     Spec
	layers   []LayerShape
	settings Settings
	level    kernel.Level
	params   []*Param
	byName   map[string]*Param

	edges   []*edge
	ops     []op
	sides   map[string]*Tensor
	team    team
	weights []*linear // the linear layers, whose weights are packed
	scratch chan *planes

	n       int  // samples of the last Forward
	mode    Mode // of the last Forward
	ran     bool
	locked  bool // weights are packed once and for all
	out, dx Tensor
}

// New builds the network that spec describes, with Keras' initial weights:
// kernels uniform in ±√(6/(fan-in+fan-out)) (Glorot) from Settings.Seed,
// biases 0, gamma 1, beta 0, running mean 0 and variance 1. Errors name the
// layer and its shapes.
func New(spec Spec, s Settings) (*Network, error) {
	layers, err := spec.Check()
	if err != nil {
		return nil, err
	}
	if s, err = s.withDefaults(); err != nil {
		return nil, err
	}
	if err := fits(spec, layers, s.MaxBatch); err != nil {
		return nil, err
	}
	var params []*Param
	for i, l := range layers {
		rng := rand.New(rand.NewPCG(s.Seed, 0x9e3779b97f4a7c15*uint64(i+1)))
		params = append(params, newParams(l, rng)...)
	}
	for _, p := range params {
		p.level = kernel.Named(s.Kernel)
	}
	return assemble(spec, layers, params, s)
}

// newParams makes the parameters of one layer.
func newParams(l LayerShape, rng *rand.Rand) []*Param {
	fill := func(p *Param, v float32) *Param {
		for i := range p.Value {
			p.Value[i] = v
		}
		return p
	}
	glorot := func(p *Param, fans int) *Param {
		limit := math.Sqrt(6 / float64(fans))
		for i := range p.Value {
			p.Value[i] = float32((2*rng.Float64() - 1) * limit)
		}
		return p
	}
	mk := func(name string, trainable bool, shape ...int) *Param {
		size := 1
		for _, d := range shape {
			size *= d
		}
		p := &Param{Name: l.Name + "/" + name, Shape: shape, Value: make([]float32, size), Trainable: trainable}
		if trainable {
			p.Grad = make([]float32, size)
		}
		return p
	}
	var out []*Param
	area := l.Kernel * l.Kernel
	switch l.Kind {
	case KindConv2D:
		out = append(out, glorot(mk("kernel", true, l.Kernel, l.Kernel, l.In.C, l.Filters), area*(l.In.C+l.Filters)))
	case KindConv2DTranspose:
		out = append(out, glorot(mk("kernel", true, l.Kernel, l.Kernel, l.Filters, l.In.C), area*(l.In.C+l.Filters)))
	case KindDense:
		out = append(out, glorot(mk("kernel", true, l.In.Size(), l.Units), l.In.Size()+l.Units))
	case KindBatchNorm:
		c := l.In.C
		return []*Param{
			fill(mk("gamma", true, c), 1), mk("beta", true, c),
			mk("moving_mean", false, c), fill(mk("moving_variance", false, c), 1),
		}
	default:
		return nil
	}
	out[0].L2 = l.L2
	if !l.NoBias {
		out = append(out, mk("bias", true, l.Out.C))
	}
	return out
}

// assemble builds the buffers and operations around given parameters.
func assemble(spec Spec, layers []LayerShape, params []*Param, s Settings) (*Network, error) {
	n := &Network{
		spec: spec, layers: layers, settings: s, params: params,
		byName: map[string]*Param{}, sides: map[string]*Tensor{},
	}
	for _, p := range params {
		n.byName[p.Name] = p
	}
	n.level = kernel.Named(s.Kernel)
	n.team.threads = s.Threads
	n.scratch = make(chan *planes, s.Threads)
	(&builder{n: n}).build()
	n.allocScratch()
	return n, nil
}

// Spec is the description that the network was built from.
func (n *Network) Spec() Spec { return n.spec }

// Layers are the checked layers with their shapes.
func (n *Network) Layers() []LayerShape { return n.layers }

// Settings are those in effect.
func (n *Network) Settings() Settings { return n.settings }

// InputShape is the shape of a sample that Forward takes.
func (n *Network) InputShape() Shape { return n.layers[0].In }

// OutputShape is the shape of a sample that Forward returns.
func (n *Network) OutputShape() Shape { return n.layers[len(n.layers)-1].Out }

// Params are all weights and running statistics in the order of the layers.
func (n *Network) Params() []*Param { return n.params }

// Param is the array of that name, or nil.
func (n *Network) Param(name string) *Param { return n.byName[name] }

// SetParam copies v over the array of that name.
func (n *Network) SetParam(name string, v []float32) error {
	p := n.byName[name]
	if p == nil {
		return fmt.Errorf("nn: %s has no array %q", n.spec.title(), name)
	}
	if len(v) != len(p.Value) {
		return fmt.Errorf("nn: %q takes %v = %d values, not %d", name, p.Shape, len(p.Value), len(v))
	}
	copy(p.Value, v)
	return nil
}

// View is a network of layers [from, to) that shares its Params with n but has
// buffers of its own: the encoder half of an autoencoder, or, with all layers,
// a copy for another goroutine's inference. The zero Settings are n's. Weights
// must not change while another goroutine runs a view.
func (n *Network) View(from, to int, s Settings) (*Network, error) {
	if from < 0 || to > len(n.layers) || from >= to {
		return nil, fmt.Errorf("nn: %s has %d layers, no view [%d,%d)", n.spec.title(), len(n.layers), from, to)
	}
	if s == (Settings{}) {
		s = n.settings
	}
	s, err := s.withDefaults()
	if err != nil {
		return nil, err
	}
	spec := Spec{Name: n.spec.Name, Input: n.layers[from].In}
	var params []*Param
	for _, l := range n.layers[from:to] {
		spec.Layers = append(spec.Layers, l.Layer)
		for _, name := range paramNames {
			if p := n.byName[l.Name+"/"+name]; p != nil {
				params = append(params, p)
			}
		}
	}
	layers, err := spec.Check()
	if err != nil {
		return nil, err
	}
	return assemble(spec, layers, params, s)
}

var paramNames = []string{"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"}

// LayerIndex is the position of the layer of that name, or −1.
func (n *Network) LayerIndex(name string) int {
	for i, l := range n.layers {
		if l.Name == name {
			return i
		}
	}
	return -1
}

// Lock packs the weights once instead of at every Forward, for a network whose
// weights will not change: faster on small batches. Training is an error from
// then on.
func (n *Network) Lock() {
	n.packAll(false)
	n.locked = true
}

// ZeroGrad sets every gradient to zero.
func (n *Network) ZeroGrad() {
	for _, p := range n.params {
		clear(p.Grad)
	}
}

// Penalty is Σ L2·‖w‖² over the arrays with L2 set; it also adds its gradient.
func (n *Network) Penalty() float64 {
	total := 0.0
	for _, p := range n.params {
		if p.L2 == 0 || !p.Trainable {
			continue
		}
		n.level.Blend(p.Grad, p.Value, 1, float32(2*p.L2))
		total += p.L2 * n.level.SumSquares(p.Value)
	}
	return total
}

// SetSide gives the values that the concat layer of that name appends. They
// are copied by reference: t must hold as many samples as the Forward that
// follows, and stay unchanged until its Backward.
func (n *Network) SetSide(layer string, t *Tensor) error {
	i := n.LayerIndex(layer)
	if i < 0 || n.layers[i].Kind != KindConcat {
		return fmt.Errorf("nn: %s has no concat layer %q", n.spec.title(), layer)
	}
	l := n.layers[i]
	want := Shape{l.In.H, l.In.W, l.Channels}
	if err := t.check(fmt.Sprintf("side input of layer %q", layer), want, n.settings.MaxBatch); err != nil {
		return err
	}
	n.sides[layer] = t
	return nil
}

// Forward runs a batch of x.N ≤ MaxBatch samples. The result belongs to the
// network and is valid until its next Forward. x must not change before the
// Backward that may follow.
func (n *Network) Forward(x *Tensor, mode Mode) (*Tensor, error) {
	if !x.fits(n.InputShape(), n.settings.MaxBatch) {
		return nil, x.check("input of "+n.spec.title(), n.InputShape(), n.settings.MaxBatch)
	}
	if mode == Training && n.locked {
		return nil, fmt.Errorf("nn: %s is locked: no training", n.spec.title())
	}
	for name, t := range n.sides {
		if t.N != x.N {
			return nil, fmt.Errorf("nn: layer %q: %d samples in the side input, %d in the batch", name, t.N, x.N)
		}
	}
	for _, l := range n.layers {
		if l.Kind == KindConcat && n.sides[l.Name] == nil {
			return nil, fmt.Errorf("nn: layer %q has no side input: call SetSide", l.Name)
		}
	}
	n.n, n.mode, n.ran = x.N, mode, true
	if !n.locked {
		n.packAll(mode == Training)
	}
	n.edges[0].val = x.Data
	n.allocValues()
	for _, o := range n.ops {
		o.forward(n)
	}
	last := n.edges[len(n.edges)-1]
	n.out = Tensor{N: last.rows(n.n), Shape: n.OutputShape(), Data: last.val[:last.size(n.n)]}
	return &n.out, nil
}

// Backward takes the gradient of the loss with respect to the last Forward's
// result and returns it with respect to the input, valid until the next
// Backward; after a Training pass it also adds the weights' gradients into
// Param.Grad. dy must not be the tensor that Forward returned.
func (n *Network) Backward(dy *Tensor) (*Tensor, error) {
	if err := n.backward(dy, true); err != nil {
		return nil, err
	}
	first := n.edges[0]
	n.dx = Tensor{N: n.n, Shape: n.InputShape(), Data: first.grad[:first.size(n.n)]}
	return &n.dx, nil
}

// BackwardWeights is Backward without the gradient of the input, which
// training does not need.
func (n *Network) BackwardWeights(dy *Tensor) error { return n.backward(dy, false) }

func (n *Network) backward(dy *Tensor, input bool) error {
	switch {
	case !n.ran || n.mode == Inference:
		return fmt.Errorf("nn: %s: a backward pass needs a Training or Frozen Forward before it", n.spec.title())
	case n.mode == Frozen && !input:
		return fmt.Errorf("nn: %s: no weight gradients after a Frozen Forward", n.spec.title())
	}
	if !dy.fits(n.OutputShape(), 2*n.settings.MaxBatch) {
		return dy.check("output gradient of "+n.spec.title(), n.OutputShape(), 2*n.settings.MaxBatch)
	}
	last := n.edges[len(n.edges)-1]
	if dy.N != last.rows(n.n) {
		return fmt.Errorf("nn: %s: output gradient has %d samples, the forward pass had %d", n.spec.title(), dy.N, last.rows(n.n))
	}
	n.allocGrads()
	copy(last.grad, dy.Data)
	for i := len(n.ops) - 1; i >= 0; i-- {
		n.ops[i].backward(n, input || i > n.firstWeight(), n.mode == Training)
	}
	return nil
}

// firstWeight is the index of the first operation with parameters: without an
// input gradient the passes before it have nothing to do.
func (n *Network) firstWeight() int {
	for i, o := range n.ops {
		if o.trainable() {
			return i
		}
	}
	return len(n.ops)
}

// firstNonFinite names the first layer whose output of the last Forward holds
// a NaN or an infinity, or is empty.
func (n *Network) firstNonFinite() string {
	for i, e := range n.edges {
		if e.val == nil || !n.ran || n.mode != Training && e.folded {
			continue
		}
		for _, v := range e.val[:e.size(n.n)] {
			if v-v != 0 {
				if i == 0 {
					return "input"
				}
				return e.layer
			}
		}
	}
	return ""
}
