package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

// noted are images with a column of these texts.
func noted(texts ...string) *wafer.Set {
	return &wafer.Set{Charge: make([]float64, len(texts)*hgcal.Cells), Columns: []wafer.Column{{Name: "note", Text: texts}}}
}

// TestTyped: a stream's columns are known by its first images; what contradicts them is
// said with its place, and looking through first finds it.
func TestTyped(t *testing.T) {
	texts := make([]string, 1500)
	for i := range texts {
		texts[i] = fmt.Sprint(i)
	}
	texts[1398] = "x"
	path := write(t, "a.csv", noted(texts...), wafer.WriteSettings{})
	convert := func(types *wafer.Types) error {
		r, err := Open(context.Background(), wafer.ReadSettings{}, path)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		w, err := Create(filepath.Join(t.TempDir(), "a.parquet"), false, wafer.WriteSettings{})
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if !w.Typed() {
			t.Fatal("Parquet has no types")
		}
		if types != nil {
			w.SetTypes(types)
		}
		_, err = wafer.Copy(context.Background(), w, r, wafer.CopySettings{})
		return err
	}
	var kind *wafer.KindError
	if err := convert(nil); !errors.As(err, &kind) || !strings.Contains(err.Error(), path+":1400: ") || kind.Value != "x" {
		t.Errorf("text after numbers: %v", err)
	}
	var types wafer.Types
	types.Look(noted(texts...))
	if err := convert(&types); err != nil {
		t.Error(err)
	}
	w, err := NewWriter(&bytes.Buffer{}, wafer.WriteSettings{})
	if err != nil || w.Typed() {
		t.Errorf("CSV has types: %v", err)
	}
}

// TestKeep: files of other columns are joined by those that are asked for.
func TestKeep(t *testing.T) {
	ctx := context.Background()
	a, b := noted("1", "2"), noted("3")
	a.Columns = append(a.Columns, wafer.Column{Name: "layer", Int: []int64{5, 7}})
	b.Columns = append([]wafer.Column{{Name: "eta", Float: []float64{2}}}, b.Columns...)
	pathA, pathB := write(t, "a.csv", a, wafer.WriteSettings{}), write(t, "b.parquet", b, wafer.WriteSettings{})
	r, err := Open(ctx, wafer.ReadSettings{Quirks: []string{wafer.QuirkSumWithout0}}, pathA, pathB)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.Keep([]string{"note", "note"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a column twice: %v", err)
	}
	if err := r.Keep([]string{"eta"}); err == nil || !strings.Contains(err.Error(), "it has note,layer,sumCALQ") {
		t.Errorf("a column that is not there: %v", err)
	}
	if err := r.Keep([]string{"sumCALQ", "note"}); err != nil {
		t.Fatal(err)
	}
	all, err := wafer.ReadAll(r)
	if err != nil || len(all.Columns) != 2 || all.Columns[0].Name != "sumCALQ" || all.Len() != 3 {
		t.Fatalf("%+v, %v", all.Columns, err)
	}
	for i, want := range []string{"1", "2", "3"} {
		if all.Column("note").Value(i) != want {
			t.Errorf("image %d is noted %q", i, all.Column("note").Value(i))
		}
	}
	if got := r.Info().Columns; !slices.Equal(got, []string{"sumCALQ", "note"}) {
		t.Errorf("columns %v", got)
	}
}

// TestUnits: charges of two units are not joined; where one is not said, that is said.
func TestUnits(t *testing.T) {
	ctx := context.Background()
	calq := write(t, "a.parquet", noted("1"), wafer.WriteSettings{Unit: "calq"})
	data := write(t, "b.parquet", noted("1"), wafer.WriteSettings{Unit: "data"})
	csv := write(t, "c.csv", noted("1"), wafer.WriteSettings{})
	read := func(paths ...string) ([]string, error) {
		r, err := Open(ctx, wafer.ReadSettings{}, paths...)
		if err != nil {
			return nil, err
		}
		defer r.Close()
		_, err = wafer.ReadAll(r)
		return r.Remarks(), err
	}
	if _, err := read(calq, data); err == nil || !strings.Contains(err.Error(), "its charges are data, those before it are calq") {
		t.Errorf("two units: %v", err)
	}
	if _, err := read(calq, csv, data); err == nil || !strings.Contains(err.Error(), "its charges are data") {
		t.Errorf("two units and none between: %v", err)
	}
	if said, err := read(calq, csv); err != nil || len(said) != 1 || !strings.Contains(said[0], "joined with others of which one is not said") {
		t.Errorf("%q, %v", said, err)
	}
	if said, err := read(calq, calq); err != nil || len(said) != 0 {
		t.Errorf("%q, %v", said, err)
	}
}

func TestInspect(t *testing.T) {
	path := write(t, "a.parquet.zst", noted("1", "x"), wafer.WriteSettings{})
	format, objects, err := Inspect(context.Background(), Input{Name: path}, wafer.InspectSettings{})
	if err != nil || format != "parquet" || len(objects) != 1 || objects[0].Entries != 2 {
		t.Errorf("%s %+v, %v", format, objects, err)
	}
	name := objects[0].Name
	if _, objects, err = Inspect(context.Background(), Input{Name: path}, wafer.InspectSettings{Read: wafer.ReadSettings{Tree: name}}); err != nil || len(objects) != 1 {
		t.Errorf("by its name: %+v, %v", objects, err)
	}
	if _, _, err = Inspect(context.Background(), Input{Name: path}, wafer.InspectSettings{Read: wafer.ReadSettings{Tree: "none"}}); err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a name that is not there: %v", err)
	}
}
