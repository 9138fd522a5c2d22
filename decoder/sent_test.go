package decoder

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"barrow/econt"
	"barrow/nn"
)

// TestFitsSent: a decoder that has learned knows the dropped bits, the sums and the densities that
// it learned, which its file says; one whose file does not say takes any, as one untrained does.
func TestFitsSent(t *testing.T) {
	drop := func(n uint8) func(*econt.Config) { return func(c *econt.Config) { c.DropLSB = n } }
	usual := chips(t, econt.BestChoice, 2, nil)
	low := [2]*econt.Baseline{usual[0], usual[0]}
	sums := func(c *econt.Config) { c.UseSum = true }
	coarse := func(change func(*econt.Config)) [2]*econt.Baseline {
		return chips(t, econt.SuperTriggerCell, 2, change)
	}
	lowSums := coarse(nil)
	lowSums[1] = lowSums[0]
	for name, tc := range map[string]struct {
		learnt [2]*econt.Baseline
		chip   *econt.Baseline
		want   string
	}{
		"low":            {usual, usual[0], ""},
		"high":           {usual, usual[1], ""},
		"low, dropping":  {usual, chips(t, econt.BestChoice, 2, drop(4))[0], "low-density wafers' frames with drop_lsb 1 and use_sum false, not with drop_lsb 4"},
		"high, dropping": {usual, chips(t, econt.BestChoice, 2, drop(1))[1], "high-density wafers' frames with drop_lsb 3"},
		"sums":           {usual, chips(t, econt.BestChoice, 2, sums)[0], "not with drop_lsb 1 and use_sum true"},
		"other density":  {low, usual[1], "not trained for frames of high-density wafers"},
		"same frames":    {low, chips(t, econt.BestChoice, 2, drop(1))[1], ""},
		"drops nothing":  {lowSums, coarse(drop(2))[1], ""},
	} {
		m, _, err := Train(context.Background(), tc.learnt, fresh(t, 50, 1), wafers(t, 20, 5), exact(t, "mse", 1), Settings{
			Architecture: small(), Threads: 1, Budget: Budget{Epochs: 1, Batch: 50},
		})
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "decoder.weights")
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		if m, err = Load(path, nn.Settings{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		if err := m.Fits(tc.chip); tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s: got %v, want %q", name, err, tc.want)
		}
		m.chip.Low, m.chip.High = nil, nil // as files of before it was noted
		if err := m.Save(path); err != nil {
			t.Fatal(err)
		}
		if m, err = Load(path, nn.Settings{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		if err := m.Fits(tc.chip); err != nil {
			t.Errorf("%s: of an older file: %v", name, err)
		}
	}
	two := [2]*econt.Baseline{usual[0], chips(t, econt.BestChoice, 2, drop(2))[0]}
	if _, _, err := Train(context.Background(), two, fresh(t, 50, 1), wafers(t, 20, 5), exact(t, "mse", 1), Settings{Architecture: small()}); err == nil || !strings.Contains(err.Error(), "two chips of the same density") {
		t.Error(err)
	}
}

// TestFillErrors: what differs between two decoders is what the error names.
func TestFillErrors(t *testing.T) {
	of := func(a Architecture, b *econt.Baseline) *Model {
		m, err := New(a, b, nn.Settings{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	bc := chips(t, econt.BestChoice, 2, nil)[0]
	conditional := small()
	conditional.Conditions = true
	for want, from := range map[string]*Model{
		"16 units, 1 blocks and conditions cannot start one for BC on 2 links with 16 units, 1 blocks and no conditions": of(conditional, bc),
		"17 units, 1 blocks":        of(Architecture{Units: 17, Blocks: 1}, bc),
		"24 numbers instead of 201": of(small(), chips(t, econt.Autoencoder, 2, nil)[0]),
	} {
		if err := of(small(), bc).fill(from); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
