package keras_test

import (
	"context"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/loss"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// trained is an autoencoder whose weights are as those of a trained one are: off
// the grid of their format, most outputs above 0.
func trained(t testing.TB, a autoencoder.Architecture) *model.Model {
	t.Helper()
	m, err := a.New(nn.Settings{Seed: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 1))
	for _, p := range m.Network().Params() {
		for i := range p.Value {
			switch {
			case strings.HasSuffix(p.Name, "bias"):
				p.Value[i] = float32(0.2 * (r.Float64() - 0.3))
			case strings.HasPrefix(p.Name, "encoder"):
				p.Value[i] *= 2
			}
		}
	}
	v, err := model.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func export(t testing.TB, m *model.Model, format string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := file.Export(context.Background(), m, format, dir, false); err != nil {
		t.Fatal(err)
	}
	return dir
}

var (
	plain = []autoencoder.Architecture{
		{}, {Conditional: true}, {Decoder: autoencoder.DecoderResidual, Output: autoencoder.OutputSquare, Conditional: true},
	}
	fixed = []autoencoder.Architecture{
		{Precision: "qkeras-5bit"}, {Precision: "cmssw-fork", Conditional: true, LatentBits: 3}, {Precision: "cmssw-mainline"},
	}
)

// tools runs what Keras or QKeras makes of a model's files.
func tools(t *testing.T, m *model.Model, format string) {
	t.Run(strings.Join(strings.Fields(format+" "+m.String()[:40]), "_"), func(t *testing.T) {
		t.Logf("%s", shared.Python(t, "models", filepath.Join("testdata", "outputs.py"), format, export(t, m, format)))
	})
}

// TestKeras: Keras 2 and 3 compute of exported files what the model does.
func TestKeras(t *testing.T) {
	for _, format := range []string{"keras", "keras3"} {
		for _, a := range plain {
			tools(t, trained(t, a), format)
		}
		for _, m := range estimators(t) {
			tools(t, m, format)
		}
	}
}

// TestQKeras: QKeras computes the outputs of quantised encoders to the bit.
func TestQKeras(t *testing.T) {
	for _, a := range fixed {
		tools(t, trained(t, a), "qkeras")
	}
}

func estimators(t testing.TB) []*model.Model {
	t.Helper()
	cnn, err := surrogate.NewCNN(surrogate.Architecture{Filters: 8, Kernel: 3, Convs: 2, Dense: 16}, nn.Settings{Seed: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	p, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	var out []*model.Model
	for _, d := range []loss.Distance{cnn, p} {
		m, err := model.OfEstimator(d)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}
