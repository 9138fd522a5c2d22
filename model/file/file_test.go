package file

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/model"
	"barrow/model/keras"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
	"barrow/wafer"
)

func images(n int) []float64 {
	v := make([]float64, n*autoencoder.Cells)
	for i := range v {
		if i%7 < 3 {
			v[i] = float64(i*i%89) + 1
		}
	}
	return v
}

func write(t *testing.T, path string, data []byte) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestAutoencoder opens one model by every name that it can have: a run's
// folder, its weights file, and three arrangements of Keras files.
func TestAutoencoder(t *testing.T) {
	dir := t.TempDir()
	m, err := autoencoder.Architecture{Precision: "qkeras-5bit", LatentBits: 5}.New(nn.Settings{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	weights := filepath.Join(dir, "run", run.Weights, run.EncoderWeights+"emd"+run.WeightsEnding)
	if err := os.MkdirAll(filepath.Dir(weights), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(weights); err != nil {
		t.Fatal(err)
	}
	f, err := keras.Export(m.Network())
	if err != nil {
		t.Fatal(err)
	}
	bare := *f
	bare.Config = ""
	for _, err := range []error{
		f.Write(filepath.Join(dir, "whole.h5"), false),
		f.WriteJSON(filepath.Join(dir, "two.json"), false), bare.Write(filepath.Join(dir, "two.hdf5"), false),
		f.WriteJSON(filepath.Join(dir, "three.json"), false), bare.Write(filepath.Join(dir, "three.weights.h5"), false),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	x := &wafer.Set{Charge: images(30)}
	want, err := m.Decode(context.Background(), x)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"run", filepath.Join("run", run.Weights, run.EncoderWeights+"emd"+run.WeightsEnding), "whole.h5", "two.json", "two.hdf5", "three.json", "three.weights.h5"} {
		got, err := Autoencoder(filepath.Join(dir, name), Settings{Threads: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		have, err := got.Decode(context.Background(), x)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want.Charge, have.Charge) {
			t.Errorf("%s (%v) decodes differently from the model (%v)", name, got.Architecture(), m.Architecture())
		}
	}
	if text := Assumed(filepath.Join(dir, "whole.h5")); !strings.Contains(text, "a file in the format keras does not say how images are normalised") {
		t.Errorf("what is assumed of a Keras file: %q", text)
	}
	if text := Assumed(weights); text != "" {
		t.Errorf("what is assumed of a file of Barrow: %q", text)
	}
	if _, err := Estimator(filepath.Join(dir, "whole.h5"), Settings{}); err == nil || !strings.Contains(err.Error(), "is no EMD CNN") {
		t.Errorf("an autoencoder as EMD CNN: %v", err)
	}
	for name, want := range map[string][]string{"whole.h5": {"whole.h5"}, "two.json": {"two.json", "two.hdf5"}, "two.hdf5": {"two.json", "two.hdf5"}, "three.weights.h5": {"three.json", "three.weights.h5"}} {
		got, err := AutoencoderFiles(filepath.Join(dir, name), "")
		for i := range want {
			want[i] = filepath.Join(dir, want[i])
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("files of %s: %v, %v; want %v", name, got, err, want)
		}
	}
	if got, err := AutoencoderFiles(filepath.Join(dir, "run"), ""); err != nil || !slices.Equal(got, []string{weights}) {
		t.Errorf("files of a run: %v, %v", got, err)
	}
	if _, err := EncoderWeights(weights, "telescope"); err == nil || !strings.Contains(err.Error(), `a loss ("telescope") chooses among those of a run's folder`) {
		t.Errorf("a file and a loss: %v", err)
	}
	second := filepath.Join(dir, "run", run.Weights, run.EncoderWeights+"telescope"+run.WeightsEnding)
	if err := m.Save(second); err != nil {
		t.Fatal(err)
	}
	if _, err := Autoencoder(filepath.Join(dir, "run"), Settings{}); !errors.Is(err, ErrSeveral) || !strings.Contains(err.Error(), "emd, telescope") {
		t.Errorf("two encoders: %v", err)
	}
	if _, err := EncoderWeights(filepath.Join(dir, "run"), "mse"); err == nil || !strings.Contains(err.Error(), `trained with "mse"; it has emd, telescope`) {
		t.Errorf("a loss that is not there: %v", err)
	}
	if got, err := EncoderWeights(filepath.Join(dir, "run"), "telescope"); err != nil || got != second {
		t.Errorf("%s, %v", got, err)
	}
}

func TestEstimator(t *testing.T) {
	p, err := surrogate.BuiltIn(nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "run", run.Weights, run.SurrogateWeights+run.WeightsEnding)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := p.Save(path); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{path, filepath.Join(dir, "run")} {
		if e, err := Estimator(name, Settings{}); err != nil {
			t.Error(err)
		} else if _, ok := e.(*surrogate.Potential); !ok {
			t.Errorf("%s: %T", name, e)
		}
	}
	if _, err := Autoencoder(path, Settings{}); err == nil || !strings.Contains(err.Error(), "an encoder is wanted") {
		t.Errorf("a potential network as encoder: %v", err)
	}
}

// begin is the beginning of a zip file whose first entry has a name.
func begin(name string) string {
	return "PK\x03\x04" + strings.Repeat("\x00", 22) + string([]byte{byte(len(name)), 0, 0, 0}) + name
}

// TestNoModel: a file that is no model is named by what it looks like, and the
// error says what is wanted.
func TestNoModel(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct{ data, want string }{
		"images.csv":   {"1,2,3\n4,5,6\n", "text with commas"},
		"empty":        {"", "is empty"},
		"config.json":  {`{"loss": "emd"}`, "a JSON file"},
		"init.yaml":    {"ConfigAlgo:\n  Global:\n    alg_type: 4\n", "YAML"},
		"pairs.npz":    {"PK\x03\x04" + strings.Repeat("\x00", 26) + "p.npy", "a zip file"},
		"x.npy":        {"\x93NUMPY\x01\x00", "NumPy array"},
		"t.root":       {"root\x00\x00\xf6\x08", "a ROOT file"},
		"zeros":        {strings.Repeat("\x00", 4000), "zero bytes"},
		"a.out":        {"\x7fELF\x02\x01\x01\x00", "a binary file"},
		"model.keras":  {"PK\x03\x04" + strings.Repeat("\x00", 26) + "metadata.json{}", "a damaged zip file, or none of Keras 3"},
		"cut.h5":       {"\x89HDF\r\n\x1a\n", "keras: "},
		"alone.json":   {`{"class_name": "Functional", "config": {}}`, "an architecture without its weights: there is no alone.hdf5, nor one ending in .h5, nor one ending in .weights.h5 beside it"},
		"old.weights":  {"BARROWNN\x01\x00", "from before its first release"},
		"cut.weights":  {begin("barrow-network.json"), "copy it again"},
		"cutp.weights": {begin("barrow-potential.json"), "copy it again"},
	} {
		path := write(t, filepath.Join(dir, name), []byte(c.data))
		for _, open := range []func() error{
			func() error { _, err := Estimator(path, Settings{}); return err },
			func() error { _, err := Autoencoder(path, Settings{}); return err },
		} {
			err := open()
			if name == "cutp.weights" && err != nil && strings.Contains(err.Error(), "potentials") {
				continue
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("%s: %v; want %q", name, err, c.want)
			}
		}
	}
	big := write(t, filepath.Join(dir, "sparse"), []byte(begin("barrow-network.json")))
	if err := os.Truncate(big, 3<<30); err == nil {
		if _, err := Estimator(big, Settings{}); err == nil || !strings.Contains(err.Error(), "3221225472 bytes, more than any model") {
			t.Errorf("a file of 3 GB: %v", err)
		}
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := Estimator("/dev/zero", Settings{}); err == nil || !strings.Contains(err.Error(), "a device or a pipe") {
			t.Errorf("a device: %v", err)
		}
	}
	for _, name := range []string{"absent", ""} {
		for _, open := range []func(string, Settings) error{
			func(n string, s Settings) error { _, err := Autoencoder(n, s); return err },
			func(n string, s Settings) error { _, err := Estimator(n, s); return err },
		} {
			if err := open(name, Settings{}); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "wanted is a run's folder, a weights file of Barrow (*.weights) or a model of another program (") || !strings.Contains(err.Error(), "Keras and QKeras: .h5") {
				t.Errorf("no file %q: %v", name, err)
			}
		}
	}
}

// TestNoModelInFolder: a folder without the network that is wanted says what it
// holds instead.
func TestNoModelInFolder(t *testing.T) {
	dir := t.TempDir()
	scan := filepath.Join(dir, "scan")
	write(t, filepath.Join(scan, run.Config), []byte(`{"kind": "some-scan", "version": 1}`))
	for _, name := range []string{"n1", "paper"} {
		write(t, filepath.Join(scan, run.Weights, name+run.WeightsEnding), nil)
	}
	theirs := filepath.Join(dir, "theirs")
	write(t, filepath.Join(theirs, "notes.txt"), []byte("none\n"))
	write(t, filepath.Join(theirs, "encoder.h5"), []byte("\x89HDF\r\n\x1a\n"))
	for folder, want := range map[string][]string{
		dir:    {"a folder that holds no run, without a trained", "wanted is a run's folder"},
		theirs: {"a folder that holds no run", "models of other programs: name one of encoder.h5; wanted is"},
		scan:   {`the folder of a run of the kind "some-scan", not finished, without a trained`, "it has n1.weights, paper.weights; wanted is"},
	} {
		_, errE := Estimator(folder, Settings{})
		_, errA := Autoencoder(folder, Settings{})
		for _, err := range []error{errE, errA} {
			for _, w := range want {
				if err == nil || !strings.Contains(err.Error(), w) {
					t.Errorf("%s: %v, want %q", folder, err, w)
				}
			}
		}
	}
}

// TestExport writes the registers of a chip's encoder: the folder is complete, its
// vectors are the model's own, and a file that is there is not replaced unasked.
func view(t *testing.T, m *autoencoder.Model) *model.Model {
	v, err := model.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestExport(t *testing.T) {
	m, err := autoencoder.Architecture{Precision: "asic", LatentBits: 5}.New(nn.Settings{Seed: 4, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "a", "registers")
	paths, err := Export(context.Background(), view(t, m), "registers", dir, false)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, p := range paths {
		found = append(found, filepath.Base(p))
		if info, err := os.Stat(p); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", p, err)
		}
	}
	if want := []string{"prod.yaml", "p1.yaml", "econt_sw.yaml", vectors, "vectors_charge.csv", "vectors_x.csv", "vectors_latent.csv", "vectors_y.csv", readme}; !slices.Equal(found, want) {
		t.Errorf("files %v, want %v", found, want)
	}
	in, err := os.ReadFile(filepath.Join(dir, vectors))
	if err != nil {
		t.Fatal(err)
	}
	a, err := npz.NewArchive(bytes.NewReader(in), int64(len(in)), vectors)
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string, row int) []float64 {
		s, err := a.Open(slices.Index(a.Names, name))
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		v, err := s.All()
		if err != nil || len(v) != VectorCount*row {
			t.Fatalf("%s: %d numbers: %v", name, len(v), err)
		}
		return v
	}
	charge, x, latent := read("charge", 48), read("x", 64), read("latent", 16)
	want, err := m.Encode(context.Background(), &wafer.Set{Charge: charge})
	if err != nil {
		t.Fatal(err)
	}
	used := false
	for i, v := range latent {
		if float32(v) != want[i] {
			t.Fatalf("latent %d is %v, the model gives %v", i, v, want[i])
		}
		used = used || v > 0
	}
	if !used {
		t.Error("all outputs are 0")
	}
	text, err := os.ReadFile(filepath.Join(dir, "vectors_x.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for i, word := range strings.FieldsFunc(string(text), func(r rune) bool { return r == ',' || r == '\n' }) {
		if v, err := strconv.ParseFloat(word, 32); err != nil || v != x[i] {
			t.Fatalf("number %d is %s in CSV, %v in %s", i, word, x[i], vectors)
		}
	}
	for i := range VectorCount {
		sum, all := 0.0, 0.0
		for _, v := range x[64*i : 64*(i+1)] {
			sum += v
		}
		for _, v := range charge[48*i : 48*(i+1)] {
			all += v
		}
		if want := all / math.Exp2(math.Floor(math.Log2(all))); math.Abs(sum-want) > 1e-5 {
			t.Errorf("x of image %d sums to %v, want %v", i, sum, want)
		}
	}
	if b, err := os.ReadFile(filepath.Join(dir, readme)); err != nil || !strings.Contains(string(b), "3 link(s), the highest 5 bits") || !strings.Contains(string(b), "V9 order, divided by 2^floor(log2") {
		t.Errorf("%v\n%s", err, b)
	}
	if _, err := Export(context.Background(), view(t, m), "registers", dir, false); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := Export(context.Background(), view(t, m), "registers", dir, true); err != nil {
		t.Error(err)
	}
	for format, want := range map[string]string{"keras": "export the model as qkeras", "tarot": "the formats that are written are registers"} {
		if _, err := Export(context.Background(), view(t, m), format, dir, true); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", format, err)
		}
	}
	float, err := autoencoder.New(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other")
	if _, err := Export(context.Background(), view(t, float), "registers", other, false); err == nil || !strings.Contains(err.Error(), "train with the precision asic") {
		t.Errorf("a float encoder: %v", err)
	}
	if _, err := os.Stat(other); err == nil {
		t.Error("a folder was made for nothing")
	}
}
