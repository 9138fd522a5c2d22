package csvio

import (
	"context"
	"io"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

// FuzzInspect: any text is images or an error, and can be described; what both see of a
// table is the same.
func FuzzInspect(f *testing.F) {
	row := strings.Repeat("0,", hgcal.Cells-1) + "7.5"
	names := strings.Join(chargeNames(), ",")
	for _, seed := range []string{"", row, names + "\n" + row, names + ",eta\n" + row + ",1.5\n" + row + ",\n", "sep=;\n" + strings.ReplaceAll(row, ",", ";") + ";\n",
		"# a\n" + row + "\n# b\n", "a,b\n1,2\n", "\"" + names + "\n" + row, names + "\n1," + row + "\n2," + row, row + "\r\n" + row, "x\ty\n1\t\n", "\xff\xfe1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var images int64
		r, err := NewReader(strings.NewReader(text), "f", wafer.ReadSettings{})
		if err == nil {
			var set wafer.Set
			for {
				n, e := r.Read(&set, 3)
				if e != nil {
					err = e
					break
				}
				if e := set.Check(); e != nil {
					t.Fatal(e)
				}
				images += int64(n)
			}
		}
		objects, bad := Format{}.Inspect(context.Background(), &wafer.Source{Name: "f", Stream: strings.NewReader(text), Size: -1}, wafer.InspectSettings{Stats: true})
		if err == io.EOF && (bad != nil || objects[0].Entries != images || len(objects[0].Columns) < hgcal.Cells) {
			t.Errorf("%d images are read; inspected: %+v, %v", images, objects, bad)
		}
	})
}

func chargeNames() []string {
	var names []string
	var b strings.Builder
	w, err := NewWriter(&b, wafer.WriteSettings{Dialect: "charges"})
	if err == nil {
		err = w.Write(&wafer.Set{Charge: make([]float64, hgcal.Cells)})
	}
	if err == nil {
		head, _, _ := strings.Cut(b.String(), "\n")
		names = strings.Split(head, ",")
	}
	return names
}

// TestInspectNarrow: of a table that is too narrow for images all rows are counted, too, however many were looked at to
// say why.
func TestInspectNarrow(t *testing.T) {
	for _, n := range []int{3, 48, 95, 200} {
		objects, err := Format{}.Inspect(t.Context(), &wafer.Source{Name: "f", Stream: strings.NewReader("row,odd\n" + strings.Repeat("1,2\n", n)), Size: -1}, wafer.InspectSettings{Stats: true})
		if err != nil || len(objects) != 1 || objects[0].Entries != int64(n) || len(objects[0].Columns) != 2 {
			t.Errorf("%d rows: %+v, %v", n, objects, err)
		}
	}
}
