package nn

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"barrow/internal/weights"
)

// arrays lists what a training adds to the network's own arrays: the
// optimiser's slots, the average, the best values.
func (t *trainer) arrays(slots [][]float32) []weights.Array {
	var out []weights.Array
	add := func(kind string, list [][]float32) {
		for i, v := range list {
			out = append(out, weights.Array{Name: fmt.Sprintf("%s/%d", kind, i), Shape: []int{len(v)}, Data: v})
		}
	}
	add("slot", slots)
	add("average", t.average)
	add("best", t.best)
	return out
}

func (t *trainer) save() error {
	if t.Checkpoint == "" {
		return nil
	}
	c := t.Net.checkpoint(t.Meta)
	t.clock()
	t.state.Updates = t.adam.steps
	t.state.Configured = t.configured()
	t.state.arrays = t.arrays(t.adam.slots)
	c.training = &t.state
	if err := c.write(t.Checkpoint); err != nil {
		return err
	}
	t.saved = true
	return nil
}

// configured describes what must be equal for a resumed training to give the
// same bits. Of the schedule it has some rates.
func (t *trainer) configured() string {
	all := float64(t.Epochs)
	rate := func(share float64) float64 { return t.Schedule.Rate(share*all, all) }
	return fmt.Sprintf("%d samples, batch %d, seed %d, EMA %v, %d epochs, learning rates %g, %g, %g, %g",
		t.Samples, t.Batch, t.Seed, t.EMA, t.Epochs, rate(0), rate(0.01), rate(0.5), rate(1))
}

// restore continues from the checkpoint, if there is one and it is asked for.
func (t *trainer) restore() error {
	if !t.Resume || t.Checkpoint == "" {
		return nil
	}
	c, err := ReadCheckpoint(t.Checkpoint)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if c.training == nil {
		return fmt.Errorf("nn: %s: %w: it holds weights, but no training to resume", t.Checkpoint, ErrCheckpoint)
	}
	if want := t.configured(); c.training.Configured != want {
		return fmt.Errorf("nn: %s: its training has other settings (%s) than this one (%s)", t.Checkpoint, c.training.Configured, want)
	}
	// All steps of an epoch may be done, and the validation interrupted.
	if s := c.training; s.Epoch < 0 || s.InEpoch < 0 || s.InEpoch > t.stepsPerEpoch() || s.Step < 0 {
		return fmt.Errorf("nn: %s: %w: it is at step %d of epoch %d", t.Checkpoint, ErrCheckpoint, s.InEpoch, s.Epoch)
	}
	if err := c.Fill(t.Net); err != nil {
		return fmt.Errorf("%s: %w", t.Checkpoint, err)
	}
	t.state = *c.training
	return t.restoreArrays(c.training)
}

func (t *trainer) restoreArrays(s *trainingState) error {
	kinds := map[string][][]float32{}
	for _, a := range s.arrays {
		for _, kind := range []string{"slot", "average", "best"} {
			if len(a.Name) > len(kind) && a.Name[:len(kind)+1] == kind+"/" {
				kinds[kind] = append(kinds[kind], a.Data)
			}
		}
	}
	if err := t.adam.restore(t.weights, s.Updates, kinds["slot"]); err != nil {
		return fmt.Errorf("%s: %w", t.Checkpoint, err)
	}
	same := func(a, b [][]float32) bool {
		return slices.EqualFunc(a, b, func(x, y []float32) bool { return len(x) == len(y) })
	}
	if t.average != nil {
		if !same(t.average, kinds["average"]) {
			return fmt.Errorf("nn: %s: %w: its average has other shapes", t.Checkpoint, ErrCheckpoint)
		}
		t.average = kinds["average"]
	}
	if !s.NoBest {
		t.best = copyOf(t.Net.params)
		if !same(t.best, kinds["best"]) {
			return fmt.Errorf("nn: %s: %w: its best weights have other shapes", t.Checkpoint, ErrCheckpoint)
		}
		t.best = kinds["best"]
	}
	t.saved = true
	return nil
}
