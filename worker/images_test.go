//go:build unix

package worker

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/simulate"
)

// must is a call that goes on from a row, and has no error.
func (c *client) must(tb testing.TB, handle uint64, name string, row int, in []array, params string) answer {
	tb.Helper()
	a, err := c.from0(handle, name, row, in, params)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return a
}

// from0 is a call whose first row has a number.
func (c *client) from0(handle uint64, name string, row int, in []array, params string) (answer, error) {
	c.id++
	f := frame(typeCall, c.id, handle, name, in, nil, params)
	binary.LittleEndian.PutUint64(f[20:], uint64(row))
	if err := c.send(f); err != nil {
		return answer{}, err
	}
	return c.hear()
}

func (c *client) opened(tb testing.TB, kind, params string) uint64 {
	tb.Helper()
	a, err := c.ask(typeOpen, 0, kind, nil, nil, params)
	if err != nil {
		tb.Fatalf("%s: %v", kind, err)
	}
	return a.handle
}

// result is an array of an answer.
func result[T element](tb testing.TB, c *client, a answer, name string) []T {
	tb.Helper()
	for _, x := range a.arrays {
		if x.name == name {
			return get[T](tb, c, x)
		}
	}
	tb.Fatalf("no result %q", name)
	return nil
}

// TestImages draws images, writes them and reads them again.
func TestImages(t *testing.T) {
	c := dial(t, fresh())
	want, err := simulate.Generate(300, simulate.Settings{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	a := c.must(t, c.opened(t, "simulate", `{"seed":3}`), "draw", 0, nil, `{"first":100,"n":200}`)
	if got := result[float64](t, c, a, "charge"); !slices.Equal(got, want.Charge[100*hgcal.Cells:]) {
		t.Error("the images are others than the library's")
	}
	var drawn struct{ Columns []columnHead }
	if err := json.Unmarshal(a.params, &drawn); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "a.parquet")
	quoted, _ := json.Marshal(file)
	w := c.opened(t, "files.writer", `{"file":`+string(quoted)+`}`)
	params, _ := json.Marshal(drawn)
	c.must(t, w, "write", 0, a.arrays, string(params))
	c.must(t, w, "finish", 200, nil, "")
	r := c.opened(t, "files.reader", `{"files":[`+string(quoted)+`],"select":"layer==9"}`)
	var layers []int64
	n := 0
	for {
		a := c.must(t, r, "read", n, nil, `{"rows":50}`)
		var p struct {
			End     bool
			Columns []columnHead
		}
		if err := json.Unmarshal(a.params, &p); err != nil {
			t.Fatal(err)
		}
		if p.End {
			break
		}
		rows := len(result[float64](t, c, a, "charge")) / hgcal.Cells
		n += rows
		at := 0
		for _, h := range p.Columns {
			if h.Name == "layer" {
				layers = append(layers, result[int64](t, c, a, kindWhole)[at*rows:][:rows]...)
			}
			if h.Kind == kindWhole {
				at++
			}
		}
	}
	if n == 0 || len(layers) != n || slices.Min(layers) != 9 || slices.Max(layers) != 9 {
		t.Errorf("%d images of the layers %v", n, layers)
	}
}

// TestGoneOn says that what was opened again is not taken for what was read from.
func TestGoneOn(t *testing.T) {
	c := dial(t, fresh())
	file, _ := json.Marshal(filepath.Join(t.TempDir(), "a.csv"))
	w := c.opened(t, "files.writer", `{"file":`+string(file)+`}`)
	charge := put(t, c, "charge", 0, make([]float64, 2*hgcal.Cells), 2, hgcal.Cells)
	c.must(t, w, "write", 0, []array{charge}, "")
	for _, name := range []string{"write", "finish"} {
		var f *failure
		if _, err := c.from0(w, name, 7, []array{charge}, ""); !errors.As(err, &f) || f.Kind != kindInternal {
			t.Errorf("%s from row 7 after 2: %v", name, err)
		}
	}
	c.must(t, w, "abort", 0, nil, "")
}

// TestImageErrors holds errors to the user's rows.
func TestImageErrors(t *testing.T) {
	c := dial(t, fresh())
	charges := make([]float64, 3*hgcal.Cells)
	for i := range charges {
		charges[i] = 1
	}
	charges[2*hgcal.Cells+5] = -1
	bad := put(t, c, "charge", 0, charges, 3, hgcal.Cells)
	p, q := put(t, c, "p", 4096, charges[:2*hgcal.Cells], 2, hgcal.Cells), put(t, c, "q", 8192, append(charges[:hgcal.Cells:hgcal.Cells], make([]float64, hgcal.Cells)...), 2, hgcal.Cells)
	file, _ := json.Marshal(filepath.Join(t.TempDir(), "a.csv"))
	w := c.opened(t, "files.writer", `{"file":`+string(file)+`}`)
	var f *failure
	if _, err := c.from0(w, "write", 0, []array{bad}, ""); !errors.As(err, &f) || f.Kind != kindInput || *f.Row != 2 || *f.Cell != 5 {
		t.Errorf("a negative charge: %v", err)
	}
	e := c.opened(t, "surrogate", "")
	if _, err := c.from0(e, "estimate", 70, []array{p, q}, ""); !errors.As(err, &f) || f.Kind != kindEMD || *f.Row != 71 {
		t.Errorf("an image without charge: %v", err)
	}
	for kind, params := range map[string]string{
		"simulate":       `{"preset":"muons"}`,
		"files.reader":   `{"files":["none.csv"]}`,
		"files.writer":   `{"file":"none/a.csv"}`,
		"surrogate":      `{"weights":"none"}`,
		"encoder":        `{"model":"none"}`,
		"econt.chip":     `{"config":["none.yaml"]}`,
		"econt.baseline": `{"algorithm":"XY","links":4}`,
	} {
		want := kindFile
		if kind == "simulate" || kind == "econt.baseline" {
			want = kindInput
		}
		if _, err := c.ask(typeOpen, 0, kind, nil, nil, params); !errors.As(err, &f) || f.Kind != want || want == kindFile && f.Code == "" {
			t.Errorf("%s %s: %+v", kind, params, err)
		}
		if _, err := c.ask(typeOpen, 0, kind, nil, nil, `{"colour":1}`); !errors.As(err, &f) || !strings.Contains(f.Message, "colour") {
			t.Errorf("%s: an unknown setting: %v", kind, err)
		}
	}
}

// TestFrames sends an image through the chip and reads its frame.
func TestFrames(t *testing.T) {
	c := dial(t, fresh())
	images, err := simulate.Generate(20, simulate.Settings{Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	b := c.opened(t, "econt.baseline", `{"algorithm":"BC","links":5}`)
	charge := put(t, c, "charge", 0, images.Charge, 20, hgcal.Cells)
	sent := c.must(t, b, "encode", 0, []array{charge}, "")
	decoded := result[float64](t, c, sent, "decoded")
	frames := put(t, c, "frames", 0, result[uint16](t, c, sent, "frames"), 20, frameWords)
	back := c.must(t, b, "decode", 0, []array{frames}, "")
	if got := result[float64](t, c, back, "decoded"); !slices.Equal(got, decoded) || slices.Max(got) == 0 {
		t.Error("the frames hold other images than were decoded")
	}
}
