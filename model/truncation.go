package model

import (
	"context"
	"fmt"
	"math"
)

// measured is of how many images it is said how far a network is off the chip.
const measured = 1000

// Untruncated measures how far the network around a chip's encoder, which adds up exact
// products, is off the chip, which rounds every one down first: what the reader of a file
// that holds the network is told.
func (m *Model) Untruncated(ctx context.Context) (string, error) {
	v, err := m.Vectors(ctx, measured)
	if err != nil {
		return "", err
	}
	got, err := m.Part("encoder").Run(ctx, v)
	if err != nil {
		return "", err
	}
	want := v.Get("latent").Data
	equal, sum, largest := 0, 0.0, 0.0
	for i, w := range want {
		d := math.Abs(got.Data[i] - w)
		if d == 0 {
			equal++
		}
		sum += d
		largest = max(largest, d)
	}
	f := m.encoder.Precision.Latent
	step := math.Exp2(float64(f.Integer - f.Bits))
	return fmt.Sprintf("Of the outputs of %d images %.1f %% are equal; they are off by %.2f steps of 2^%d in the mean and by %.0f at most. latent in the\n"+
		"test vectors is the chip's.", measured, 100*float64(equal)/float64(len(want)), sum/float64(len(want))/step, f.Integer-f.Bits, largest/step), nil
}
