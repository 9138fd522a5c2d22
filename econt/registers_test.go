package econt

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parse(t *testing.T, text string) *Registers {
	t.Helper()
	r, err := ReadRegisters(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestRegistersRoundTrip writes random configurations in every dialect and
// reads them back: the same chip.
func TestRegistersRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for trial := range 60 {
		c := randomConfig(r, Algorithm(trial%5))
		c.Overflow = Saturate
		for d := DialectProd; d <= DialectEcontSW; d++ {
			var buf bytes.Buffer
			if err := WriteRegisters(&buf, &c, d); err != nil {
				t.Fatal(err)
			}
			got, err := ReadRegisters(&buf)
			if err != nil {
				t.Fatalf("%v: %v", d, err)
			}
			if got.Dialect != d {
				t.Fatalf("wrote %v, read %v", d, got.Dialect)
			}
			if len(got.Defaults) != 0 || len(got.Ignored) != 0 {
				t.Fatalf("%v: defaults %v, ignored %v", d, got.Defaults, got.Ignored)
			}
			want := c
			for ch := range want.Mux {
				// The same input, counted as the dialect counts.
				want.Mux[ch] = got.Config.Convention.Input(c.Convention.Input(c.Mux[ch]))
			}
			want.Convention = got.Config.Convention
			if diff := cmp.Diff(want, got.Config); diff != "" {
				t.Fatalf("%v: %s", d, diff)
			}
		}
	}
}

func TestRegistersGaps(t *testing.T) {
	c := Defaults()
	c.Links = 0b101
	if err := WriteRegisters(&bytes.Buffer{}, &c, DialectP1); err == nil || !strings.Contains(err.Error(), "gaps") {
		t.Errorf("a mask with gaps as a count: %v", err)
	}
	var buf bytes.Buffer
	if err := WriteRegisters(&buf, &c, DialectProd); err != nil {
		t.Fatal(err)
	}
	if got := parse(t, buf.String()).Config.Links; got != c.Links {
		t.Errorf("mask %#x, want %#x", got, c.Links)
	}
}

// TestDialects: what only one dialect has, and the defaults of each.
func TestDialects(t *testing.T) {
	prod := parse(t, "ConfigAlgo:\n  Global: {alg_type: 1, alg_high_density: 1}\nFormatterBuffer: {Global: {active_etxs: 0x1f}}\nERx: {0: {enable: 1}}\n")
	if c := prod.Config; c.ETx() != 5 || c.Convention != MuxProd || c.Algorithm != SuperTriggerCell || !c.HighDensity {
		t.Errorf("prod: %+v", c)
	}
	if diff := cmp.Diff([]string{"ERx"}, prod.Ignored); diff != "" {
		t.Error(diff)
	}
	names := func(r *Registers) (list []string) {
		for _, d := range r.Defaults {
			if d.Value == "" || d.Source == "" {
				t.Errorf("default %+v without value or source", d)
			}
			list = append(list, d.Register)
		}
		return list
	}
	if diff := cmp.Diff([]string{"drop_lsb", "stc_type", "buff_t1", "buff_t2", "buff_t3", "cal", "mux"}, names(prod)); diff != "" {
		t.Errorf("defaults taken: %s", diff)
	}

	p1 := parse(t, "Algorithm: {Global: {select: 0, density: 0}}\nAlgoDroplsb: {Global: 4}\nMux: {5: 0b10_0000}\nFormatterBuffer: {Global: {active_etxs: 12}}\n")
	if c := p1.Config; c.ETx() != 12 || c.Convention != MuxP1 || c.DropLSB != 4 || c.Mux[5] != 32 || c.IdlePattern != 0x70f {
		t.Errorf("p1: %+v", c)
	}
	if got := strings.Join(names(p1), " "); !strings.Contains(got, "mux (47 of 48 channels)") || !strings.Contains(got, "link_reset_pattern") {
		t.Errorf("p1 defaults: %s", got)
	}

	sw := parse(t, `
ECON-T:
 RW:
  MFC_ALGORITHM_SEL_DENSITY: {registers: {algo: {value: 0xa}}}
  FMTBUF_ALL:
   registers:
    tx_sync_word: {value: 0b00100100010}
    config: {value: 0x95}
    mask_ae: {value: 0xffff_ffff_ffff_ffff_ffff_ffff_ffff_0000}
    mask_ae2: {value: 0x1234}
  PLL_ALL: {registers: {}}
`)
	c := sw.Config
	if c.Algorithm != BestChoice || !c.HighDensity || c.ETx() != 9 || c.UseSum != true || c.STCType != 1 || c.IdlePattern != 290 {
		t.Errorf("econt_sw: %+v", c)
	}
	if got := fmt.Sprintf("%x", c.Keep.Int()); got != "ffffffffffffffffffffffffffff00001234" {
		t.Errorf("joined mask %s", got)
	}

	fallback := parse(t, "ConfigAlgo: {Global: {alg_type: 6}}\n")
	if fallback.Config.Algorithm != Repeater {
		t.Errorf("alg_type 6 is %v", fallback.Config.Algorithm)
	}
	for _, order := range []string{"idle_pattern: 1450, link_reset_pattern: 290", "link_reset_pattern: 290, idle_pattern: 1450"} {
		if r := parse(t, "FormatterBuffer: {Global: {"+order+"}}\n"); r.Config.IdlePattern != 1450 {
			t.Errorf("%s: idle pattern %d", order, r.Config.IdlePattern)
		}
	}
}

func TestRegisterErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "empty file"},
		{"- 1\n", "want a mapping"},
		{"a: [\n", "line 1"},
		{"Nonsense: {Global: {x: 1}}\n", "unknown key Nonsense"},
		{"ConfigAlgo: {Global: {alg_typ: 1}}\n", "line 1: unknown key ConfigAlgo.Global.alg_typ"},
		{"ConfigAlgo:\n  Global:\n    alg_type: 8\n", "line 3: ConfigAlgo.Global.alg_type is 8: want 0 to 7"},
		{"ConfigAlgo: {Global: {alg_type: -1}}\n", "alg_type is -1"},
		{"ConfigAlgo: {Global: {alg_type: one}}\n", `"one" is not an integer`},
		{"ConfigAlgo: {Global: {alg_type: }}\n", "not an integer"},
		{"ConfigAlgo: {Global: {alg_type: [1]}}\n", "want a number"},
		{"ConfigAlgo: {Local: {alg_type: 1}}\n", "unknown key ConfigAlgo.Local"},
		{"ConfigAlgo: {Global: {alg_type: 1, alg_type: 2}}\n", "alg_type is given twice"},
		{"ConfigAlgo: {Global: {alg_type: 1}}\nAlgorithm: {Global: {select: 1}}\n", "cannot mix the dialects"},
		{"Cal: {48: 1}\n", "Cal.48: want 0 to 47"},
		{"Cal: {x: 1}\n", "unknown key Cal.x"},
		{"Cal: {3: 4096}\n", "Cal.3 is 4096: want 0 to 4095"},
		{"Mux: {3: 48}\n", "Mux.3 is 48: want 0 to 47"},
		{"AlgoThreshold: {0: 4194304}\n", "want 0 to 4194303"},
		{"AlgoDroplsb: {Global: 8}\n", "want 0 to 7"},
		{"FormatterBuffer: {Global: {active_etxs: 0}}\n", "at least one link"},
		{"FormatterBuffer: {Global: {active_etxs: 0x2000}}\n", "want 0 to 8191"},
		{"Algorithm: {Global: {select: 0}}\nFormatterBuffer: {Global: {active_etxs: 14}}\n", "want 0 to 13"},
		{"FormatterBuffer: {Global: {stc_type: 5}}\n", "stc_type is 5: want 0 to 4"},
		{"FormatterBuffer: {Global: {buff_t3: 32}}\n", "want 0 to 31"},
		{"FormatterBuffer: {Global: {keep_auto_encoder_bits: 0x1000000000000000000000000000000000000}}\n", "at most 144 bits"},
		{"Encoder: {12: {weights_byte0: 0}}\n", "Encoder.12: want 0 to 11"},
		{"Encoder: {0: {weights_byte1: 0}}\n", "unknown key Encoder.0.weights_byte1"},
		{"Encoder: {0: {weights_byte0: 0x100000000000000000000000000000000}}\n", "at most 128 bits"},
		{"Encoder: {0: {weights_byte128: 0x1000000000000}}\n", "at most 48 bits"},
		{"Encoder: {0: {weights_byte0: 0}}\n", "107 of 108 weight registers are missing: Encoder.0.weights_byte16"},
		{"ECON-T: {RW: {FMTBUF_ALL: {registers: {nothing: {value: 1}}}}}\n", "unknown key"},
		{"ECON-T: {RW: {NEW_BLOCK: {registers: {x: {value: 1}}}}}\n", "unknown key"},
		{"ECON-T: {RW: {MFC_CAL_VAL: {registers: {'cal_*': {value: [1, 2]}}}}}\n", "want a list of 48"},
		{"ECON-T: {RW: {AUTOENCODER_12INPUT: {registers: {weights_byte0: {value: 1}}}}}\n", "unknown key"},
	} {
		_, err := ReadRegisters(strings.NewReader(tc.text))
		if err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "econt: ") {
			t.Errorf("%q:\n got %v\nwant … %s …", tc.text, err, tc.want)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	for name, change := range map[string]func(*Config){
		"algorithm":  func(c *Config) { c.Algorithm = 5 },
		"links":      func(c *Config) { c.Links = 0 },
		"links high": func(c *Config) { c.Links = 1 << 13 },
		"drop":       func(c *Config) { c.DropLSB = 8 },
		"stc":        func(c *Config) { c.STCType = 5 },
		"t1":         func(c *Config) { c.T1 = 512 },
		"idle":       func(c *Config) { c.IdlePattern = 2048 },
		"convention": func(c *Config) { c.Convention = 2 },
		"overflow":   func(c *Config) { c.Overflow = 2 },
		"weights":    func(c *Config) { c.Algorithm = Autoencoder },
		"threshold":  func(c *Config) { c.Threshold[7] = 1 << 22 },
		"cal":        func(c *Config) { c.Cal[47] = 4096 },
		"mux":        func(c *Config) { c.Mux[0] = 48 },
		"weight":     func(c *Config) { c.Weights = &Weights{}; c.Weights.Dense[3][4] = 32 },
	} {
		c := Defaults()
		change(&c)
		if _, err := New(c); err == nil || !strings.HasPrefix(err.Error(), "econt: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzRegisters(f *testing.F) {
	c := Defaults()
	for d := DialectProd; d <= DialectEcontSW; d++ {
		var buf bytes.Buffer
		if err := WriteRegisters(&buf, &c, d); err != nil {
			f.Fatal(err)
		}
		f.Add(buf.String())
	}
	f.Add("Encoder: {0: {weights_byte0: 0}}\n")
	f.Add("a: &x {b: *x}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadRegisters(strings.NewReader(text))
		if err != nil {
			return
		}
		if err := r.Config.Validate(); err != nil && r.Config.Algorithm != Autoencoder {
			t.Fatalf("accepted registers that are not valid: %v", err)
		}
	})
}
