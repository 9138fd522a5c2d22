package onnx_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/model"
	"barrow/model/file"
	"barrow/model/onnx"
	"barrow/nn"
	"barrow/surrogate"
)

// readBack reads every part of an export as a network and holds it to the test vectors.
func readBack(t *testing.T, m *model.Model, format string, exact bool) {
	t.Helper()
	dir := t.TempDir()
	if _, err := file.Export(context.Background(), m, format, dir, true); err != nil {
		t.Fatal(err)
	}
	v, err := m.Vectors(context.Background(), 40)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Parts() {
		if format == "qonnx" && p.Name != "encoder" {
			continue
		}
		net, err := onnx.Read(model.Source{Path: filepath.Join(dir, p.Name+".onnx")}, nn.Settings{Threads: 1})
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		in := p.Take(v)
		side := 0
		for _, i := range p.Inputs {
			if i.Side != "" {
				side++
			}
		}
		if n := len(in) - side; n > 1 {
			in = append([]*model.Array{model.Join(in[:n]...)}, in[n:]...)
		}
		r, err := model.RunNetwork(net, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Run(context.Background(), in)
		if err != nil {
			t.Errorf("%s: %v", p.Name, err)
			continue
		}
		if at, most := model.Differ(out.Get("y").Data, v.Get(p.Output).Data, exact && p.Name == "encoder"); at >= 0 {
			t.Errorf("%s: number %d of it is another, by up to %g", p.Name, at, most)
		}
	}
}

// TestReadBack reads what is written: encoders of quantised models to the bit.
func TestReadBack(t *testing.T) {
	for name, a := range map[string]autoencoder.Architecture{
		"float":       {},
		"fork":        {Precision: "cmssw-fork"},
		"conditional": {Precision: "qkeras-5bit", Conditional: true, Decoder: "dense"},
	} {
		t.Run(name, func(t *testing.T) {
			a, err := a.New(nn.Settings{Seed: 5, Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			m, err := model.Of(a)
			if err != nil {
				t.Fatal(err)
			}
			readBack(t, m, "onnx", m.Encoder().Exact())
			dir := t.TempDir()
			if _, err := file.Export(context.Background(), m, "onnx", dir, true); err != nil {
				t.Fatal(err)
			}
			if _, err := file.Autoencoder(filepath.Join(dir, "whole.onnx"), file.Settings{Threads: 1}); err != nil {
				t.Errorf("as an autoencoder: %v", err)
			}
			if name != "float" {
				readBack(t, m, "qonnx", m.Encoder().Exact())
			}
		})
	}
	cnn, err := surrogate.NewCNN(surrogate.N1(), nn.Settings{Seed: 2, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	potential, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]loss.Distance{"cnn": cnn, "potential": potential} {
		t.Run(name, func(t *testing.T) {
			m, err := model.OfEstimator(d)
			if err != nil {
				t.Fatal(err)
			}
			readBack(t, m, "onnx", false)
		})
	}
}

// TestReadChip is of single products rounded down, which no layer does.
func TestReadChip(t *testing.T) {
	a, err := autoencoder.Architecture{Precision: "asic"}.New(nn.Settings{Seed: 5, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.Of(a)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := file.Export(context.Background(), m, "onnx", dir, true); err != nil {
		t.Fatal(err)
	}
	_, err = onnx.Read(model.Source{Path: filepath.Join(dir, "encoder.onnx")}, nn.Settings{Threads: 1})
	if err == nil || !strings.Contains(err.Error(), "single products") || !strings.Contains(err.Error(), "node ") {
		t.Errorf("an encoder of the chip: %v", err)
	}
	if found, err := file.Inspect(filepath.Join(dir, "encoder.onnx")); err != nil || len(found.Parts) != 1 || len(found.Parts[0].Layers) == 0 {
		t.Errorf("inspected: %+v, %v", found, err)
	}
}

// TestVerifyLayers tells another model's files by the layer where they part.
func TestVerifyLayers(t *testing.T) {
	var models []*model.Model
	for seed := range uint64(2) {
		a, err := autoencoder.Architecture{}.New(nn.Settings{Seed: seed + 1, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Of(a)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, m)
	}
	dir := t.TempDir()
	if _, err := file.Export(context.Background(), models[0], "onnx", dir, true); err != nil {
		t.Fatal(err)
	}
	_, err := file.Verify(context.Background(), models[1], "onnx", dir)
	if err == nil || !strings.Contains(err.Error(), "they part at the layer") {
		t.Errorf("files of another model: %v", err)
	}
}
