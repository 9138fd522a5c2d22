// Package autoencoder is the encoder of the trigger chip and its decoder, as
// arXiv:2306.04712 trains them: an image of 48 trigger cells, divided by
// 2^⌊log2 Σ⌋ and arranged as 8×8 pixels, goes through a convolution and a
// dense layer with 2,144 weights to 16 numbers, and through a decoder with
// 2,833 weights back to 48 charges. Any loss.Loss trains it, in floating point
// or in the number formats of one of the Presets; the preset "asic" computes
// what the chip computes, bit for bit (barrow/econt).
package autoencoder

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"barrow/hgcal"
	"barrow/nn"
	"barrow/wafer"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

const side = 8

// Latent is the number of outputs of the encoder.
const Latent = 16

// Spec describes the paper's network in floating point, 8×8×1 to 8×8×1: the
// first five layers are the encoder, as on the chip, the rest the decoder
// (arXiv:2306.04712 and its public code).
func Spec() nn.Spec {
	s, _ := Architecture{}.Spec() // the zero Architecture is valid
	return s
}

// A place is where a cell lies in a network's image.
type place struct{ pixel, channel int }

// cellsAt maps each cell to its place in an 8×8×1 or 4×4×3 image.
func cellsAt(s nn.Shape) [Cells]place {
	if s.C == hgcal.Rhombi {
		return in443
	}
	return in8x8
}

var in8x8 = func() (at [Cells]place) {
	for pixel, cell := range hgcal.Arrange8x8() {
		if cell != hgcal.Masked {
			at[cell] = place{pixel: pixel}
		}
	}
	return at
}()

var in443 = func() (at [Cells]place) {
	for c := range at {
		at[c] = place{pixel: c % (hgcal.Side * hgcal.Side), channel: c / (hgcal.Side * hgcal.Side)}
	}
	return at
}()

// A Model is an autoencoder with its weights. It is used by one goroutine at a
// time.
type Model struct {
	arch  Architecture
	norm  wafer.Norm
	net   *nn.Network
	in    *nn.Tensor
	at    [Cells]place
	chip  *chip      // the exact path of the preset "asic", or nil
	sides *nn.Tensor // the conditions of a batch, or nil
	gain  float32    // times the network's output is a decoded cell
	floor float32    // added to every decoded cell: see decodedFloor

	end        int    // how many of the network's layers are the encoder
	conditions string // the layer that takes the conditions, if there are any

	total total // what a decoded image is scaled to
}

// decodedFloor keeps an image that a ReLU or a square decodes to nothing comparable: the
// distance to an image without charge does not exist.
const decodedFloor = 1.0 / (1 << 20)

// decodeBatch is how many images Decode handles at once.
const decodeBatch = 500

// New makes an untrained autoencoder of the paper's architecture.
func New(s nn.Settings) (*Model, error) { return Architecture{}.New(s) }

// New makes an untrained autoencoder.
func (a Architecture) New(s nn.Settings) (*Model, error) {
	spec, err := a.Spec()
	if err != nil {
		return nil, err
	}
	s.MaxBatch = max(s.MaxBatch, decodeBatch)
	net, err := nn.New(spec, s)
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	return newModel(a, net)
}

func newModel(a Architecture, net *nn.Network) (*Model, error) {
	a = a.withDefaults()
	p, err := a.precision()
	if err != nil {
		return nil, err
	}
	m, err := assemble(a, net)
	if err != nil {
		return nil, err
	}
	m.end, m.conditions = net.LayerIndex(layerLatent)+1, layerConditions
	if a.Mask != "" {
		m.end = net.LayerIndex(layerWiden) + 1
		a.Widths().set(net)
	}
	if p.Chip {
		if m.chip, err = newChip(net, m.end, a.Widths()); err != nil {
			return nil, err
		}
	}
	m.total = a.total(p)
	if a.Conditional || a.Output == OutputSquare {
		m.floor = decodedFloor
	}
	return m, nil
}

// assemble is a model around a network, its encoder not yet told from its decoder.
func assemble(a Architecture, net *nn.Network) (*Model, error) {
	norm, err := wafer.ParseNorm(a.Normalisation)
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	m := &Model{arch: a, norm: norm, net: net, in: nn.NewTensor(1, net.InputShape()), at: cellsAt(net.InputShape()), gain: float32(max(1, a.Range))}
	if a.Conditional {
		m.sides = nn.NewTensor(1, nn.Vector(ConditionCount))
	}
	return m, nil
}

// metaArchitecture is the key of a weights file's notes that holds the
// Architecture. Files without it hold the paper's.
const metaArchitecture = "architecture"

// Load reads the weights file of an autoencoder, as Save writes it.
func Load(path string, s nn.Settings) (*Model, error) {
	c, a, err := read(path)
	if err != nil {
		return nil, err
	}
	m, err := a.New(s)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if !strings.HasPrefix(c.Spec.Name, specName) {
		return nil, fmt.Errorf("autoencoder: %s holds the network %q, no autoencoder: name the weights of an encoder with its decoder", path, c.Spec.Name)
	}
	if err := c.Fill(m.net); err != nil {
		return nil, fmt.Errorf("autoencoder: %s: %w", path, err)
	}
	return m, nil
}

// read reads a weights file with the architecture that it is of.
func read(path string) (*nn.Checkpoint, Architecture, error) {
	var a Architecture
	c, err := nn.ReadCheckpoint(path)
	if err != nil {
		return nil, a, fmt.Errorf("autoencoder: %w", err)
	}
	if text, ok := c.Meta[metaArchitecture]; ok {
		if err := json.Unmarshal([]byte(text), &a); err != nil {
			return nil, a, fmt.Errorf("autoencoder: %s: its architecture cannot be read: %w", path, err)
		}
	}
	return c, a.withDefaults(), nil
}

// fill takes over the weights of a file, or of StartMeta, which must be of the same
// architecture but for the widths of the outputs.
func (m *Model) fill(path string) error {
	other, err := m.arch.start(path)
	if err != nil {
		return err
	}
	for _, p := range m.net.Params() {
		if from := other.net.Param(p.Name); from != nil && p.Trainable {
			copy(p.Value, from.Value)
		}
	}
	return nil
}

// keepEncoder takes over the encoder of a file and keeps training from changing
// it.
func (m *Model) keepEncoder(path string) error {
	other, err := Load(path, nn.Settings{})
	if err != nil {
		return err
	}
	have, want := other.arch, m.arch
	for _, a := range []*Architecture{&have, &want} {
		a.Decoder, a.Conditional, a.Range, a.Output, a.Sum = "", false, 0, "", ""
	}
	if have != want {
		return fmt.Errorf("autoencoder: %s holds another kind of encoder (%v) than the one to keep (%v)", path, have, want)
	}
	for _, layer := range []string{layerConv, layerDense} {
		for _, part := range []string{"/kernel", "/bias"} {
			p := m.net.Param(layer + part)
			copy(p.Value, other.net.Param(p.Name).Value)
			p.Trainable = false
		}
	}
	return nil
}

// Save writes the model's architecture and weights to a file, in one step. One of
// the precision Custom is not saved.
func (m *Model) Save(path string) error {
	if m.arch.Precision == Custom {
		return errCustom
	}
	return m.net.Save(path, m.meta())
}

func (m *Model) meta() map[string]string {
	b, err := json.Marshal(m.arch)
	if err != nil { // plain strings and numbers
		return nil
	}
	return map[string]string{metaArchitecture: string(b)}
}

// Network is the model's network, for export and inspection. With the preset
// "asic" its own forward pass lacks the chip's truncations: use Encode and
// Decode.
func (m *Model) Network() *nn.Network { return m.net }

// Architecture is what the model was built as.
func (m *Model) Architecture() Architecture { return m.arch }

// data are images with, for a conditional autoencoder, their conditions.
type data struct {
	images     []float64 // N×48 charges in V9 order
	conditions []float32 // N×ConditionCount, or nil
}

// dataOf is what the model needs of a set.
func (m *Model) dataOf(s *wafer.Set) (data, error) {
	d, err := data{images: s.Charge}, error(nil)
	if m.sides != nil {
		d.conditions, err = Conditions(s)
	}
	return d, err
}

// Decode encodes and decodes images, each with a positive sum, in any unit, and
// returns the decoded images in the same unit, without metadata. A conditional
// model takes its conditions from the set's columns ([Conditions]). Bad charges
// are errors that name image and cell.
func (m *Model) Decode(ctx context.Context, images *wafer.Set) (*wafer.Set, error) {
	d, err := m.dataOf(images)
	if err != nil {
		return nil, err
	}
	return m.decode(ctx, d)
}

func (m *Model) decode(ctx context.Context, d data) (*wafer.Set, error) {
	out := make([]float64, len(d.images))
	pred := make([]float32, decodeBatch*Cells)
	err := m.batches(ctx, d, func(i, b int, scales []float64) error {
		y, err := m.forward(b, nn.Inference)
		if err != nil {
			return err
		}
		m.gather(y, pred[:b*Cells])
		m.unload(pred, scales[i:i+b], d.images[i*Cells:], out[i*Cells:])
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &wafer.Set{Charge: out}, nil
}

// unload writes decoded images in the units of the originals.
func (m *Model) unload(pred []float32, scales, images, out []float64) {
	for k, scale := range scales {
		row := out[k*Cells:][:Cells]
		for c := range row {
			row[c] = max(0, float64(pred[k*Cells+c])) * scale // a linear output may be below 0
		}
		m.total.scale(images[k*Cells:][:Cells], row)
	}
}

// Encode returns the encoder's N×16 outputs for N images, in the units of the
// network: with the presets multiples of their format's step.
func (m *Model) Encode(ctx context.Context, images *wafer.Set) ([]float32, error) {
	out := make([]float32, images.Len()*Latent)
	if m.chip != nil && wholeCharges(images.Charge) {
		return out, m.chip.encodeWhole(ctx, images.Charge, out)
	}
	encoder := m.net
	if m.chip == nil {
		var err error
		if encoder, err = m.net.View(0, m.end, nn.Settings{}); err != nil {
			return nil, fmt.Errorf("autoencoder: %w", err)
		}
	}
	err := m.batches(ctx, data{images.Charge, make([]float32, images.Len()*ConditionCount)}, func(i, b int, _ []float64) error {
		dst := out[i*Latent : (i+b)*Latent]
		if m.chip != nil {
			m.chip.encode(m.in, b)
			copy(dst, m.chip.latent.Data)
			return nil
		}
		y, err := encoder.Forward(m.in, nn.Inference)
		if err == nil {
			copy(dst, y.Data)
		}
		return err
	})
	return out, err
}

// batches normalises the images and calls f with every batch of them loaded:
// b images from the i-th on.
func (m *Model) batches(ctx context.Context, d data, f func(i, b int, scales []float64) error) error {
	scaled, scales, err := normalise(d.images, m.norm)
	if err != nil {
		return err
	}
	n := len(scales)
	if err := m.checkConditions(d, n); err != nil {
		return err
	}
	for i := 0; i < n; i += decodeBatch {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := min(decodeBatch, n-i)
		m.load(b, func(k int) ([]float32, []float32) { return scaled[(i+k)*Cells : (i+k+1)*Cells], d.condition(i + k) })
		if err := f(i, b, scales); err != nil {
			return fmt.Errorf("autoencoder: %w", err)
		}
	}
	return nil
}

// condition is row i of the conditions, if there are any.
func (d data) condition(i int) []float32 {
	if d.conditions == nil {
		return nil
	}
	return d.conditions[i*ConditionCount : (i+1)*ConditionCount]
}

// load fills the input tensor with b images, each 48 scaled charges, and the
// conditions.
func (m *Model) load(b int, image func(k int) (cells, conditions []float32)) {
	m.in.Resize(b)
	clear(m.in.Data)
	if m.sides != nil {
		m.sides.Resize(b)
	}
	channels := m.in.Shape.C
	for k := range b {
		cells, conditions := image(k)
		for c, v := range cells {
			m.in.Data[(m.at[c].pixel*b+k)*channels+m.at[c].channel] = v
		}
		if m.sides != nil {
			copy(m.sides.Data[k*ConditionCount:], conditions)
		}
	}
}

// forward runs the loaded batch.
func (m *Model) forward(b int, mode nn.Mode) (*nn.Tensor, error) {
	net := m.net
	if m.chip != nil {
		net = m.chip.decoder
	}
	if m.sides != nil {
		if err := net.SetSide(m.conditions, m.sides); err != nil {
			return nil, err
		}
	}
	if m.chip != nil {
		return m.chip.forward(m.in, b, mode)
	}
	return net.Forward(m.in, mode)
}

// backward adds the weights' gradients of the last forward pass.
func (m *Model) backward(dy *nn.Tensor) error {
	if m.chip != nil {
		return m.chip.backward(dy)
	}
	return m.net.BackwardWeights(dy)
}

// gather copies the 48 cells of the decoded images into rows.
func (m *Model) gather(y *nn.Tensor, rows []float32) {
	channels := y.Shape.C
	for c, at := range m.at {
		from := y.Data[at.pixel*y.N*channels+at.channel:]
		for k := range y.N {
			rows[k*Cells+c] = m.gain*from[k*channels] + m.floor
		}
	}
}

// scatter is the transpose of gather: masked pixels get 0.
func (m *Model) scatter(rows []float32, y *nn.Tensor) {
	clear(y.Data)
	channels := y.Shape.C
	for c, at := range m.at {
		to := y.Data[at.pixel*y.N*channels+at.channel:]
		for k := range y.N {
			to[k*channels] = m.gain * rows[k*Cells+c]
		}
	}
}

// normalise scales each of N images (N×48 charges) and returns the scales.
func normalise(images []float64, norm wafer.Norm) (scaled []float32, scales []float64, err error) {
	if len(images)%Cells != 0 {
		return nil, nil, fmt.Errorf("autoencoder: %d charges are not a whole number of %d-cell images", len(images), Cells)
	}
	scaled, scales = make([]float32, len(images)), make([]float64, len(images)/Cells)
	for i := range scales {
		row, sum := images[i*Cells:(i+1)*Cells], 0.0
		for c, v := range row {
			if !(v >= 0) || math.IsInf(v, 1) {
				return nil, nil, fmt.Errorf("autoencoder: row %d, cell %d: the charge is %v; charges are finite and not negative", i, c, v)
			}
			sum += v
		}
		if !(sum > 0) || math.IsInf(sum, 1) {
			return nil, nil, fmt.Errorf("autoencoder: row %d: the charges sum to %v; drop such images first", i, sum)
		}
		scales[i] = norm.Scale(row)
		for c, v := range row {
			scaled[i*Cells+c] = float32(v / scales[i])
		}
	}
	return scaled, scales, nil
}
