package physics

import (
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/internal/npz"
	"barrow/simulate"
)

// someRecords are records of particles with numbers in every column.
func someRecords(seed uint64, n, layers int) []Record {
	r := counter.New(seed, 1)
	records := make([]Record, n)
	for i := range records {
		rec := &records[i]
		*rec = Record{Event: int64(i + 1), Zside: 1 - 2*(i%2), Found: i%3 > 0, Wafers: r.IntN(9),
			Truth: simulate.Particle{Class: simulate.Electron}}
		for j, v := range rec.reals() {
			*v = r.Float64() - float64(j%3)/3
		}
		for _, v := range rec.Shape.variables() {
			*v = r.Float64()
		}
		rec.Cells, rec.Layers = r.IntN(300), make([]float64, layers)
		for l := range rec.Layers {
			rec.Layers[l] = r.Exp()
		}
	}
	return records
}

// same reports whether records are equal, NaN being equal to NaN.
func same(a, b []Record) bool {
	plain := func(list []Record) []Record {
		list = append([]Record{}, list...)
		for i := range list {
			for _, v := range []*float64{&list[i].EMD, &list[i].ChargeEMD, &list[i].Truth.Phi} {
				if math.IsNaN(*v) {
					*v = -99
				}
			}
		}
		return list
	}
	return reflect.DeepEqual(plain(a), plain(b))
}

func TestTable(t *testing.T) {
	dir := t.TempDir()
	blocks := []Block{
		{First: 0, Events: 4, Wafers: 9, Contenders: []string{"all cells", "TS η"}, Records: [][]Record{someRecords(1, 5, 7), someRecords(2, 5, 7)}},
		{First: 4, Events: 2, Wafers: 3, Contenders: []string{"all cells", "TS η"}, Records: [][]Record{{}, {}}},
		{First: 6, Events: 3, Wafers: 3, Contenders: []string{"TS η", "all cells"}, Records: [][]Record{someRecords(4, 1, 7), someRecords(3, 2, 7)}},
	}
	blocks[0].Records[0][2].EMD, blocks[0].Records[0][3].Truth.Phi = math.NaN(), math.NaN()
	var paths []string
	for i, b := range blocks {
		paths = append(paths, filepath.Join(dir, "block"+string(rune('0'+i))+".npz"))
		if err := b.Write(paths[i], false); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		name string
		want []Record
	}{
		{"all cells", append(someRecordsOf(blocks[0], 0), blocks[2].Records[1]...)},
		{"TS η", append(someRecordsOf(blocks[0], 1), blocks[2].Records[0]...)},
	} {
		table, err := ReadTable(c.name, paths...)
		if err != nil {
			t.Fatal(err)
		}
		if table.Contender != c.name || table.Events != 9 || !same(table.Records, c.want) {
			t.Errorf("%s: %d events, records %v, want %v", c.name, table.Events, table.Records, c.want)
		}
	}
	if err := blocks[0].Write(paths[0], false); err == nil {
		t.Error("a file was replaced without being forced")
	}
	if _, err := ReadTable("BC", paths...); err == nil || !strings.Contains(err.Error(), `block0.npz: no contender "BC", only ["all cells" "TS η"]`) {
		t.Errorf("a contender that is not there: %v", err)
	}
	if err := (&Block{Contenders: []string{"x"}, Records: [][]Record{someRecords(1, 1, 6)}}).Write(paths[1], true); err != nil {
		t.Fatal(err)
	}
	if err := (&Block{Contenders: []string{"x"}, Records: [][]Record{someRecords(1, 1, 7)}}).Write(paths[2], true); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTable("x", paths[1], paths[2]); err == nil || !strings.Contains(err.Error(), "block2.npz: records of 7 layers, those before of 6") {
		t.Errorf("layers that differ: %v", err)
	}
}

func someRecordsOf(b Block, k int) []Record { return append([]Record{}, b.Records[k]...) }

// Whatever byte is damaged, and wherever a file ends, reading it is an error or gives
// the numbers that are there; it never panics.
func TestDamagedTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "block.npz")
	records := someRecords(1, 2, 3)
	b := Block{Events: 2, Contenders: []string{"x"}, Records: [][]Record{records}}
	if err := b.Write(path, false); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := func(content []byte) (*Table, error) {
		if err := os.WriteFile(path, content, 0o666); err != nil {
			t.Fatal(err)
		}
		return ReadTable("x", path)
	}
	for n := 0; n < len(whole); n += 97 {
		if _, err := read(whole[:n]); err == nil || !strings.Contains(err.Error(), "block.npz") {
			t.Fatalf("cut off after %d of %d bytes: %v", n, len(whole), err)
		}
	}
	for i := 0; i < len(whole); i += 7 {
		damaged := append([]byte{}, whole...)
		damaged[i] ^= 0xa5
		if table, err := read(damaged); err != nil && !strings.Contains(err.Error(), "block.npz") || err == nil && len(table.Records) != 2 {
			t.Fatalf("byte %d: %v", i, err)
		}
	}
}

func TestForeignTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npz")
	for name, c := range map[string]struct {
		content func() error
		want    string
	}{
		"text":         {func() error { return os.WriteFile(path, []byte("event,layer\n1,2\n"), 0o666) }, "wanted is a block of records"},
		"other arrays": {func() error { return writeArrays(path, npz.Array{Name: "x", Type: npz.Float64}) }, "no array contenders"},
		"no text":      {func() error { return writeArrays(path, npz.Array{Name: "contenders", Type: npz.Float64}) }, "contenders: an array of float64"},
		"not there":    {func() error { return os.Remove(path) }, "no such file"},
	} {
		os.WriteFile(path, nil, 0o666)
		if err := c.content(); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTable("x", path); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}

func writeArrays(path string, arrays ...npz.Array) error {
	w, err := npz.Create(path, true, arrays...)
	if err != nil {
		return err
	}
	return w.Commit()
}
