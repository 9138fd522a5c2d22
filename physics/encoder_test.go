package physics

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/wafer"
)

// asic is an untrained encoder with the chip's integers.
func asic(t testing.TB, a autoencoder.Architecture, seed uint64) *autoencoder.Model {
	t.Helper()
	if a.Precision == "" {
		a.Precision = "asic"
	}
	m, err := a.New(nn.Settings{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestEncodersAreTheModels: what arrives is what the model decodes, and on few links what it
// decodes of the bits that the chip sends on them.
func TestEncodersAreTheModels(t *testing.T) {
	ctx := context.Background()
	e := someEvents(t, 1)[0]
	whole := &wafer.Set{Columns: e.Images.Columns, Charge: slices.Clone(e.Images.Charge)}
	for i, v := range whole.Charge {
		whole.Charge[i] = math.Floor(v)
	}
	var rows []int
	for i := range whole.Len() {
		if wafer.Sum(whole.Image(i)) > 0 {
			rows = append(rows, i)
		}
	}
	whole = whole.Select(rows)
	for _, a := range []autoencoder.Architecture{{Precision: "asic"}, {Precision: "asic", Conditional: true}, {Precision: "asic", Mask: "9x2,7x0"}, {Precision: "float"}} {
		m := asic(t, a, 11)
		for n := 1; n <= 6; n++ {
			c, err := NewEncoder(EncoderSettings{Name: "E", Model: m, Links: sameLinks(t, n)})
			if err != nil {
				t.Fatal(err)
			}
			got := decode(t, c, e)[0]
			want, err := m.Decode(ctx, whole)
			if a.Precision == "asic" && n < fullLinks && a.Mask == "" { // whose bits fit on one
				want, err = m.DecodeOutputs(ctx, whole, onLinks(t, m, whole, n))
			}
			if err != nil {
				t.Fatal(err)
			}
			next := 0
			for i := range e.Wafers {
				image := make([]float64, hgcal.Cells)
				if next < len(rows) && rows[next] == i {
					image = want.Image(next)
					next++
				}
				if !slices.Equal(got[i*hgcal.Cells:][:hgcal.Cells], image) {
					t.Fatalf("%v on %d links: wafer %d is not the model's", a, n, i)
				}
			}
			if next != len(rows) || next == len(e.Wafers) {
				t.Fatalf("%d of %d wafers have charge", next, len(e.Wafers))
			}
		}
	}
}

// TestConditionsOfGeometry: what the columns of events do not say of a wafer, the geometry
// does.
func TestConditionsOfGeometry(t *testing.T) {
	e := someEvents(t, 1)[0]
	bare := *e
	bare.Images.Columns = nil
	full := *e
	full.Images.Columns = nil
	var columns [len(conditional)]wafer.Column
	for k, known := range conditional {
		columns[k].Name = string(known)
		for _, w := range e.Wafers {
			m := geometry.Wafer(int(w))
			v := map[wafer.Known]float64{wafer.Eta: m.Module.Eta(), wafer.WaferU: float64(m.U), wafer.WaferV: float64(m.V),
				wafer.Layer: float64(m.Module.Layer), wafer.WaferType: float64(m.Module.Thickness()/100 - 1)}[known]
			columns[k].Float = append(columns[k].Float, v)
		}
	}
	full.Images.Columns = columns[:]
	c, err := NewEncoder(EncoderSettings{Name: "E", Model: asic(t, autoencoder.Architecture{Conditional: true}, 2), Links: sameLinks(t, 5)})
	if err != nil {
		t.Fatal(err)
	}
	want := decode(t, c, &full)
	if !equal(decode(t, c, &bare), want) {
		t.Error("without columns a conditional encoder decodes otherwise")
	}
	if equal(decode(t, c, e), want) {
		t.Error("the events' own columns, numbered in the sector, make no difference")
	}
	columns[4].Float[8] = 5
	if err := c.Decode(context.Background(), []*Event{&full}, make([][]float64, 1)); err == nil || !strings.Contains(err.Error(), "event 0, wafer 9: wafertype is 5") {
		t.Errorf("a wafer of type 5: %v", err)
	}
	columns[4].Float[8] = 1
	columns[0].Float[2] = math.NaN()
	if err := c.Decode(context.Background(), []*Event{&full}, make([][]float64, 1)); err == nil || !strings.Contains(err.Error(), "event 0, wafer 3: eta is NaN") {
		t.Errorf("a wafer without η: %v", err)
	}
	if !equal(decode(t, c, &bare), want) {
		t.Error("an error before changes what is decoded")
	}
}
