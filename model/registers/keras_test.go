package registers

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/internal/shared"
	"barrow/model/keras"
)

// TestGoldenWeights: the registers of the golden AE file hold the Keras file's
// weights, the dense kernel untransposed.
func TestGoldenWeights(t *testing.T) {
	dir := shared.Data(t, "econt", "AE")
	yaml, err := os.Open(filepath.Join(dir, "init.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	defer yaml.Close()
	chip, err := econt.ReadRegisters(yaml)
	if err != nil {
		t.Fatal(err)
	}
	file, err := keras.ReadWeights(filepath.Join(dir, "encoder.hdf5"))
	if err != nil {
		t.Fatal(err)
	}
	for order, same := range map[econt.DenseOrder]bool{econt.DenseGolden: true, econt.DenseKeras: false} {
		f, err := fromKeras(file, order)
		if err != nil {
			t.Fatal(err)
		}
		w, _, err := f.Quantise(econt.RoundFloor)
		if err != nil {
			t.Fatal(err)
		}
		if (*w == *chip.Config.Weights) != same {
			t.Errorf("dense order %d: same weights as the registers: %t, want %t", order, !same, same)
		}
	}
}

func randomWeights(r *rand.Rand) *econt.Weights {
	var reg [econt.WeightCount]int8
	for i := range reg {
		reg[i] = int8(r.IntN(64) - 32)
	}
	w, err := econt.WeightsFromRegisters(&reg)
	if err != nil {
		panic(err)
	}
	return w
}

func TestKerasRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for range 10 {
		w := randomWeights(r)
		for _, order := range []econt.DenseOrder{econt.DenseKeras, econt.DenseRegisters} {
			data, err := ToKeras(w, order).Encode()
			if err != nil {
				t.Fatal(err)
			}
			file, err := keras.ParseWeights(data)
			if err != nil {
				t.Fatal(err)
			}
			f, err := fromKeras(file, order)
			if err != nil {
				t.Fatal(err)
			}
			if q, changed, err := f.Quantise(econt.RoundNearest); err != nil || changed != (econt.Quantised{}) || *q != *w {
				t.Fatalf("%+v, %v", changed, err)
			}
		}
	}
}

func TestFromKerasErrors(t *testing.T) {
	file := ToKeras(new(econt.Weights), econt.DenseKeras)
	file.Layers = file.Layers[:1]
	if _, err := fromKeras(file, econt.DenseKeras); err == nil || !strings.Contains(err.Error(), "registers: no encoder") {
		t.Errorf("half an encoder: %v", err)
	}
	file = ToKeras(new(econt.Weights), econt.DenseKeras)
	file.Layers = append(file.Layers, file.Layers[0])
	if _, err := fromKeras(file, econt.DenseKeras); err == nil || !strings.Contains(err.Error(), "both") {
		t.Errorf("two encoders: %v", err)
	}
}

// TestWithinModel: the encoder is found within the file of a whole autoencoder,
// whose models are layers there, in Keras 2's names and in Keras 3's.
func TestWithinModel(t *testing.T) {
	w := randomWeights(rand.New(rand.NewPCG(3, 3)))
	for _, names := range [][2]string{{"%s/kernel:0", "%s/bias:0"}, {"%s/kernel", "%s/bias"}, {"encoder/%s/kernel:0", "encoder/%s/bias:0"}} {
		bare := ToKeras(w, econt.DenseKeras)
		encoder := keras.LayerWeights{Layer: "encoder"}
		for _, l := range bare.Layers {
			for i, x := range l.Weights {
				x.Name = strings.Replace(names[i], "%s", l.Layer, 1)
				encoder.Weights = append(encoder.Weights, x)
			}
		}
		decoder := keras.LayerWeights{Layer: "decoder", Weights: []keras.Weight{
			{Name: "dense/kernel:0", Shape: []int{16, 128}, Data: make([]float32, 2048)}, {Name: "dense/bias:0", Shape: []int{128}, Data: make([]float32, 128)},
			{Name: "up/kernel:0", Shape: []int{3, 3, 8, 8}, Data: make([]float32, 576)}, {Name: "up/bias:0", Shape: []int{8}, Data: make([]float32, 8)},
		}}
		data, err := (&keras.File{Layers: []keras.LayerWeights{{Layer: "input_1"}, encoder, decoder}}).Encode()
		if err != nil {
			t.Fatal(err)
		}
		file, err := keras.ParseWeights(data)
		if err != nil {
			t.Fatal(err)
		}
		f, err := fromKeras(file, econt.DenseKeras)
		if err != nil {
			t.Errorf("%v: %v", names, err)
			continue
		}
		if q, _, err := f.Quantise(econt.RoundNearest); err != nil || *q != *w {
			t.Errorf("%v: other weights, %v", names, err)
		}
		file.Layers = append(file.Layers[:1], file.Layers[2:]...)
		if _, err := fromKeras(file, econt.DenseKeras); err == nil || !strings.Contains(err.Error(), "it has decoder/dense [16 128], decoder/up [3 3 8 8]") {
			t.Errorf("a decoder alone: %v", err)
		}
	}
}

// TestRead: the reading that gives what is given, or the first.
func TestRead(t *testing.T) {
	w := randomWeights(rand.New(rand.NewPCG(3, 3)))
	file := ToKeras(w, econt.DenseKeras)
	kernel := file.Layers[0].Weights[0].Data
	kernel[0], kernel[1] = 0.4/32, 0.6/32
	w.Conv[0] = 0
	nearest, floor := *w, *w
	nearest.Conv[1], floor.Conv[1] = 1, 0
	all := []reading{{econt.DenseKeras, econt.RoundNearest}, {econt.DenseKeras, econt.RoundFloor}, {econt.DenseGolden, econt.RoundNearest}}
	for _, tc := range []struct {
		given *econt.Weights
		want  reading
		found bool
	}{
		{nil, all[0], false},
		{&nearest, all[0], true},
		{&floor, all[1], true},
		{new(econt.Weights), all[0], false},
	} {
		got, err := read(file, tc.given, all...)
		if err != nil || got.reading != tc.want || got.given != tc.found || got.changed.OffGrid != 2 {
			t.Errorf("%+v, %v: want %+v", got, err, tc)
		}
	}
}
