package reproduce

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	"barrow/internal/setting"
)

// TestSettingsAreSaved: every setting of a run, those of the plan among them, stands
// under its key in what is saved of it.
func TestSettingsAreSaved(t *testing.T) {
	c := Default()
	fields := setting.Fields(&c, false)
	for i := range fields {
		c := Default()
		f := setting.Fields(&c, false)[i]
		text := map[reflect.Kind]string{reflect.String: "something", reflect.Bool: "true", reflect.Int: "77", reflect.Uint64: "77", reflect.Float64: "0.77"}[f.Kind()]
		if err := f.SetText(text, false); err != nil {
			t.Fatal(err)
		}
		b, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(b, &keys); err != nil {
			t.Fatal(err)
		}
		if got := string(keys[f.Key]); !strings.Contains(got, text) {
			t.Errorf("%s = %s is saved as %q", f.Key, text, got)
		}
		if f.Key == "emd_cnn" {
			t.Error("the main job trains its EMD CNN: no setting names another")
		}
	}
}

// TestSettingsAreOnThePage: the page's foot says what the encoders were trained with.
func TestSettingsAreOnThePage(t *testing.T) {
	c := Default()
	c.Decoder, c.WeightBits = "residual", 5
	p := lay(&Results{Config: c, Encoders: []Encoder{{Loss: "emd"}}}, Times{})
	if foot := strings.Join(p.Footer, " "); !strings.Contains(foot, "weight bits 5") || !strings.Contains(foot, "decoder residual") {
		t.Error(foot)
	}
}

// TestOnlyFull: what only a full run takes is refused by the main job, and by nothing else.
func TestOnlyFull(t *testing.T) {
	set := showers(150)
	for want, spoil := range map[string]func(*Config){
		"precisions = [float asic]": func(c *Config) { c.Precisions = []string{"float", "asic"} },
		"seeds = 3":                 func(c *Config) { c.Seeds = 3 },
		"links = [3]":               func(c *Config) { c.Links, c.Precisions = []int{3}, []string{"asic"} },
		"latent_bits = [5]":         func(c *Config) { c.Bits, c.Precisions = []int{5}, []string{"asic"} },
		"pretrain = [a.csv]":        func(c *Config) { c.Pretrain = []string{"a.csv"} },
		`"emd@telescope"`:           func(c *Config) { c.Losses = []string{"emd@telescope"} },
	} {
		c := Default()
		spoil(&c)
		c = c.For(set, "a test")
		if err := c.Check(set); !errors.Is(err, ErrFull) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one with %q", err, want)
		}
		if err := c.check(set); err != nil {
			t.Errorf("a full run: %v", err)
		}
	}
	for want, spoil := range map[string]func(*Config){
		"pairs = -1: want 1 to": func(c *Config) { c.Pairs = -1 },
		"pairs = 10000000000: an epoch of 10000000000: would take": func(c *Config) { c.Pairs = 10_000_000_000; c.CNNEpochs = 1 },
		"epochs = 99999999999":              func(c *Config) { c.Epochs = 99_999_999_999 },
		`decoder = "residul": it may be`:    func(c *Config) { c.Decoder = "residul" },
		"a network with conditions needs":   func(c *Config) { c.Conditional = true },
		`wafer density "md": want ld or hd`: func(c *Config) { c.Density = "md" },
		"batch = -5: want 1 to":             func(c *Config) { c.Batch = -5 },
	} {
		c := FullDefault()
		spoil(&c)
		err := c.For(set, "a test").check(set)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want one with %q", err, want)
		}
	}
}
