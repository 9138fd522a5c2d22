package source_test

import (
	"testing"

	"barrow/model"
	"barrow/nn"
	"barrow/surrogate"
)

// cnn is an EMD CNN with weights, and statistics of its normalisations, that are not
// those with which training starts.
func cnn(t *testing.T) *model.Model {
	t.Helper()
	d, err := surrogate.NewCNN(surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 2, Dense: 8}, nn.Settings{Seed: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range d.Network().Params() {
		for i := range p.Value {
			p.Value[i] += float32(i%5) / 16
		}
	}
	m, err := model.OfEstimator(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
