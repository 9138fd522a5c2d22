package compare

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/run"
)

// TestDamage: weights of finished trainings that are gone, damaged or another
// training's are noticed, said and trained again, to the same results.
func TestDamage(t *testing.T) {
	p := small()
	p.Losses, p.Precisions, p.Seeds, p.Epochs = []string{"telescope", "mse", "weighted-mse", "emd@telescope"}, []string{"float"}, 1, 2
	d, err := Split(wafers(t), 1)
	if err != nil {
		t.Fatal(err)
	}
	id, err := p.Identity(Kind())
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	var said []string
	carryOut := func() string {
		f, err := run.Open(dir, id, run.Settings{Remark: func(text string) { said = append(said, text) }})
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, _, err := Run(context.Background(), f, p, d, Resources{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		return results(t, f)
	}
	want := carryOut()
	weights := func(k int) string {
		return filepath.Join(dir, run.Weights, run.EncoderWeights+p.Jobs()[k].Name()+run.WeightsEnding)
	}
	swap, err := os.ReadFile(weights(0))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{weights(1), filepath.Join(dir, run.Results)} {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(weights(2), swap, 0o644); err != nil {
		t.Fatal(err)
	}
	// Of the job with an encoder of its own both parts are damaged.
	for _, name := range []string{weights(3), strings.Replace(weights(3), run.EncoderWeights, encoderOf, 1)} {
		if err := os.Truncate(name, 100); err != nil {
			t.Fatal(err)
		}
	}
	if got := carryOut(); got != want {
		t.Errorf("after the damage:\n%s\n%s", got, want)
	}
	for _, part := range []string{"encoder-float-mse-seed1", "encoder-float-weighted-mse-seed1", "encoder-float-emd@telescope-seed1", "encoder-of-float-emd@telescope-seed1"} {
		if !strings.Contains(fmt.Sprint(said), part+" is done again: "+part+".weights is ") {
			t.Errorf("nothing was said of %s: %q", part, said)
		}
	}
	if len(said) != 4 {
		t.Errorf("said %q", said)
	}
}
