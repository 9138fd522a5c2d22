package rootio

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/wafer"
)

// some is n images with columns of every kind.
func some(first, n int) *wafer.Set {
	s := &wafer.Set{Charge: make([]float64, n*hgcal.Cells), Columns: []wafer.Column{{Name: "event"}, {Name: "eta"}, {Name: "ModType"}, {Name: "tc.sum"}}}
	for i := range n {
		k := first + i
		for j := range hgcal.Cells {
			s.Image(i)[j] = float64((k*7+j*j)%1000) / 3
		}
		s.Columns[0].Int = append(s.Columns[0].Int, math.MaxInt64-int64(k))
		s.Columns[1].Float = append(s.Columns[1].Float, []float64{1.5, math.NaN(), math.Inf(1), -2.25}[k%4])
		s.Columns[2].Text = append(s.Columns[2].Text, []string{"FI", "", "µ, \"x\"\n"}[k%3])
		s.Columns[3].Float = append(s.Columns[3].Float, 1/float64(k+1))
	}
	return s
}

func writeSets(t *testing.T, s wafer.WriteSettings, sets ...*wafer.Set) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := Format{}.Create(&out, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, set := range sets {
		if err := w.Write(set); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if lost := w.(wafer.Loser).Lost(); len(lost) != 1 || !strings.Contains(lost[0], `"tc.sum", which is no name of a field: it is tc_sum`) {
		t.Errorf("lost: %q", lost)
	}
	return out.Bytes()
}

func memory(name string, b []byte) *wafer.Source {
	return &wafer.Source{Name: name, Stream: bytes.NewReader(b), At: bytes.NewReader(b), Size: int64(len(b))}
}

func TestRoundTrip(t *testing.T) {
	want := some(0, 5000)
	for _, order := range hgcal.Orders() {
		b := writeSets(t, wafer.WriteSettings{Order: order, Unit: "mippt"}, want.Slice(0, 1), want.Slice(1, 4000), want.Slice(4000, 5000))
		r, err := Format{}.Open(memory("a.root", b), wafer.ReadSettings{Order: order})
		if err != nil {
			t.Fatal(err)
		}
		if in := r.Info(); in.Unit != "mippt" || in.Order != order || in.OrderSaid != (order != hgcal.V9) {
			t.Errorf("%v: %+v", order, in)
		}
		got, err := wafer.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got.Charge, want.Charge) || !slices.Equal(got.Column("event").Int, want.Columns[0].Int) || !slices.Equal(got.Column("ModType").Text, want.Columns[2].Text) ||
			!slices.Equal(got.Column("tc_sum").Float, want.Columns[3].Float) {
			t.Errorf("%v: changed", order)
		}
		for i, v := range got.Column("eta").Float {
			if w := want.Columns[1].Float[i]; v != w && !(math.IsNaN(v) && math.IsNaN(w)) {
				t.Fatalf("%v: eta %g, want %g", order, v, w)
			}
		}
		if _, err := (Format{}).Open(memory("a.root", b), wafer.ReadSettings{Order: (order + 1) % 3}); (err == nil) != (order == hgcal.V9) {
			t.Errorf("%v asked for as %v: %v", order, (order+1)%3, err)
		}
	}
}

// TestWrittenForOthers has uproot read what is written.
func TestWrittenForOthers(t *testing.T) {
	want := some(0, 300)
	path := filepath.Join(t.TempDir(), "a.root")
	if err := os.WriteFile(path, writeSets(t, wafer.WriteSettings{}, want), 0o600); err != nil {
		t.Fatal(err)
	}
	// Python's JSON has NaN and Infinity, Go's has not.
	out := bytes.ReplaceAll(bytes.ReplaceAll(shared.Python(t, "files", "testdata/read_wafers.py", path), []byte("NaN"), []byte("-9e99")), []byte("Infinity"), []byte("9e99"))
	var got struct {
		Event   []int64 `json:"event"`
		Eta     []float64
		CALQ    [][]float64
		ModType []string
		Sum     []float64 `json:"tc_sum"`
	}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	eta := slices.Clone(want.Columns[1].Float)
	for i, v := range eta {
		if math.IsNaN(v) {
			eta[i] = -9e99
		} else if math.IsInf(v, 1) {
			eta[i] = 9e99
		}
	}
	if !slices.Equal(slices.Concat(got.CALQ...), want.Charge) || !slices.Equal(got.Event, want.Columns[0].Int) || !slices.Equal(got.ModType, want.Columns[2].Text) ||
		!slices.Equal(got.Sum, want.Columns[3].Float) || !slices.Equal(got.Eta, eta) {
		t.Errorf("uproot reads other values: %.400s", out)
	}
}

func TestNotWritten(t *testing.T) {
	for _, s := range []wafer.WriteSettings{{Order: 9}, {Dialect: "plain"}} {
		if _, err := (Format{}).Create(new(bytes.Buffer), s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	start := func() wafer.Writer {
		w, err := Format{}.Create(new(bytes.Buffer), wafer.WriteSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(some(0, 2)); err != nil {
			t.Fatal(err)
		}
		return w
	}
	other := some(0, 2)
	other.Columns[0] = wafer.Column{Name: "event", Float: []float64{1, 2}}
	fewer := some(0, 2)
	fewer.Columns = fewer.Columns[:2]
	negative := some(0, 1)
	negative.Charge[3] = -1
	for want, set := range map[string]*wafer.Set{"of whole numbers so far": other, "different metadata columns": fewer, "is not a finite number": negative} {
		w := start()
		if err := w.Write(set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		w.(wafer.Aborter).Abort()
	}
	w, err := Format{}.Create(new(bytes.Buffer), wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err == nil || !strings.Contains(err.Error(), "no images to write") {
		t.Error(err)
	}
}
