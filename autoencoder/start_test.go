package autoencoder

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/loss"
	"barrow/nn"
	"barrow/simulate"
)

// TestStartMeta: the starts that come with the program are of their precisions, on any links, and are what a training
// begins with.
func TestStartMeta(t *testing.T) {
	images, err := simulate.Generate(40, simulate.Settings{Preset: "electrons", Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Architecture{{}, {Precision: "asic"}, {Precision: "asic", LatentBits: 3}, {Precision: "asic", Mask: "9x2,7x0"}} {
		if err := a.CheckStart(StartMeta); err != nil {
			t.Errorf("%v: %v", a, err)
			continue
		}
		m, err := Begin(images, Settings{Architecture: a, Start: StartMeta, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		own, err := a.withDefaults().start(StartMeta)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range m.Network().Params() {
			if p.Trainable && !slices.Equal(p.Value, own.net.Param(p.Name).Value) {
				t.Errorf("%v: %s is not the start's", a, p.Name)
			}
		}
	}
	if StartDigest("asic") == StartDigest("float") || StartDigest("") != StartDigest("float") || StartDigest("qkeras-5bit") != "" {
		t.Error("digests of starts")
	}
	file := filepath.Join(t.TempDir(), "own.weights")
	m, err := Architecture{Precision: "asic"}.New(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(file); err != nil {
		t.Fatal(err)
	}
	if err := (Architecture{Precision: "asic", LatentBits: 5}).CheckStart(file); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		a          Architecture
		name, want string
	}{
		{Architecture{Precision: "qkeras-5bit"}, StartMeta, "in the precisions float and asic, not in qkeras-5bit"},
		{Architecture{Decoder: "dense"}, StartMeta, "meta holds an autoencoder of another kind"},
		{Architecture{}, file, "own.weights holds an autoencoder of another kind"},
		{Architecture{}, file + "x", "own.weightsx"},
	} {
		if err := c.a.CheckStart(c.name); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v, %s: %v, want %q", c.a, c.name, err, c.want)
		}
	}
}

// TestPass: the value is the same with gradients and without, the gradients are those of the batch alone, and of the
// weights as they are.
func TestPass(t *testing.T) {
	images, err := simulate.Generate(40, simulate.Settings{Preset: "electrons", Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	l, err := loss.Parse("telescope", loss.Resources{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := Begin(images, Settings{Seed: 2, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPass(m, l, 40)
	if err != nil {
		t.Fatal(err)
	}
	set, err := p.Prepare(images)
	if err != nil || set.Len() != 40 || len(set.Cells()) != 40*Cells {
		t.Fatal(err, set)
	}
	index := []int{3, 1, 4, 15}
	want, err := p.Loss(t.Context(), set, index)
	if err != nil {
		t.Fatal(err)
	}
	var grads [2][]float32
	for k := range grads {
		got, err := p.Gradient(t.Context(), set, index)
		if err != nil || got != want {
			t.Errorf("%v, %v; want %v", got, err, want)
		}
		grads[k] = slices.Clone(m.Network().Param(layerDense + "/kernel").Grad)
	}
	if !slices.Equal(grads[0], grads[1]) {
		t.Error("gradients of two passes differ")
	}
	for _, q := range m.Network().Params() {
		for i, g := range q.Grad {
			q.Value[i] -= 1e-3 * g
		}
	}
	if after, err := p.Loss(t.Context(), set, index); err != nil || !(after < want) {
		t.Errorf("%v after a step down, %v before: %v", after, want, err)
	}
	if _, err := NewPass(m, l, 1000); err == nil {
		t.Error("a batch beyond the network's was taken")
	}
}
