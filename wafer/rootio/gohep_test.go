package rootio

import (
	"path/filepath"
	"slices"
	"testing"

	"go-hep.org/x/hep/groot"
	"go-hep.org/x/hep/groot/rtree"

	"barrow/wafer"
)

// TestGoHEP reads what go-hep writes: leaves counted by another, and std::vector.
func TestGoHEP(t *testing.T) {
	want, _, err := read(cellsTable(), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	table := cellsTable()
	path := filepath.Join(t.TempDir(), "a.root")
	f, err := groot.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	var n, event int32
	vars := []rtree.WriteVar{{Name: "event", Value: &event}, {Name: "tc_n", Value: &n}}
	ints, floats := map[string]*[]int32{}, map[string]*[]float32{}
	for _, c := range table.columns[2:] {
		switch c.Name {
		case "tc_mipPt", "tc_eta", "tc_phi", "tc_simenergy":
			floats[c.Name] = new([]float32)
			vars = append(vars, rtree.WriteVar{Name: c.Name, Value: floats[c.Name], Count: "tc_n"})
		default:
			ints[c.Name] = new([]int32)
			vars = append(vars, rtree.WriteVar{Name: c.Name, Value: ints[c.Name], Count: "tc_n"})
		}
	}
	w, err := rtree.NewWriter(f, "HGCalTriggerNtuple", vars)
	if err != nil {
		t.Fatal(err)
	}
	for e := range int(table.Entries()) {
		event, n = int32(table.values[0][e][0]), int32(table.values[1][e][0])
		for i, c := range table.columns[2:] {
			values := table.values[2+i][e]
			if to := ints[c.Name]; to != nil {
				*to = (*to)[:0]
				for _, v := range values {
					*to = append(*to, int32(v))
				}
				continue
			}
			to := floats[c.Name]
			*to = (*to)[:0]
			for _, v := range values {
				*to = append(*to, float32(v))
			}
		}
		if _, err := w.Write(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := Format{}.Open(source(t, path), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	got := readAll(t, r, 10)
	if !slices.Equal(got.Charge, want.Charge) || !slices.Equal(got.Column("waferv").Int, want.Column("waferv").Int) || got.Column("event").Int[0] != 5 {
		t.Errorf("%v, want %v", got, want)
	}
}
