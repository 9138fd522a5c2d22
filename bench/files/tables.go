package main

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
)

// A contest is a way to read one of the tables' files, beside another one.
type contest struct {
	format, peer, module string
	goal                 string
}

// tables measures reading images of tables. Once is the least that reading can cost:
// the file's bytes and their numbers, once.
func (o *options) tables(dir string) ([]timing, error) {
	barrow, err := startBarrow()
	if err != nil {
		return nil, err
	}
	defer barrow.close()
	peer, err := startPeers(o.python, "BARROW_FILES_PYTHON")
	if err != nil {
		skipped("Python's programs are", err)
		peer = nil
	} else {
		defer peer.close()
	}
	var rows []timing
	made := map[string]string{}
	for _, c := range []contest{
		{"csv", "pandas_csv", "pandas", "3"},
		{"csv", "pyarrow_csv", "pyarrow", ""},
		{"csv", "polars_csv", "polars", ""},
		{"npz", "npz once", "", "0.7"},
		{"npz", "numpy_npz", "numpy", ""},
		{"parquet", "parquet once", "", "0.7"},
		{"parquet", "pyarrow_parquet", "pyarrow", ""},
	} {
		path, ok := made[c.format]
		if !ok {
			path = filepath.Join(dir, "images."+c.format)
			made[c.format] = path
			if _, err := barrow.ask(request{Task: "write", Path: path, Rows: o.rows}); err != nil {
				return nil, err
			}
		}
		other, by := side{barrow, request{Task: c.peer, Path: path}}, "bytes and numbers, once"
		if c.module != "" {
			if peer == nil {
				continue
			}
			a, err := peer.ask(request{Task: "version", Module: c.module})
			if err != nil {
				skipped(c.module+" is", err)
				continue
			}
			other.worker, by = peer, a.By
		}
		a, err := race(o.rounds, side{barrow, request{Task: "images", Path: path}}, other)
		if err != nil {
			return nil, err
		}
		rows = append(rows, timing{c.format, "images", a[0].Seconds, by, a[1].Seconds, a[1].Seconds / a[0].Seconds, c.goal})
	}
	for _, path := range made {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// write makes a file of n images as files of training have them: whole charges, a third
// of the cells of an image with any, and where the wafer is.
func write(path string, n int) error {
	w, err := file.Create(path, false, wafer.WriteSettings{})
	if err != nil {
		return err
	}
	defer w.Abort()
	dice := rand.New(rand.NewPCG(1, 2))
	const step = 1000
	for first := 0; first < n; first += step {
		if err := w.Write(drawn(dice, first, min(step, n-first))); err != nil {
			return err
		}
	}
	return w.Close()
}

// drawn are n images, the first of which is image first of the file.
func drawn(dice *rand.Rand, first, n int) *wafer.Set {
	s := &wafer.Set{Charge: make([]float64, n*hgcal.Cells)}
	for i := range s.Charge {
		if dice.Float64() < 1./3 {
			s.Charge[i] = math.Floor(dice.ExpFloat64() * 60)
		}
	}
	whole := func(name string, draw func(i int) int) {
		c := wafer.Column{Name: name, Int: make([]int64, n)}
		for i := range c.Int {
			c.Int[i] = int64(draw(i))
		}
		s.Columns = append(s.Columns, c)
	}
	number := func(name string, low, high float64) {
		c := wafer.Column{Name: name, Float: make([]float64, n)}
		for i := range c.Float {
			c.Float[i] = float64(float32(low + (high-low)*dice.Float64()))
		}
		s.Columns = append(s.Columns, c)
	}
	whole("event", func(i int) int { return (first + i) / 300 })
	whole("layer", func(int) int { return 1 + dice.IntN(47) })
	whole("waferu", func(int) int { return dice.IntN(11) - 5 })
	whole("waferv", func(int) int { return dice.IntN(11) - 5 })
	number("eta", 1.6, 2.9)
	number("phi", -math.Pi, math.Pi)
	number("SimEnergyTotal", 0, 30)
	return s
}
