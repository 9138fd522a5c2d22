// Package loss holds what an encoder is trained on: functions of an image and
// its decoded image with their gradient with respect to the decoded image.
//
// Every loss works on a batch of N images of 48 trigger-cell charges in V9
// order, row after row, in the units the autoencoder works in (charge divided
// by 2^⌊log2 Σ⌋, so that an image sums to [1,2)). Its value is the mean over
// the batch. The cell-by-cell losses are those of arXiv:2306.04712 and its
// public code; the distance losses compare the shapes only: both images are
// scaled to sum 1 first, which the public code forgot for the decoded image.
package loss

import (
	"context"
	"fmt"
	"math"

	"barrow/hgcal"
)

// Cells is the number of trigger cells in an image.
const Cells = hgcal.Cells

// A Loss is a function of a batch of images and their decoded images.
type Loss interface {
	// Name is the loss as Parse accepts it.
	Name() string
	// Eval returns the mean loss over the batch and writes into grad its
	// gradient with respect to pred. The three slices hold N×48 values; grad
	// may be nil where only the value is wanted. A Loss is used by one
	// goroutine at a time and gives the same bits whatever its thread count.
	Eval(ctx context.Context, target, pred, grad []float32) (float64, error)
}

// check returns the number of images of wafers in a batch.
func check(name string, target, pred, grad []float32) (int, error) {
	return checkCells(name, Cells, target, pred, grad)
}

// checkCells returns the number of images of so many cells in a batch.
func checkCells(name string, cells int, target, pred, grad []float32) (int, error) {
	if len(target) == 0 || len(target)%cells != 0 {
		return 0, fmt.Errorf("loss: %s: %d charges are not a whole number of %d-cell images", name, len(target), cells)
	}
	if len(pred) != len(target) || (grad != nil && len(grad) != len(target)) {
		return 0, fmt.Errorf("loss: %s: %d charges in the images, %d in the decoded ones, %d in the gradient", name, len(target), len(pred), len(grad))
	}
	return len(target) / cells, nil
}

// finite turns a value that is not a number into an error that names the loss.
func finite(name string, v float64) (float64, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return v, fmt.Errorf("loss: %s: the value is %v; the images or the decoded images hold values that are not finite", name, v)
	}
	return v, nil
}
