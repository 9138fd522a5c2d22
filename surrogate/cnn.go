// Package surrogate is the EMD CNN of arXiv:2306.04712: a small convolutional
// network that looks at two images of 48 trigger cells and estimates their
// earth mover's distance, with a gradient. Here are its architecture, the
// pairs of images it learns from, its training against exact distances and its
// accuracy in value and gradient.
//
// Images are rows of 48 charges in V9 order, in any units: the network sees
// them scaled to sum 1, and its gradients are those of the rows as given.
package surrogate

import (
	"context"
	"fmt"
	"math"
	"strings"

	"barrow/hgcal"
	"barrow/nn"
)

// An Architecture is a member of the paper's family of networks, N1: Convs ×
// [Filters Kernel×Kernel convolutions, batch normalisation, ReLU], then one
// hidden dense layer of Dense units, batch normalised with ReLU, then one
// output; averaged over the two orders of the images.
type Architecture struct {
	Filters int `json:"filters" toml:"filters"`
	Kernel  int `json:"kernel" toml:"kernel"`
	Convs   int `json:"convs" toml:"convs"`
	Dense   int `json:"dense" toml:"dense"`
	// Surplus shows the network what is left of both images when the charge
	// that they share is taken away, scaled to sum 1, and scales its output
	// back. The EMD depends on that alone, so near pairs are as easy as far
	// ones. The paper's networks see the images themselves.
	Surplus bool `json:"surplus,omitempty" toml:"surplus,omitempty"`
}

// Paper is the architecture of the paper's final networks, 188,385 trainable
// weights, with the paper's input: the images themselves.
func Paper() Architecture { return Architecture{Filters: 32, Kernel: 5, Convs: 3, Dense: 256} }

// N1 is the same network on what the images do not share: the default.
func N1() Architecture {
	return Architecture{Filters: 32, Kernel: 5, Convs: 3, Dense: 256, Surplus: true}
}

// ParseArchitecture reads n1, paper, or filters×kernel×convs-dense as String
// writes it, such as 128x3x4-256 or 64x5x4-32-surplus.
func ParseArchitecture(text string) (Architecture, error) {
	switch text {
	case "n1":
		return N1(), nil
	case "paper":
		return Paper(), nil
	}
	var a Architecture
	body, surplus := strings.CutSuffix(text, surplusEnding)
	a.Surplus = surplus
	if n, err := fmt.Sscanf(body, "%dx%dx%d-%d", &a.Filters, &a.Kernel, &a.Convs, &a.Dense); n != 4 || err != nil || a.String() != text {
		return Architecture{}, fmt.Errorf("surrogate: architecture %q: want n1, paper, or FILTERSxKERNELxCONVS-DENSE with or without -surplus, such as 128x3x4-256", text)
	}
	return a, a.Check()
}

// maxConvs bounds the number of layers.
const maxConvs = 64

// Check tells whether a network of the architecture can be made and trained on
// this machine.
func (a Architecture) Check() error {
	if a.Convs < 1 || a.Convs > maxConvs {
		return fmt.Errorf("surrogate: architecture %v: %d convolutions: want 1 to %d", a, a.Convs, maxConvs)
	}
	if err := a.Spec().CheckMemory(pairBatch); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	return nil
}

// String is the architecture as filters×kernel×convs-dense, as in 32x5x3-256,
// with -surplus behind it if it is set.
func (a Architecture) String() string {
	s := fmt.Sprintf("%dx%dx%d-%d", a.Filters, a.Kernel, a.Convs, a.Dense)
	if a.Surplus {
		s += surplusEnding
	}
	return s
}

const surplusEnding = "-surplus"

// kernelL2 is the paper's L2 penalty on the kernels of all layers but the last.
const kernelL2 = 1e-4

// Spec describes the network: 4×4×6, the two images' three rhombi as channels,
// to one number.
func (a Architecture) Spec() nn.Spec {
	s := nn.Spec{
		Name:   "emd-cnn-" + a.String(),
		Input:  nn.Shape{H: hgcal.Side, W: hgcal.Side, C: 2 * hgcal.Rhombi},
		Layers: []nn.Layer{{Kind: nn.KindSwapPair, Name: "orders"}},
	}
	add := func(l ...nn.Layer) { s.Layers = append(s.Layers, l...) }
	for k := 1; k <= a.Convs; k++ {
		add(nn.Layer{Kind: nn.KindConv2D, Name: fmt.Sprintf("conv_%d", k), Filters: a.Filters, Kernel: a.Kernel, Stride: 1, Padding: nn.PaddingSame, L2: kernelL2},
			nn.Layer{Kind: nn.KindBatchNorm, Name: fmt.Sprintf("conv_%d_norm", k)},
			nn.Layer{Kind: nn.KindReLU, Name: fmt.Sprintf("conv_%d_relu", k)})
	}
	add(nn.Layer{Kind: nn.KindFlatten, Name: "flatten"},
		nn.Layer{Kind: nn.KindDense, Name: "dense", Units: a.Dense, L2: kernelL2},
		nn.Layer{Kind: nn.KindBatchNorm, Name: "dense_norm"},
		nn.Layer{Kind: nn.KindReLU, Name: "dense_relu"},
		nn.Layer{Kind: nn.KindDense, Name: "emd", Units: 1},
		nn.Layer{Kind: nn.KindPairMean, Name: "mean"})
	return s
}

// A CNN is an EMD CNN with its weights. It is used by one goroutine at a
// time.
type CNN struct {
	net     *nn.Network
	surplus bool
	in      *nn.Tensor
	dy      *nn.Tensor
	p, q    []float64 // rows scaled to sum 1
	totals  []float64 // the sums they had
	a, b    []float64 // what the network sees, rows of sum 1
	scale   []float64 // what its output is multiplied by
}

// pairBatch is how many pairs a CNN handles at once.
const pairBatch = 256

// batched is s with room for a model's batches, or larger ones.
func batched(s nn.Settings) nn.Settings {
	s.MaxBatch = max(s.MaxBatch, pairBatch)
	return s
}

// NewCNN makes an untrained network.
func NewCNN(a Architecture, s nn.Settings) (*CNN, error) {
	if err := a.Check(); err != nil {
		return nil, err
	}
	net, err := nn.New(a.Spec(), batched(s))
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	return newCNN(net), nil
}

func newCNN(net *nn.Network) *CNN {
	return &CNN{net: net, surplus: strings.HasSuffix(net.Spec().Name, surplusEnding), in: nn.NewTensor(pairBatch, net.InputShape()), dy: nn.NewTensor(pairBatch, nn.Vector(1))}
}

// LoadCNN reads the weights file of an EMD CNN, as Save writes it.
func LoadCNN(path string, s nn.Settings) (*CNN, error) {
	net, err := nn.Load(path, batched(s))
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	m, err := FromNetwork(net)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// FromNetwork is a model with a given network, such as one of the paper's read
// by package keras: 4×4×6 values, the two images' three rhombi as channels, to
// one number. The network sees the images themselves unless its spec's name
// ends in "-surplus". It must hold at least 256 samples a batch.
func FromNetwork(net *nn.Network) (*CNN, error) {
	if in, want := net.InputShape(), N1().Spec().Input; in != want || net.OutputShape() != nn.Vector(1) {
		return nil, fmt.Errorf("surrogate: network %q is no EMD CNN: it maps %v to %v, not %v (two images of three rhombi) to one number: name a network that estimates the EMD", net.Spec().Name, in, net.OutputShape(), want)
	}
	if b := net.Settings().MaxBatch; b < pairBatch {
		return nil, fmt.Errorf("surrogate: network %q takes %d samples a batch, %d are needed", net.Spec().Name, b, pairBatch)
	}
	return newCNN(net), nil
}

// Save writes the model's architecture and weights to a file, in one step.
func (m *CNN) Save(path string) error { return m.net.Save(path, nil) }

// Network is the model's network, for export and inspection.
func (m *CNN) Network() *nn.Network { return m.net }

// Predict writes the estimated EMD of N pairs of rows (N×48 each) into e.
func (m *CNN) Predict(ctx context.Context, p, q, e []float64) error {
	return m.Gradient(ctx, p, q, e, nil, nil)
}

// Gradient estimates the EMD of N pairs of rows (N×48 charges each, any units,
// positive sums) and, where dp and dq are not nil, its gradients with respect
// to the rows as given. Bad charges are errors that name row and cell.
func (m *CNN) Gradient(ctx context.Context, p, q, e, dp, dq []float64) error {
	n := len(e)
	if err := checkRows(n, p, q, dp, dq); err != nil {
		return err
	}
	for i := 0; i < n; i += pairBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		j := min(n, i+pairBatch)
		part := func(s []float64) []float64 {
			if s == nil {
				return nil
			}
			return s[i*Cells : j*Cells]
		}
		if err := m.batch(i, part(p), part(q), e[i:j], part(dp), part(dq)); err != nil {
			return err
		}
	}
	return nil
}

func (m *CNN) batch(first int, p, q, e, dp, dq []float64) error {
	n := len(e)
	if err := m.load(first, p, q); err != nil {
		return err
	}
	mode := nn.Inference
	if dp != nil || dq != nil {
		mode = nn.Frozen
	}
	y, err := m.net.Forward(m.in, mode)
	if err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	for i := range e {
		e[i] = m.scale[i] * float64(y.Data[i])
	}
	if mode == nn.Inference {
		return nil
	}
	dx, err := m.inputGradient(n)
	if err != nil {
		return err
	}
	for i := range n {
		var f [2][Cells]float64
		for side := range f {
			for c := range f[side] {
				f[side][c] = float64(dx.Data[at(n, i, c, side)])
			}
		}
		if m.surplus {
			m.throughSurplus(i, float64(y.Data[i]), &f)
		}
		for side, grad := range [2][]float64{dp, dq} {
			if grad == nil {
				continue
			}
			rows, row := m.p, grad[i*Cells:(i+1)*Cells]
			if side == 1 {
				rows = m.q
			}
			copy(row, f[side][:])
			throughSum(rows[i*Cells:(i+1)*Cells], m.totals[2*i+side], row)
		}
	}
	return nil
}

// inputGradient is the gradient of the outputs of a Frozen forward pass of n
// pairs with respect to the network's input.
func (m *CNN) inputGradient(n int) (*nn.Tensor, error) {
	m.dy.Resize(n)
	for i := range m.dy.Data {
		m.dy.Data[i] = 1
	}
	dx, err := m.net.Backward(m.dy)
	if err != nil {
		return nil, fmt.Errorf("surrogate: %w", err)
	}
	return dx, nil
}

// throughSurplus turns the gradients of the output y of pair i with respect to
// the two surpluses into those of scale·y with respect to the two images: for
// s = p − q with Σ|s| = 2T, the derivative of T·y(s₊/T, s₋/T).
func (m *CNN) throughSurplus(i int, y float64, f *[2][Cells]float64) {
	a, b := m.a[i*Cells:(i+1)*Cells], m.b[i*Cells:(i+1)*Cells]
	throughSum(a, 1, f[0][:])
	throughSum(b, 1, f[1][:])
	for c := range a {
		source, sink := f[0][c]+y/2, -(f[1][c] + y/2)
		ds := (source + sink) / 2 // at a kink
		switch {
		case m.scale[i] == 0:
			ds = 0
		case a[c] > 0:
			ds = source
		case b[c] > 0:
			ds = sink
		}
		f[0][c], f[1][c] = ds, -ds
	}
}

// at is the place of cell c of image side (0 or 1) of pair i in a batch of n:
// pixel c mod 16, channel c div 16, the second image's channels after the
// first's.
func at(n, i, c, side int) int {
	const pixels = hgcal.Side * hgcal.Side
	return ((c%pixels)*n+i)*2*hgcal.Rhombi + side*hgcal.Rhombi + c/pixels
}

// throughSum turns the gradient with respect to q = Q/ΣQ into the one with
// respect to Q, in place: (g_k − Σ q_j g_j)/ΣQ.
func throughSum(q []float64, total float64, g []float64) {
	mean := 0.0
	for c, v := range q {
		mean += v * g[c]
	}
	for c := range g {
		g[c] = (g[c] - mean) / total
	}
}

// load scales the rows to sum 1 and fills the input tensor.
func (m *CNN) load(first int, p, q []float64) error {
	n := len(p) / Cells
	m.p, m.q = append(m.p[:0], p...), append(m.q[:0], q...)
	m.totals = m.totals[:0]
	for i := range n {
		for _, rows := range [2][]float64{m.p, m.q} {
			total, err := unit(rows[i*Cells : (i+1)*Cells])
			if err != nil {
				return fmt.Errorf("surrogate: row %d: %w", first+i, err)
			}
			m.totals = append(m.totals, total)
		}
	}
	m.a, m.b, m.scale = append(m.a[:0], m.p...), append(m.b[:0], m.q...), m.scale[:0]
	for i := range n {
		scale := 1.0
		if m.surplus {
			scale = takeShared(m.a[i*Cells:(i+1)*Cells], m.b[i*Cells:(i+1)*Cells])
		}
		m.scale = append(m.scale, scale)
	}
	m.fill(n, m.a, m.b)
	return nil
}

// fill writes n pairs of rows into the input tensor.
func (m *CNN) fill(n int, a, b []float64) {
	m.in.Resize(n)
	for i := range n {
		for side, rows := range [2][]float64{a, b} {
			for c, v := range rows[i*Cells : (i+1)*Cells] {
				m.in.Data[at(n, i, c, side)] = float32(v)
			}
		}
	}
}

// leastSurplus is the charge, of images that sum to 1, below which two images
// count as equal: rounding.
const leastSurplus = 1e-13

// takeShared takes from two rows of sum 1 the charge they share, scales what
// is left to sum 1, and returns how much that was. Of equal rows nothing is
// left.
func takeShared(a, b []float64) float64 {
	ta, tb := 0.0, 0.0
	for c, v := range a {
		s := v - b[c]
		a[c], b[c] = max(s, 0), max(-s, 0)
		ta += a[c]
		tb += b[c]
	}
	if min(ta, tb) < leastSurplus {
		clear(a)
		clear(b)
		return 0
	}
	for c := range a {
		a[c] /= ta
		b[c] /= tb
	}
	return (ta + tb) / 2
}

// unit scales a row to sum 1 and returns the sum it had.
func unit(row []float64) (float64, error) {
	total := 0.0
	for c, v := range row {
		if !(v >= 0) || math.IsInf(v, 1) {
			return 0, fmt.Errorf("cell %d: the charge is %v; charges are finite and not negative", c, v)
		}
		total += v
	}
	if !(total > 0) || math.IsInf(total, 1) {
		return 0, fmt.Errorf("the charges sum to %v", total)
	}
	for c := range row {
		row[c] /= total
	}
	return total, nil
}
