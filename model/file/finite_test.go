package file

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
)

// TestNotFinite: a weight or a result that is no number is refused by every format, by
// the layer's name and the value, and no file is left.
func TestNotFinite(t *testing.T) {
	ctx := context.Background()
	names, models := kinds(t)
	for _, name := range names {
		m := models[name]
		p := m.Parts()[len(m.Parts())-1]
		w := p.Network.Params()[0]
		layer, was := w.Name[:strings.LastIndexByte(w.Name, '/')], w.Value[0]
		for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
			w.Value[0] = float32(bad)
			for _, f := range Exports() {
				dir := filepath.Join(t.TempDir(), "out")
				_, err := Export(ctx, m, f, dir, false)
				if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("layer %q: number 1 of", layer)) || !strings.Contains(err.Error(), fmt.Sprint("is ", float32(bad))) {
					t.Errorf("%s, %s: %v of the layer %q: %v", f, name, bad, layer, err)
				}
				if _, err := os.Stat(dir); err == nil {
					t.Errorf("%s, %s: something is written", f, name)
				}
				if _, err := Verify(ctx, m, f, dir); err == nil {
					t.Errorf("%s, %s: verified", f, name)
				}
			}
		}
		w.Value[0] = was
	}
}

// TestOverflow: weights that are numbers, and results that are none.
func TestOverflow(t *testing.T) {
	a := trained(t, autoencoder.Architecture{})
	for _, p := range a.Network().Params() {
		for i := range p.Value {
			p.Value[i] = 1e30
		}
	}
	m, err := model.Of(a)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "out")
	if _, err := Export(context.Background(), m, "keras", dir, false); err == nil || !strings.Contains(err.Error(), `of latent is +Inf, since the layer "encoder_dense" of the part encoder makes +Inf`) {
		t.Errorf("%v", err)
	}
}

// TestDifferInfinite: an infinite difference is one, whatever the others are.
func TestDifferInfinite(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range [][2][]float64{
		{{1, 2}, {1, inf}}, {{1, inf}, {1, 2}}, {{1, nan}, {1, 2}}, {{1, -inf}, {1, inf}},
	} {
		for _, exact := range []bool{false, true} {
			if at, most := model.Differ(c[0], c[1], exact); at != 1 || !math.IsInf(most, 1) {
				t.Errorf("%v and %v: at %d, %v", c[0], c[1], at, most)
			}
		}
	}
}

// TestChipVerified: of a model of the chip every part that QKeras and QONNX hold is held to
// the vectors, and how many numbers are others for want of the chip's truncated products
// is said.
func TestChipVerified(t *testing.T) {
	ctx := context.Background()
	a := trained(t, autoencoder.Architecture{Precision: "asic"})
	for _, p := range a.Network().Params() {
		for i := range p.Value {
			p.Value[i] += float32(i%7) / 128
		}
	}
	m := view(t, a)
	for format, parts := range map[string]string{"qkeras": "encoder encoder decoder decoder whole whole", "qonnx": "encoder"} {
		dir := t.TempDir()
		if _, err := Export(ctx, m, format, dir, false); err != nil {
			t.Fatal(err)
		}
		found, err := Verify(ctx, m, format, dir)
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, v := range found {
			names = append(names, v.Part)
			if said := strings.Contains(v.Remark, "not truncated"); said != (v.Part != "decoder") {
				t.Errorf("%s: %+v", format, v)
			}
		}
		if got := strings.Join(names, " "); got != parts {
			t.Errorf("%s: verified are %s, want %s", format, got, parts)
		}
	}
}
