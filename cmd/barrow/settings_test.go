package main

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/internal/setting"
	"barrow/internal/setting/bind"
	"barrow/study/cluster"
	"barrow/study/compare"
	"barrow/study/decode"
	"barrow/study/decoders"
	"barrow/study/drift"
	"barrow/study/estimate"
	"barrow/study/fewshot"
	"barrow/study/masks"
	"barrow/study/physics"
	"barrow/study/plan"
	"barrow/study/reproduce"
)

// TestSettingsAreFlags: every setting of a plan is a flag and a key of the
// configuration file of the commands that carry plans out, and they have no flags
// besides but those of every run.
func TestSettingsAreFlags(t *testing.T) {
	common := map[string]bool{"quick": true, "full": true, "physics": true, "physics-config": true, "protocol": true, "out": true, "force": true, "shard": true, "max-runtime": true, "config": true, "help": true, "threads": true, "quiet": true, "json": true, "version": true}
	for _, c := range []struct {
		path     string
		settings func() any
		one      bool
	}{
		{"encoder train", func() any { return &compare.Plan{} }, true},
		{"decoder train", func() any { return &decode.Plan{} }, false},
		{"compare", func() any { return &compare.Plan{} }, false},
		{"surrogate train", func() any { return &estimate.Plan{} }, false},
		{"surrogate scan", func() any { return &estimate.ScanPlan{} }, false},
		{"reproduce", func() any { return &reproduce.Config{} }, false},
		{"physics", func() any { return &physics.Plan{} }, false},
		{"encoder mask", func() any { return &masks.Plan{} }, true},
		{"encoder meta", func() any { return &fewshot.Plan{} }, false},
		{"decoder table", func() any { return &decoders.Plan{} }, false},
		{"plan", func() any { return &plan.Plan{} }, false},
		{"cluster", func() any { return &cluster.Plan{} }, false},
		{"adapt", func() any { return &drift.Plan{} }, false},
	} {
		cmd, _, err := newRoot().Find(strings.Fields(c.path))
		if err != nil {
			t.Fatal(err)
		}
		fields := setting.Fields(c.settings(), c.one)
		known := map[string]bool{}
		for _, f := range fields {
			known[f.Flag] = true
			if cmd.Flags().Lookup(f.Flag) == nil {
				t.Errorf("%s: the setting %s has no flag --%s", c.path, f.Key, f.Flag)
			}
		}
		cmd.InheritedFlags() // adds the root's
		cmd.Flags().VisitAll(func(f *pflag.Flag) {
			if !known[f.Name] && !common[f.Name] {
				t.Errorf("%s: --%s is no setting", c.path, f.Name)
			}
		})
		allKeys(t, c.path, c.one, fields, c.settings())
	}
}

// allKeys reads a file with every key.
func allKeys(t *testing.T, name string, one bool, fields []setting.Field, s any) {
	t.Helper()
	var text strings.Builder
	for _, f := range fields {
		value := map[reflect.Kind]string{reflect.String: `"x"`, reflect.Bool: "true", reflect.Int: "7", reflect.Uint64: "7", reflect.Float64: "0.7"}[f.Kind()]
		if f.List() {
			value = "[" + value + "]"
		}
		fmt.Fprintf(&text, "%s = %s\n", f.Key, value)
	}
	path := filepath.Join(t.TempDir(), "all.toml")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := pflag.NewFlagSet(name, pflag.ContinueOnError)
	flagsOf := bind.Flags
	if one {
		flagsOf = bind.One
	}
	b := flagsOf(flags, s)
	if err := b.ReadTOML(path); err != nil {
		t.Fatal(err)
	}
	for _, f := range setting.Fields(s, one) {
		if f.Zero() {
			t.Errorf("%s: the key %s of a file sets nothing", name, f.Key)
		}
	}
}

// TestDocumentedKeys: the example in docs/encoder.md is a file that is read, and has
// every key.
func TestDocumentedKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "encoder.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "```toml\n")
	example, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("docs/encoder.md has no configuration file")
	}
	path := filepath.Join(t.TempDir(), "docs.toml")
	if err := os.WriteFile(path, []byte(example), 0o600); err != nil {
		t.Fatal(err)
	}
	plan := compare.Default()
	b := bind.One(pflag.NewFlagSet("docs", pflag.ContinueOnError), &plan)
	if err := b.ReadTOML(path); err != nil {
		t.Fatal(err)
	}
	for _, key := range b.Keys() {
		if !b.Given(key) {
			t.Errorf("docs/encoder.md does not name the key %s", key)
		}
	}
	if err := plan.Complete().Check(true); err != nil {
		t.Error(err)
	}
}

// TestCompletion: flags whose values are known complete, whichever command's they are.
func TestCompletion(t *testing.T) {
	known := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			value := f.Value
			if o, ok := value.(*once); ok {
				value = o.Value
			}
			if c, ok := value.(interface{ Choices() []string }); ok && len(c.Choices()) > 0 {
				known++
				if _, ok := cmd.GetFlagCompletionFunc(f.Name); !ok {
					t.Errorf("%s --%s does not complete", cmd.CommandPath(), f.Name)
				}
			}
		})
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(newRoot())
	if known < 15 {
		t.Errorf("%d flags know their values", known)
	}
}
