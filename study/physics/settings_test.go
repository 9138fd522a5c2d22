package physics

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"barrow/internal/setting"
)

// TestSettingsAreSaved: every setting of a plan stands under its key in what is saved of a
// run, so that a run with another value is another run.
func TestSettingsAreSaved(t *testing.T) {
	save := func(p Plan) []byte {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p := Default()
	before := save(p)
	fields := setting.Fields(&p, false)
	if len(fields) < 20 {
		t.Fatalf("%d settings", len(fields))
	}
	for i := range fields {
		q := Default()
		f := setting.Fields(&q, false)[i]
		text := map[reflect.Kind]string{reflect.String: "something", reflect.Bool: "false", reflect.Int: "77", reflect.Uint64: "77", reflect.Float64: "0.77"}[f.Kind()]
		if err := f.SetText(text, false); err != nil {
			t.Fatalf("%s: %v", f.Key, err)
		}
		after := save(q)
		if bytes.Equal(before, after) {
			t.Errorf("%s: the saved plan does not show it", f.Key)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(after, &keys); err != nil {
			t.Fatal(err)
		}
		if _, ok := keys[f.Key]; !ok {
			t.Errorf("%s: the saved plan has no such key: %s", f.Key, after)
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

func TestCheck(t *testing.T) {
	if err := Default().Complete().Check(); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Plan){
		`class = "muon": it may be electron, photon, pion, jet`: func(p *Plan) { p.Class = "muon" },
		`geometry = "v9": it may be v11, v16`:                   func(p *Plan) { p.Geometry = "v9" },
		"events = -1: want 1":                                   func(p *Plan) { p.Events = -1 },
		"minimum_bias = -1: want 1 to 100000000, or 0 for none": func(p *Plan) { p.MinimumBias = -1 },
		"pileup = -5: want a mean number":                       func(p *Plan) { p.PileUp = -5 },
		"events = 0: want 1":                                    func(p *Plan) { p.Events = 0 },
		"385 events with a particle, of which each half calibrates 36 layers: want at least 386": func(p *Plan) { p.Events = 385 },
		"minimum_bias = 2000 with pileup = 0: without collisions there is none":                  func(p *Plan) { p.PileUp = 0 },
		"range 1:3.5 of η: want a rising range within 1.4:3.1":                                   func(p *Plan) { p.Eta = "1:3.5" },
		`pt = "0:5": want LOW:HIGH, above 0`:                                                     func(p *Plan) { p.Pt = "0:5" },
		`eta = "3:2": want LOW:HIGH`:                                                             func(p *Plan) { p.Eta = "3:2" },
		`contenders = "telescpoe": it may be rpt, ts,`:                                           func(p *Plan) { p.Contenders = []string{"telescpoe"} },
		`contenders = "rpt-learned": it may be rpt`:                                              func(p *Plan) { p.Contenders = []string{"rpt-learned"} },
		"contenders: bc is named twice":                                                          func(p *Plan) { p.Contenders = []string{"bc", "bc"} },
		"links = 14: want 1 to 13, modules for":                                                  func(p *Plan) { p.Links = "14" },
		`encoders = "x": want NAME=FILE`:                                                         func(p *Plan) { p.Encoders = []string{"x"} },
		`"two" is no number of links`:                                                            func(p *Plan) { p.Encoders = []string{"x:two=y"} },
		"x is given twice for the same links, y and z":                                           func(p *Plan) { p.Encoders = []string{"x=y", "x:2=z"} },
		"emd is a contender already":                                                             func(p *Plan) { p.Contenders, p.Encoders = []string{"emd"}, []string{"emd=y"} },
		`decoder = "big": it may be`:                                                             func(p *Plan) { p.Decoder = "big" },
		"training_images = 99: want 100 at least":                                                func(p *Plan) { p.Images = 99 },
		"epochs = 0: want 1":                                                                     func(p *Plan) { p.Epochs = 0 },
		"draws = 0: want 1":                                                                      func(p *Plan) { p.Draws = 0 },
		"training_images = 100000000: would take":                                                func(p *Plan) { p.Images = 100_000_000 },
		`metric = "cmssw": the loss emd-cnn needs a network for it: train one and`:               func(p *Plan) { p.Metric = "cmssw" },
		`nowhere`: func(p *Plan) { p.CNN = "nowhere" },
	} {
		p := Default()
		spoil(&p)
		if err := p.Complete().Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestSettle: what was not asked for goes with what was.
func TestSettle(t *testing.T) {
	for _, c := range []struct {
		name         string
		spoil        func(*Plan)
		given        string
		events, bias int
		remarks      string
	}{
		{"nothing", func(*Plan) {}, "", 10_000, 2000, ""},
		{"no collisions", func(p *Plan) { p.PileUp = 0 }, "", 10_000, 0, ""},
		{"asked for", func(p *Plan) { p.PileUp = 0 }, "minimum_bias", 10_000, 2000, ""},
		{"files of particles", func(p *Plan) { p.Data = []string{"x"} }, "", 0, 0, "no minimum bias, so neither rates"},
		{"so many of them", func(p *Plan) { p.Data, p.Events = []string{"x"}, 500 }, "events", 500, 0, "no minimum bias"},
		{"with simulated minimum bias", func(p *Plan) { p.Data = []string{"x"} }, "minimum_bias", 0, 2000, ""},
		{"files of both", func(p *Plan) { p.Data, p.Others = []string{"x"}, []string{"y"} }, "", 0, 0, ""},
	} {
		p := Default()
		c.spoil(&p)
		said := ""
		p = p.Settle(func(key string) bool { return key == c.given }, func(text string) { said += text })
		if p.Events != c.events || p.MinimumBias != c.bias || !strings.HasPrefix(said, c.remarks) || c.remarks == "" && said != "" {
			t.Errorf("%s: %d events, %d of minimum bias, %q", c.name, p.Events, p.MinimumBias, said)
		}
	}
}
