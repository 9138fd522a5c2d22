package keras

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/nn"
)

// emdModels are the paper's networks that are at hand: trainable and other
// weights as docs/paper.md counts them.
var emdModels = []struct {
	name   string
	layers int
	total  int
}{
	{"ae_mse", 3, 189089},
	{"pair_huber", 3, 189089},
	{"pair_msle", 4, 98817},
}

// agree checks predictions to 1e-5 of their value. What a network says of an
// image and itself is what is left near zero of terms around 1, in single
// precision whoever computes it: such pairs are checked to 1e-5 of that.
func agree(t *testing.T, a, b, got []float32, want []float64) string {
	t.Helper()
	relative, absolute := 0.0, 0.0
	for i, w := range want {
		d := math.Abs(float64(got[i]) - w)
		if slices.Equal(a[48*i:48*i+48], b[48*i:48*i+48]) {
			absolute = max(absolute, d)
		} else {
			relative = max(relative, d/math.Abs(w))
		}
	}
	if !(relative <= 1e-5) || !(absolute <= 1e-5) {
		t.Errorf("relative difference %g, of equal images absolute %g", relative, absolute)
	}
	return fmt.Sprintf("largest relative difference %.1e; of equal images absolute %.1e", relative, absolute)
}

func readEMD(t testing.TB, name string) *Model {
	t.Helper()
	m, err := ReadModel(shared.Data(t, "emd_cnn", name+".h5"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func predictor(t testing.TB, m *Model) *Predictor {
	t.Helper()
	p, err := m.Predictor(nn.Settings{MaxBatch: 256})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestEMDModels(t *testing.T) {
	for _, c := range emdModels {
		t.Run(c.name, func(t *testing.T) {
			m := readEMD(t, c.name)
			if got := m.File.Count(); got != c.total {
				t.Errorf("%d weights, want %d", got, c.total)
			}
			if m.File.KerasVersion != "2.5.0" || m.File.Backend != "tensorflow" || m.File.TrainingConfig == "" {
				t.Errorf("version %q, backend %q", m.File.KerasVersion, m.File.Backend)
			}
			convs := 0
			for _, l := range m.Spec.Layers {
				if l.Kind == nn.KindConv2D {
					convs++
					if math.Abs(l.L2-1e-4) > 1e-10 {
						t.Errorf("%s: l2 %g", l.Name, l.L2)
					}
				}
			}
			if convs != c.layers || m.Spec.Input != (nn.Shape{H: 4, W: 4, C: 6}) {
				t.Errorf("%d convolutions on %v", convs, m.Spec.Input)
			}
			a, b := imagePairs(t, 40)
			got, err := predictor(t, m).Predict(a, b)
			if err != nil {
				t.Fatal(err)
			}
			want := referenceAll(t, m, 40, a, b)
			t.Log("against the reference in double precision:", agree(t, a, b, got, want))
		})
	}
}

// TestEMDModelsPyTorch compares values and gradients with PyTorch, in double
// precision, which reads the same files by h5py.
func TestEMDModelsPyTorch(t *testing.T) {
	py := pythonWith(t, "torch", "h5py")
	const n = 240
	a, b := imagePairs(t, n)
	for _, c := range emdModels {
		t.Run(c.name, func(t *testing.T) {
			m := readEMD(t, c.name)
			out := pipe(t, interleave(a, b, 48), py, filepath.Join("testdata", "emdcnn.py"), shared.Data(t, "emd_cnn", c.name+".h5"), "float64")
			got, grads, err := predictor(t, m).Gradient(nil, a, b)
			if err != nil {
				t.Fatal(err)
			}
			var want, wantA, wantB []float64
			for i := range n {
				row := out[i*97 : (i+1)*97]
				want = append(want, row[0])
				wantA = append(wantA, row[1:49]...)
				wantB = append(wantB, row[49:]...)
			}
			value := agree(t, a, b, got, want)
			// a gradient's components cancel: relative to a typical one, 1
			gradient := max(worst(grads[0], wantA, 1), worst(grads[1], wantB, 1))
			t.Logf("%d pairs: %s; gradient: %.1e", n, value, gradient)
			if !(gradient <= 1e-5) {
				t.Errorf("gradient: difference %g", gradient)
			}
		})
	}
}

// readQAE reads one half of the QKeras autoencoder.
func readQAE(t testing.TB, half string) *Model {
	t.Helper()
	base := shared.Data(t, "keras", "ECON_QAE_model_5_bits", half+"_vanilla_AE.json")
	m, err := ReadModelJSON(base, base[:len(base)-len("json")]+"hdf5")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// encoderInputs are real wafers and random images as 8×8, with conditions.
func encoderInputs(t testing.TB, n int) (images, conditions []float32) {
	t.Helper()
	rng := rand.New(rand.NewPCG(7, 8))
	real := append(wafers(t, "ldm.csv", n), wafers(t, "hdm.csv", n)...)
	cells := hgcal.Arrange8x8()
	for i := range n {
		image := real[rng.IntN(len(real))]
		if i%3 == 2 {
			for j := range image {
				image[j] = 100 * rng.ExpFloat64()
			}
		}
		sum := 0.0
		for _, v := range image {
			sum += v
		}
		scale := math.Exp2(math.Floor(math.Log2(sum)))
		for _, cell := range cells {
			v := 0.0
			if cell >= 0 {
				v = image[cell] / scale
			}
			images = append(images, float32(v))
		}
		for range 8 {
			conditions = append(conditions, float32(rng.NormFloat64()))
		}
	}
	return images, conditions
}

// TestQAE compares the QKeras encoder and the decoder with the graphs that
// TensorFlow froze of them, evaluated by NumPy, and with the reference.
func TestQAE(t *testing.T) {
	const n = 3000
	encoder, decoder := readQAE(t, "encoder"), readQAE(t, "decoder")
	if c := encoder.File.Count(); c != 2144 {
		t.Errorf("encoder: %d weights", c)
	}
	images, conditions := encoderInputs(t, n)
	latent, err := predictor(t, encoder).Predict(images, conditions)
	if err != nil {
		t.Fatal(err)
	}
	if len(latent) != 24*n {
		t.Fatalf("%d outputs", len(latent))
	}
	for i, v := range latent {
		if i%24 < 16 && (v*16 != float32(math.Trunc(float64(v*16))) || v < -2 || v > 1.9375) {
			t.Fatalf("latent %v is not a multiple of 1/16 within −2 and 1.9375", v)
		}
	}
	decoded, err := predictor(t, decoder).Predict(latent)
	if err != nil {
		t.Fatal(err)
	}
	const few = 200
	if d := worst(latent[:24*few], referenceAll(t, encoder, few, images, conditions), 1); d != 0 {
		t.Errorf("encoder: differs from the reference by %g", d)
	}
	if d := worst(decoded[:64*few], referenceAll(t, decoder, few, latent), 1e-3); d > 1e-4 {
		t.Errorf("decoder: differs from the reference by %g", d)
	}

	py := pythonWith(t)
	graph := func(half string) string {
		return shared.Data(t, "keras", "ECON_QAE_model_5_bits", half+"_vanilla_AE.pb")
	}
	script := filepath.Join("testdata", "frozen.py")
	for _, precision := range []string{"float32", "float64"} {
		want := pipe(t, append(append([]float32{}, images...), conditions...), py, script, graph("encoder"), precision,
			fmt.Sprintf("x=%d,8,8,1", n), fmt.Sprintf("y=%d,8", n))
		differ := 0
		for i, v := range want {
			if float64(latent[i]) != v {
				differ++
			}
		}
		t.Logf("encoder: %d of %d outputs differ from TensorFlow's graph in %s", differ, len(want), precision)
		if differ > 0 {
			t.Errorf("encoder: %d outputs differ in %s", differ, precision)
		}
	}
	want := pipe(t, latent, py, script, graph("decoder"), "float64", fmt.Sprintf("x=%d,24", n))
	d := worst(decoded, want, 0.1)
	t.Logf("decoder: largest relative difference to TensorFlow's graph %.1e", d)
	if !(d <= 1e-5) {
		t.Errorf("decoder: relative difference %g", d)
	}
}

// TestRealFiles reads every real file and checks what is in it.
func TestRealFiles(t *testing.T) {
	for _, c := range []struct {
		path                 []string
		version              string
		whole                bool
		layers, arrays, size int
		layer, weight        string
		shape                []int
	}{
		{[]string{"emd_cnn", "ae_mse.h5"}, "2.5.0", true, 4, 26, 189089, "base_model", "conv2d_1/kernel:0", []int{5, 5, 6, 32}},
		{[]string{"emd_cnn", "pair_huber.h5"}, "2.5.0", true, 4, 26, 189089, "base_model", "batchnorm4/moving_variance:0", []int{256}},
		{[]string{"emd_cnn", "pair_msle.h5"}, "2.5.0", true, 4, 32, 98817, "base_model", "output/kernel:0", []int{32, 1}},
		{[]string{"keras", "ECON_QAE_model_5_bits", "encoder_vanilla_AE.hdf5"}, "2.13.1", false, 14, 4, 2144, "conv2d", "conv2d/kernel:0", []int{3, 3, 1, 8}},
		{[]string{"keras", "ECON_QAE_model_5_bits", "decoder_vanilla_AE.hdf5"}, "2.13.1", false, 11, 8, 10593, "conv2d_transpose_2", "conv2d_transpose_2/kernel:0", []int{3, 3, 1, 8}},
		{[]string{"econt", "AE", "encoder.hdf5"}, "2.2.4-tf", false, 7, 4, 2144, "encoded_vector", "encoded_vector/kernel:0", []int{128, 16}},
	} {
		f, err := ReadWeights(shared.Data(t, c.path...))
		if err != nil {
			t.Error(err)
			continue
		}
		arrays := 0
		for _, l := range f.Layers {
			arrays += len(l.Weights)
		}
		w := f.Weight(c.layer, c.weight)
		if f.KerasVersion != c.version || f.Backend != "tensorflow" || (f.Config != "") != c.whole ||
			len(f.Layers) != c.layers || arrays != c.arrays || f.Count() != c.size || w == nil || !slices.Equal(w.Shape, c.shape) {
			t.Errorf("%v: version %s, %d layers, %d arrays, %d weights, %s: %+v", c.path, f.KerasVersion, len(f.Layers), arrays, f.Count(), c.weight, w)
		}
	}
}
