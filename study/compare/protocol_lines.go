package compare

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"

	"barrow/internal/setting"
)

// lines are a protocol's text, with its name in errors.
type lines struct{ name, text string }

// at is an error at the line of a key: of the table that a head begins, the n-th of that head, or,
// without a head, before all tables. An empty key is the head itself.
func (l lines) at(head string, n int, key string, err error) error {
	row, in := 0, head == ""
	best := 1
	for line := range strings.Lines(l.text) {
		row++
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "[") {
			if in {
				break
			}
			if strings.HasPrefix(line, head) {
				if n--; n < 0 {
					in, best = true, row
				}
			}
			continue
		}
		word, _, is := strings.Cut(line, "=")
		if in && is && key != "" && strings.Trim(strings.TrimSpace(word), `"'`) == key {
			best = row
			break
		}
	}
	return fmt.Errorf("%s:%d: %w", l.name, best, err)
}

// keys are those of a table that is read into a struct.
func keys(table any) (names []string) {
	t := reflect.TypeOf(table)
	for i := range t.NumField() {
		names = append(names, t.Field(i).Tag.Get("toml"))
	}
	return names
}

// unknown is an error about a key that protocols have not.
func (l lines) unknown(key toml.Key, meta toml.MetaData) error {
	switch {
	case key[0] == "contender" && len(key) > 1:
		n := 0
		for _, k := range meta.Keys() {
			if len(k) == 1 && k[0] == "contender" {
				n++
			}
			if slices.Equal(k, key) {
				break
			}
		}
		names := keys(Contender{})
		return l.at(contenderHead, n-1, key[1], fmt.Errorf("unknown key %q of a contender: it may be %s%s", key[1], strings.Join(names, ", "), setting.Hint(key[1], names)))
	case len(key) > 1:
		return l.at("["+key[0]+"]", 0, "", fmt.Errorf("unknown key %q", key))
	}
	names := keys(protocolFile{})
	err := fmt.Errorf("unknown key %q: a protocol has %s%s", key[0], strings.Join(names, ", "), setting.Hint(key[0], names))
	for _, head := range []string{"[" + key[0] + "]", "[[" + key[0] + "]]"} {
		if strings.Contains(l.text, head) {
			return l.at(head, 0, "", err)
		}
	}
	return l.at("", 0, key[0], err)
}

// fill gives a plan the settings of a table.
func (l lines) fill(p *Plan, head string, values map[string]any) error {
	known := map[string]setting.Field{}
	var keys []string
	for _, f := range setting.Fields(p, false) {
		if f.Key != "losses" { // the contenders'
			known[f.Key] = f
			keys = append(keys, f.Key)
		}
	}
	for key, v := range values {
		f, ok := known[key]
		if !ok {
			return l.at(head, 0, key, fmt.Errorf("unknown setting %q%s (the settings are %s)", key, setting.Hint(key, keys), strings.Join(keys, ", ")))
		}
		err := f.Check(v)
		if err == nil {
			err = f.Set(v)
		}
		if err != nil {
			return l.at(head, 0, key, fmt.Errorf("%s = %v: %w", key, v, err))
		}
		if key == "precisions" {
			for _, name := range p.Precisions {
				if err := setting.Choice(key, name, f.Choices); err != nil {
					return l.at(head, 0, key, err)
				}
			}
		}
	}
	return nil
}
