package file

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/wafer"
)

// TestEvaluatedAgain: an autoencoder that a format holds whole, or in an encoder with its
// decoder beside it, is read back as a model that decodes images as the model does that was
// written: those that round down among them, which QKeras says in other layers.
func TestEvaluatedAgain(t *testing.T) {
	var all []autoencoder.Architecture
	for _, p := range autoencoder.Presets() {
		if p.Chip { // whose products no layer truncates
			continue
		}
		for _, a := range []autoencoder.Architecture{{}, {Conditional: true}, {Decoder: "dense", Output: "square"}, {Decoder: "residual"}} {
			a.Precision = p.Name
			if _, err := a.Spec(); err == nil {
				all = append(all, a)
			}
		}
	}
	for _, a := range all {
		m := trained(t, a)
		for _, p := range m.Network().Params() { // so that most outputs are not 0
			for i := range p.Value {
				p.Value[i] += float32(i%7) / 128
			}
		}
		v, err := model.Of(m)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range Formats() {
			if slices.Contains([]string{"keras", "keras3", "qkeras", "cmssw", "onnx"}, f.Name) && f.Check(v) == nil {
				evaluatedAgain(t, m, v, f.Name)
			}
		}
	}
}

func evaluatedAgain(t *testing.T, m *autoencoder.Model, v *model.Model, format string) {
	t.Helper()
	ctx, dir := context.Background(), t.TempDir()
	files, err := Export(ctx, v, format, dir, false)
	if err != nil {
		t.Fatal(err)
	}
	set := withColumns(40)
	want, err := m.Decode(ctx, set)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		name := filepath.Base(path)
		whole := strings.HasPrefix(name, "whole.") || format == "cmssw" && name == "encoder_8x8.pb" && v.Encoder().Shape.C == 1
		if kind, _, err := recognise(path); !whole || err != nil || kind != foreign {
			continue
		}
		again, err := Autoencoder(path, Settings{})
		if err != nil {
			t.Errorf("%s, %s: %v", m.Architecture(), name, err)
			continue
		}
		got, err := again.Decode(ctx, set)
		if err != nil {
			t.Fatal(err)
		}
		if at, most := model.Differ(got.Charge, want.Charge, false); at >= 0 {
			t.Errorf("%s, %s (read as %s): the charge of cell %d is %v, want %v; %v at most", m.Architecture(), name, again.Architecture(), at, got.Charge[at], want.Charge[at], most)
		}
	}
}

// withColumns are images with the columns of a conditional model.
func withColumns(n int) *wafer.Set {
	set := &wafer.Set{Charge: images(n)}
	for _, c := range []struct {
		name string
		of   func(i int) float64
	}{
		{"eta", func(i int) float64 { return 1.6 + float64(i%13)/10 }},
		{"waferv", func(i int) float64 { return float64(i % 9) }},
		{"waferu", func(i int) float64 { return float64(i % 7) }},
		{"layer", func(i int) float64 { return float64(1 + i%40) }},
		{"wafertype", func(i int) float64 { return float64(i % 3) }},
	} {
		v := make([]float64, n)
		for i := range v {
			v[i] = c.of(i)
		}
		set.Columns = append(set.Columns, wafer.Column{Name: c.name, Float: v})
	}
	return set
}
