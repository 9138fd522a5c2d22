package compare

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"barrow/internal/setting"
)

// another gives a setting a value that it does not have.
func another(t *testing.T, f setting.Field) {
	t.Helper()
	text := map[reflect.Kind]string{reflect.String: "something", reflect.Bool: "true", reflect.Int: "77", reflect.Uint64: "77", reflect.Float64: "0.77"}[f.Kind()]
	if err := f.SetText(text, false); err != nil {
		t.Fatalf("%s: %v", f.Key, err)
	}
}

// TestSettingsAreSaved: every setting of a plan, those of the encoder, its training and
// the images among them, stands under its key in what is saved of a run, so that a run with another
// value is another run.
func TestSettingsAreSaved(t *testing.T) {
	save := func(p Plan) []byte {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	p := Default()
	before := save(p)
	fields := setting.Fields(&p, false)
	if len(fields) < 25 {
		t.Fatalf("%d settings", len(fields))
	}
	for i := range fields {
		q := Default()
		f := setting.Fields(&q, false)[i]
		another(t, f)
		after := save(q)
		if bytes.Equal(before, after) {
			t.Errorf("%s: the saved plan does not show it", f.Key)
		}
		var keys map[string]json.RawMessage
		if err := json.Unmarshal(after, &keys); err != nil {
			t.Fatal(err)
		}
		if _, ok := keys[f.Key]; !ok {
			t.Errorf("%s: the saved plan has no such key: %s", f.Key, after)
		}
	}
}

// TestSettingsReachTheEncoder: the encoder's settings and the budget of the plan are those that
// a job is trained with, whatever fields there are.
func TestSettingsReachTheEncoder(t *testing.T) {
	p := Default()
	v, n := reflect.ValueOf(&p.Architecture).Elem(), 0
	for _, f := range setting.Fields(&p.Architecture, false) {
		another(t, f)
		n++
	}
	a := p.Encoder("emd", "asic", 5)
	if a.Precision != "asic" || a.LatentBits != 5 {
		t.Errorf("%+v", a)
	}
	a.Precision, a.LatentBits = p.Precision, p.LatentBits
	if !reflect.DeepEqual(a, v.Interface()) || n != v.NumField() {
		t.Errorf("an encoder of the plan is %+v, the plan has %+v (%d settings)", a, p.Architecture, n)
	}
}

// TestSettingsAreOnThePage: every setting of the encoder and its training stands at the foot of
// the page; those of which a job has its own are in the table.
func TestSettingsAreOnThePage(t *testing.T) {
	p := Default().Complete()
	for _, s := range []any{&p.Architecture, &p.Budget} {
		for _, f := range setting.Fields(s, false) {
			before := p.Words()
			another(t, f)
			if after := p.Words(); after == before {
				t.Errorf("%s: the page's foot does not show it: %s", f.Key, after)
			}
		}
	}
}

// TestRecipeIsTold: the help of batch and rate names what Complete fills in.
func TestRecipeIsTold(t *testing.T) {
	p := Default()
	for _, f := range setting.Fields(&p, false) {
		for _, decoder := range []string{"paper", "residual"} {
			batch, rate := Recipe(decoder)
			want := map[string]any{"batch": batch, "learning_rate": rate}[f.Key]
			if text, err := json.Marshal(want); want != nil && (err != nil || !strings.Contains(f.Help, string(text))) {
				t.Errorf("%s: %q does not name %s, the default with the decoder %s", f.Key, f.Help, text, decoder)
			}
		}
	}
	p.Decoder = "residual"
	if q := p.Complete(); q.Batch != 50 || q.Rate != 1e-3 || q.Output != OutputByLoss {
		t.Errorf("%+v", q)
	}
	p.Batch, p.Rate, p.Output = 7, 0.5, "sigmoid"
	if q := p.Complete(); q.Batch != 7 || q.Rate != 0.5 || q.Output != "sigmoid" {
		t.Errorf("%+v", q)
	}
}
