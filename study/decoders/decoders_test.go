package decoders

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/internal/setting"
	"barrow/run"
	"barrow/simulate"
	"barrow/study/images"
	"barrow/study/internal/learned"
)

// wafers writes a file of images without columns.
func wafers(t *testing.T, n int, seed uint64) string {
	t.Helper()
	set, err := simulate.Generate(n, simulate.Settings{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for c := range hgcal.Cells {
		fmt.Fprintf(&b, "%sCALQ_%d", strings.Repeat(",", min(c, 1)), c)
	}
	for i := range n {
		for c, v := range set.Image(i) {
			b.WriteString([]string{"\n", ","}[min(c, 1)])
			fmt.Fprint(&b, v)
		}
	}
	path := filepath.Join(t.TempDir(), fmt.Sprintf("wafers%d.csv", seed))
	if err := os.WriteFile(path, []byte(b.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// small is a plan of a second.
func small(t *testing.T) Plan {
	p := Default()
	p.Events, p.Images, p.Seeds, p.Tune, p.Draws = 300, 600, 2, 2, 50
	p.Algorithms, p.Links, p.Units = []string{"bc", "stc16", "ts"}, []int{3, 1}, 16
	p.High = []string{wafers(t, 100, 7)}
	return p
}

func start(t *testing.T, folder string, p Plan, threads int) *Results {
	t.Helper()
	r, _, err := Start(context.Background(), folder, p, Settings{Threads: threads})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func bytesOf(t *testing.T, folder, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestRun: the results are the same to the byte on one and three threads, with and without
// interruptions, and can be drawn again.
func TestRun(t *testing.T) {
	p := small(t)
	one, three := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "three")
	r := start(t, one, p, 1)
	interrupted, last := 0, -1.0
	for {
		ctx, cancel := context.WithCancel(context.Background())
		_, _, err := Start(ctx, three, p, Settings{Threads: 3, Progress: func(share float64, _ string) {
			if share > last+0.15 {
				last = share
				cancel()
			}
		}})
		cancel()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		interrupted++
	}
	if interrupted < 3 {
		t.Errorf("interrupted %d times", interrupted)
	}
	for _, name := range []string{run.Results, run.Tables, run.Report} {
		if !bytes.Equal(bytesOf(t, one, name), bytesOf(t, three, name)) {
			t.Errorf("%s: three threads and %d interruptions change it", name, interrupted)
		}
	}
	var read Results
	if err := run.ReadJSON(one, run.Results, &read); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read.Rows, r.Rows) || !reflect.DeepEqual(read.Winners, r.Winners) {
		t.Error("what is read is not what was found")
	}
	if _, err := Page(one); err != nil {
		t.Error(err)
	}
	if b := bytesOf(t, one, run.Tables); !bytes.Contains(b, []byte("## wafers7.csv, high density")) || !bytes.Contains(b, []byte("| STC16 5E4M |")) {
		t.Errorf("%s", b)
	}
	checkRows(t, p, r)
}

// checkRows holds the table to what evaluate finds of the rules on the same images, and to
// itself.
func checkRows(t *testing.T, p Plan, r *Results) {
	t.Helper()
	// BC and TS on 1 and 3 links, STC16 on 1: of all simulated images, those of low and of high
	// density, and of the file; TS of one threshold has none by density.
	if len(r.Rows) != 5*4-2*2 {
		t.Fatalf("%d rows", len(r.Rows))
	}
	sets, err := p.sets(context.Background(), images.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	least := map[string]float64{}
	for i := range r.Rows {
		row := &r.Rows[i]
		a, ok := learned.Find(row.Algorithm)
		if !ok {
			t.Fatalf("%q", row.Algorithm)
		}
		if row.Algorithm == "ts" && row.Set == simulatedSet && row.Density != both {
			t.Errorf("%+v: its threshold is that of both densities", row)
		}
		set, settings := sets[0], evaluate.ChipSettings{}
		if row.Set != simulatedSet {
			set, settings.Density = sets[1], evaluate.HighDensity
		}
		held := set.held
		if row.Density != both && row.Set == simulatedSet {
			for _, g := range set.groups(kind{Algorithm: a}) {
				if g.density == row.Density {
					held = held.Select(g.images)
				}
			}
		}
		rules := a.Rules(row.Links)
		for k := range rules {
			rules[k].Threshold = row.Threshold
		}
		want, err := evaluate.Chip(context.Background(), m, held, rules, settings)
		if err != nil {
			t.Fatal(err)
		}
		if row.Images != held.Len() || len(row.Rules) != len(want) || (row.Threshold > 0) != (row.Algorithm == "ts") {
			t.Errorf("%+v", row)
		}
		better := math.Inf(1)
		for k, rule := range row.Rules {
			if got := want[k].Fidelity.Of(evaluate.EMD).Mean; math.Abs(rule.EMD-got) > 1e-9 || rule.Decoding != want[k].Decoding {
				t.Errorf("%s of %s on %d links: %+v, want %v", row.Algorithm, row.Set, row.Links, rule, got)
			}
			better = min(better, rule.EMD)
		}
		l := row.Learned.EMD
		if len(l.Values) != 2 || math.Abs(row.Ratio-l.Mean/better) > 1e-12 || !(row.Interval.Low <= row.Ratio && row.Ratio <= row.Interval.High) {
			t.Errorf("%s of %s on %d links: learned %+v, rule %v, ratio %v %+v", row.Algorithm, row.Set, row.Links, l, better, row.Ratio, row.Interval)
		}
		if byHand := better <= l.Mean; byHand == (row.Best == evaluate.DecodeLearned) {
			t.Errorf("%s on %d links: learned %v, by hand %v, best is %s", row.Algorithm, row.Links, l.Mean, better, row.Best)
		}
		key := fmt.Sprint(row.Set, row.Density, row.Links)
		if v, ok := least[key]; !ok || min(better, l.Mean) < v {
			least[key] = min(better, l.Mean)
		}
	}
	if len(r.Winners) != len(least) {
		t.Errorf("%d winners", len(r.Winners))
	}
	for _, w := range r.Winners {
		if v := least[fmt.Sprint(w.Set, w.Density, w.Links)]; v != w.EMD {
			t.Errorf("%+v: the least is %v", w, v)
		}
	}
}

// TestRuleWins: where decoders have learned nothing, the rule by hand is what is best.
func TestRuleWins(t *testing.T) {
	p := small(t)
	p.High, p.Images, p.Algorithms, p.Links, p.Loss = nil, 100, []string{"bc"}, []int{3}, "mse"
	r := start(t, filepath.Join(t.TempDir(), "run"), p, 2)
	for _, row := range r.Rows {
		if row.Ratio < 1 {
			t.Skipf("100 images are enough: %v", row.Ratio)
		}
		if row.Best != evaluate.DecodeSpread || row.Chosen != evaluate.DecodeSpread {
			t.Errorf("%+v", row)
		}
	}
	if w := r.winner(simulatedSet, both, 3); w == nil || w.Decoding != evaluate.DecodeSpread {
		t.Errorf("%+v", w)
	}
}

// TestBadRow: what is wrong with an image of a file is told with its place there, before any training.
func TestBadRow(t *testing.T) {
	path := wafers(t, 3, 9)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	write := func(lines ...string) string {
		path := filepath.Join(t.TempDir(), "bad.csv")
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for want, change := range map[string]func(*Plan){
		":3: cell 0: charge 1e+300": func(p *Plan) {
			p.Low = []string{write(lines[0], lines[1], "1e300"+strings.Repeat(",0", hgcal.Cells-1))}
		},
		`:3: HD_LD is "XX"; want HD or LD`: func(p *Plan) {
			p.Data = []string{write(lines[0]+",HD_LD", lines[1]+",LD", lines[2]+",XX")}
		},
		"no charge of 1 or more": func(p *Plan) {
			p.High = []string{write(lines[0], "0.5"+strings.Repeat(",0", hgcal.Cells-1))}
		},
	} {
		p := small(t)
		p.High = nil
		change(&p)
		folder := filepath.Join(t.TempDir(), "run")
		if _, _, err := Start(context.Background(), folder, p, Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
		if _, err := os.Stat(folder); err == nil {
			t.Errorf("%s: a folder was made", want)
		}
	}
}

func TestCheck(t *testing.T) {
	for _, p := range []Plan{Default(), Quick()} {
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
	}
	for want, spoil := range map[string]func(*Plan){
		`algorithms = "rpt": it may be bc, stc4`: func(p *Plan) { p.Algorithms = []string{"rpt"} },
		"algorithms: bc is named twice":          func(p *Plan) { p.Algorithms = []string{"bc", "bc"} },
		"links: 2 is named twice":                func(p *Plan) { p.Links = []int{2, 2} },
		"links = 14: want 1 to 13":               func(p *Plan) { p.Links = []int{14} },
		"want one of each at least":              func(p *Plan) { p.Links = nil },
		"none of them can use [13] links":        func(p *Plan) { p.Links = []int{13}; p.Algorithms = []string{"bc", "stc16"} },
		"images = 99: want 100 at least":         func(p *Plan) { p.Images = 99 },
		"events = 99: want 100 at least":         func(p *Plan) { p.Events = 99 },
		"seeds = 0: want 1":                      func(p *Plan) { p.Seeds = 0 },
		"tune_epochs = -1: want 1":               func(p *Plan) { p.Tune = -1 },
		`loss = "emd-cnn": it needs an EMD net`:  func(p *Plan) { p.Loss = "emd-cnn" },
		"units = -1":                             func(p *Plan) { p.Units = -1 },
		"no/such.csv":                            func(p *Plan) { p.Metric = "no/such.csv" },
	} {
		p := Default()
		spoil(&p)
		if err := p.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	p := small(t)
	p.Data, p.High = p.High, nil
	if _, _, err := Start(context.Background(), filepath.Join(t.TempDir(), "run"), p, Settings{}); err == nil || !strings.Contains(err.Error(), "name the file as ld or hd") {
		t.Error(err)
	}
}

// TestSettingsAreSaved: every setting of a plan stands under its key in what is saved of a run.
func TestSettingsAreSaved(t *testing.T) {
	p := Default()
	for i := range setting.Fields(&p, false) {
		q := Default()
		f := setting.Fields(&q, false)[i]
		text := map[reflect.Kind]string{reflect.String: "something", reflect.Bool: "true", reflect.Int: "77", reflect.Uint64: "77"}[f.Kind()]
		if err := f.SetText(text, false); err != nil {
			t.Fatalf("%s: %v", f.Key, err)
		}
		b, err := json.Marshal(q)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(b, &keys); err != nil {
			t.Fatal(err)
		}
		if v, ok := keys[f.Key]; !ok || !strings.Contains(string(v), text) {
			t.Errorf("%s: saved as %s", f.Key, v)
		}
	}
}

// TestQuick: the help tells what a quick run has.
func TestQuick(t *testing.T) {
	d, q := Default(), Quick()
	a, b := setting.Fields(&d, false), setting.Fields(&q, false)
	for i := range a {
		if a[i].Text() != b[i].Text() && !strings.Contains(a[i].Help, "quick run "+b[i].Text()) {
			t.Errorf("%s: %q does not tell of %s in a quick run", a[i].Key, a[i].Help, b[i].Text())
		}
	}
}

// TestTakenOver: a run says what it leaves out of the table; a file may be a stream; and where no
// decoder goes on with its images, the note of its training has no validation loss.
func TestTakenOver(t *testing.T) {
	p := small(t)
	b, err := os.ReadFile(p.High[0])
	if err != nil {
		t.Fatal(err)
	}
	p.High, p.Tune, p.Seeds, p.Algorithms = []string{"-"}, 0, 1, []string{"stc16"}
	folder, remarks := filepath.Join(t.TempDir(), "run"), ""
	r, _, err := Start(context.Background(), folder, p, Settings{
		Threads: 1, Remark: func(s string) { remarks += s },
		Stream: func(name string) io.Reader {
			if name == "-" {
				return bytes.NewReader(b)
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Sets) != 2 || r.Sets[1].Train == 0 {
		t.Errorf("%+v", r.Sets)
	}
	if !strings.Contains(remarks, "stc16 on 3 links") {
		t.Errorf("%q", remarks)
	}
	if got := p.left(); len(got) != 1 {
		t.Errorf("left out: %q", got)
	}
	first := string(bytesOf(t, folder, "weights/decoder-stc16-1links-seed1.json"))
	second := string(bytesOf(t, folder, "weights/decoder-stc16-1links-set1-seed1.json"))
	if !strings.Contains(second, `"best_validation_loss": null`) || strings.Contains(first, "null") {
		t.Errorf("%s %s", first, second)
	}
}
