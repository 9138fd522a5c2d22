package physics

import (
	"context"
	"fmt"
	"strings"

	"barrow/physics"
	"barrow/simulate"
)

// Names of the samples.
const (
	particles = "particles"
	crossings = "crossings"
	soft      = "soft"
)

// results reads what the contenders left, one after the other, and makes the figures of it.
func (w *work) results(ctx context.Context, files [][]string) (*Results, error) {
	r := &Results{Plan: w.plan}
	for _, f := range figures() {
		r.Figures = append(r.Figures, Figure{f.Name, f.Label, f.Unit})
	}
	share := func(done float64, note string) { w.progress(shareMeasuring+(1-shareMeasuring)*done, "figures: "+note) }
	var columns []physics.Columns
	for k, c := range w.contenders {
		share(0.5*float64(k)/float64(len(w.contenders)), c.Name())
		own, of, err := w.contender(ctx, c, files)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.Name(), err)
		}
		own.Word, own.Precision = w.words[k], w.precisions[w.words[k]]
		r.Contenders, columns = append(r.Contenders, own), append(columns, of)
	}
	sum, err := physics.Summarise(ctx, columns, physics.SummarySettings{
		Draws: w.plan.Draws, Seed: w.plan.Seed, Threads: w.threads, Progress: func(done float64, note string) { share(0.5+0.5*done, note) },
	})
	if err != nil {
		return nil, err
	}
	r.Rate = sum.Rate
	for k := range r.Contenders {
		r.Contenders[k].merit = sum.Contenders[k]
		r.Contenders[k].explain()
	}
	r.Samples = w.counted
	r.Order, r.Paper, r.Correlations = r.order(), r.paper(), r.correlate()
	return r, nil
}

// contender calibrates a contender and makes columns of its particles, with what tells them
// from minimum bias.
func (w *work) contender(ctx context.Context, c physics.Contender, files [][]string) (*Contender, physics.Columns, error) {
	out := &Contender{Name: c.Name()}
	if t := c.Links(); t != nil {
		out.Links, out.Mean = t.Name(), t.Mean()
	}
	var of physics.Columns
	signal, err := physics.ReadTable(c.Name(), files[0]...)
	if err != nil {
		return nil, of, err
	}
	class, err := simulate.ParseClass(w.plan.Class)
	if err != nil {
		return nil, of, err
	}
	out.Calibration, err = physics.Calibrate(signal.Records, physics.CalibrationSettings{Class: class})
	if err != nil {
		if c == w.contenders[0] {
			return nil, of, err // nothing to compare with
		}
		// What needs no calibration is still worth knowing.
		out.Note = strings.TrimPrefix(err.Error(), "physics: ")
		out.Calibration = &physics.Calibration{}
	}
	of = physics.ColumnsOf(signal, out.Calibration.Pt)
	if len(files) < 2 || out.Note != "" {
		return out, of, nil
	}
	bias, err := physics.ReadTable(c.Name(), files[1]...)
	if err != nil {
		return nil, of, err
	}
	of.Crossings = physics.CrossingsOf(bias, out.Calibration.Pt, floor)
	if len(files) > 2 {
		if signal, err = physics.ReadTable(c.Name(), files[2]...); err != nil {
			return nil, of, err
		}
	}
	out.identification, err = physics.Identify(ctx, signal, bias, out.Calibration.Pt, physics.IdentifySettings{Draws: w.plan.Draws, Seed: w.plan.Seed, Threads: w.threads})
	return out, of, err
}
