package validate

import (
	"context"
	"os"
	"testing"

	"barrow/simulate"
)

// TestQuick passes for any seed and still fails where the model is another.
func TestQuick(t *testing.T) {
	seeds := 2
	if os.Getenv("BARROW_LONG") != "" {
		seeds = 20
	}
	for seed := range uint64(seeds) {
		r, err := Run(context.Background(), Settings{Seed: seed + 1, Quick: true})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Failed() {
			t.Errorf("seed %d: %s: %s: %g, want %g within %g", seed+1, c.Group, c.Name, c.Got, c.Want, c.Tolerance)
		}
	}
	if testing.Short() {
		t.Skip("draws three other models")
	}
	for name, change := range map[string]func(*simulate.Parameters){
		"energies": func(p *simulate.Parameters) { p.PileUp.Scale *= 1.3 },
		"tail":     func(p *simulate.Parameters) { p.PileUp.Tail = 2.2 },
		"charge":   func(p *simulate.Parameters) { p.Electronics.LSB *= 1.25 },
	} {
		p := simulate.DefaultParameters()
		change(&p)
		r, err := Run(context.Background(), Settings{Seed: 1, Quick: true, Parameters: &p})
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Failed()) == 0 {
			t.Errorf("%s: another model passes", name)
		}
		t.Logf("%s: %d checks fail", name, len(r.Failed()))
	}
}
