package nn

import (
	"math/rand/v2"
)

// N1 is the EMD CNN of docs/nn.md.
func n1(filters, kernel, convs, dense int) Spec {
	s := Spec{Name: "n1", Input: Shape{4, 4, 6}, Layers: []Layer{{Kind: KindSwapPair}}}
	for range convs {
		s.Layers = append(s.Layers,
			Layer{Kind: KindConv2D, Filters: filters, Kernel: kernel, Padding: PaddingSame, L2: 1e-4},
			Layer{Kind: KindBatchNorm}, Layer{Kind: KindReLU})
	}
	s.Layers = append(s.Layers, Layer{Kind: KindFlatten},
		Layer{Kind: KindDense, Units: dense, L2: 1e-4}, Layer{Kind: KindBatchNorm}, Layer{Kind: KindReLU},
		Layer{Kind: KindDense, Units: 1}, Layer{Kind: KindPairMean})
	return s
}

// N2 is the autoencoder of docs/nn.md.
func n2() Spec {
	return Spec{Name: "n2", Input: Shape{8, 8, 1}, Layers: []Layer{
		{Kind: KindConv2D, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame}, {Kind: KindReLU},
		{Kind: KindFlatten}, {Kind: KindDense, Units: 16, Name: "latent"}, {Kind: KindReLU},
		{Kind: KindDense, Units: 128}, {Kind: KindReLU}, {Kind: KindReshape, Height: 4, Width: 4, Channels: 8},
		{Kind: KindConv2DTranspose, Filters: 8, Kernel: 3, Stride: 2, Padding: PaddingSame}, {Kind: KindReLU},
		{Kind: KindConv2DTranspose, Filters: 1, Kernel: 3, Padding: PaddingSame}, {Kind: KindSigmoid},
	}}
}

func randomTensor(n int, s Shape, seed uint64) *Tensor {
	t, rng := NewTensor(n, s), rand.New(rand.NewPCG(seed, 1))
	for i := range t.Data {
		t.Data[i] = float32(rng.NormFloat64())
	}
	return t
}

// residual has the layers of the autoencoder's residual decoder, on rows wide
// enough for several tasks.
func residual() Spec {
	return Spec{Name: "residual", Input: Vector(16), Layers: []Layer{
		{Kind: KindDense, Name: "in", Units: 136},
		{Kind: KindDense, Units: 136}, {Kind: KindSiLU}, {Kind: KindDense, Units: 136}, {Kind: KindAdd, Name: "sum", From: "in"},
		{Kind: KindDense, Units: 136}, {Kind: KindSiLU}, {Kind: KindDense, Units: 136}, {Kind: KindAdd, From: "sum"},
		{Kind: KindSiLU}, {Kind: KindDense, Units: 48}, {Kind: KindSigmoid},
	}}
}
