package file

import (
	"context"
	"math"
	"slices"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

// TestEveryFormat: images, columns of every kind, order and unit come back from every
// format that is written, compressed or not.
func TestEveryFormat(t *testing.T) {
	s := set(0, 1500)
	s.Columns = []wafer.Column{{Name: "event"}, {Name: "eta"}, {Name: "ModType"}, {Name: "note"}, {Name: "weight"}}
	for i := range s.Len() {
		s.Image(i)[3] = float64(i) + 0.25
		s.Columns[0].Int = append(s.Columns[0].Int, int64(i)<<40)
		s.Columns[1].Float = append(s.Columns[1].Float, 1.5+float64(i)/7)
		s.Columns[2].Text = append(s.Columns[2].Text, []string{"FI", "aO", "π"}[i%3])
		s.Columns[3].Text = append(s.Columns[3].Text, []string{"", "a b", "7"}[i%3])
		s.Columns[4].Float = append(s.Columns[4].Float, math.Sqrt(float64(i)))
	}
	tried := 0
	for _, f := range formats() {
		if _, ok := f.(wafer.Creator); !ok || f.Endings()[0] == ".npy" { // which holds charges alone
			continue
		}
		tried++
		_, text := f.(wafer.Untyped)
		for _, order := range hgcal.Orders() {
			for _, packed := range []string{"", ".gz", ".zst"} {
				name := "a" + f.Endings()[0] + packed
				path := write(t, name, s, wafer.WriteSettings{Order: order, Unit: "data"})
				r, err := Open(context.Background(), wafer.ReadSettings{Order: order}, path)
				if err != nil {
					t.Fatalf("%s, %v: %v", name, order, err)
				}
				back, err := wafer.ReadAll(r)
				if err != nil || !slices.Equal(back.Charge, s.Charge) || len(back.Columns) != len(s.Columns) {
					t.Fatalf("%s, %v: changed by a round trip: %v", name, order, err)
				}
				for _, want := range s.Columns {
					got := back.Column(want.Name)
					for i := range want.Len() {
						if got.Value(i) != want.Value(i) {
							t.Fatalf("%s: column %s of image %d is %s, not %s", name, want.Name, i, got.Value(i), want.Value(i))
						}
					}
					if !text && (got.Int == nil) != (want.Int == nil) {
						t.Errorf("%s: column %s is of another kind", name, want.Name)
					}
				}
				info := r.Info()
				if info.Order != order || info.Unit != "data" && !text || order != hgcal.V9 && !info.OrderSaid {
					t.Errorf("%s: %+v", name, info)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if tried < 4 {
		t.Errorf("only %d formats are written", tried)
	}
}
