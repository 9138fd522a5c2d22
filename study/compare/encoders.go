package compare

import (
	"fmt"
	"path/filepath"

	"barrow/run"
)

// An Encoder is one that a finished comparison trained.
type Encoder struct {
	Name  string // the loss, and the precision where there are several
	Links int    // that its outputs are for; 0 where the comparison did not say
	File  string // its weights
}

// Encoders lists the encoders of the finished comparison in a folder: of each kind the one of
// the seed with the smallest validation loss.
func Encoders(folder string) ([]Encoder, error) {
	info, err := run.Inspect(folder)
	if err != nil {
		return nil, err
	}
	if info.Kind != Kind() {
		return nil, fmt.Errorf("compare: %s holds a run of the kind %q, version %d: want %q, version %d", folder, info.Name, info.Version, Kind().Name, Kind().Version)
	}
	if !info.Finished {
		return nil, fmt.Errorf("compare: the comparison in %s is not finished: go on with it first", folder)
	}
	var t Table
	if err := run.ReadJSON(folder, run.Results, &t); err != nil {
		return nil, err
	}
	return t.Encoders(folder)
}

// Encoders lists those of a table, as the function does, of which the run's folder is given.
func (t *Table) Encoders(folder string) ([]Encoder, error) {
	jobs := t.Plan.Jobs()
	if len(t.Rows) == 0 || len(jobs) != len(t.Rows)*t.Plan.Seeds {
		return nil, fmt.Errorf("compare: %s: %d trainings of %d kinds of encoders", filepath.Join(folder, run.Results), len(jobs), len(t.Rows))
	}
	var list []Encoder
	for i := range t.Rows {
		r := &t.Rows[i]
		if len(r.Validation) != t.Plan.Seeds {
			return nil, fmt.Errorf("compare: %s: %s has %d validation losses, not %d", filepath.Join(folder, run.Results), r.Loss, len(r.Validation), t.Plan.Seeds)
		}
		j := jobs[i+best(r.Validation)*len(t.Rows)]
		e := Encoder{Name: r.Loss, File: filepath.Join(folder, run.Weights, run.EncoderWeights+j.Name()+run.WeightsEnding)}
		if len(t.Plan.Precisions) > 1 {
			e.Name += ", " + r.Precision
		}
		if r.Bits != 0 || t.Plan.Mask != "" {
			e.Links = j.Architecture.Links()
		}
		list = append(list, e)
	}
	return list, nil
}

// best is the number of the smallest loss.
func best(losses []float64) int {
	least := 0
	for k, v := range losses {
		if v < losses[least] {
			least = k
		}
	}
	return least
}
