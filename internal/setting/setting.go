// Package setting makes a struct the one place where a run's settings are said.
// Flags, keys of configuration files, help and completion follow from its fields'
// tags (package bind makes them), the saved configuration and the identity of a run
// from its JSON.
//
//	type Budget struct {
//		Epochs int     `json:"epochs" help:"epochs at most"`
//		Rate   float64 `json:"learning_rate" flag:"rate" help:"learning rate, at the start"`
//	}
//
// A field with a help text is a setting; others, such as digests of what was read, are
// not. The tags:
//
//	json    its key, in files of settings and of results alike
//	flag    its flag, where that is not the key with - for _
//	help    what it is, in a few words
//	value   what its value is, where that is more than its type, such as "file"
//	one     of a list: its key where one value is taken instead of many
//	repeat  of a list: "true" where the flag is repeated for every value, else they are separated by commas
//
// Embedded structs are part of the one that embeds them. As in encoding/json an outer
// field hides an inner one of the same key; so does the key of its tag one.
package setting

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// A Chooser knows which values a setting may have, by its key; nil where there is
// no list of them. A struct of settings is one, and so may be those it embeds, which are
// asked for what the outer one does not know.
type Chooser interface {
	Choices(key string) []string
}

// A Helper has another help text for a setting than the tag of its field; "" where it has
// none. It is asked for as Choosers are.
type Helper interface {
	Help(key string) string
}

// A Field is one setting of a struct.
type Field struct {
	Key     string
	Flag    string
	Help    string
	Word    string // the tag value
	Choices []string
	Repeat  bool
	one     bool // a list that takes a single value
	value   reflect.Value
}

// Fields lists the settings of a struct, to which s points, in their order. With one,
// lists that can take a single value take that. A struct whose tags make no sense is a
// mistake of the programmer and panics.
func Fields(s any, one bool) []Field {
	v := reflect.ValueOf(s)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		panic(fmt.Sprintf("setting: %T is no pointer to a struct", s))
	}
	fields := walk(v.Elem(), one, nil, map[string]bool{})
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Key] || seen["-"+f.Flag] {
			panic(fmt.Sprintf("setting: %T: two fields with the key %s or the flag %s", s, f.Key, f.Flag))
		}
		seen[f.Key], seen["-"+f.Flag] = true, true
	}
	return fields
}

// walk lists the settings of v that hidden does not name; within are the structs that
// embed it, outermost first.
func walk(v reflect.Value, one bool, within []any, hidden map[string]bool) []Field {
	within = append(slices.Clone(within), v.Addr().Interface())
	own := map[string]bool{}
	for k := range hidden {
		own[k] = true
	}
	for i := range v.NumField() {
		if t := v.Type().Field(i); !t.Anonymous {
			own[key(t)], own[t.Tag.Get("one")] = true, true
		}
	}
	var fields []Field
	for i := range v.NumField() {
		t := v.Type().Field(i)
		switch {
		case t.Anonymous && t.Type.Kind() == reflect.Struct:
			fields = append(fields, walk(v.Field(i), one, within, own)...)
		case t.Tag.Get("help") != "" && !hidden[key(t)]:
			fields = append(fields, field(t, v.Field(i), one, within))
		}
	}
	return fields
}

func key(t reflect.StructField) string {
	name, _, _ := strings.Cut(t.Tag.Get("json"), ",")
	return name
}

func field(t reflect.StructField, v reflect.Value, one bool, within []any) Field {
	f := Field{Key: key(t), Flag: t.Tag.Get("flag"), Help: t.Tag.Get("help"), Word: t.Tag.Get("value"), Repeat: t.Tag.Get("repeat") == "true", value: v}
	for _, s := range slices.Backward(within) {
		if c, ok := s.(Chooser); ok && c.Choices(f.Key) != nil {
			f.Choices = c.Choices(f.Key)
		}
		if h, ok := s.(Helper); ok && h.Help(f.Key) != "" {
			f.Help = h.Help(f.Key)
		}
	}
	if single := t.Tag.Get("one"); one && single != "" {
		f.Key, f.Flag, f.one = single, "", true
	}
	if f.Flag == "" {
		f.Flag = strings.ReplaceAll(f.Key, "_", "-")
	}
	kind := t.Type.Kind()
	if kind == reflect.Slice {
		kind = t.Type.Elem().Kind()
	}
	if _, ok := kinds[kind]; !ok || f.Key == "" || f.Key == "-" || !t.IsExported() {
		panic(fmt.Sprintf("setting: field %s %s: no setting can be made of it", t.Name, t.Type))
	}
	return f
}

// kinds are those of a single value, in words.
var kinds = map[reflect.Kind]string{
	reflect.String: "text", reflect.Bool: "true or false", reflect.Int: "a whole number",
	reflect.Uint64: "a whole number, 0 or more", reflect.Float64: "a finite number",
}

// List reports whether the setting takes more than one value.
func (f Field) List() bool { return f.value.Kind() == reflect.Slice && !f.one }

// Kind is that of a value.
func (f Field) Kind() reflect.Kind { return f.element().Kind() }

func (f Field) element() reflect.Type {
	if f.value.Kind() == reflect.Slice {
		return f.value.Type().Elem()
	}
	return f.value.Type()
}

// want says in words what the setting takes.
func (f Field) want() error {
	what := kinds[f.element().Kind()]
	if f.List() {
		what = "a list, each " + what
	}
	return fmt.Errorf("want %s", what)
}

// Check reports whether Set would take a value, and takes nothing.
func (f Field) Check(v any) error {
	f.value = reflect.New(f.value.Type()).Elem()
	return f.Set(v)
}

// Copy takes the value of the same setting of another struct.
func (f Field) Copy(from Field) { f.value.Set(from.value) }

// Set takes a value as TOML decodes them: a string, bool, int64 or float64, or a list of
// such. A value of another kind, a number that does not fit and one that is not finite are
// errors that say what is wanted.
func (f Field) Set(v any) error {
	if !f.List() {
		x, err := f.convert(v)
		if err != nil {
			return err
		}
		return f.put(x)
	}
	list, ok := v.([]any)
	if !ok {
		return f.want()
	}
	out := reflect.MakeSlice(f.value.Type(), 0, len(list))
	for _, v := range list {
		x, err := f.convert(v)
		if err != nil {
			return err
		}
		out = reflect.Append(out, x)
	}
	f.value.Set(out)
	return nil
}

// put takes a single value; of a list that takes one, the zero value leaves it empty.
func (f Field) put(x reflect.Value) error {
	switch {
	case !f.one:
		f.value.Set(x)
	case x.IsZero():
		f.value.SetZero()
	default:
		f.value.Set(reflect.Append(reflect.MakeSlice(f.value.Type(), 0, 1), x))
	}
	return nil
}

// convert turns one decoded value into the setting's type.
func (f Field) convert(v any) (reflect.Value, error) {
	t := f.element()
	switch x := v.(type) {
	case string:
		if t.Kind() == reflect.String {
			return reflect.ValueOf(x).Convert(t), nil
		}
	case bool:
		if t.Kind() == reflect.Bool {
			return reflect.ValueOf(x).Convert(t), nil
		}
	case int64:
		switch {
		case t.Kind() == reflect.Int, t.Kind() == reflect.Float64, t.Kind() == reflect.Uint64 && x >= 0:
			return reflect.ValueOf(x).Convert(t), nil
		}
	case float64:
		if t.Kind() == reflect.Float64 && !math.IsNaN(x) && !math.IsInf(x, 0) {
			return reflect.ValueOf(x).Convert(t), nil
		}
	}
	return reflect.Value{}, f.want()
}

// SetText takes a value written as text. Of a list it takes values separated by commas, or one
// value where Repeat is set; more adds to those that are there.
func (f Field) SetText(text string, more bool) error {
	if !f.List() {
		x, err := f.parse(text)
		if err != nil {
			return err
		}
		return f.put(x)
	}
	texts := []string{text}
	if !f.Repeat {
		texts = strings.Split(text, ",")
	}
	out := reflect.MakeSlice(f.value.Type(), 0, len(texts))
	if more {
		out = reflect.AppendSlice(out, f.value)
	}
	for _, text := range texts {
		if !f.Repeat {
			text = strings.TrimSpace(text)
		}
		x, err := f.parse(text)
		if err != nil {
			return err
		}
		out = reflect.Append(out, x)
	}
	f.value.Set(out)
	return nil
}

// parse turns the text of one value into the setting's type.
func (f Field) parse(text string) (reflect.Value, error) {
	t := f.element()
	var x any = text
	var err error
	switch t.Kind() {
	case reflect.Bool:
		x, err = strconv.ParseBool(text)
	case reflect.Int:
		x, err = strconv.ParseInt(text, 0, strconv.IntSize)
	case reflect.Uint64:
		x, err = strconv.ParseUint(text, 0, 64)
	case reflect.Float64:
		var v float64
		if v, err = strconv.ParseFloat(text, 64); math.IsNaN(v) || math.IsInf(v, 0) {
			err = strconv.ErrRange
		}
		x = v
	}
	if err != nil {
		return reflect.Value{}, fmt.Errorf("want %s", kinds[t.Kind()])
	}
	return reflect.ValueOf(x).Convert(t), nil
}

// Text is the value as SetText takes it, empty for none.
func (f Field) Text() string {
	if f.value.Kind() != reflect.Slice {
		return fmt.Sprint(f.value)
	}
	texts := make([]string, f.value.Len())
	for i := range texts {
		texts[i] = fmt.Sprint(f.value.Index(i))
	}
	return strings.Join(texts, ",")
}

// Zero reports whether the setting has no value, or that of its type's zero.
func (f Field) Zero() bool {
	return f.value.IsZero() || f.value.Kind() == reflect.Slice && f.value.Len() == 0
}
