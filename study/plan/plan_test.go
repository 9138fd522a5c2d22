package plan

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/wafer"
)

// modulesFile names some modules of a layer of every number of links up to 4.
func modulesFile(t *testing.T, rows ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "modules.csv")
	if rows == nil {
		rows = append(rows, "layer,waferu,waferv,links")
		count := map[int]int{}
		for _, m := range hgcal.GeometryV11.Modules() {
			if m.Layer == 9 && m.Links > 0 && m.Links < 5 && count[m.Links] < 4 {
				count[m.Links]++
				rows = append(rows, fmt.Sprintf("%d,%d,%d,%d", m.Layer, m.U, m.V, m.Links))
			}
		}
	}
	if err := os.WriteFile(path, []byte(strings.Join(rows, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// small is a plan of seconds.
func small(t *testing.T) Plan {
	p := Quick()
	p.Modules, p.Fewest, p.PerClass = modulesFile(t), 1, 60
	p.EncoderLinks, p.Masks, p.Decoders = []int{1, 2}, []string{"1:9x2,7x0"}, 1
	p.Events, p.Epochs, p.TuneEpochs = 300, 2, 1
	return p
}

// tree is all that a run leaves but its times, which the lines of its epochs have, too.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == run.Board {
			return filepath.SkipDir
		}
		if err != nil || d.IsDir() || filepath.Base(path) == run.Times || filepath.Base(path) == run.Metrics {
			return err
		}
		b, err := os.ReadFile(path)
		name, _ := filepath.Rel(folder, path)
		all[filepath.ToSlash(name)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestPlan: one thread, two, and an interruption leave the same files; the table says of every
// module what the results say of its class, and its registers are there, in every dialect.
func TestPlan(t *testing.T) {
	p := small(t)
	whole, broken := filepath.Join(t.TempDir(), "whole"), filepath.Join(t.TempDir(), "broken")
	r, times, err := Start(context.Background(), whole, p, Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if times.Total <= 0 {
		t.Error("no time")
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, _, err = Start(ctx, broken, p, Settings{Threads: 2, Progress: func(share float64, _ string) {
		if share > 0.5 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	var said []string
	if _, _, err := Start(context.Background(), broken, p, Settings{Threads: 2, Remark: func(s string) { said = append(said, s) }}); err != nil {
		t.Fatal(err)
	}
	if len(said) != 1 || !strings.Contains(said[0], "going on with the interrupted run") {
		t.Errorf("said %q", said)
	}
	one, two := tree(t, whole), tree(t, broken)
	for name := range one {
		if one[name] != two[name] {
			t.Errorf("%s: two threads and an interruption changed it", name)
		}
	}
	if len(one) != len(two) {
		t.Errorf("%d files and %d", len(one), len(two))
	}
	checkTable(t, r, one)
	page, err := Page(whole)
	if err != nil || page.Title != "Plan for 16 modules" {
		t.Errorf("%+v, %v", page, err)
	}
}

// checkTable holds the table against results and registers.
func checkTable(t *testing.T, r *Results, files map[string]string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(files[run.Modules])).ReadAll()
	if err != nil || len(rows) != 1+r.Modules {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	if got := strings.Join(rows[0], ","); got != "layer,waferu,waferv,type,links,algorithm,model,decoder,mask,drop_lsb,emd,registers" {
		t.Error(got)
	}
	sum := 0.0
	for _, row := range rows[1:] {
		emd, err := strconv.ParseFloat(row[10], 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += emd
		for _, weights := range row[6:8] {
			if strings.Contains(weights, "/") && files[weights] == "" {
				t.Errorf("no weights %s", weights)
			}
		}
		for _, dialect := range []string{"prod", "p1", "econt_sw"} {
			c, err := econt.ReadRegisters(strings.NewReader(files[row[11]+"/"+dialect+".yaml"]))
			if err != nil {
				t.Fatalf("%s, %s: %v", row[11], dialect, err)
			}
			if n := strconv.Itoa(c.Config.ETx()); n > row[4] {
				t.Errorf("%v: registers of %s links", row, n)
			}
			if (row[5] == "AE") != (c.Config.Algorithm == econt.Autoencoder) {
				t.Errorf("%v: registers of %v", row, c.Config.Algorithm)
			}
			if d := strconv.Itoa(int(c.Config.DropLSB)); row[9] != "" && d != row[9] {
				t.Errorf("%v: registers that drop %s bits", row, d)
			}
		}
	}
	var filled, emds float64
	for _, c := range r.Classes {
		for side, occupancy := range c.Occupancy {
			if occupancy < 0 || occupancy*evaluate.MIP > c.Charge[side] || c.Charge[side] > 4*hgcal.Cells*evaluate.MIP && occupancy == 0 {
				t.Errorf("%s: occupancy %v, charge %v", c.Name, c.Occupancy, c.Charge)
			}
		}
		if c.Charge[heldOut] > evaluate.MIP {
			filled, emds = filled+float64(c.Modules), emds+float64(c.Modules)*c.EMD
		}
	}
	for _, c := range r.Classes {
		if s := c.chosen(); s.Decoding == evaluate.DecodeLearned && s.drops() {
			k := slices.IndexFunc(r.Sets, func(x Set) bool { return x.Name == s.Set })
			if d := r.Sets[k].Drop; s.Drop != d[0] && s.Drop != d[1] {
				t.Errorf("%s: drop_lsb %d, its decoder has learned with %v", c.Name, s.Drop, d)
			}
		}
	}
	if f := r.Filled; float64(f.Modules) != filled || math.Abs(f.MeanEMD-emds/filled) > 1e-9 {
		t.Errorf("filled: %+v, want %v modules", f, filled)
	}
	if mean := sum / float64(r.Modules); math.Abs(mean-r.MeanEMD) > 1e-6 {
		t.Errorf("the table's mean EMD is %v, the results' %v", mean, r.MeanEMD)
	}
}

// TestRegisters: what the chip sends by the registers is what was measured: of an encoder with
// a mask the model's own outputs, of the others frames that decode to the same images.
func TestRegisters(t *testing.T) {
	p := small(t)
	w := &work{}
	if err := w.prepare(context.Background(), p, Settings{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	var err error
	if w.folder, err = run.Open(t.TempDir(), run.Identity{Kind: Kind(), Settings: p}, run.Settings{}); err != nil {
		t.Fatal(err)
	}
	defer w.folder.Close()
	m, err := p.architecture(1).New(nn.Settings{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(w.weights("e")); err != nil {
		t.Fatal(err)
	}
	images, err := simulate.Generate(40, simulate.Settings{Seed: 5})
	if err != nil {
		t.Fatal(err)
	}
	outputs, err := m.Encode(context.Background(), images)
	if err != nil {
		t.Fatal(err)
	}
	chip := func(c Candidate, high bool, d econt.Dialect) *econt.Baseline {
		config, _, err := w.config(c, high)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := econt.WriteRegisters(&b, &config, d); err != nil {
			t.Fatal(err)
		}
		read, err := econt.ReadRegisters(&b)
		if err != nil {
			t.Fatal(err)
		}
		if c.drops() && int(read.Config.DropLSB) != c.Drop {
			t.Errorf("%v: %d bits are dropped", c, read.Config.DropLSB)
		}
		if read.Config.HighDensity != high {
			t.Errorf("%v: high density %v", c, read.Config.HighDensity)
		}
		read.Config.Mux, read.Config.Convention = config.Mux, config.Convention
		sends, err := baseline(read.Config, c.Decoding)
		if err != nil {
			t.Fatal(err)
		}
		return sends
	}
	var out [hgcal.Cells]float64
	encoder := chip(Candidate{Algorithm: "AE", Links: 1, Set: "e"}, true, econt.DialectProd)
	step := outputStep(t, m)
	for i := range images.Len() {
		if _, err := encoder.Encode(images.Image(i), out[:]); err != nil {
			t.Fatal(err)
		}
		for j, v := range encoder.Decoded().Latent {
			if got, want := float64(v)/256, float64(outputs[i*autoencoder.Latent+j]); math.Abs(got-want) > step {
				t.Fatalf("image %d, output %d: %v by the registers, %v by the model", i, j, got, want)
			}
		}
	}
	for i, s := range evaluate.SchemesOn(3) {
		for _, high := range []bool{false, true} {
			c := Candidate{Algorithm: s.Short(), Decoding: s.Decoding, Links: s.Links}
			if s.Algorithm == econt.ThresholdSum {
				c.Threshold = 60
			}
			if c.drops() {
				c.Drop = i % (econt.MaxDropLSB + 1)
			}
			is, decoded := chip(c, high, econt.DialectP1), (*wafer.Set)(nil)
			if decoded, err = w.decode(context.Background(), high, images, c); err != nil {
				t.Fatal(err)
			}
			for i := range images.Len() {
				if _, err := is.Encode(images.Image(i), out[:]); err != nil {
					t.Fatal(err)
				}
				if !slices.Equal(out[:], decoded.Image(i)) {
					t.Fatalf("%s, image %d: another image by the registers", c.Label(), i)
				}
			}
		}
	}
}

// outputStep is half the coarsest step of an encoder's outputs, by which codes may be read.
func outputStep(t *testing.T, m *autoencoder.Model) float64 {
	t.Helper()
	f, err := m.Architecture().Formats()
	if err != nil {
		t.Fatal(err)
	}
	return math.Ldexp(1, f.Latent.Integer-f.Latent.Bits) / 1e6
}

// TestOne: what is found of a class is what the pieces say by themselves.
func TestOne(t *testing.T) {
	p := small(t)
	p.EncoderLinks, p.Masks, p.Decoders = []int{0}, nil, 0
	w := &work{threads: 1, progress: func(float64, string) {}}
	if err := w.prepare(context.Background(), p, Settings{}); err != nil {
		t.Fatal(err)
	}
	c := &w.classes[0]
	parts, err := w.partsOf(context.Background(), 0)
	if err != nil {
		t.Fatal(err)
	}
	m, err := w.measure(context.Background(), 0, parts, w.handCandidates(0, parts))
	if err != nil {
		t.Fatal(err)
	}
	s := scoreOf(m, "BC", evaluate.DecodeSpread)
	byDrop := func(images *wafer.Set) (emds []float64) {
		for drop := range econt.MaxDropLSB + 1 {
			config, err := econt.BaselineConfig(econt.BestChoice, c.links, c.high, nil)
			if err != nil {
				t.Fatal(err)
			}
			config.DropLSB = uint8(drop)
			chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
			if err != nil {
				t.Fatal(err)
			}
			of := evaluate.Scheme{Algorithm: econt.BestChoice, Links: c.links, Decoding: evaluate.DecodeSpread, Chip: [2]*econt.Baseline{chip, chip}}
			list, err := evaluate.Chip(context.Background(), w.metric, images, []evaluate.Scheme{of}, evaluate.ChipSettings{Density: strings.ToLower(density(c.high))})
			if err != nil {
				t.Fatal(err)
			}
			emds = append(emds, list[0].Fidelity.Of(evaluate.EMD).Mean)
		}
		return emds
	}
	chosen, want := byDrop(parts.validation), byDrop(parts.heldOut)
	if chosen[s.Drop] != slices.Min(chosen) || s.Validation != s.ByDrop[s.Drop] {
		t.Errorf("drop_lsb %d, of which the mean EMDs are %v", s.Drop, chosen)
	}
	for d, e := range s.ByDrop {
		if math.Abs(e.EMD-chosen[d]) > 1e-12 {
			t.Errorf("drop_lsb %d: mean EMD %v, want %v", d, e.EMD, chosen[d])
		}
	}
	if got := s.HeldOut.EMD; len(s.ByDrop) != econt.MaxDropLSB+1 || math.Abs(got-want[s.Drop]) > 1e-12 {
		t.Errorf("mean EMD %v, want %v", got, want[s.Drop])
	}
	if x := scoreOf(m, "STC4 5E4M", evaluate.DecodeSpread); x.ByDrop != nil || x.Drop != 0 {
		t.Errorf("STC4 5E4M drops nothing: %+v", x)
	}
	if m.Images[1] != parts.heldOut.Len() || slices.Equal(parts.heldOut.Charge, parts.validation.Charge) {
		t.Error("the images that are measured by are those that are chosen by")
	}
}

// TestImages: no image that a training may stop by is one that is trained on, chosen by or
// measured by.
func TestImages(t *testing.T) {
	p := small(t)
	w := &work{}
	if err := w.prepare(context.Background(), p, Settings{}); err != nil {
		t.Fatal(err)
	}
	seen := map[[hgcal.Cells]float64]string{}
	add := func(what string, set *wafer.Set) {
		for i := range set.Len() {
			image := [hgcal.Cells]float64(set.Image(i))
			if wafer.Sum(image[:]) < 20*evaluate.MIP {
				continue // so few counts may be the same by chance
			}
			if before, ok := seen[image]; ok && before != what {
				t.Fatalf("an image is %s and %s", before, what)
			}
			seen[image] = what
		}
	}
	for k, c := range w.classes {
		parts, err := w.partsOf(context.Background(), k)
		if err != nil {
			t.Fatal(err)
		}
		of := &Set{For: c.links}
		stopping, err := w.drawn(1000, of, stopSeed)
		if err != nil {
			t.Fatal(err)
		}
		train, err := w.drawn(1000, of, trainSeed)
		if err != nil {
			t.Fatal(err)
		}
		add("trained on", train)
		add("stopped by", stopping)
		add("chosen by", parts.validation)
		add("measured by", parts.heldOut)
	}
	if len(seen) < 100 {
		t.Errorf("%d images with charge", len(seen))
	}
}
