package keras_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/npz"
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

// TestHLS4ML: by the script that an export has, the C simulation of what hls4ml makes of
// exported encoders gives their outputs to the bit, those that round down among them.
func TestHLS4ML(t *testing.T) {
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skipf("the C simulation wants g++: %v", err)
	}
	for _, a := range fixed[:2] {
		dir := export(t, trained(t, a), "qkeras")
		t.Logf("%s: %s", a, shared.Python(t, "models", filepath.Join(dir, "hls.py"), filepath.Join(t.TempDir(), "hls")))
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

// TestReadBack: Barrow's own reader computes of every exported file what the model
// does.
func TestReadBack(t *testing.T) {
	hold := func(m *model.Model, format string, files int) {
		t.Helper()
		dir := export(t, m, format)
		found, err := file.Verify(context.Background(), m, format, dir)
		if err != nil || len(found) != files {
			t.Errorf("%s of %s: %d files, %v", format, m, len(found), err)
		}
	}
	for _, a := range plain {
		hold(trained(t, a), "keras", 6)
		hold(trained(t, a), "keras3", 3)
	}
	for i, m := range estimators(t) {
		hold(m, "keras", 2*(i+1))
		hold(m, "keras3", i+1)
	}
	for _, a := range fixed {
		hold(trained(t, a), "qkeras", 6)
	}
	hold(trained(t, autoencoder.Architecture{Precision: "asic"}), "qkeras", 6)
}

// TestRefused: a format that would compute something else says so.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		format string
		a      autoencoder.Architecture
		want   string
	}{
		{"keras", autoencoder.Architecture{Precision: "asic"}, "export the model as qkeras"},
		{"keras3", autoencoder.Architecture{Precision: "cmssw-mainline"}, "export the model as qkeras"},
		{"qkeras", autoencoder.Architecture{}, "export it as keras"},
	} {
		_, err := file.Export(context.Background(), trained(t, c.a), c.format, t.TempDir(), false)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.format, err)
		}
	}
}

// TestToolsModels: what Keras 2, QKeras and Keras 3 write is read from every layout,
// and computes what they say; quantised models to the bit.
func TestToolsModels(t *testing.T) {
	for version, want := range map[string]int{"2": 4*5 + 3*4, "3": 4 * 3} {
		t.Run("Keras "+version, func(t *testing.T) {
			dir := t.TempDir()
			shared.Python(t, "models", filepath.Join("testdata", "models.py"), version, dir)
			paths, err := filepath.Glob(filepath.Join(dir, "*@*"))
			if err != nil {
				t.Fatal(err)
			}
			held := 0
			for _, path := range paths {
				base := filepath.Base(path)
				if strings.HasSuffix(base, "weights.h5") {
					continue
				}
				held++
				name, _, _ := strings.Cut(base, "@")
				exact := name == "nearest" || name == "symmetric" || name == "different"
				if err := run(t.Context(), path, filepath.Join(dir, name+".npz"), exact); err != nil {
					t.Errorf("Keras %s: %s: %v", version, base, err)
				}
			}
			if held != want {
				t.Errorf("%d models held, want %d", held, want)
			}
		})
	}
}

// run holds a model to the output in a file of arrays, which has the inputs, too.
func run(ctx context.Context, path, arrays string, exact bool) error {
	got, err := file.Run(ctx, model.Source{Path: path}, arrays, path+".out.npz", true, file.Settings{Threads: 1})
	if err != nil {
		return err
	}
	f, err := os.Open(arrays)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := npz.NewArchive(f, info.Size(), arrays)
	if err != nil {
		return err
	}
	r, err := archive.Open(slices.Index(archive.Names, "y"))
	if err != nil {
		return err
	}
	defer r.Close()
	want, err := r.All()
	if err != nil {
		return err
	}
	if at, most := model.Differ(got.Get("y").Data, want, exact); at >= 0 {
		return fmt.Errorf("number %d is another, by %g at most", at, most)
	}
	return nil
}
