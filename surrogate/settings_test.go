package surrogate

import (
	"math"
	"strings"
	"testing"
)

// TestSettingsAreChecked: what cannot be trained is an error before any work.
func TestSettingsAreChecked(t *testing.T) {
	if err := (Settings{}).Check(); err != nil {
		t.Error(err)
	}
	if err := (PotentialSettings{}).Check(); err != nil {
		t.Error(err)
	}
	for want, err := range map[string]error{
		"surrogate: pairs = 10000000000: want 1 to 1000000000": Settings{Pairs: 10_000_000_000}.Check(),
		"pairs = -1":              Settings{Pairs: -1}.Check(),
		"epochs = 10000000000":    Settings{Epochs: 10_000_000_000}.Check(),
		"batch = 1000000000":      Settings{Batch: 1_000_000_000}.Check(),
		"gradient = NaN":          Settings{Gradient: math.NaN()}.Check(),
		"gradient = -1":           Settings{Gradient: -1}.Check(),
		"gradient = +Inf":         Settings{Gradient: math.Inf(1)}.Check(),
		"filters is":              Settings{Architecture: Architecture{Filters: 10_000_000_000, Kernel: 5, Convs: 3, Dense: 256}}.Check(),
		"this machine has":        Settings{Architecture: Architecture{Filters: 1 << 20, Kernel: 5, Convs: 3, Dense: 256}}.Check(),
		"convolutions: want":      Settings{Architecture: Architecture{Filters: 1, Kernel: 5, Convs: math.MaxInt, Dense: 256}}.Check(),
		"kernel is -5":            Settings{Architecture: Architecture{Filters: 1, Kernel: -5, Convs: 1, Dense: 256}}.Check(),
		"pairs = 10000000000":     PotentialSettings{Pairs: 10_000_000_000}.Check(),
		"that teach the gap":      PotentialSettings{Pairs: 100_000_000, Epochs: 1_000_000}.Check(),
		"potential network 20x65": PotentialSettings{Shape: PotentialShape{Width: 20, Layers: 65}}.Check(),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestParseLoss(t *testing.T) {
	for _, name := range Losses() {
		if l, err := ParseLoss(name); err != nil || l == nil {
			t.Errorf("%s: %v, %v", name, l, err)
		}
	}
	if _, err := ParseLoss("hubert"); err == nil || !strings.Contains(err.Error(), "the losses are relative, huber") {
		t.Error(err)
	}
}
