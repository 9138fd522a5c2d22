package study

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"barrow/run"
)

// A Run is one that [Find] found, with its figures.
type Run struct {
	run.Found
	// Figures are numbers of a finished run by name: "emd" the mean EMD on held-out images,
	// where the kind has one, of the best of what the run compares. Of a run that is not
	// finished, they are the best so far by the validation images of its metrics.
	Figures map[string]float64 `json:"figures"`
	// Parts and Epochs are the trainings that have begun, and their epochs so far.
	Parts  int `json:"trainings"`
	Epochs int `json:"epochs"`
}

// A figure is the least of the numbers at a place in a kind's results: keys with dots between,
// * for every element of a list.
type figure struct{ name, at string }

// What several kinds have.
var (
	ofRows      = []figure{{"emd", "rows.*.mean_emd.mean"}}
	ofEstimates = []figure{{"mae", "accuracy.mae"}, {"spread", "accuracy.spread"}, {"bias", "accuracy.bias"}}
	ofTrials    = []figure{{"mae", "trials.*.accuracy.mae"}, {"spread", "trials.*.accuracy.spread"}}
)

// Find lists the runs in a folder and in those within, with their figures, ordered by path. It
// only reads, and may be called while runs are at work; kinds that this program does not know
// are listed without figures.
func Find(ctx context.Context, dir string) ([]Run, error) {
	found, err := run.Find(ctx, dir)
	if err != nil {
		return nil, err
	}
	list := make([]Run, len(found))
	for k, f := range found {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("study: %w", err)
		}
		if list[k], err = of(f); err != nil {
			list[k].State, list[k].Problem = run.StateUnreadable, err.Error()
		}
	}
	return list, nil
}

// Look is the run in one folder; a folder without one is an error.
func Look(folder string) (Run, error) {
	f, err := run.Look(folder)
	if err != nil {
		return Run{}, err
	}
	return of(f)
}

// of adds a run's figures.
func of(f run.Found) (Run, error) {
	r := Run{Found: f, Figures: map[string]float64{}}
	epochs, err := run.ReadMetrics(f.Folder)
	if err != nil {
		return r, err
	}
	parts := map[string]bool{}
	for _, e := range epochs {
		parts[e.Part] = true
		if f.State != run.StateFinished && e.EMD != nil {
			r.least("emd", *e.EMD)
		}
	}
	r.Parts, r.Epochs = len(parts), len(epochs)
	if f.State != run.StateFinished {
		return r, nil
	}
	var results any
	if err := run.ReadJSON(f.Folder, run.Results, &results); err != nil {
		return r, err
	}
	for _, k := range Kinds() {
		if k.Kind != f.Kind {
			continue
		}
		for _, g := range k.figures {
			each(results, strings.Split(g.at, "."), func(v float64) { r.least(g.name, v) })
		}
	}
	return r, nil
}

// least keeps a number if it is the least of its name, by size.
func (r *Run) least(name string, v float64) {
	if have, ok := r.Figures[name]; !ok || math.Abs(v) < math.Abs(have) {
		r.Figures[name] = v
	}
}

// each calls use with the numbers at a place.
func each(v any, at []string, use func(float64)) {
	switch v := v.(type) {
	case float64:
		if len(at) == 0 {
			use(v)
		}
	case map[string]any:
		if len(at) > 0 {
			each(v[at[0]], at[1:], use)
		}
	case []any:
		if len(at) > 0 && at[0] == "*" {
			for _, e := range v {
				each(e, at[1:], use)
			}
		}
	}
}

// Orders are what runs can be sorted by, beside the figures that any of them has.
func Orders() []string { return []string{"name", "kind", "age", "size"} }

// Sort sorts runs by one of Orders or a figure, the smallest first, runs without the figure
// last. Runs that are equal stay in their order.
func Sort(list []Run, by string) error {
	figures := map[string]bool{}
	for _, r := range list {
		for name := range r.Figures {
			figures[name] = true
		}
	}
	var order func(a, b Run) int
	switch by {
	case "name":
		order = func(a, b Run) int { return strings.Compare(a.Folder, b.Folder) }
	case "kind":
		order = func(a, b Run) int { return strings.Compare(a.Name, b.Name) }
	case "age":
		order = func(a, b Run) int { return b.Changed.Compare(a.Changed) }
	case "size":
		order = func(a, b Run) int { return cmp.Compare(a.Bytes, b.Bytes) }
	default:
		if !figures[by] && len(list) > 0 {
			return fmt.Errorf("study: no run has a figure %q: want one of %s", by, strings.Join(append(Orders(), slices.Sorted(maps.Keys(figures))...), ", "))
		}
		order = func(a, b Run) int { return cmp.Compare(a.of(by), b.of(by)) }
	}
	slices.SortStableFunc(list, order)
	return nil
}

// of is a figure by which runs are sorted.
func (r Run) of(figure string) float64 {
	if v, ok := r.Figures[figure]; ok {
		return v
	}
	return math.Inf(1)
}
