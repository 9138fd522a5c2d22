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
	if diff := cmp.Diff([]string{"drop_lsb", "stc_type", "buff_t1", "buff_t2", "buff_t3", "Cal", "Mux"}, names(prod)); diff != "" {
		t.Errorf("defaults taken: %s", diff)
	}

	p1 := parse(t, "Algorithm: {Global: {select: 0, density: 0}}\nAlgoDroplsb: {Global: 4}\nMux: {5: 0b10_0000}\nFormatterBuffer: {Global: {active_etxs: 12}}\n")
	if c := p1.Config; c.ETx() != 12 || c.Convention != MuxP1 || c.DropLSB != 4 || c.Mux[5] != 32 || c.IdlePattern != 0x70f {
		t.Errorf("p1: %+v", c)
	}
	if got := strings.Join(names(p1), " "); !strings.Contains(got, "Mux (47 of 48 channels)") || !strings.Contains(got, "link_reset_pattern") {
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
		{"{}\n", "no registers"},
		{"ConfigAlgo: {Global: {alg_type: 1}}\n---\nCal: {0: 1}\n", "line 2: a second YAML document"},
		{"ConfigAlgo: {Global: {alg_type: 1}}\n---\n", "a second YAML document"},
		{"Mux: {00: 3, 0: 4}\n", "Mux.0 is given twice: first in line 1"},
		{"Mux:\n  0: 3\n  00: 3\n", "line 3: Mux.00 is given twice: first in line 2"},
		{"Encoder: {0: {weights_byte0: 0}, 00: {weights_byte0: 0}}\n", "Encoder.00.weights_byte0 is given twice"},
		{"Algorithm: {Global: {select: 0}}\nFormatterBuffer: {Global: {active_etxs: 3, eporttx_numen: 4}}\n", "eporttx_numen is given twice"},
		{"FormatterBuffer: {Global: {keep_auto_encoder_bits: 3, mask_ae2: 4}}\n", "mask_ae2 and the keep_auto_encoder_bits of line 1 are the same register"},
		{"ConfigAlgo: {Global: {alg_type: 1}}\nFmtBuf: {Global: {active_etxs: 1}}\n", "cannot mix the dialects"},
		{"ECON-T: {RW: {}}\nMux: {0: 1}\n", "cannot mix the dialects"},
		{"ECON-T: {ninput: {a: 1}}\n", "unknown key ECON-T.ninput"},
		{"ECON-T: {RW: {FMTBUF_ALL: {registers: {config: {value: 0xf0}}}}}\n", "config.value (eporttx_numen) is 15: want 0 to 13"},
		{"ECON-T: {RW: {AUTOENCODER_0INPUT: {registers: {weights_byte0: {value: 1}}}}}\n", "107 of 108 weight registers are missing: AUTOENCODER_0INPUT.weights_byte16"},
		{"ECON-T: {RW: {'AUTOENCODER_*OUTPUT': {registers: {weights_byte0: {value: 1}}}}}\n", "unknown key"},
		{"ECON-T: {RW: {MFC_CAL_VAL: {registers: {cal_48: {value: 1}}}}}\n", "cal_48.value: want 0 to 47"},
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

// swWeights is an econt_sw block of all weight registers, each with its number.
func swWeights(block string, add int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "  %s:\n   block_shift: 143\n   registers:\n", block)
	for i, first := range encoderRegisters {
		fmt.Fprintf(&b, "    weights_byte%d: {value: %d}\n", first, i+add)
	}
	return b.String()
}

// TestStars: a * stands for all twelve inputs or 48 channels, and what comes
// later in the file wins, as econt_sw expands them.
func TestStars(t *testing.T) {
	head := "ECON-T:\n ninput: 12\n noutput: 13\n nchannels: 12\n RW:\n"
	var each strings.Builder
	for n := range ERxWords {
		each.WriteString(swWeights(fmt.Sprintf("AUTOENCODER_%dINPUT", n), 0))
	}
	want := parse(t, head+each.String()).Config.Weights
	if got := parse(t, head+swWeights("AUTOENCODER_*INPUT", 0)).Config.Weights; *got != *want {
		t.Error("* is not all twelve inputs")
	}
	if got := parse(t, "Encoder:\n  '*': {"+strings.Join(func() (list []string) {
		for i, first := range encoderRegisters {
			list = append(list, fmt.Sprintf("weights_byte%d: %d", first, i))
		}
		return list
	}(), ", ")+"}\n").Config.Weights; *got != *want {
		t.Error("Encoder.* is not all twelve inputs")
	}
	one := func(text string) byte {
		w := parse(t, head+text).Config.Weights
		var eb encoderBytes
		eb.encode(w)
		return eb.bytes[3*encoderBytesEach]
	}
	star, third := swWeights("AUTOENCODER_*INPUT", 0), swWeights("AUTOENCODER_3INPUT", 7)
	if got := one(star + third); got != 7 {
		t.Errorf("input 3 after *: %d, want 7", got)
	}
	if got := one(third + star); got != 0 {
		t.Errorf("input 3 before *: %d, want 0", got)
	}
	if got := one("  AUTOENCODER_*INPUT: {registers: {weights: {size_byte: 134, value: 9}}}\n"); got != 9 {
		t.Errorf("all 134 bytes in one register: %d, want 9", got)
	}
	list := strings.TrimSuffix(strings.Repeat("7, ", Channels-1), " ") + " null"
	r := parse(t, head+"  MFC_CAL_VAL: {registers: {'cal_*': {n_iterations: 48, param_mask: 0xfff, value: ["+list+"]}, cal_3: {value: 5}}}\n"+
		"  'CH_ERR_*INPUT_ALL': {registers: {config: {value: 1}}}\n  CH_ALIGNER_11INPUT_ALL: {registers: {}}\n"+
		"  ERX_ALL: {registers: {'config_ch_*': {value: [1]}}}\n RO: {X: 1}\n WO: {Y: 1}\n")
	if c := r.Config; c.Cal[0] != 7 || c.Cal[3] != 5 || c.Cal[47] != 2048 {
		t.Errorf("calibrations %v", c.Cal)
	}
	if diff := cmp.Diff([]string{"CH_ALIGNER_11INPUT_ALL", "CH_ERR_*INPUT_ALL", "ECON-T.RO", "ECON-T.WO", "ERX_ALL"}, r.Ignored); diff != "" {
		t.Errorf("ignored: %s", diff)
	}
	if c := parse(t, "Cal: {'*': 9, 4: 8}\n").Config; c.Cal[0] != 9 || c.Cal[4] != 8 {
		t.Errorf("Cal.*: %v", c.Cal)
	}
	r = parse(t, "daq:\n input_file: data.csv\n"+head+"  FMTBUF_ALL:\n  ALGO_DROPLSB: {registers: {drop_lsb: {value: 3}}}\n RO:\n")
	if r.Config.DropLSB != 3 || r.Dialect != DialectEcontSW {
		t.Errorf("beside the test stand's settings and an empty block: %+v", r)
	}
	// The whole register counts, the parameters beside it only say where they lie.
	r = parse(t, head+"  MFC_ALGORITHM_SEL_DENSITY: {registers: {algo: {params: {select: {param_value: 1, param_mask: 7}}, value: 0xa}}}\n")
	if r.Config.Algorithm != BestChoice || !r.Config.HighDensity {
		t.Errorf("value beside params: %v, high density %t", r.Config.Algorithm, r.Config.HighDensity)
	}
}

// TestJoinRegisters: later files win, register by register, in the dialect of
// the first that tells one.
func TestJoinRegisters(t *testing.T) {
	join := func(texts ...string) (*Registers, error) {
		var files []RegisterFile
		for i, text := range texts {
			files = append(files, RegisterFile{string(rune('a'+i)) + ".yaml", strings.NewReader(text)})
		}
		return JoinRegisters(files...)
	}
	base := "Algorithm: {Global: {select: 2, density: 1}}\nMux: {0: 3, 1: 2}\nFormatterBuffer: {Global: {active_etxs: 5, mask_ae: 1}}\n"
	part := "Mux: {1: 40}\nCal: {7: 100}\nFormatterBuffer: {Global: {active_etxs: 3}}\n"
	for _, texts := range [][]string{{base, part}, {part, base, part}} {
		r, err := join(texts...)
		if err != nil {
			t.Fatal(err)
		}
		c := r.Config
		if r.Assumed || r.Dialect != DialectP1 || c.Convention != MuxP1 || c.Algorithm != BestChoice || c.ETx() != 3 ||
			c.Mux[0] != 3 || c.Mux[1] != 40 || c.Cal[7] != 100 || c.IdlePattern != idleP1 {
			t.Errorf("%d files: %+v", len(texts), r)
		}
	}
	r, err := join(part)
	if err != nil || !r.Assumed || r.Config.Convention != MuxProd || r.Config.Links != 3 {
		t.Errorf("the part alone: %+v, %v", r, err)
	}
	sw := "ECON-T: {RW: {MFC_ALGORITHM_SEL_DENSITY: {registers: {algo: {value: 3}}}}}\n"
	if r, err = join(sw, part); err != nil || r.Dialect != DialectEcontSW || r.Config.ETx() != 3 || r.Config.Mux[1] != 40 {
		t.Errorf("econt_sw and a part: %+v, %v", r, err)
	}
	if r, err = join(base, "FormatterBuffer: {Global: {keep_auto_encoder_bits: 5}}\n"); err != nil || r.Config.Keep.Int().Int64() != 5 {
		t.Errorf("a later mask: %v, %v", r, err)
	}
	// Half a mask leaves the other as it was, or at its reset value, which is said.
	ae := "Algorithm: {Global: {select: 4}}\nFmtBuf: {Global: {%s}}\n"
	for _, tc := range []struct {
		first, then, keep, missing string
	}{
		{"keep_auto_encoder_bits: 0x70005", "mask_ae2: 9", "70009", ""},
		{"keep_auto_encoder_bits: 0x70005", "mask_ae: 9", "90005", ""},
		{"mask_ae: 7, mask_ae2: 5", "mask_ae2: 9", "70009", ""},
		{"buff_t1: 1", "mask_ae: 7", "7ffff", "mask_ae2"},
		{"buff_t1: 1", "mask_ae2: 9", strings.Repeat("f", 32) + "0009", "mask_ae"},
		{"buff_t1: 1", "buff_t2: 1", strings.Repeat("f", 36), "mask_ae"},
	} {
		r, err := join(fmt.Sprintf(ae, tc.first), fmt.Sprintf(ae, tc.then))
		if err != nil {
			t.Fatal(err)
		}
		missing := ""
		for _, d := range r.Defaults {
			if strings.HasPrefix(d.Register, "mask_ae") {
				missing += d.Register
			}
		}
		if got := fmt.Sprintf("%x", r.Config.Keep.Int()); got != tc.keep || missing != tc.missing {
			t.Errorf("%s, then %s: mask %s, not given %q; want %s, %q", tc.first, tc.then, got, missing, tc.keep, tc.missing)
		}
	}
	// Weights may be spread over files.
	var half [2]strings.Builder
	for k, b := range []*strings.Builder{&half[0], &half[1]} {
		b.WriteString("Encoder:\n")
		for n := range ERxWords {
			fmt.Fprintf(b, "  %d:\n", n)
			for i, first := range encoderRegisters {
				if i%2 == k {
					fmt.Fprintf(b, "    weights_byte%d: %d\n", first, i)
				}
			}
		}
	}
	if r, err = join(half[0].String(), half[1].String()); err != nil || r.Config.Weights == nil {
		t.Errorf("weights over two files: %v", err)
	}
	for _, tc := range []struct {
		want  string
		texts []string
	}{
		{"b.yaml: its dialect is prod, but a.yaml is in p1", []string{base, "ConfigAlgo: {Global: {alg_type: 1}}\n"}},
		{"c.yaml: its dialect is p1, but b.yaml is in econt_sw", []string{part, sw, base}},
		{"b.yaml: line 1: unknown key Muxx", []string{base, "Muxx: {0: 1}\n"}},
		{"b.yaml: line 1: Mux.00 is given twice", []string{base, "Mux: {0: 1, 00: 2}\n"}},
		{"b.yaml: empty file", []string{base, ""}},
		{"a.yaml + b.yaml: 48 of 108 weight registers are missing", []string{base, half[0].String()}},
		{"no file", nil},
	} {
		if _, err := join(tc.texts...); err == nil || !strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "econt: ") {
			t.Errorf("got %v\nwant … %s …", err, tc.want)
		}
	}
	if _, err := ReadRegisters(endless{}); err == nil || !strings.Contains(err.Error(), "more than 16 MB") {
		t.Errorf("a file without end: %v", err)
	}
}

// endless is a device such as /dev/zero.
type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

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
	// Short ones: the fuzzer shrinks what it keeps, which takes it long with
	// files of all registers.
	f.Add("ConfigAlgo: {Global: {alg_type: 1}}\nMux: {3: 4, '*': 5}\nFormatterBuffer: {Global: {keep_auto_encoder_bits: 0xff}}\n")
	f.Add("Algorithm: {Global: {select: 2, density: 1}}\nFmtBuf: {Global: {mask_ae: 1, mask_ae2: 2, tx_sync_word: 3}}\n")
	f.Add("ECON-T: {ninput: 12, RW: {FMTBUF_ALL: {registers: {config: {value: 0x95}}}, 'AUTOENCODER_*INPUT': {registers: {weights: {value: 1}}}}}\n")
	f.Add("ECON-T: {RW: {MFC_CAL_VAL: {registers: {cal_3: {value: 5}}}}}\n---\n")
	f.Add("Encoder: {0: {weights_byte0: 0}}\n")
	f.Add("a: &x {b: *x}\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := ReadRegisters(strings.NewReader(text))
		if err != nil {
			return
		}
		if r.Config.Algorithm == Autoencoder && r.Config.Weights == nil {
			return
		}
		if err := r.Config.Validate(); err != nil {
			t.Fatalf("accepted registers that are not valid: %v", err)
		}
		var buf bytes.Buffer
		if err := WriteRegisters(&buf, &r.Config, DialectProd); err != nil {
			t.Fatal(err)
		}
		again, err := ReadRegisters(&buf)
		if err != nil {
			t.Fatal(err)
		}
		if again.Config.Convention == r.Config.Convention && !cmp.Equal(again.Config, r.Config) {
			t.Fatalf("written and read again: %s", cmp.Diff(r.Config, again.Config))
		}
	})
}
