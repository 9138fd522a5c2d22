package plan

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/physics"
	"barrow/run"
	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// writeImages writes images to a file.
func writeImages(t *testing.T, set *wafer.Set) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "images.csv")
	out, err := file.Create(path, false, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(out.Write(set), out.Close()); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMeasured: images of files are dealt to the classes by their modules, whichever sector they
// are of, and trainings go on with them.
func TestMeasured(t *testing.T) {
	p := small(t)
	p.EncoderLinks, p.Masks = []int{2}, nil
	w := &work{}
	if err := w.prepare(context.Background(), p, Settings{}); err != nil {
		t.Fatal(err)
	}
	var places []place
	for _, c := range w.classes {
		places = append(places, c.places...)
	}
	set, err := simulate.Generate(5000, p.simulation(places, 77, 1))
	if err != nil {
		t.Fatal(err)
	}
	clear(set.Charge[:100*hgcal.Cells]) // images without charge are of their modules, too
	p.Data = []string{writeImages(t, set)}
	r, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	images, empty := 0, 0
	for _, c := range r.Classes {
		images, empty = images+c.Images[0]+c.Images[1], empty+c.Empty[0]+c.Empty[1]
	}
	if n := float64(images+empty) / float64(set.Len()); math.Abs(n-0.3) > 0.005 {
		t.Errorf("%v of the images were measured by, want three tenths", n)
	}
	if empty < 15 || empty > 45 {
		t.Errorf("%d of 100 images without charge were measured by", empty)
	}
	for _, s := range r.Sets {
		if want := p.Epochs + p.TuneEpochs; len(s.Curve) != want {
			t.Errorf("%s: %d epochs, want %d", s.Name, len(s.Curve), want)
		}
	}
	p.Data = []string{writeImages(t, set.Slice(0, 600))}
	if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{}); err == nil || !strings.Contains(err.Error(), "too few images with charge of ") {
		t.Error(err)
	}
	p.Data = []string{writeImages(t, set.WithoutColumns())}
	if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{}); err == nil || !strings.Contains(err.Error(), "layer, waferu and waferv") {
		t.Error(err)
	}
}

// TestBadRow: what is wrong with an image of a file is told with its place there, before any training.
func TestBadRow(t *testing.T) {
	p := small(t)
	set, err := simulate.Generate(5, p.simulation([]place{{9, 2, 3}}, 77, 1))
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*wafer.Set){
		":4: cell 3: charge 1e+300":                       func(s *wafer.Set) { s.Image(2)[3] = 1e300 },
		`:3: HD_LD is "XX"; want HD or LD`:                func(s *wafer.Set) { s.Find(wafer.Density).Text[1] = "XX" },
		":2: layer 9 of geometry v11 has no wafer 900, 3": func(s *wafer.Set) { s.Find(wafer.WaferU).Float[0] = 900 },
		"no charge of 1 or more": func(s *wafer.Set) {
			for i := range s.Charge {
				s.Charge[i] /= 1e6
			}
		},
	} {
		bad := set.Slice(0, 5)
		bad = bad.Select([]int{0, 1, 2, 3, 4})
		change(bad)
		p.Data = []string{writeImages(t, bad)}
		folder := filepath.Join(t.TempDir(), "run")
		if _, _, err := Start(context.Background(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: a folder was made", want)
		}
	}
}

// TestSharedPlaces: where a file gives one place other links in other sectors, its images are in
// the same part of both classes.
func TestSharedPlaces(t *testing.T) {
	p := small(t)
	p.Modules = modulesFile(t, "layer,waferu,waferv,links,sector", "9,2,3,2,0", "9,2,3,3,1", "9,3,3,3,2")
	set, err := simulate.Generate(2000, p.simulation([]place{{9, 2, 3}, {9, 3, 3}}, 77, 1))
	if err != nil {
		t.Fatal(err)
	}
	p.Data = []string{writeImages(t, set)}
	w := &work{}
	if err := w.prepare(context.Background(), p, Settings{}); err != nil {
		t.Fatal(err)
	}
	if len(w.classes) != 2 {
		t.Fatalf("%d classes", len(w.classes))
	}
	part := map[[hgcal.Cells]float64]int{}
	shared := 0
	for k := range w.classes {
		for n, set := range []*wafer.Set{w.measured.train[k], w.measured.stop[k], w.measured.parts[k].validation, w.measured.parts[k].heldOut} {
			for i := range set.Len() {
				image := [hgcal.Cells]float64(set.Image(i))
				if wafer.Sum(image[:]) < 20*evaluate.MIP {
					continue // so few counts may be the same by chance
				}
				if before, ok := part[image]; ok && before != n {
					t.Fatalf("an image is of part %d in one class and of part %d in the other", before, n)
				} else if ok {
					shared++
				}
				part[image] = n
			}
		}
	}
	if shared < 20 {
		t.Errorf("%d images are in both classes", shared)
	}
}

// TestSectorColumn: what a plan leaves of a file with sectors can be read back, and no two rows
// are of one module.
func TestSectorColumn(t *testing.T) {
	p := small(t)
	p.Modules, p.EncoderLinks, p.Masks, p.Decoders = modulesFile(t, "layer,waferu,waferv,links,sector", "9,2,3,2,0", "9,2,3,3,1", "9,2,3,2,2"), []int{0}, nil, 0
	folder := filepath.Join(t.TempDir(), "run")
	r, _, err := Start(context.Background(), folder, p, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	d := newDetector(hgcal.GeometryV11)
	planned, err := d.read(filepath.Join(folder, run.Modules))
	if err != nil {
		t.Fatal(err)
	}
	given, err := d.read(p.Modules)
	if err != nil || !slices.Equal(given, planned) || len(r.Classes) != 2 {
		t.Errorf("%+v, want %+v; %v", planned, given, err)
	}
}

// TestSectors: a column sector counts whatever it is made of, and what is no sector is an error.
func TestSectors(t *testing.T) {
	d := newDetector(hgcal.GeometryV11)
	set, err := simulate.Generate(3, Quick().simulation([]place{{9, 2, 3}}, 1, 1))
	if err != nil {
		t.Fatal(err)
	}
	columns := slices.DeleteFunc(slices.Clone(set.Columns), func(c wafer.Column) bool { return c.Name == "sector" })
	with := func(c wafer.Column) ([]*physics.Wafer, error) {
		c.Name = "sector"
		set.Columns = append(slices.Clone(columns), c)
		return d.wafers(set)
	}
	for _, c := range []wafer.Column{{Float: []float64{0, 1, 2}}, {Int: []int64{0, 1, 2}}, {Text: []string{"0", "1", "2"}}} {
		list, err := with(c)
		if err != nil {
			t.Fatal(err)
		}
		for i, w := range list {
			if w.Sector != i || w.Module.U != 2 || w.Module.V != 3 {
				t.Errorf("%+v: image %d is of sector %d", c, i, w.Sector)
			}
		}
	}
	for _, c := range []wafer.Column{{Float: []float64{0, 1, 3}}, {Float: []float64{0, 0.5, 1}}, {Float: []float64{-1, 0, 1}}, {Text: []string{"0", "b", "2"}}} {
		if _, err := with(c); err == nil || !strings.Contains(err.Error(), "image ") {
			t.Errorf("%+v: %v", c, err)
		}
	}
	set.Columns = slices.Clone(columns)
	for i, c := range set.Columns {
		if c.Name == "waferu" || c.Name == "WaferU" {
			set.Columns[i].Float, set.Columns[i].Int = []float64{2, 2.5, 2}, nil
		}
	}
	if _, err := d.wafers(set); err == nil || !strings.Contains(err.Error(), "image 2: waferu is 2.5") {
		t.Error(err)
	}
}
