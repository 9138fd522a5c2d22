// Package autoencoder is the encoder of the trigger chip and its decoder, as
// arXiv:2306.04712 trains them: an image of 48 trigger cells, divided by
// 2^⌊log2 Σ⌋ and arranged as 8×8 pixels, goes through a convolution and a
// dense layer with 2,144 weights to 16 numbers, and through a decoder with
// 2,833 weights back to 48 charges. Any loss.Loss trains it.
package autoencoder

import (
	"context"
	"fmt"
	"math"

	"barrow/hgcal"
	"barrow/nn"
	"barrow/wafer"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

const side = 8

// Latent is the number of outputs of the encoder.
const Latent = 16

// Spec describes the network, 8×8×1 to 8×8×1: the first five layers are the
// encoder, as on the chip, the rest the decoder (arXiv:2306.04712 and its
// public code).
func Spec() nn.Spec {
	return nn.Spec{
		Name:  "autoencoder",
		Input: nn.Shape{H: side, W: side, C: 1},
		Layers: []nn.Layer{
			{Kind: nn.KindConv2D, Name: "encoder_conv", Filters: 8, Kernel: 3, Stride: 2, Padding: nn.PaddingSame},
			{Kind: nn.KindReLU, Name: "encoder_conv_relu"},
			{Kind: nn.KindFlatten, Name: "encoder_flatten"},
			{Kind: nn.KindDense, Name: "encoder_dense", Units: Latent},
			{Kind: nn.KindReLU, Name: "latent"},
			{Kind: nn.KindDense, Name: "decoder_dense", Units: 128},
			{Kind: nn.KindReLU, Name: "decoder_dense_relu"},
			{Kind: nn.KindReshape, Name: "decoder_reshape", Height: 4, Width: 4, Channels: 8},
			{Kind: nn.KindConv2DTranspose, Name: "decoder_conv_1", Filters: 8, Kernel: 3, Stride: 2, Padding: nn.PaddingSame},
			{Kind: nn.KindReLU, Name: "decoder_conv_1_relu"},
			{Kind: nn.KindConv2DTranspose, Name: "decoder_conv_2", Filters: 1, Kernel: 3, Stride: 1, Padding: nn.PaddingSame},
			{Kind: nn.KindSigmoid, Name: "decoded"},
		},
	}
}

// pixels maps each cell to its pixel in the 8×8 arrangement.
var pixels = func() (at [Cells]int) {
	for pixel, cell := range hgcal.Arrange8x8() {
		if cell != hgcal.Masked {
			at[cell] = pixel
		}
	}
	return at
}()

// A Model is an autoencoder with its weights. It is used by one goroutine at a
// time.
type Model struct {
	net *nn.Network
	in  *nn.Tensor
}

// decodeBatch is how many images Decode handles at once.
const decodeBatch = 500

// New makes an untrained autoencoder whose weights come from seed.
func New(seed uint64, threads int) (*Model, error) {
	return build(seed, threads, decodeBatch)
}

func build(seed uint64, threads, batch int) (*Model, error) {
	net, err := nn.New(Spec(), nn.Settings{Seed: seed, Threads: max(1, threads), MaxBatch: max(batch, decodeBatch)})
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	return newModel(net), nil
}

func newModel(net *nn.Network) *Model {
	return &Model{net: net, in: nn.NewTensor(1, Spec().Input)}
}

// Load reads the weights file of an autoencoder, as Save writes it.
func Load(path string, threads int) (*Model, error) {
	net, err := nn.Load(path, nn.Settings{Threads: max(1, threads), MaxBatch: decodeBatch})
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	if in, out := net.InputShape(), net.OutputShape(); in != Spec().Input || out != Spec().Input {
		return nil, fmt.Errorf("autoencoder: %s holds no autoencoder: its network %q maps %v to %v, not %v to the same", path, net.Spec().Name, in, out, Spec().Input)
	}
	return newModel(net), nil
}

// Save writes the model's architecture and weights to a file, in one step.
func (m *Model) Save(path string) error { return m.net.Save(path, nil) }

// Network is the model's network, for export and inspection.
func (m *Model) Network() *nn.Network { return m.net }

// Decode encodes and decodes N images (N×48 charges in V9 order, any units,
// every image with a positive sum) and returns the decoded charges in the same
// units. Bad charges are errors that name row and cell.
func (m *Model) Decode(ctx context.Context, images []float64) ([]float64, error) {
	scaled, scales, err := Normalise(images)
	if err != nil {
		return nil, err
	}
	out := make([]float64, len(images))
	pred := make([]float32, decodeBatch*Cells)
	n := len(images) / Cells
	for i := 0; i < n; i += decodeBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b := min(decodeBatch, n-i)
		m.load(b, func(k int) []float32 { return scaled[(i+k)*Cells : (i+k+1)*Cells] })
		y, err := m.net.Forward(m.in, nn.Inference)
		if err != nil {
			return nil, fmt.Errorf("autoencoder: %w", err)
		}
		gather(y, pred[:b*Cells])
		for k := range b {
			for c := range Cells {
				out[(i+k)*Cells+c] = float64(pred[k*Cells+c]) * scales[i+k]
			}
		}
	}
	return out, nil
}

// load fills the input tensor with b images, each 48 scaled charges.
func (m *Model) load(b int, image func(k int) []float32) {
	m.in.Resize(b)
	clear(m.in.Data)
	for k := range b {
		for c, v := range image(k) {
			m.in.Data[pixels[c]*b+k] = v
		}
	}
}

// gather copies the 48 cells of the decoded 8×8 images into rows.
func gather(y *nn.Tensor, rows []float32) {
	for c, pixel := range pixels {
		from := y.Data[pixel*y.N : (pixel+1)*y.N]
		for k, v := range from {
			rows[k*Cells+c] = v
		}
	}
}

// scatter is the transpose of gather: masked pixels get 0.
func scatter(rows []float32, y *nn.Tensor) {
	clear(y.Data)
	for c, pixel := range pixels {
		to := y.Data[pixel*y.N : (pixel+1)*y.N]
		for k := range to {
			to[k] = rows[k*Cells+c]
		}
	}
}

// Normalise divides each of N images (N×48 charges) by 2^⌊log2 Σ⌋, so that it
// sums to [1,2) as after the chip's shift, and returns
// the scaled images with the scales.
func Normalise(images []float64) (scaled []float32, scales []float64, err error) {
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
		scales[i] = wafer.PowerBelow(sum)
		for c, v := range row {
			scaled[i*Cells+c] = float32(v / scales[i])
		}
	}
	return scaled, scales, nil
}
