package autoencoder

import (
	"context"
	"fmt"
	"math"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/nn"
)

// The chip's arithmetic in integers (barrow/econt, package comment): pixels
// have 7 fractional bits, weights 5, hidden units 7, outputs 8; every product
// is truncated towards −∞ before it is added.
const (
	pixelUnit  = 128
	weightUnit = 32
	hiddenUnit = 128
	outputUnit = 256
	outputTop  = 511
	windows    = 4 // a side of the convolution's output
	filters    = 8
	hiddenSize = windows * windows * filters
)

// chip runs the encoder as the chip does and trains it: the forward pass takes
// the exact integers of every stage, the backward pass the gradients of the
// network's own layers at those values (straight through the truncations).
type chip struct {
	conv, dense, decoder *nn.Network // views that share the network's weights
	params               [4]*nn.Param
	weights              econt.Weights
	kept                 [Latent]int32 // the bits of each output that are sent

	hidden, latent *nn.Tensor
	acc            []int32 // the outputs before ReLU and limit, N×16
	dlatent        *nn.Tensor
	dhidden        *nn.Tensor
}

// newChip is the chip around a network whose first layers, end of them, are the encoder.
func newChip(net *nn.Network, end int, w Widths) (*chip, error) {
	c := &chip{kept: w.codes()}
	for i, name := range []string{layerConv + "/kernel", layerConv + "/bias", layerDense + "/kernel", layerDense + "/bias"} {
		c.params[i] = net.Param(name)
	}
	conv, dense := net.LayerIndex(layerConv), net.LayerIndex(layerDense)
	var err error
	if c.conv, err = net.View(0, conv+1, nn.Settings{}); err == nil {
		c.dense, err = net.View(conv+2, dense+1, nn.Settings{})
	}
	if err == nil {
		c.decoder, err = net.View(end, len(net.Layers()), nn.Settings{})
	}
	if err != nil {
		return nil, fmt.Errorf("autoencoder: %w", err)
	}
	c.hidden, c.latent = nn.NewTensor(1, c.dense.InputShape()), nn.NewTensor(1, nn.Vector(Latent))
	c.dhidden, c.dlatent = nn.NewTensor(1, c.dense.InputShape()), nn.NewTensor(1, nn.Vector(Latent))
	return c, nil
}

// quantise brings the integer weights up to date with the network's: to the
// nearest of the chip's 64 values, ties to even, as the network's layers do.
func (c *chip) quantise() {
	q := func(v float32) int8 {
		return int8(min(max(math.RoundToEven(float64(v)*weightUnit), -weightUnit), weightUnit-1))
	}
	for i, v := range c.params[0].Value {
		c.weights.Conv[i] = q(v)
	}
	for i, v := range c.params[1].Value {
		c.weights.ConvBias[i] = q(v)
	}
	for i, v := range c.params[2].Value {
		c.weights.Dense[i%Latent][i/Latent] = q(v)
	}
	for i, v := range c.params[3].Value {
		c.weights.DenseBias[i] = q(v)
	}
}

// encode fills hidden, acc and latent for a batch of n normalised 8×8 images.
func (c *chip) encode(in *nn.Tensor, n int) {
	c.quantise()
	c.hidden.Resize(n)
	c.latent.Resize(n)
	if cap(c.acc) < n*Latent {
		c.acc = make([]int32, n*Latent)
	}
	c.acc = c.acc[:n*Latent]
	var image [side * side]int32
	var hidden [hiddenSize]int32
	for k := range n {
		for p := range image {
			image[p] = int32(min(in.Data[p*n+k]*pixelUnit, pixelUnit*2-1))
		}
		convolve(&hidden, &image, &c.weights)
		for p := range windows * windows {
			row := c.hidden.Data[(p*n+k)*filters:][:filters]
			for f := range row {
				row[f] = float32(hidden[p*filters+f]) / hiddenUnit
			}
		}
		acc, out := c.acc[k*Latent:][:Latent], c.latent.Data[k*Latent:][:Latent]
		for j := range acc {
			acc[j] = multiply(&hidden, &c.weights.Dense[j], int32(c.weights.DenseBias[j]))
			out[j] = float32(min(max(acc[j], 0), outputTop)&c.kept[j]) / outputUnit
		}
	}
}

// raster gives the cell at each of the chip's 48 pixels.
var raster = func() (cell [Cells]int) {
	k := 0
	for _, c := range hgcal.Arrange8x8() {
		if c != hgcal.Masked {
			cell[k] = c
			k++
		}
	}
	return cell
}()

// wholeCharges reports whether images are what the chip itself can get: whole
// images with charge, of whole numbers of at most 22 bits. Their sums are exact.
func wholeCharges(images []float64) bool {
	return len(images)%Cells == 0 && notWhole(images) < 0
}

// notWhole is the first image that is none such, or -1.
func notWhole(images []float64) int {
	for i := 0; i < len(images); i += Cells {
		sum := 0.0
		for _, v := range images[i : i+Cells] {
			if !(v >= 0 && v < 1<<22) || v != math.Trunc(v) {
				return i / Cells
			}
			sum += v
		}
		if sum == 0 {
			return i / Cells
		}
	}
	return -1
}

// encodeWhole encodes images of whole charges with econt's kernels.
func (c *chip) encodeWhole(ctx context.Context, images []float64, out []float32) error {
	c.quantise()
	e, err := econt.NewEncoder(&c.weights, econt.EncoderSettings{})
	if err != nil {
		return fmt.Errorf("autoencoder: %w", err)
	}
	const block = 1024
	var calq [block * Cells]uint32
	var code [block * Latent]uint16
	for i := 0; i < len(images); i += block * Cells {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := min(block, (len(images)-i)/Cells)
		toRaster(calq[:], images[i:][:n*Cells])
		if err := e.Encode(calq[:n*Cells], code[:n*Latent], nil); err != nil {
			return fmt.Errorf("autoencoder: %w", err)
		}
		c.outputs(out[i/Cells*Latent:], code[:n*Latent])
	}
	return nil
}

// toRaster writes images of whole charges as the chip numbers them.
func toRaster(calq []uint32, images []float64) {
	for i := 0; i < len(images); i += Cells {
		row, to := images[i:][:Cells], calq[i:][:Cells]
		for p, cell := range raster {
			to[p] = uint32(row[cell])
		}
	}
}

// outputs are codes of the chip in the units of the network, without the bits that the
// links do not carry.
func (c *chip) outputs(to []float32, codes []uint16) {
	for k, v := range codes {
		to[k] = float32(int32(v)&c.kept[k%Latent]) / outputUnit
	}
}

// convolve is the 3×3 convolution with stride 2 over an 8×8 image, padded with
// zeros below and to the right, and its ReLU.
func convolve(hidden *[hiddenSize]int32, image *[side * side]int32, w *econt.Weights) {
	var acc [filters]int32
	for y := range windows {
		for x := range windows {
			for f, b := range w.ConvBias {
				acc[f] = int32(b) << 2
			}
			for dy := range 3 {
				for dx := range 3 {
					py, px := 2*y+dy, 2*x+dx
					if py >= side || px >= side || image[py*side+px] == 0 {
						continue
					}
					v, taps := image[py*side+px], w.Conv[(dy*3+dx)*filters:][:filters]
					for f, t := range taps {
						acc[f] += v * int32(t) >> 5
					}
				}
			}
			for f, a := range acc {
				hidden[(y*windows+x)*filters+f] = max(a, 0)
			}
		}
	}
}

// multiply is one output of the dense layer.
func multiply(hidden *[hiddenSize]int32, w *[hiddenSize]int8, bias int32) int32 {
	acc := bias << 3
	for i, h := range hidden {
		acc += h * int32(w[i]) >> 4
	}
	return acc
}

// forward runs the batch through the chip's encoder and the decoder.
func (c *chip) forward(in *nn.Tensor, n int, mode nn.Mode) (*nn.Tensor, error) {
	c.encode(in, n)
	if mode == nn.Training {
		// These leave what the backward pass needs: the layers' inputs.
		if _, err := c.conv.Forward(in, mode); err != nil {
			return nil, err
		}
		if _, err := c.dense.Forward(c.hidden, mode); err != nil {
			return nil, err
		}
	}
	return c.decoder.Forward(c.latent, mode)
}

// backward adds the weights' gradients.
func (c *chip) backward(dy *nn.Tensor) error {
	dz, err := c.decoder.Backward(dy)
	if err != nil {
		return err
	}
	copy(c.dlatent.Resize(dz.N).Data, dz.Data)
	for i, a := range c.acc {
		if a <= 0 || a > outputTop || c.kept[i%Latent] == 0 {
			c.dlatent.Data[i] = 0
		}
	}
	dh, err := c.dense.Backward(c.dlatent)
	if err != nil {
		return err
	}
	copy(c.dhidden.Resize(dh.N).Data, dh.Data)
	for i, h := range c.hidden.Data {
		if h <= 0 {
			c.dhidden.Data[i] = 0
		}
	}
	return c.conv.BackwardWeights(c.dhidden)
}

// ChipWeights are the weights that make econt's encoder compute this encoder,
// bit for bit: only a model of the preset "asic" has them. How the outputs are
// cut to fewer bits than nine is up to the chip's keep mask: [Architecture.Widths].
func (m *Model) ChipWeights() (*econt.Weights, error) {
	if m.chip == nil {
		return nil, fmt.Errorf("autoencoder: precision %q is not the chip's: train with the preset asic", m.arch.Precision)
	}
	m.chip.quantise()
	w := m.chip.weights
	return &w, nil
}
