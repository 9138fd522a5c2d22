package file

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/nn"
	"barrow/surrogate"
)

func trained(t *testing.T, a autoencoder.Architecture) *autoencoder.Model {
	t.Helper()
	m, err := a.New(nn.Settings{Seed: 4, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestVerifyRegisters: the chip sends what the network computes, unless a register is
// another.
func TestVerifyRegisters(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	m := view(t, trained(t, autoencoder.Architecture{Precision: "asic", LatentBits: 5}))
	if _, err := Export(ctx, m, "registers", dir, false); err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(ctx, m, "registers", dir); err != nil || len(v) != 1 || v[0].Most != 0 {
		t.Fatalf("%v, %v", v, err)
	}
	path := filepath.Join(dir, "econt_sw.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	weight := regexp.MustCompile(`(weights_byte\d+[^0-9]+0x)[0-9a-f]+`)
	other := weight.ReplaceAll(text, []byte("${1}1"))
	if string(other) == string(text) {
		t.Fatalf("no weights in\n%s", text)
	}
	write(t, path, other)
	if _, err := Verify(ctx, m, "registers", dir); err == nil || !strings.Contains(err.Error(), "econt_sw.yaml: the chip sends") {
		t.Errorf("with another weight: %v", err)
	}
}

// reads is a format that is read as the given runner.
func reads(open func() (model.Runner, error)) *model.Format {
	return &model.Format{Name: "test", Open: func(model.Source, nn.Settings) (model.Runner, error) { return open() }}
}

func exported(t *testing.T, m *model.Model, f *model.Format) *export {
	t.Helper()
	v, err := m.Vectors(context.Background(), VectorCount)
	if err != nil {
		t.Fatal(err)
	}
	return &export{format: f, model: m, vectors: v}
}

// TestVerifyNames: of a file whose network has another weight in one layer, the error
// names that layer, whatever its neighbours are called and however they are cut.
func TestVerifyNames(t *testing.T) {
	a := trained(t, autoencoder.Architecture{Precision: "qkeras-5bit"})
	m := view(t, a)
	for _, p := range m.Parts() {
		spec := p.Network.Spec()
		at := -1
		for i, l := range spec.Layers {
			if l.Kind == nn.KindDense {
				at = i
			}
		}
		name := spec.Layers[at].Name
		spec.Layers = append([]nn.Layer(nil), spec.Layers...)
		for i := range spec.Layers {
			spec.Layers[i].Name = "other_" + spec.Layers[i].Name
		}
		net, err := nn.New(spec, nn.Settings{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range p.Network.Params() {
			if err := net.SetParam("other_"+w.Name, w.Value); err != nil {
				t.Fatal(err)
			}
		}
		e := exported(t, m, reads(func() (model.Runner, error) { return model.RunNetwork(net, nil, 0) }))
		if v, err := e.verify(context.Background(), "the file", &p); err != nil || v.Most != 0 {
			t.Errorf("%s: %v, %v", p.Name, v, err)
		}
		net.Param("other_" + name + "/bias").Value[0] += 0.5
		_, err = e.verify(context.Background(), "the file", &p)
		if want := `they part at the layer "` + name + `", where the file has "other_` + name + `"`; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", p.Name, err, want)
		}
	}
}

// TestVerifyChip: a network around the chip's encoder is told apart from it, and by
// how much, but not refused.
func TestVerifyChip(t *testing.T) {
	m := view(t, trained(t, autoencoder.Architecture{Precision: "asic"}))
	p := m.Part("encoder")
	e := exported(t, m, reads(func() (model.Runner, error) { return model.RunNetwork(p.Network, p.Inputs, 0) }))
	v, err := e.verify(context.Background(), "the file", p)
	if err != nil || !strings.Contains(v.Remark, "not truncated") || v.Most == 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

// turned is a model of another program: of two samples at once, channels first.
type turned struct{ model.Runner }

func (r turned) Inputs() []model.Port { return []model.Port{{Name: "x", Shape: []int{2, 6, 4, 4}}} }

func (r turned) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	return r.Runner.Run(ctx, []*model.Array{transposed(in[0], 2, 3, 1)})
}

func TestVerifyLayouts(t *testing.T) {
	cnn, err := surrogate.NewCNN(surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 1, Dense: 8}, nn.Settings{Seed: 5, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OfEstimator(cnn)
	if err != nil {
		t.Fatal(err)
	}
	e := exported(t, m, reads(func() (model.Runner, error) { return turned{m.Runner()}, nil }))
	if v, err := e.verify(context.Background(), "the file", m.Part("emd")); err != nil || v.Most > 1e-6 {
		t.Errorf("%v, %v", v, err)
	}
	// A decoder of 24 numbers is one input in the one file, two in the other.
	m = view(t, trained(t, autoencoder.Architecture{Conditional: true}))
	p := m.Part("decoder")
	for _, inputs := range [][]model.Input{nil, p.Inputs} {
		e := exported(t, m, reads(func() (model.Runner, error) { return model.RunNetwork(p.Network, inputs, 0) }))
		if v, err := e.verify(context.Background(), "the file", p); err != nil || v.Most != 0 {
			t.Errorf("%v, %v", v, err)
		}
	}
}

// TestVerifyTies: of an encoder that rounds sums in floating point a few outputs may be a
// step off, which is said; more, or farther, are an error.
func TestVerifyTies(t *testing.T) {
	m := view(t, trained(t, autoencoder.Architecture{Precision: "cmssw-mainline"}))
	p := m.Part("encoder")
	step := m.Encoder().Step()
	if step != 1./512 {
		t.Fatalf("a step of %v", step)
	}
	for _, c := range []struct {
		off  float64
		many int
		ok   bool
	}{{step, 3, true}, {2 * step, 1, false}, {step, 100, false}} {
		e := exported(t, m, reads(func() (model.Runner, error) {
			r, err := model.RunNetwork(p.Network, p.Inputs, 0)
			return shifted{r, c.off, c.many}, err
		}))
		v, err := e.verify(context.Background(), "the file", p)
		if ok := err == nil && strings.Contains(v.Remark, "3 of 2048 numbers are a step off"); ok != c.ok {
			t.Errorf("%+v: %+v, %v", c, v, err)
		}
	}
}

// shifted makes its first numbers larger.
type shifted struct {
	model.Runner
	off  float64
	many int
}

func (r shifted) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	out, err := r.Runner.Run(ctx, in)
	for i := range r.many {
		out[0].Data[i] += r.off
	}
	return out, err
}
