package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// emdCost trains the autoencoder on generated wafers with the exact EMD as its
// loss, and compares the time in the loss with that in the network's forward
// and backward pass.
func emdCost(threads int) error {
	const batch, images, steps = 500, 10000, 200
	set, err := simulate.Generate(images, simulate.Settings{Seed: 1})
	if err != nil {
		return err
	}
	net, err := nn.New(autoencoder(false), nn.Settings{Seed: 1, Threads: threads, MaxBatch: batch})
	if err != nil {
		return err
	}
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		return err
	}
	solver, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: threads})
	if err != nil {
		return err
	}
	exact := loss.FromDistance("exact", solver)
	x, dy := nn.NewTensor(batch, net.InputShape()), nn.NewTensor(batch, net.OutputShape())
	target, pred, grad := make([]float32, batch*hgcal.Cells), make([]float32, batch*hgcal.Cells), make([]float32, batch*hgcal.Cells)
	adam := &nn.Adam{}
	var inNet, inLoss []float64
	value := 0.0
	for step := range steps {
		fill(target, set, step*batch)
		spread(x, target)
		net.ZeroGrad()
		t0 := time.Now()
		y, err := net.Forward(x, nn.Training)
		if err != nil {
			return err
		}
		t1 := time.Now()
		collect(pred, y)
		if value, err = exact.Eval(context.Background(), target, pred, grad); err != nil {
			return err
		}
		spread(dy, grad)
		t2 := time.Now()
		if err := net.BackwardWeights(dy); err != nil {
			return err
		}
		t3 := time.Now()
		adam.Update(net.Params(), 2e-3)
		inNet = append(inNet, (t1.Sub(t0)+t3.Sub(t2)).Seconds()/batch*1e6)
		inLoss = append(inLoss, t2.Sub(t1).Seconds()/batch*1e6)
	}
	a, b := median(inNet), median(inLoss)
	fmt.Printf("exact-EMD loss, %d thread(s), after %d steps (mean EMD %.2f): %.2f µs an image; the autoencoder's own forward and backward pass: %.2f µs; ratio %.2f (goal: at most 2)\n",
		threads, steps, value, b, a, b/a)
	return nil
}

// fill puts the images from the first on into cells, each divided by
// 2^⌊log2 Σ⌋.
func fill(cells []float32, set *wafer.Set, first int) {
	for n := range len(cells) / hgcal.Cells {
		image, sum := set.Image((first+n)%set.Len()), 0.0
		for _, v := range image {
			sum += v
		}
		scale := math.Exp2(-math.Floor(math.Log2(sum)))
		for i, v := range image {
			cells[n*hgcal.Cells+i] = float32(v * scale)
		}
	}
}
