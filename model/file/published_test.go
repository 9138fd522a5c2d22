package file

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/wafer"
	waferfile "barrow/wafer/file"
)

// TestPublished: the pair of encoder and decoder that CMS publishes, in formats that
// none of the presets has, is evaluated as graphs and as Keras files on images of
// wafers: the 16 numbers are those that TensorFlow's graph makes, to the bit.
func TestPublished(t *testing.T) {
	folder := shared.Data(t, "keras", "ECON_QAE_model_5_bits")
	images := conditioned(t, shared.Data(t, "wafers", "ldm.csv"))
	ctx := context.Background()
	for kind, name := range map[string]string{"pb": "encoder_vanilla_AE.pb", "hdf5": "encoder_vanilla_AE.json"} {
		path := filepath.Join(folder, name)
		m, err := Autoencoder(path, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if a := m.Architecture(); a.Precision != autoencoder.Custom || !a.Conditional || a.LatentBits != 6 {
			t.Errorf("%s is %v", name, a)
		}
		if err := m.Save(filepath.Join(t.TempDir(), "x")); err == nil || !strings.Contains(err.Error(), "number formats of its own") {
			t.Errorf("saved as weights of Barrow: %v", err)
		}
		if read, err := AutoencoderFiles(path, ""); err != nil || len(read) != map[string]int{"pb": 2, "hdf5": 4}[kind] {
			t.Errorf("read are %v, %v", read, err)
		}
		x, err := m.Inputs(images)
		if err != nil {
			t.Fatal(err)
		}
		conditions, err := autoencoder.Conditions(images)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		raw(t, filepath.Join(dir, "x.raw"), x)
		raw(t, filepath.Join(dir, "cond.raw"), conditions)
		shared.Python(t, "models", "testdata/published.py", folder, dir)
		latent, err := m.Encode(ctx, images)
		if err != nil {
			t.Fatal(err)
		}
		steps := map[float32]bool{}
		for i, want := range numbers(t, filepath.Join(dir, "latent.raw"), len(latent)) {
			if latent[i] != want {
				t.Fatalf("%s: image %d, number %d: %v, not %v", name, i/autoencoder.Latent+1, i%autoencoder.Latent, latent[i], want)
			}
			steps[want] = true
		}
		if len(steps) < 10 {
			t.Errorf("%s: only %d different numbers", name, len(steps))
		}
		decoded, err := m.Decode(ctx, images)
		if err != nil {
			t.Fatal(err)
		}
		at := autoencoder.Arrangement(m.Network().InputShape())
		_, scales := images.Normalised(wafer.NormSumLog2)
		y := numbers(t, filepath.Join(dir, "y.raw"), images.Len()*64)
		for i := range images.Len() {
			for c, v := range decoded.Image(i) {
				want := (float64(y[i*64+at[c]]) + 1./(1<<20)) * scales[i]
				if math.Abs(v-want) > 2e-6*max(scales[i], want) {
					t.Fatalf("%s: image %d, cell %d: %v, not %v", name, i+1, c, v, want)
				}
			}
		}
	}
}

// conditioned are the images of a file with charge, with numbers made up for the columns
// of which conditions are made.
func conditioned(t *testing.T, path string) *wafer.Set {
	t.Helper()
	r, err := waferfile.Open(context.Background(), wafer.ReadSettings{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	all, err := wafer.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	images, _ := all.NonZero()
	for k, name := range []wafer.Known{wafer.Eta, wafer.WaferU, wafer.WaferV, wafer.WaferType, wafer.Layer} {
		c := wafer.Column{Name: string(name)}
		for i := range images.Len() {
			c.Float = append(c.Float, []float64{1.5 + float64(i%150)/100, float64(i%12 - 5), float64(i % 11), float64(i % 3), float64(1 + i%47)}[k])
		}
		images.Columns = append(images.Columns, c)
	}
	return images
}

func raw(t *testing.T, path string, v []float32) {
	t.Helper()
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
		t.Fatal(err)
	}
	write(t, path, b.Bytes())
}

func numbers(t *testing.T, path string, n int) []float32 {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	v := make([]float32, len(b)/4)
	if err := binary.Read(bytes.NewReader(b), binary.LittleEndian, v); err != nil || len(v) != n {
		t.Fatalf("%s: %d numbers, want %d: %v", path, len(v), n, err)
	}
	return v
}
