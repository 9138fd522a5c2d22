package decoders

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/study/images"
	"barrow/study/internal/learned"
)

// TestEncoders: an encoder stands in the table on the links that its outputs need, with its own
// decoder for a rule, on the images of every preset and of a file; a file's rows tell what decoders of
// simulated images alone leave.
func TestEncoders(t *testing.T) {
	dir := t.TempDir()
	m, err := autoencoder.Architecture{Precision: "asic", Mask: "16x3", Decoder: "residual"}.New(nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "encoder.weights")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	p := small(t)
	p.Seeds, p.Algorithms, p.Links, p.Presets, p.Encoders = 1, []string{"bc"}, []int{3}, []string{"electrons"}, []string{path}
	r := start(t, filepath.Join(dir, "run"), p, 2)
	names := map[string]int{}
	for _, x := range r.Sets {
		names[x.Name]++
	}
	if len(names) != 3 || names["simulated, mixed"] != 1 || names["simulated, electrons"] != 1 {
		t.Errorf("%v", names)
	}
	sets, err := p.sets(context.Background(), images.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for i := range r.Rows {
		row := &r.Rows[i]
		file := !strings.HasPrefix(row.Set, simulatedSet)
		if file != (row.Untuned != nil) || file && len(row.Untuned.EMD.Values) != 1 {
			t.Errorf("%s of %s: before it was tuned %+v", row.Algorithm, row.Set, row.Untuned)
		}
		if row.Algorithm == "bc" {
			continue
		}
		if row.Algorithm != "ae1" || row.Links != 2 || row.Name != "encoder encoder.weights, 16x3" || len(row.Rules) != 1 || row.Rules[0].Decoding != decodeOwn {
			t.Errorf("%+v", row)
		}
		if row.Density == both || file {
			seen++
			x := sets[map[string]int{"simulated, mixed": 0, "simulated, electrons": 1}[row.Set]]
			if file {
				x = sets[2]
			}
			decoded, err := learned.DecodeOwn(context.Background(), m, x.held)
			if err != nil {
				t.Fatal(err)
			}
			f, err := evaluate.Images(context.Background(), metric, x.held, decoded, evaluate.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := row.Rules[0].EMD, f.Of(evaluate.EMD).Mean; got-want > 1e-9 || want-got > 1e-9 {
				t.Errorf("%s: own decoder %v, want %v", row.Set, got, want)
			}
		}
	}
	if seen != 3 {
		t.Errorf("%d rows of the encoder", seen)
	}
	b, err := os.ReadFile(filepath.Join(dir, "run", run.Tables))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(b), "(own decoder)") {
		t.Errorf("%s", b)
	}
	for want, spoil := range map[string]func(*Plan){
		"presets: electrons is named twice": func(p *Plan) { p.Presets = []string{"electrons", "electrons"} },
		"presets: mixed is named twice":     func(p *Plan) { p.Presets = []string{"mixed"} },
		"is named twice":                    func(p *Plan) { p.Encoders = []string{path, path} },
	} {
		q := p
		spoil(&q)
		if err := q.Check(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	plain, err := autoencoder.Architecture{}.New(nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := plain.Save(path); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Start(context.Background(), filepath.Join(dir, "other"), p, Settings{}); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("an encoder that is not the chip's: %v", err)
	}
}
