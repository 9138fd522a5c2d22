package fewshot

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"barrow/evaluate"
	"barrow/study/internal/page"
)

// measure tunes every contender on the tasks, and puts together what came of it.
func (w *work) measure(ctx context.Context) (*Results, error) {
	p := &w.plan
	r := &Results{Plan: *p, Figures: figures}
	for _, t := range w.test {
		r.Tasks = append(r.Tasks, t.task)
	}
	for _, precision := range p.Precisions {
		var rows []*Row
		for _, contender := range p.contenders() {
			row, err := w.contender(ctx, precision, contender)
			if err != nil {
				return nil, err
			}
			rows = append(rows, row)
		}
		f, err := w.fulls(precision)
		if err != nil {
			return nil, err
		}
		for _, row := range rows {
			if err := row.compare(rows[0], rows[1], f); err != nil {
				return nil, err
			}
			r.Rows = append(r.Rows, row)
		}
		if f != nil {
			r.Full = append(r.Full, f)
		}
		s, err := w.state(job{precision: precision, contender: p.Methods[0], seed: p.Seed})
		if err != nil {
			return nil, err
		}
		file, err := w.keep(precision, s)
		if err != nil {
			return nil, err
		}
		r.Kept = append(r.Kept, file)
	}
	r.Gains = gains(r.Rows)
	return r, nil
}

// contender chooses how the starts of one kind are tuned, the same way for all seeds, and measures it.
func (w *work) contender(ctx context.Context, precision, contender string) (*Row, error) {
	p := &w.plan
	var starts []*state
	for s := range p.Seeds {
		x, err := w.state(trained(precision, contender, p.Seed+uint64(s)))
		if err != nil {
			return nil, err
		}
		starts = append(starts, x)
	}
	tunings := p.tunings(contender)
	row := &Row{Precision: precision, Contender: contender}
	least := math.Inf(1)
	part := "chosen-" + page.ID(contender, precision)
	var curves [][][]float64 // tuning, seed, step
	err := w.folder.Once(part, nil, &curves, func() ([]string, error) {
		for _, by := range tunings {
			each, err := w.curves(ctx, precision, starts, by, w.choice)
			if err != nil {
				return nil, err
			}
			var seeds [][]float64
			for _, tasks := range each {
				seeds = append(seeds, mean(tasks))
			}
			curves = append(curves, seeds)
		}
		return nil, nil
	})
	if err != nil {
		return nil, err
	}
	for k, seeds := range curves {
		for steps, v := range mean(seeds) {
			if v < least {
				least, row.Tuning, row.Steps = v, tunings[k], steps
			}
		}
		row.Tried = append(row.Tried, Tried{tunings[k].String(), mean(seeds)})
	}
	row.Choice, row.Words = least, row.Tuning.String()
	each, err := w.curves(ctx, precision, starts, row.Tuning, w.test)
	if err != nil {
		return nil, err
	}
	row.fill(each)
	for _, s := range starts {
		row.Passes += s.Passes / float64(len(starts))
	}
	if contender != ofCarried && contender != ofPooled {
		row.Rates, err = w.layerRates(precision, starts)
	}
	return row, err
}

// curves tunes starts on tasks: the mean EMD by start, task and number of steps.
func (w *work) curves(ctx context.Context, precision string, starts []*state, by tuning, tasks []lesson) ([][][]float64, error) {
	p := &w.plan
	out := make([][][]float64, len(starts))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(w.threads)
	shots, judged := numbers(0, p.Shots), numbers(p.Shots, p.Shots+p.Judged)
	for k, s := range starts {
		out[k] = make([][]float64, len(tasks))
		for n := range tasks {
			group.Go(func() error {
				l, err := w.learner(precision)
				if err != nil {
					return err
				}
				t := &tasks[n]
				err = l.tune(inner, s, by, t.task, t.images, shots, p.Steps, func(weights []float64) error {
					v, err := l.value(inner, weights, t.task.bits(), t.images, judged)
					out[k][n] = append(out[k][n], v)
					return err
				})
				w.counted(p.tryCost(), "tuning, "+precision)
				return err
			})
		}
	}
	return out, group.Wait()
}

// mean is the mean of rows.
func mean(rows [][]float64) []float64 {
	out := make([]float64, len(rows[0]))
	for _, r := range rows {
		for i, v := range r {
			out[i] += v / float64(len(rows))
		}
	}
	return out
}

// fulls are the full trainings of a precision, nil if there are none.
func (w *work) fulls(precision string) (*Full, error) {
	if w.plan.Full == 0 {
		return nil, nil
	}
	f := &Full{Precision: precision}
	for k := range w.plan.Test {
		var r fullRecord
		j := job{precision: precision, contender: full, task: k}
		if err := w.folder.Once(j.name(), j.task, &r, func() ([]string, error) {
			return nil, fmt.Errorf("fewshot: %s: its record is gone", j.name())
		}); err != nil {
			return nil, err
		}
		f.Tasks = append(f.Tasks, r.EMD)
		f.EMD += r.EMD / float64(w.plan.Test)
	}
	return f, nil
}

// layerRates is how many times as large as at the beginning a layer's rates have become: geometric means over
// weights and seeds.
func (w *work) layerRates(precision string, starts []*state) (list []LayerRate, err error) {
	l, err := w.learner(precision)
	if err != nil {
		return nil, err
	}
	m, err := l.of(0)
	if err != nil {
		return nil, err
	}
	at := 0
	for _, p := range m.model.Network().Params() {
		sum, n := 0.0, 0
		for _, s := range starts {
			for _, v := range s.Log[at : at+len(p.Value)] {
				sum += v
				n++
			}
		}
		list = append(list, LayerRate{p.Name, math.Exp(sum / float64(n))})
		at += len(p.Value)
	}
	return list, nil
}

// compare sets a row beside pooled training, without and with moments, and full training.
func (r *Row) compare(pooled, carried *Row, f *Full) error {
	against := func(b []float64) (*evaluate.Versus, error) {
		v, err := evaluate.Compare(r.Tasks, b, draws, 1)
		if err != nil {
			return nil, fmt.Errorf("fewshot: %w", err)
		}
		return &v, nil
	}
	var err error
	if r != pooled {
		if r.Pooled, err = against(pooled.Tasks); err != nil {
			return err
		}
	}
	if r != pooled && r != carried {
		if r.Carried, err = against(carried.Tasks); err != nil {
			return err
		}
	}
	if f != nil {
		r.Full, err = against(f.Tasks)
	}
	return err
}

// draws of the bootstrap over tasks.
const draws = 10_000
