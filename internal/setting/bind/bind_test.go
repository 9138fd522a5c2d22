package bind_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"barrow/internal/setting/bind"
)

type Budget struct {
	Epochs int     `json:"epochs" help:"epochs at most"`
	Rate   float64 `json:"learning_rate" flag:"rate" help:"learning rate (default: what suits)"`
	Course string  `json:"schedule" help:"course of the rate (default constant)"`
}

func (Budget) Choices(key string) []string {
	if key == "schedule" {
		return []string{"constant", "cosine"}
	}
	return nil
}

type settings struct {
	Losses []string `json:"losses" one:"loss" help:"to train with"`
	Data   []string `json:"data" repeat:"true" value:"file" help:"wafer file"`
	Bits   []int    `json:"latent_bits" one:"latent_bits" help:"of the outputs"`
	Budget
	Seed uint64 `json:"seed" help:"of every choice"`
	Zero bool   `json:"zero_start" help:"start at 0"`
}

// A struct of settings is a command's flags and its configuration file.
func Example() {
	type settings struct {
		Epochs int     `json:"epochs" help:"epochs at most"`
		Rate   float64 `json:"learning_rate" flag:"rate" help:"learning rate"`
	}
	s := settings{Epochs: 100}
	flags := pflag.NewFlagSet("train", pflag.ContinueOnError)
	b := bind.Flags(flags, &s)
	fmt.Print(flags.FlagUsages())
	err := flags.Parse([]string{"--rate", "0.01"})
	fmt.Println(s, b.Keys(), b.Given("epochs"), b.Renamed(), err)
	// Output:
	// --epochs int   epochs at most (default 100)
	//       --rate float   learning rate
	// {100 0.01} [epochs learning_rate] false rate: learning_rate <nil>
}

// read parses flags and a file.
func read(t *testing.T, s *settings, one bool, text string, args ...string) (*bind.Binding, error) {
	t.Helper()
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	b := bind.Flags(flags, s)
	if one {
		flags = pflag.NewFlagSet("test", pflag.ContinueOnError)
		b = bind.One(flags, s)
	}
	if err := flags.Parse(args); err != nil {
		return b, err
	}
	path := ""
	if text != "" {
		path = filepath.Join(t.TempDir(), "a.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return b, b.ReadTOML(path)
}

func TestFlagsAndFile(t *testing.T) {
	const file = "# a comment\nlosses = [\"mse\"]\ndata = [\"file.csv\"]\nepochs = 5\nlearning_rate = 1\nseed = 3\nzero_start = true\n"
	for name, c := range map[string]struct {
		one  bool
		file string
		args []string
		want settings
	}{
		"defaults": {want: settings{Losses: []string{"emd"}, Budget: Budget{Epochs: 100}}},
		"flags": {args: []string{"--losses", "a,b", "--losses", "c", "--data", "x,y", "--data", "z", "--zero-start", "--rate=2"},
			want: settings{Losses: []string{"a", "b", "c"}, Data: []string{"x,y", "z"}, Budget: Budget{Epochs: 100, Rate: 2}, Zero: true}},
		"a file": {file: file, want: settings{Losses: []string{"mse"}, Data: []string{"file.csv"}, Budget: Budget{Epochs: 5, Rate: 1}, Seed: 3, Zero: true}},
		"both": {file: file, args: []string{"--losses", "a", "--epochs", "7", "--zero-start=false"},
			want: settings{Losses: []string{"a"}, Data: []string{"file.csv"}, Budget: Budget{Epochs: 7, Rate: 1}, Seed: 3}},
		"one": {one: true, file: "loss = \"mse\"\nlatent_bits = 3\n", args: []string{"--loss", "b,c"},
			want: settings{Losses: []string{"b,c"}, Bits: []int{3}, Budget: Budget{Epochs: 100}}},
		"one that is none": {one: true, file: "latent_bits = 0", want: settings{Losses: []string{"emd"}, Budget: Budget{Epochs: 100}}},
	} {
		s := settings{Losses: []string{"emd"}, Budget: Budget{Epochs: 100}}
		if _, err := read(t, &s, c.one, c.file, c.args...); err != nil || !reflect.DeepEqual(s, c.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", name, s, err, c.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"epochs = 1\n epoch = 3":          `a.toml:2:2: unknown key "epoch"; did you mean epochs? (the keys are losses, data, latent_bits, epochs, learning_rate, schedule, seed, zero_start)`,
		"epochs = \"three\"":              `a.toml:1:1: epochs = "three": want a whole number`,
		"rate = 1":                        `unknown key "rate"; did you mean learning_rate?`,
		"loss = 1":                        `unknown key "loss"; did you mean losses?`,
		"\nseed = -1":                     "a.toml:2:1: seed = -1: want a whole number, 0 or more",
		"learning_rate = nan":             "a.toml:1:1: learning_rate = NaN: want a finite number",
		"learning_rate = -inf":            "learning_rate = -Inf: want a finite number",
		"losses = \"emd\"":                `losses = "emd": want a list, each text`,
		"losses = [1]":                    "losses = [1]: want a list, each text",
		"[budget]\nepochs = 3":            `a.toml:1:2: unknown key "budget"`,
		"epochs.most = 3":                 "epochs = a table: want a whole number",
		"schedule = 1979-05-27":           "schedule = 1979-05-27 00:00:00: want text",
		"schedule = [\"a\", \"b\"]":       `schedule = ["a", "b"]: want text`,
		"epochs = 1\nepochs = 2":          "a.toml:2:12: Key 'epochs' has already been defined",
		"epochs == 2":                     "a.toml:1:9: ",
		"epochs = 99999999999999999999":   "a.toml:1:",
		strings.Repeat("#", 1<<20) + "#x": "a configuration file of",
	} {
		var s settings
		// A wrong value in the file is an error even where a flag outranks it.
		_, err := read(t, &s, false, text, "--epochs", "4")
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: %v, want %q", text, err, want)
		}
	}
	for _, c := range [][2]string{
		{"--rate=NaN", "want a finite number"}, {"--seed=-1", "want a whole number, 0 or more"}, {"--epochs=1e3", "want a whole number"},
		{"--latent-bits=1,x", "want a whole number"}, {"--zero-start=perhaps", "want true or false"},
	} {
		var s settings
		if _, err := read(t, &s, false, "", c[0]); err == nil || !strings.Contains(err.Error(), c[1]) {
			t.Errorf("%s: %v", c[0], err)
		}
	}
}

func TestGivenAndInto(t *testing.T) {
	s := settings{Seed: 1, Budget: Budget{Epochs: 100}}
	b, err := read(t, &s, false, "schedule = \"cosine\"", "--losses", "emd")
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]bool{"losses": true, "schedule": true, "epochs": false, "nothing": false} {
		if b.Given(key) != want {
			t.Errorf("Given(%s) = %v", key, !want)
		}
	}
	for key, want := range map[string]bool{"losses": false, "schedule": false, "epochs": false, "data": true, "nothing": true} {
		if b.Zero(key) != want {
			t.Errorf("Zero(%s) = %v", key, !want)
		}
	}
	other := settings{Losses: []string{"a"}, Seed: 9, Budget: Budget{Epochs: 20, Course: "constant"}}
	b.Into(&other)
	if want := (settings{Losses: []string{"emd"}, Seed: 9, Budget: Budget{Epochs: 20, Course: "cosine"}}); !reflect.DeepEqual(other, want) {
		t.Errorf("%+v, want %+v", other, want)
	}
}

func TestUsage(t *testing.T) {
	s := settings{Losses: []string{"emd", "mse"}, Budget: Budget{Epochs: 3}}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	bind.Flags(flags, &s, "seed", "data")
	got := flags.FlagUsages()
	for _, want := range []string{"--schedule string", "course of the rate: constant, cosine (default constant)", "(default emd,mse)", "epochs at most (default 3)", "--zero-start "} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "seed") || strings.Contains(got, "data") {
		t.Errorf("settings that were left out:\n%s", got)
	}
	for name, want := range map[string]int{"schedule": 2, "epochs": 0} {
		if c, ok := flags.Lookup(name).Value.(interface{ Choices() []string }); !ok || len(c.Choices()) != want {
			t.Errorf("%s: choices %v", name, c)
		}
	}
	word := "v9"
	v := bind.Word(&word, []string{"v9", "raster"})
	if err := v.Set("rastr"); err == nil || err.Error() != "it may be v9, raster; did you mean raster?" || word != "v9" {
		t.Errorf("%v, %s", err, word)
	}
	name := "benchmark"
	if f := bind.File(&name, []string{"benchmark"}); f.Set("a.csv") != nil || name != "a.csv" || f.Type() != "file" {
		t.Errorf("a file's name: %s", name)
	}
	if err := v.Set("Raster"); err != nil || word != "raster" {
		t.Errorf("%v, %s", err, word)
	}
}
