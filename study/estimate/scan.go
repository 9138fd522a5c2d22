package estimate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/run"
	"barrow/study/internal/page"
	"barrow/surrogate"
)

// A Trial is one network of a scan.
type Trial struct {
	Architecture string             `json:"architecture"`
	Loss         string             `json:"loss"`
	Repeat       int                `json:"repeat"` // from 1
	BestEpoch    int                `json:"best_epoch"`
	Accuracy     surrogate.Accuracy `json:"accuracy"`
	Curve        [][2]float64       `json:"curve"` // training and validation loss of every epoch
}

// name is that of the trial's files.
func (t Trial) name() string {
	return fmt.Sprintf("trial-%s-%s-%d", t.Architecture, t.Loss, t.Repeat)
}

// Error is the root mean square of the relative difference, which trials are
// ordered by.
func (t Trial) Error() float64 { return math.Hypot(t.Accuracy.Bias, t.Accuracy.Spread) }

// ScanResults are the networks of a scan, the one with the smallest error first.
type ScanResults struct {
	Plan   ScanPlan `json:"config"`
	Trials []Trial  `json:"trials"`
}

// Scan carries out a scan in a folder, resuming what is there, as Train does a
// single training.
func Scan(ctx context.Context, folder string, p ScanPlan, s Settings) (_ *ScanResults, err error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	w, err := p.Budget.begin(ctx, folder, ScanKind(), s, func(b Budget) any {
		p.Budget = b
		return p
	})
	if err != nil {
		return nil, err
	}
	defer w.folder.End(&err)
	ctx = w.folder.Record(ctx)
	r, times := &ScanResults{Plan: p, Trials: p.trials()}, Times{}
	for i := range r.Trials {
		if !w.folder.Mine(i) {
			continue
		}
		t := &r.Trials[i]
		which := fmt.Sprintf("network %d of %d", i+1, len(r.Trials))
		done, err := w.trial(ctx, p, t, func(share float64, note string) {
			w.progress((float64(i)+share)/float64(len(r.Trials)), which+", "+note)
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", t.name(), err)
		}
		times.Seconds = append(times.Seconds, done.Seconds)
		if s.Trial != nil {
			s.Trial(*t)
		}
	}
	if err := w.folder.EndShard(); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.Trials, func(a, b Trial) int { return cmp.Compare(a.Error(), b.Error()) })
	if err := w.folder.WriteJSON(run.Times, times); err != nil {
		return nil, err
	}
	if err := page.Write(w.folder, layScan(r)); err != nil {
		return nil, err
	}
	return r, w.folder.WriteJSON(run.Results, r)
}

// trial trains and measures a network of the scan, each unless it is done.
func (w *work) trial(ctx context.Context, p ScanPlan, t *Trial, progress func(float64, string)) (trained, error) {
	done, err := w.train(ctx, t.name(), p.plan(*t), progress)
	if err != nil {
		return done, err
	}
	t.BestEpoch, t.Curve = done.BestEpoch, done.Curve
	return done, w.folder.Once(t.name()+"-accuracy", done.Curve, (*kept)(&t.Accuracy), func() ([]string, error) {
		c, err := w.measure(ctx, t.name())
		if err != nil {
			return nil, err
		}
		t.Accuracy = c.Accuracy
		err = w.folder.Show(t.name(), run.Ending{
			Settings: map[string]any{"architecture": t.Architecture, "loss": t.Loss, "repeat": float64(t.Repeat)},
			Figures:  map[string]float64{"mae": c.MAE, "bias": c.Bias, "spread": c.Spread, "gradient_cosine_median": c.CosineMedian},
		})
		if err != nil {
			return nil, err
		}
		return []string{t.name() + run.WeightsEnding}, nil
	})
}
