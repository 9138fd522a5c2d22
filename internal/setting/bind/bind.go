// Package bind makes flags and configuration files of a struct of settings
// (barrow/internal/setting).
package bind

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/spf13/pflag"

	"barrow/internal/limit"
	"barrow/internal/setting"
)

// A Binding is a struct of settings with its flags.
type Binding struct {
	fields []setting.Field
	values []*value // of the fields' flags
	one    bool
}

// Flags gives a flag set the flags of the settings to which s points, with their present
// values as defaults; of the names in without there are neither flags nor keys.
func Flags(flags *pflag.FlagSet, s any, without ...string) *Binding {
	return bind(flags, s, false, without)
}

// One is Flags for a command that takes one value where the struct has a list and a
// name for that.
func One(flags *pflag.FlagSet, s any, without ...string) *Binding {
	return bind(flags, s, true, without)
}

func bind(flags *pflag.FlagSet, s any, one bool, without []string) *Binding {
	b := &Binding{one: one}
	skip := map[string]bool{}
	for _, key := range without {
		skip[key] = true
	}
	for _, f := range setting.Fields(s, one) {
		if skip[f.Key] {
			delete(skip, f.Key)
			continue
		}
		v := &value{field: f}
		flag := flags.VarPF(v, f.Flag, "", usage(f))
		if f.Kind() == reflect.Bool {
			flag.NoOptDefVal = "true"
		}
		b.fields, b.values = append(b.fields, f), append(b.values, v)
	}
	for key := range skip {
		panic(fmt.Sprintf("bind: %T has no setting %s to leave out", s, key))
	}
	return b
}

func usage(f setting.Field) string {
	named := func(choice string) bool { return strings.Contains(f.Help, choice) }
	if len(f.Choices) == 0 || strings.Contains(f.Help, ": "+f.Choices[0]) && !slices.ContainsFunc(f.Choices, func(c string) bool { return !named(c) }) {
		return f.Help // which names them
	}
	// The default value's place, if the text has one, is the end.
	text, rest, found := strings.Cut(f.Help, " (")
	if found {
		rest = " (" + rest
	}
	return text + ": " + strings.Join(f.Choices, ", ") + rest
}

// Keys lists the keys of a configuration file.
func (b *Binding) Keys() []string {
	keys := make([]string, len(b.fields))
	for i, f := range b.fields {
		keys[i] = f.Key
	}
	return keys
}

// Renamed lists the flags whose key in a configuration file is another word, as in
// "rate: learning_rate"; "" if there are none.
func (b *Binding) Renamed() string {
	var names []string
	for _, f := range b.fields {
		if f.Key != strings.ReplaceAll(f.Flag, "-", "_") {
			names = append(names, f.Flag+": "+f.Key)
		}
	}
	return strings.Join(names, ", ")
}

// Given reports whether the setting of a key was named by a flag or in a file.
func (b *Binding) Given(key string) bool {
	for i, f := range b.fields {
		if f.Key == key {
			return b.values[i].given || b.values[i].inFile
		}
	}
	return false
}

// Zero reports whether the setting of a key has no value; one that is not there has none.
func (b *Binding) Zero(key string) bool {
	for _, f := range b.fields {
		if f.Key == key {
			return f.Zero()
		}
	}
	return true
}

// Into gives another struct of the same type the settings that were named, by a flag or in
// a file: for commands whose defaults depend on a flag. Call it after both are read.
func (b *Binding) Into(s any) {
	others := map[string]setting.Field{}
	for _, f := range setting.Fields(s, b.one) {
		others[f.Key] = f
	}
	for i, f := range b.fields {
		if o, ok := others[f.Key]; ok && (b.values[i].given || b.values[i].inFile) {
			o.Copy(f)
		}
	}
}

// mostConfig is more than any configuration file needs.
const mostConfig = 1 << 20

// ReadTOML fills the settings in from a file; flags that were given outrank it. Unknown
// keys and values of the wrong kind are errors that name file, row and column. An empty
// path is no file.
func (b *Binding) ReadTOML(path string) error {
	if path == "" {
		return nil
	}
	text, err := limit.ReadFile(path, "a configuration file", mostConfig)
	if err != nil {
		return err
	}
	var table map[string]any
	meta, err := toml.Decode(string(text), &table)
	if err != nil {
		if p, ok := err.(toml.ParseError); ok {
			return fmt.Errorf("%s:%d:%d: %s", path, p.Position.Line, p.Position.Col, p.Message)
		}
		return fmt.Errorf("%s: %w", path, err)
	}
	done := map[string]bool{}
	for _, k := range meta.Keys() {
		if done[k[0]] {
			continue
		}
		done[k[0]] = true
		if err := b.set(k[0], table[k[0]]); err != nil {
			row, column := position(string(text), k[0])
			return fmt.Errorf("%s:%d:%d: %w", path, row, column, err)
		}
	}
	return nil
}

// set takes the value of a key, unless its flag was given.
func (b *Binding) set(key string, v any) error {
	for i, f := range b.fields {
		if f.Key != key {
			continue
		}
		if err := f.Check(v); err != nil {
			return fmt.Errorf("%s = %s: %w", key, written(v), err)
		}
		b.values[i].inFile = true
		if b.values[i].given {
			return nil
		}
		return f.Set(v)
	}
	return fmt.Errorf("unknown key %q%s (the keys are %s)", key, b.hint(key), strings.Join(b.Keys(), ", "))
}

// hint says which key an unknown one stands for: that of the flag of this name, or one
// that is like it.
func (b *Binding) hint(key string) string {
	for _, f := range b.fields {
		if f.Flag == strings.ReplaceAll(key, "_", "-") {
			return "; did you mean " + f.Key + "?"
		}
	}
	return setting.Hint(key, b.Keys())
}

// written is a value much as it stands in the file.
func written(v any) string {
	switch x := v.(type) {
	case string:
		return fmt.Sprintf("%q", x)
	case []any:
		list := make([]string, len(x))
		for i, v := range x {
			list[i] = written(v)
		}
		return "[" + strings.Join(list, ", ") + "]"
	case time.Time: // TOML's local dates have zones with names of their own
		return x.Format(time.DateTime)
	case map[string]any, []map[string]any:
		return "a table"
	}
	return fmt.Sprint(v)
}

// position finds the line that gives a key its value, or its table's.
func position(text, key string) (row, column int) {
	for line := range strings.Lines(text) {
		row++
		rest := strings.TrimLeft(line, " \t[")
		column = len(line) - len(rest) + 1
		for _, quote := range []string{"", `"`, `'`} {
			after, ok := strings.CutPrefix(rest, quote+key+quote)
			if after = strings.TrimLeft(after, " \t"); ok && after != "" && strings.ContainsRune("=.]", rune(after[0])) {
				return row, column
			}
		}
	}
	return 1, 1
}

// A value is a setting as pflag sees it.
type value struct {
	field         setting.Field
	given, inFile bool
}

// String is the value, or nothing for none, so that pflag shows no default.
func (v *value) String() string {
	if v.field.Key == "" || v.field.Zero() && v.field.Kind() != reflect.Bool {
		return ""
	}
	return v.field.Text()
}

// Set takes the flag's text; a list's first replaces the default.
func (v *value) Set(text string) error {
	err := v.field.SetText(text, v.given)
	v.given = true
	return err
}

// Type names the value in the usage.
func (v *value) Type() string {
	switch {
	case v.field.Word != "":
		return v.field.Word
	case v.List():
		return v.field.Kind().String() + "s"
	}
	return v.field.Kind().String()
}

// Several reports whether the flag may be given several times, each adding to the others.
func (v *value) Several() bool { return v.field.List() }

// List reports whether the flag takes several values, separated by commas.
func (v *value) List() bool { return v.field.List() && !v.field.Repeat }

// Choices are the values that the flag may have, for completion.
func (v *value) Choices() []string { return v.field.Choices }

// Word makes a flag's value of a string that may be one of a few, in either case.
func Word(s *string, choices []string) pflag.Value { return &word{s, choices, false} }

// File makes one of the name of a file, instead of which a few words may stand.
func File(s *string, words []string) pflag.Value { return &word{s, words, true} }

type word struct {
	text    *string
	choices []string
	file    bool
}

func (w *word) String() string {
	if w.text == nil {
		return ""
	}
	return *w.text
}

func (w *word) Set(text string) error {
	for _, c := range w.choices {
		if strings.EqualFold(c, text) {
			*w.text = c
			return nil
		}
	}
	if !w.file {
		return fmt.Errorf("it may be %s%s", strings.Join(w.choices, ", "), setting.Hint(text, w.choices))
	}
	*w.text = text
	return nil
}

func (w *word) Type() string {
	if w.file {
		return "file"
	}
	return "string"
}

// Choices are the values that the flag may have, for completion.
func (w *word) Choices() []string { return w.choices }
