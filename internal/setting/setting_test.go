package setting

import (
	"math"
	"reflect"
	"strings"
	"testing"
)

type Inner struct {
	Precision string `json:"precision,omitempty" help:"number formats"`
	Output    string `json:"output" help:"last layer"`
	Note      string `json:"note"`
}

func (Inner) Choices(key string) []string {
	return map[string][]string{"precision": {"float", "asic"}, "output": {"sigmoid", "square"}}[key]
}

type Budget struct {
	Epochs int     `json:"epochs" help:"epochs at most"`
	Rate   float64 `json:"learning_rate" flag:"rate" help:"at the start"`
}

type outer struct {
	Precisions []string `json:"precisions" one:"precision" help:"number formats"`
	Data       []string `json:"data" help:"wafer file" repeat:"true"`
	Bits       []int    `json:"bits" help:"of the outputs"`
	Inner
	Budget
	Seed   uint64 `json:"seed" help:"of everything"`
	Quick  bool   `json:"zero_start" help:"at zero"`
	Digest string `json:"digest"`
}

func (outer) Choices(key string) []string {
	if key == "output" {
		return []string{"sigmoid", "square", "by-loss"}
	}
	return nil
}

func (outer) Help(key string) string {
	return map[string]string{"epochs": "epochs of each"}[key]
}

func names(fields []Field) string {
	var out []string
	for _, f := range fields {
		out = append(out, f.Key+"/"+f.Flag)
	}
	return strings.Join(out, " ")
}

func find(t *testing.T, s any, one bool, key string) Field {
	t.Helper()
	for _, f := range Fields(s, one) {
		if f.Key == key {
			return f
		}
	}
	t.Fatalf("no setting %s", key)
	return Field{}
}

func TestFields(t *testing.T) {
	var s outer
	const rest = " output/output epochs/epochs learning_rate/rate seed/seed zero_start/zero-start"
	if got, want := names(Fields(&s, false)), "precisions/precisions data/data bits/bits"+rest; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got, want := names(Fields(&s, true)), "precision/precision data/data bits/bits"+rest; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := find(t, &s, false, "output").Choices; len(got) != 3 {
		t.Errorf("the outer struct's choices come first: %v", got)
	}
	for key, want := range map[string]string{"epochs": "epochs of each", "learning_rate": "at the start"} {
		if got := find(t, &s, false, key).Help; got != want {
			t.Errorf("help of %s: %q", key, got)
		}
	}
	if got := find(t, &Inner{}, false, "precision").Choices; len(got) != 2 {
		t.Errorf("choices %v", got)
	}
}

// TestPanics: structs of which no settings can be made.
func TestPanics(t *testing.T) {
	for name, s := range map[string]any{
		"no pointer": outer{},
		"a kind without text": &struct {
			C chan int `json:"c" help:"a channel"`
		}{},
		"no key": &struct {
			N int `help:"a number"`
		}{},
		"one flag twice": &struct {
			N int `json:"n" help:"a number"`
			M int `json:"m" flag:"n" help:"another"`
		}{},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			Fields(s, false)
		}()
	}
}

func TestSet(t *testing.T) {
	for _, c := range []struct {
		key, text string // as a flag has it
		decoded   any    // as a file has it
		want      any    // nil: an error that names what is wanted
		message   string
	}{
		{"epochs", "3", int64(3), 3, ""},
		{"epochs", "three", "three", nil, "want a whole number"},
		{"epochs", "3.5", 3.5, nil, "want a whole number"},
		{"epochs", "9223372036854775808", 9.3e18, nil, "want a whole number"},
		{"seed", "7", int64(7), uint64(7), ""},
		{"seed", "-1", int64(-1), nil, "want a whole number, 0 or more"},
		{"learning_rate", "3", int64(3), 3.0, ""},
		{"learning_rate", "NaN", math.NaN(), nil, "want a finite number"},
		{"learning_rate", "-inf", math.Inf(-1), nil, "want a finite number"},
		{"learning_rate", "1e999", math.Inf(1), nil, "want a finite number"},
		{"zero_start", "true", true, true, ""},
		{"zero_start", "yes", int64(1), nil, "want true or false"},
		{"output", "square", "square", "square", ""},
		{"precisions", "float, asic", []any{"float", "asic"}, []string{"float", "asic"}, ""},
		{"bits", "3,5", []any{int64(3), int64(5)}, []int{3, 5}, ""},
		{"bits", "3,x", []any{int64(3), "x"}, nil, "each a whole number"},
		{"bits", "x", int64(3), nil, "want a list"},
		{"data", "a,b.csv", []any{"a,b.csv"}, []string{"a,b.csv"}, ""},
	} {
		for k := range 2 {
			var s outer
			f := find(t, &s, false, c.key)
			err := f.SetText(c.text, false)
			if k == 1 {
				err = f.Set(c.decoded)
			}
			switch {
			case c.want == nil && err == nil:
				t.Errorf("%s = %v: accepted as %v", c.key, c.decoded, f.value)
			case c.want == nil:
				if !strings.Contains(err.Error(), c.message) && k == 1 {
					t.Errorf("%s = %v: %v", c.key, c.decoded, err)
				}
				if !f.Zero() {
					t.Errorf("%s: an error left %v", c.key, f.value)
				}
			case err != nil || !reflect.DeepEqual(f.value.Interface(), c.want):
				t.Errorf("%s = %v: %v, %v", c.key, c.decoded, f.value, err)
			}
		}
	}
	s := outer{Bits: []int{1}}
	f := find(t, &s, false, "bits")
	if err := f.SetText("2,3", true); err != nil || f.Text() != "1,2,3" {
		t.Errorf("added: %q, %v", f.Text(), err)
	}
	if err := f.Check([]any{"x"}); err == nil || len(s.Bits) != 3 {
		t.Errorf("checked: %v, %v", err, s.Bits)
	}
	// One value where there could be many; the zero value is none.
	f = find(t, &s, true, "precision")
	if err := f.Set("asic"); err != nil || len(s.Precisions) != 1 || s.Precisions[0] != "asic" {
		t.Errorf("one: %v, %v", s.Precisions, err)
	}
	if err := f.SetText("", false); err != nil || s.Precisions != nil {
		t.Errorf("none: %v, %v", s.Precisions, err)
	}
}

func TestSuggest(t *testing.T) {
	losses := []string{"mse", "telescope", "emd", "emd-cnn", "energy"}
	for word, want := range map[string]string{
		"emdd": "emd", "telescpoe": "telescope", "EMD": "emd", "teleskop": "telescope", "med": "emd",
		"6bit": "", "": "", "ed": "", "tele": "telescope", "te": "", "x": "", "nothing": "", "emdcnn": "emd-cnn",
	} {
		if got := Suggest(word, losses); got != want {
			t.Errorf("Suggest(%q) = %q, want %q", word, got, want)
		}
	}
	if err := Choice("loss", "emdd", losses[2:4]); err == nil || err.Error() != `loss = "emdd": it may be emd, emd-cnn; did you mean emd?` {
		t.Error(err)
	}
	if err := Choice("loss", "emd", losses); err != nil {
		t.Error(err)
	}
}
