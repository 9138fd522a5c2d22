package file

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/nn"
	"barrow/surrogate"
)

// kinds are models of every kind: autoencoders of each precision, plain and conditional,
// and of each decoder, parts alone, and both networks that estimate the EMD.
func kinds(t *testing.T) (names []string, models map[string]*model.Model) {
	t.Helper()
	models = map[string]*model.Model{}
	add := func(name string, m *model.Model, err error) {
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		names, models[name] = append(names, name), m
	}
	of := func(name string, a autoencoder.Architecture) {
		m := trained(t, a)
		for _, p := range m.Network().Params() { // so that most outputs are not 0
			for i := range p.Value {
				p.Value[i] += float32(i%7) / 128
			}
		}
		v, err := model.Of(m)
		add(name, v, err)
	}
	for _, p := range autoencoder.PresetNames() {
		of(p, autoencoder.Architecture{Precision: p})
		conditional := autoencoder.Architecture{Precision: p, Conditional: true}
		if p == "cmssw-mainline" { // whose images are 4×4×3: by a decoder of dense layers
			conditional.Decoder = "dense"
		}
		of(p+",conditional", conditional)
	}
	of("dense,square", autoencoder.Architecture{Decoder: "dense", Output: "square"})
	of("residual", autoencoder.Architecture{Decoder: "residual", Conditional: true})
	for _, part := range []string{"encoder", "decoder"} {
		m, err := model.OfNetwork(models["cmssw-fork,conditional"].Part(part).Network)
		add(part+",alone", m, err)
	}
	s := nn.Settings{Seed: 5, Threads: 1}
	cnn, err := surrogate.NewCNN(surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 2, Dense: 8}, s)
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OfEstimator(cnn)
	add("cnn", m, err)
	potential, err := surrogate.BuiltIn(s)
	if err != nil {
		t.Fatal(err)
	}
	m, err = model.OfEstimator(potential)
	add("potential", m, err)
	return names, models
}

// table says of every format and every sort of model whether the format holds it (yes), or
// why not, by a word for the reason.
const table = `
                 float quantised asic mainline encoder,alone decoder,alone cnn  potential
registers        chip  chip      yes  chip     other         none          none none
registers-golden chip  chip      yes  chip     other         none          none none
keras            yes   rounded   rounded rounded rounded     yes           yes  yes
keras3           yes   rounded   rounded rounded rounded     yes           yes  yes
qkeras           float yes       yes  yes      yes           float         float float
cmssw            yes   yes       yes  yes      yes           yes           none none
cpp              yes   yes       yes  yes      yes           yes           yes  yes
python           yes   yes       yes  yes      yes           yes           yes  yes
go               yes   yes       yes  yes      yes           yes           yes  yes
onnx             yes   yes       yes  yes      yes           yes           yes  yes
qonnx            float yes       yes  float    yes           none          none none
`

// reasons are what the error says.
var reasons = map[string]string{
	"chip": "train with the precision asic", "other": "rounds no single product down", "none": "this network is none",
	"rounded": "export the model as qkeras", "float": "in floating point",
}

// sort is a model's column in the table.
func sort(name string) string {
	switch first, _, _ := strings.Cut(name, ","); first {
	case "encoder", "decoder":
		return name
	case "dense", "residual":
		return "float"
	case "qkeras-5bit", "cmssw-fork":
		return "quantised"
	case "cmssw-mainline":
		return "mainline"
	default:
		return first
	}
}

// TestTable: every cell of the table of formats and models is as it says: the format
// refuses the model for the reason, or what it writes is read again, run as it stands and
// as a network of layers, and computes the same. What is not read back is run by its own
// test in barrow/model/source.
func TestTable(t *testing.T) {
	names, models := kinds(t)
	lines := strings.Split(strings.TrimSpace(table), "\n")
	columns := strings.Fields(lines[0])
	says := map[string]string{}
	for _, line := range lines[1:] {
		words := strings.Fields(line)
		for i, word := range words[1:] {
			says[words[0]+" "+columns[i]] = word
		}
	}
	for _, f := range Formats() {
		for _, name := range names {
			m, word := models[name], says[f.Name+" "+sort(name)]
			err := f.Check(m)
			switch {
			case word == "":
				t.Errorf("%s, %s: not in the table", f.Name, name)
			case word != "yes":
				if err == nil || !strings.Contains(err.Error(), reasons[word]) {
					t.Errorf("%s, %s: %v, want %q", f.Name, name, err, reasons[word])
				}
			case err != nil:
				t.Errorf("%s, %s: %v", f.Name, name, err)
			default:
				again(t, name, m, &f)
			}
		}
	}
}

// again writes a model and reads it again in every way that there is.
func again(t *testing.T, name string, m *model.Model, f *model.Format) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	if _, err := Export(ctx, m, f.Name, dir, false); err != nil {
		t.Errorf("%s, %s: %v", f.Name, name, err)
		return
	}
	if f.Name == "cpp" || f.Name == "go" || f.Name == "python" {
		return
	}
	if found, err := Verify(ctx, m, f.Name, dir); err != nil || len(found) == 0 {
		t.Errorf("%s, %s: %v", f.Name, name, err)
		return
	}
	if f.Read == nil {
		return
	}
	e, err := makeExport(ctx, m, f)
	if err != nil {
		t.Fatal(err)
	}
	layers := *f
	layers.Open = nil // read as a network, not run as it stands
	e.format = &layers
	for _, file := range e.files {
		p := file.Part
		if p == nil {
			continue
		}
		why := ""
		if strings.TrimSuffix(strings.TrimSuffix(p.Output, "443"), "88") != p.Output { // a second arrangement
			why = "arrange/"
		}
		if sort(name) == "asic" && (file.Part.Name == "encoder" || file.Part.Name == "whole") && f.Name != "qonnx" && f.Name != "qkeras" && why == "" {
			why = "products" // of the chip, which no layer truncates
			if f.Name == "onnx" {
				why = "which no layer does"
			}
		}
		_, err := e.verify(ctx, filepath.Join(dir, file.Name), p)
		if why == "" && err != nil || why != "" && (err == nil || !strings.Contains(err.Error(), why)) {
			t.Errorf("%s, %s: %s as layers: %v, want %q", f.Name, name, file.Name, err, why)
		}
	}
}
