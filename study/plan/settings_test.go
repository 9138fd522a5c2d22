package plan

import (
	"context"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
)

func TestCheck(t *testing.T) {
	for _, p := range []Plan{Default(), Quick()} {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
	for want, spoil := range map[string]func(*Plan){
		`geometry = "v12"`:                  func(p *Plan) { p.Geometry = "v12" },
		`figure = "median": it may be`:      func(p *Plan) { p.Figure = "median" },
		"eta_band = 0: want":                func(p *Plan) { p.EtaBand = 0 },
		"eta_band = NaN":                    func(p *Plan) { p.EtaBand = math.NaN() },
		"layer_band = 0":                    func(p *Plan) { p.LayerBand = 0 },
		"fewest = -1":                       func(p *Plan) { p.Fewest = -1 },
		"class_images = 5: want 30":         func(p *Plan) { p.PerClass = 5 },
		"encoder_links = 6: want 1 to 5":    func(p *Plan) { p.EncoderLinks = []int{6} },
		"encoder_links = 0: want 1 to 5":    func(p *Plan) { p.EncoderLinks = []int{0, 2} },
		"2 is there twice":                  func(p *Plan) { p.EncoderLinks = []int{2, 2} },
		`masks = "9x2,7x0": want LINKS`:     func(p *Plan) { p.Masks = []string{"9x2,7x0"} },
		"masks: two for 1":                  func(p *Plan) { p.Masks = []string{"1:9x2,7x0", "1:16x1"} },
		"masks: one for 5 links":            func(p *Plan) { p.Masks = []string{"5:16x9"} },
		`"1:16x2": 32 bits take 2 links`:    func(p *Plan) { p.Masks = []string{"1:16x2"} },
		"it has 9 outputs":                  func(p *Plan) { p.Masks = []string{"1:9x2"} },
		"epochs = 0":                        func(p *Plan) { p.Epochs = 0 },
		"events = 10: want 30":              func(p *Plan) { p.Events = 10 },
		"decoders = -1":                     func(p *Plan) { p.Decoders = -1 },
		"weights_limit = -1: want 0 to 100": func(p *Plan) { p.WeightsLimit = -1 },
		"seeds = 0":                         func(p *Plan) { p.Seeds = 0 },
		"nowhere.csv":                       func(p *Plan) { p.Metric = "nowhere.csv" },
		`preset = "muons": it may be mix`:   func(p *Plan) { p.Preset = "muons" },
	} {
		p := Default()
		spoil(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestFile: files that say something wrong of modules are errors with file and row; what is
// right is read in several dialects.
func TestFile(t *testing.T) {
	d := newDetector(hgcal.GeometryV11)
	const head = "layer,waferu,waferv,links"
	for want, rows := range map[string][]string{
		":1: the first row does not name waferu, waferv: want":      {"layer,links", "9,2"},
		":1: the first row does not name links: want":               {"layer,waferu,waferv"},
		":1:3: two columns are called":                              {"layer,waferu,waferu,waferv,links"},
		":1: the file has no modules":                               {head},
		":2:4: module -10, -7 of layer 1 has no links":              {head, "1,-10,-7,0"},
		":3:4: the links of module -10, -6 of layer 1 are blank":    {head, "1,-10,-7,2", "1,-10,-6,"},
		":2:4: 14 links: the chip has 1 to 13":                      {head, "1,-10,-7,14"},
		":2:4: -1 links: the chip has 1 to 13":                      {head, "1,-10,-7,-1"},
		`:2:4: links "2.5": want a whole number`:                    {head, "1,-10,-7,2.5"},
		`:2:1: layer "x": want a whole number`:                      {head, "x,-10,-7,2"},
		":2:1: layer 9 has no module 99, 0: is the":                 {head, "9,99,0,2"},
		":2:1: layer 2 makes no trigger data":                       {head, "2,1,1,2"},
		":4:1: module -10, -7 of layer 1 once more, after row 2":    {head, "1,-10,-7,2", "1,-10,-6,2", "1,-10,-7,3"},
		":2: 3 columns, want 4":                                     {head, "1,-10,-7"},
		":2:5: sector 3: want 0 to 2":                               {head + ",sector", "9,2,3,2,3"},
		":2:1: layer 9 of geometry v11 has no wafer -10, -7 in sec": {head + ",sector", "9,-10,-7,2,0"},
		`:2:5: density "HD" of module -10, -6 of layer 1, which is`: {head + ",HD_LD", "1,-10,-6,2,HD"},
		`:2:5: type "FI" of module -10, -6 of layer 1, which is bO`: {head + ",ModType", "1,-10,-6,2,FI"},
	} {
		path := modulesFile(t, rows...)
		if _, err := d.read(path); err == nil || !strings.HasPrefix(err.Error(), "plan: modules: "+path+want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := d.read("nowhere.csv"); err == nil {
		t.Error("a file that is not there was read")
	}
	empty := filepath.Join(t.TempDir(), "empty.csv")
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := d.read(empty); err == nil || !strings.Contains(err.Error(), "empty.csv:1: the file is empty") {
		t.Error(err)
	}
	list, err := d.read(modulesFile(t, "# two", "Layer;U;V;ECONT_eTX;HD_LD;ModType;more", "1;-10;-7;2;LD;aO;x", "", "1;-10;-6;3;ld;bO;y"))
	if err != nil || len(list) != 2 || list[1].links != 3 || list[0].Kind != "aO" {
		t.Errorf("%+v, %v", list, err)
	}
	turned, err := d.read(modulesFile(t, head+",sector", "9,2,3,2,0", "9,2,3,2,1", "9,2,3,5,2"))
	if err != nil || turned[0].place() != turned[2].place() || turned[0].x == turned[1].x || turned[2].links != 5 {
		t.Errorf("%+v, %v", turned, err)
	}
}

// TestPublicTable: the public table of all modules, of which those without links are named.
func TestPublicTable(t *testing.T) {
	path := filepath.Join(shared.Data(t, "geometry"), "ModuleLinkSummary.csv")
	d := newDetector(hgcal.GeometryV11)
	if _, err := d.read(path); err == nil || !strings.Contains(err.Error(), "ModuleLinkSummary.csv:2:5: module -10, -8 of layer 1 has no links") {
		t.Error(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var rows []string
	for row := range strings.Lines(string(b)) {
		if f := strings.Split(row, ","); f[4] != "0" {
			rows = append(rows, strings.TrimSpace(row))
		}
	}
	list, err := d.read(modulesFile(t, rows...))
	if err != nil || len(list) != len(rows)-1 {
		t.Fatalf("%d of %d modules, %v", len(list), len(rows)-1, err)
	}
	whole, _ := own(hgcal.GeometryV11)
	if len(list) != hgcal.Sectors*len(whole) {
		t.Errorf("%d modules, want three times %d", len(list), len(whole))
	}
}

// TestClasses: every module is in one class, with its like.
func TestClasses(t *testing.T) {
	for _, g := range []string{"v11", "v16"} {
		for _, p := range []Plan{Default(), Quick()} {
			p.Geometry = g
			list, _ := own(p.geometry())
			classes, alone := p.classes(list), map[[2]int]int{}
			in := make([]int, len(list))
			for _, c := range classes {
				high := 0
				if c.high {
					high = 1
				}
				alone[[2]int{c.links, high}]++
				for _, i := range c.modules {
					in[i]++
					m := &list[i]
					if m.links != c.links || m.HighDensity() != c.high || m.Layer < c.layers[0] || m.Layer > c.layers[1] || m.Eta() < c.etas[0] || m.Eta() > c.etas[1] {
						t.Fatalf("%s: module %+v", c.name(), m)
					}
				}
			}
			for i, n := range in {
				if n != 1 {
					t.Fatalf("module %d is in %d classes", i, n)
				}
			}
			for _, c := range classes {
				high := 0
				if c.high {
					high = 1
				}
				if len(c.modules) < p.Fewest && alone[[2]int{c.links, high}] > 1 {
					t.Errorf("%s: %d modules, and others are like it", c.name(), len(c.modules))
				}
			}
			t.Logf("%s: %d classes of %d modules", g, len(classes), len(list))
		}
	}
}

// TestChoose: the choice is the best of each class; with a limit no more sets are used, more
// sets never do worse, and one set is the best one.
func TestChoose(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	names := []string{"a", "b", "c", "d", "e"}
	for range 200 {
		p := Plan{Figure: []string{figureMean, figureCharge, figureWorst}[r.IntN(3)]}
		var classes []class
		var measures []measure
		var sets []Set
		for _, n := range names {
			sets = append(sets, Set{Name: n})
		}
		for range 1 + r.IntN(6) {
			classes = append(classes, class{modules: make([]int, 1+r.IntN(9))})
			m := measure{Scores: []Score{{}, {}}}
			for _, n := range names {
				if r.IntN(3) > 0 {
					m.Scores = append(m.Scores, Score{Candidate: Candidate{Set: n}})
				}
			}
			for i := range m.Scores {
				m.Scores[i].Validation = Errors{EMD: r.Float64(), Charge: r.Float64()}
			}
			measures = append(measures, m)
		}
		value := func(choice []int) (v sum) {
			for k, i := range choice {
				x := p.value(measures[k].Scores[i].Validation)
				v.all += x * float64(len(classes[k].modules))
				if p.Figure == figureWorst {
					v.worst = max(v.worst, x)
				}
			}
			return v
		}
		free := p.choose(classes, measures, sets, 0, nil)
		for k, i := range free {
			for _, s := range measures[k].Scores {
				if p.value(s.Validation) < p.value(measures[k].Scores[i].Validation) {
					t.Fatal("not the best of a class")
				}
			}
		}
		best := value(free)
		for limit := len(names); limit > 0; limit-- {
			c := p.choose(classes, measures, sets, limit, nil)
			if n := len(used(measures, c)); n > limit {
				t.Fatalf("%d sets, limit %d", n, limit)
			}
			v := value(c)
			if v.below(best) && p.Figure != figureWorst && best.all-v.all > 1e-9 {
				t.Fatalf("limit %d is better than more: %v, %v", limit, v, best)
			}
			best = v
		}
		for _, n := range names { // one set: best is that of limit 1
			if _, v := p.pick(classes, measures, map[string]bool{n: true}, nil); v.below(best) {
				t.Fatalf("%s alone leaves %v, the choice %v", n, v, best)
			}
		}
	}
}

// TestStopped: a run that is stopped before it begins leaves no results.
func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := filepath.Join(t.TempDir(), "run")
	if _, _, err := Start(ctx, dir, small(t), Settings{}); err == nil {
		t.Error("it was not stopped")
	}
	if _, err := Page(dir); err == nil {
		t.Error("a page of nothing")
	}
}
