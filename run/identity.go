package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
)

// An Identity is everything that a run's results depend on. A folder is gone on
// with by the same identity alone.
type Identity struct {
	Kind
	// Settings is a struct. A field's tag label:"the images" names it in messages
	// where its key would say little.
	Settings any
	Inputs   []Input // files that are read besides
}

// An Input is a file that a run reads, known by its content.
type Input struct {
	Name   string // in words, such as "the network cnn.weights"
	SHA256 string
}

// File is an input: what it is, in words, and where. Name is both.
func File(what, path string) (Input, error) {
	digest, err := fileDigest(path)
	if err != nil {
		return Input{}, fmt.Errorf("run: %s: %w", what, err)
	}
	return Input{what + " " + path, digest}, nil
}

func fileDigest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", err
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%s: is no regular file, which it must be to be known again", path)
	}
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// encode is the content of config.json: the settings with the inputs beside
// them.
func (id Identity) encode() ([]byte, error) {
	head := struct {
		Kind
		Inputs map[string]string `json:"inputs,omitempty"`
	}{Kind: id.Kind, Inputs: map[string]string{}}
	for _, in := range id.Inputs {
		head.Inputs[in.Name] = in.SHA256
	}
	return encode(head, id.Settings)
}

// difference says in which settings and inputs two identities differ, in the
// user's words where there are any.
func (id Identity) difference(have, want []byte) string {
	labels := map[string]string{"version": "the version of its files"}
	collectLabels(labels, "", reflect.TypeOf(id.Settings))
	var x, y any
	if json.Unmarshal(have, &x) != nil || json.Unmarshal(want, &y) != nil {
		return Config + " cannot be read"
	}
	var list []string
	differ(&list, labels, "", x, y)
	slices.Sort(list)
	if len(list) == 0 {
		return "in nothing but the order or form of its settings"
	}
	return strings.Join(list, "; ")
}

// collectLabels finds the labels of a struct's fields, by their keys in JSON.
func collectLabels(labels map[string]string, at string, t reflect.Type) {
	for t != nil && t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t == nil || t.Kind() != reflect.Struct {
		return
	}
	for i := range t.NumField() {
		f := t.Field(i)
		key, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		path := at + key
		if key == "" && f.Anonymous {
			path = strings.TrimSuffix(at, ".")
		}
		if label := f.Tag.Get("label"); label != "" {
			labels[path] = label
		}
		inner := path + "."
		if path == "" {
			inner = ""
		}
		collectLabels(labels, inner, f.Type)
	}
}

// differ lists where two JSON values differ.
func differ(list *[]string, labels map[string]string, at string, x, y any) {
	a, isObject := x.(map[string]any)
	b, both := y.(map[string]any)
	if isObject && (both || y == nil) || both && x == nil {
		for key := range a {
			differ(list, labels, strings.TrimPrefix(at+"."+key, "."), a[key], b[key])
		}
		for key := range b {
			if _, seen := a[key]; !seen {
				differ(list, labels, strings.TrimPrefix(at+"."+key, "."), nil, b[key])
			}
		}
		return
	}
	if reflect.DeepEqual(x, y) {
		return
	}
	name, known := labels[at]
	if file, isInput := strings.CutPrefix(at, "inputs."); isInput {
		name, known = file, true
	}
	if !known {
		name = at
	}
	switch {
	case digest(x) && digest(y):
		*list = append(*list, name+": other content than before")
	case digest(x):
		*list = append(*list, name+": not given now")
	case digest(y):
		*list = append(*list, name+": not given before")
	default:
		*list = append(*list, fmt.Sprintf("%s %s, now %s", name, text(x), text(y)))
	}
}

// text is a setting's value, short enough for a message.
func text(v any) string {
	if v == nil {
		return "not given"
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return "?"
	}
	s := []rune(strings.TrimSpace(b.String()))
	if len(s) > 60 {
		return string(s[:57]) + "…"
	}
	return string(s)
}

// digest tells whether a value is a SHA-256, which says nothing to a reader.
func digest(v any) bool {
	s, ok := v.(string)
	if !ok || len(s) != 2*sha256.Size {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}
