package index

import (
	"encoding/json"
	"reflect"
	"testing"
)

func TestNote(t *testing.T) {
	x := &Index{}
	const rows = 3 << 20
	for row := 0; row < rows; row += 3 {
		x.Note(Mark{Row: row, At: int64(10 * row)})
	}
	x.Rows = rows
	if n := len(x.Marks); n < most/4 || n > most {
		t.Errorf("%d marks of %d rows", n, rows)
	}
	if err := x.Check(1); err != nil {
		t.Error(err)
	}
	for row := 0; row < rows; row += 977 {
		m, ok := x.Before(row)
		if !ok || m.Row > row || row-m.Row > 2*rows/(most/4) || m.At != int64(10*m.Row) {
			t.Fatalf("before %d: %+v, %v", row, m, ok)
		}
	}
}

func TestKeep(t *testing.T) {
	x := &Index{Rows: 100}
	if _, ok := x.Before(5); ok {
		t.Error("a mark of none")
	}
	for row := 10; row < 100; row += 10 {
		x.Note(Mark{Row: row, File: row / 50, At: int64(row)})
	}
	want := map[int]Mark{}
	rows := []int{0, 33, 39, 66, 100}
	for _, row := range rows {
		want[row], _ = x.Before(row)
	}
	x.Keep(rows)
	if len(x.Marks) != 3 {
		t.Errorf("%+v", x.Marks)
	}
	for _, row := range rows {
		if m, _ := x.Before(row); m != want[row] {
			t.Errorf("before %d: %+v, before thinning %+v", row, m, want[row])
		}
	}
	b, err := json.Marshal(x)
	if err != nil {
		t.Fatal(err)
	}
	y := &Index{}
	if err := json.Unmarshal(b, y); err != nil || !reflect.DeepEqual(x.Marks, y.Marks) || y.Rows != x.Rows {
		t.Errorf("%s: %+v, %v", b, y, err)
	}
}

func TestCheck(t *testing.T) {
	for _, x := range []Index{
		{Rows: -1},
		{Rows: 5, Marks: []Mark{{Row: 6}}},
		{Rows: 5, Marks: []Mark{{Row: -1}}},
		{Rows: 5, Marks: []Mark{{File: 2}}},
		{Rows: 5, Marks: []Mark{{At: -1}}},
		{Rows: 5, Marks: []Mark{{Sub: -1}}},
		{Rows: 5, Marks: []Mark{{Row: 2}, {Row: 2}}},
		{Rows: 5, Marks: []Mark{{Row: 2, File: 1}, {Row: 3}}},
	} {
		if x.Check(2) == nil {
			t.Errorf("%+v is taken", x)
		}
	}
}
