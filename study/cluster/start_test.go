package cluster

import (
	"bytes"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/images"
	"barrow/internal/shared"
	"barrow/run"
)

// few is a run of seconds.
func few() Plan {
	p := Default()
	p.Rows, p.Events, p.Monitored, p.Contamination, p.Epochs, p.Seeds = 8, 16, 40, 0.1, 3, 2
	return p
}

// finished are what must be the same of two runs.
func finished(t *testing.T, folder string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, name := range []string{run.Config, run.Results, run.Clusters, run.Report, filepath.Join(run.Weights, "cluster-1.weights")} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

// TestStart: a run gives the same bytes on any number of threads and after interruptions in every part,
// with shares of progress that rise, and is drawn again.
func TestStart(t *testing.T) {
	first, second := t.TempDir(), t.TempDir()
	share := 0.0
	r, times, err := Start(t.Context(), first, few(), Settings{Threads: 1, Progress: func(s float64, note string) {
		if s < share || s > 1 || note == "" {
			t.Errorf("%v %q after %v", s, note, share)
		}
		share = s
	}})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Seeds) != 2 || len(times.Seconds) != 2 || len(r.Gains) != 3 || len(r.Found.Label) != 80 || r.Seeds[0].Monitor.Defects != 4 {
		t.Errorf("%+v", r.Seeds)
	}
	size := 0
	for _, g := range r.Found.Groups {
		size += g.Size
	}
	if size != 80 || len(r.Found.Oddest) != shownOdd || r.Gains[0].Spread == nil {
		t.Errorf("%d rows in clusters, %d odd, %+v", size, len(r.Found.Oddest), r.Gains)
	}
	if p, err := Page(first); err != nil || len(p.Sections) != 5 {
		t.Errorf("%v", err)
	}
	shared.Stops(t, []float64{0.01, 0.2, 0.43, 0.7}, func(ctx context.Context, progress func(float64, string)) error {
		_, _, err := Start(ctx, second, few(), Settings{Threads: 3, Progress: progress})
		return err
	})
	got := finished(t, second)
	for name, b := range finished(t, first) {
		if !bytes.Equal(got[name], b) {
			t.Errorf("%s differs", name)
		}
	}
}

// write puts images with their classes into a table.
func write(t *testing.T, n int, draw func(class int, seed uint64) ([]float64, error), classes int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "images.csv")
	var text strings.Builder
	for k := range n {
		v, err := draw(k%classes, uint64(k))
		if err != nil {
			t.Fatal(err)
		}
		if k == 0 {
			text.WriteString("kind")
			for i := range v {
				fmt.Fprintf(&text, ",p%d", i)
			}
			text.WriteString("\n")
		}
		fmt.Fprintf(&text, "k%02d", k%classes)
		for _, q := range v {
			fmt.Fprintf(&text, ",%g", q)
		}
		text.WriteString("\n")
	}
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestPictures: fields of ions in noise, and characters by many hands, are found better than by k-means
// on pixels, whatever pixels are taken as.
func TestPictures(t *testing.T) {
	for _, c := range []struct {
		name    string
		draw    func(class int, seed uint64) ([]float64, error)
		classes int
		set     func(p *Plan)
	}{
		{"ions", func(class int, seed uint64) ([]float64, error) { return images.Ion(class, 16, 3, seed) }, images.Ions(), func(p *Plan) { p.Quantum = 1 }},
		{"characters", func(class int, seed uint64) ([]float64, error) { return images.Character(class, 16, seed) }, 10, func(p *Plan) { p.Shift, p.Rotate, p.Stretch = 1, 8, 0.15 }},
	} {
		p := Default()
		p.Data, p.Grid, p.Truth, p.Epochs = []string{write(t, 12*c.classes, c.draw, c.classes)}, "16x16", "kind", 30
		c.set(&p)
		r, _, err := Start(t.Context(), t.TempDir(), p, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		o := &r.Seeds[0]
		b := o.best(false)
		t.Logf("%s: first clusters %.3f, labels %.3f, k-means on pixels (%s) %.3f; probe %.3f, on pixels %.3f", c.name, o.First.Accuracy, o.Labels.Accuracy, b.Name, b.Accuracy, o.Probe, o.Pixels)
		if r.Plan.Classes != c.classes || o.Labels.Accuracy < b.Accuracy {
			t.Errorf("%s: %d clusters, accuracy %v, by k-means on pixels %v", c.name, r.Plan.Classes, o.Labels.Accuracy, b.Accuracy)
		}
	}
}

// TestShared: real wafers are clustered without truth; the table has a line for each.
func TestShared(t *testing.T) {
	p := Default()
	p.Data, p.Epochs, p.Classes, p.Method, p.Rounds = []string{shared.Data(t, "wafers", "ldm.csv")}, 1, 4, methodMeans, 1
	dir := t.TempDir()
	r, _, err := Start(t.Context(), dir, p, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, run.Clusters))
	if err != nil {
		t.Fatal(err)
	}
	lines, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(lines) != len(r.Found.Label)+1 || !slices.Contains(lines[0], "odd") || len(r.Classes) != 0 {
		t.Errorf("%d lines, %v, %v", len(lines), lines[0], err)
	}
}

func TestPlanErrors(t *testing.T) {
	for want, spoil := range map[string]func(p *Plan){
		"rows = 0":                            func(p *Plan) { p.Rows = 0 },
		"rows = 1 of each of 10 kinds are 10": func(p *Plan) { p.Rows = 1 },
		"events = 4: neighbours agree":        func(p *Plan) { p.Events = 4 },
		"contamination = 0":                   func(p *Plan) { p.Contamination = 0 },
		"classes = 1: want 2 to":              func(p *Plan) { p.Classes = 1 },
		"epochs = 0":                          func(p *Plan) { p.Epochs = 0 },
		"rounds = -1":                         func(p *Plan) { p.Rounds = -1 },
		"temperature = 0":                     func(p *Plan) { p.Temperature = 0 },
		"confidence = 2":                      func(p *Plan) { p.Confidence = 2 },
		"learning_rate = 0":                   func(p *Plan) { p.Rate = 0 },
		"gain = -1":                           func(p *Plan) { p.Gain = -1 },
		"turns = 2: want one of 1 3":          func(p *Plan) { p.Turns = 2 },
		"truth and by are columns":            func(p *Plan) { p.Truth = "class" },
		`grid = "5"`:                          func(p *Plan) { p.Data, p.Grid = []string{"x"}, "5" },
		"turns = 4: want one of 1 2":          func(p *Plan) { p.Data, p.Grid, p.Turns = []string{"x"}, "5x6", 4 },
		"the chip's encoder sees wafers":      func(p *Plan) { p.Data, p.Grid, p.Network = []string{"x"}, "5x5", networkEncoder },
		"rows of tables are images by them":   func(p *Plan) { p.Data, p.Grid, p.By = []string{"x"}, "5x5", []string{"y"} },
		`method = "dbscan": it may be`:        func(p *Plan) { p.Method = "dbscan" },
		"shift, rotate and stretch are for ":  func(p *Plan) { p.Stretch = 0.1 },
	} {
		p := few()
		spoil(&p)
		folder := filepath.Join(t.TempDir(), "run")
		if _, _, err := Start(t.Context(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: there is a folder", want)
		}
	}
}

// TestRowsErrors: rows in which there is nothing to find are refused, with what to do.
func TestRowsErrors(t *testing.T) {
	one := func(int, uint64) ([]float64, error) { return []float64{1, 2, 3, 4, 5, 6, 7, 8, 9}, nil }
	other := func(_ int, seed uint64) ([]float64, error) {
		v, err := one(0, 0)
		v[seed%9]++
		return v, err
	}
	for want, path := range map[string]string{
		"all of 12 images are the same":                         write(t, 12, one, 2),
		`all of 12 images have the kind "k00": leave truth out`: write(t, 12, other, 1),
		"12 images for 7 clusters (as many as kind has values): want at least two a cluster: ask for fewer clas": write(t, 12, other, 7),
	} {
		p := few()
		p.Data, p.Grid, p.Truth = []string{path}, "3x3", "kind"
		folder := filepath.Join(t.TempDir(), "run")
		if _, _, err := Start(t.Context(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
		p.Truth = ""
		if _, _, err := Start(t.Context(), folder, p, Settings{}); err == nil || !strings.Contains(err.Error(), "is named by truth") {
			t.Errorf("%v", err)
		}
	}
}
