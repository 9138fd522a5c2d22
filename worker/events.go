package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"barrow/emd"
	"barrow/internal/limit"
)

// An eventRecipe says how far two particles are apart, (θ/R)^Beta, and what becomes of
// totals that differ: normalised, or a unit paid for each unit unmatched.
type eventRecipe struct {
	R         float64   `json:"r"`
	Beta      float64   `json:"beta"`
	Norm      bool      `json:"norm"`
	Periods   []float64 `json:"periods"` // of the coordinates, 0 where one does not repeat
	Threads   int       `json:"threads"`
	MaxPivots int       `json:"max_pivots"`
}

// events are sets of particles, each a mass with a point.
type events struct {
	mass   [][]float64
	points [][]float64 // d coordinates a particle
	total  []float64
}

// An eventPairs has the distances between the events of two lists, or within one.
type eventPairs struct {
	recipe  eventRecipe
	threads int
	d       int
	a, b    *events // the same where the pairs are within one list
}

func openEvents(_ context.Context, c *call) (object, error) {
	o := &eventPairs{}
	r := &o.recipe
	if err := c.decode(r); err != nil {
		return object{}, err
	}
	if !(r.R > 0) || math.IsInf(r.R, 1) {
		return object{}, fmt.Errorf("emd: R = %v: must be positive and finite", r.R)
	}
	if !(r.Beta > 0) || math.IsInf(r.Beta, 1) {
		return object{}, fmt.Errorf("emd: beta = %v: must be positive and finite", r.Beta)
	}
	err := checkPeriods(r.Periods)
	if err != nil {
		return object{}, err
	}
	if o.threads, err = limit.Threads(r.Threads); err != nil {
		return object{}, fmt.Errorf("emd: threads: %w", err)
	}
	if o.a, o.d, err = readEvents(c, "0"); err != nil {
		return object{}, err
	}
	if r.Periods != nil && len(r.Periods) != o.d {
		return object{}, fmt.Errorf("emd: %d periods for particles of %d coordinates", len(r.Periods), o.d)
	}
	if o.b = o.a; c.has("particles1") {
		var d int
		if o.b, d, err = readEvents(c, "1"); err != nil {
			return object{}, err
		}
		if d != o.d {
			return object{}, fmt.Errorf("emd: particles of %d coordinates in the first events and of %d in the second", o.d, d)
		}
	}
	return object{methods: map[string]function{"rows": o.rows}}, nil
}

// readEvents copies the particles of a list of events, N×(1+d), that begin at starts.
func readEvents(c *call, list string) (*events, int, error) {
	x, err := in[float64](c, "particles"+list, -1, -1)
	if err != nil {
		return nil, 0, err
	}
	starts, err := in[int64](c, "starts"+list, -1)
	if err != nil {
		return nil, 0, err
	}
	shape := c.shape("particles" + list)
	d := shape[1] - 1
	if d < 1 {
		return nil, 0, fmt.Errorf("emd: particles of %d numbers: want a mass and coordinates", shape[1])
	}
	e := &events{}
	for i := range max(0, len(starts)-1) {
		from, to := starts[i], starts[i+1]
		if from < 0 || to < from || to > int64(shape[0]) {
			return nil, 0, fmt.Errorf("emd: event %d: particles %d to %d of %d", i, from, to, shape[0])
		}
		if err := e.add(x[from*int64(d+1):to*int64(d+1)], d); err != nil {
			return nil, 0, ofEvent("emd: events"+list, i, err)
		}
	}
	return e, d, nil
}

// add appends an event; particles without mass are left out.
func (e *events) add(x []float64, d int) error {
	var mass, points []float64
	total := 0.0
	for k := 0; k < len(x); k += d + 1 {
		m := x[k]
		if !(m >= 0) || math.IsInf(m, 1) {
			return &emd.MassError{Image: "particle", Cell: k / (d + 1), Mass: m}
		}
		for j, y := range x[k+1 : k+1+d] {
			if !(math.Abs(y) <= emd.MaxDistance) {
				cell := k / (d + 1)
				return &failure{Kind: kindEMD, Cell: &cell, Message: fmt.Sprintf(
					"emd: particle %d: coordinate %d is %v: must be finite, at most %g", cell, j, y, emd.MaxDistance)}
			}
		}
		if m > 0 {
			total += m
			mass = append(mass, m)
			points = append(points, x[k+1:k+1+d]...)
		}
	}
	e.mass, e.points, e.total = append(e.mass, mass), append(e.points, points), append(e.total, total)
	return nil
}

// rows sets the distances of the events from and up to to of the first list to all of the
// second; within one list those to later events only, and 0 for the others.
func (o *eventPairs) rows(ctx context.Context, c *call) error {
	var p struct {
		From int `json:"from"`
		To   int `json:"to"`
	}
	if err := c.decode(&p); err != nil {
		return err
	}
	if p.From < 0 || p.To < p.From || p.To > len(o.a.mass) {
		return fmt.Errorf("emd: events %d to %d of %d", p.From, p.To, len(o.a.mass))
	}
	e, err := out[float64](c, "value", p.To-p.From, len(o.b.mass))
	if err != nil {
		return err
	}
	clear(e)
	return o.distances(ctx, p.From, p.To, e)
}

// distances sets the distances of the events from and up to to, len(e)/(to−from) each. Of
// several errors that of the lowest row counts.
func (o *eventPairs) distances(ctx context.Context, from, to int, e []float64) error {
	cols := len(o.b.mass)
	var (
		wg     sync.WaitGroup
		next   atomic.Int64
		failed atomic.Bool
		errs   = make([]error, o.threads)
		rows   = make([]int, o.threads)
	)
	next.Store(int64(from))
	// No errgroup, of which the first error counts. Rows are handed out in order, so whenever
	// one fails all lower ones are being worked on.
	for k := range o.threads {
		wg.Go(func() {
			var costs []float64
			for !failed.Load() && ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= to {
					return
				}
				if costs, errs[k] = o.row(i, e[(i-from)*cols:][:cols], costs); errs[k] != nil {
					rows[k] = i
					failed.Store(true)
					return
				}
			}
		})
	}
	wg.Wait()
	lowest := -1
	for k, err := range errs {
		if err != nil && (lowest < 0 || rows[k] < rows[lowest]) {
			lowest = k
		}
	}
	if lowest >= 0 {
		return errs[lowest]
	}
	return ctx.Err()
}

// row sets the distances of event i, using and returning room for costs.
func (o *eventPairs) row(i int, row, costs []float64) ([]float64, error) {
	first := 0
	if o.a == o.b {
		first = i + 1
	}
	for j := first; j < len(row); j++ {
		var err error
		if row[j], costs, err = o.distance(i, j, costs); err != nil {
			return costs, o.blame(i, j, err)
		}
	}
	return costs, nil
}

// blame is the error of a pair: of the event that has no mass, or of both.
func (o *eventPairs) blame(i, j int, err error) error {
	switch {
	case !errors.Is(err, emd.ErrEmpty):
		return fmt.Errorf("emd: event %d with event %d: %w", i, j, err)
	case len(o.a.mass[i]) == 0:
		return ofEvent("emd: events0", i, err)
	case o.a == o.b:
		return ofEvent("emd: events0", j, err)
	}
	return ofEvent("emd: events1", j, err)
}

// ofEvent is an error that an event has, of the list that the words name.
func ofEvent(words string, event int, err error) *failure {
	f := *describe(err, 0, kindEMD)
	f.Row = &event
	f.Message = fmt.Sprintf("%s: row %d: %s", words, event, strings.TrimPrefix(f.Message, "emd: "))
	return &f
}

// distance is that of event i of the first and event j of the second list.
func (o *eventPairs) distance(i, j int, costs []float64) (float64, []float64, error) {
	a, b := o.a.mass[i], o.b.mass[j]
	set := emd.Settings{Threads: 1, MaxPivots: o.recipe.MaxPivots, Unequal: emd.UnequalPenalty, Penalty: 1}
	if o.recipe.Norm {
		set.Unequal, set.Penalty = emd.UnequalNormalise, 0
	}
	if len(a) == 0 || len(b) == 0 {
		if o.recipe.Norm {
			return 0, costs, emd.ErrEmpty
		}
		return math.Abs(o.a.total[i] - o.b.total[j]), costs, nil
	}
	costs = slices.Grow(costs[:0], len(a)*len(b))
	for k := range a {
		x := o.a.points[i][k*o.d : (k+1)*o.d]
		for l := range b {
			t := between(x, o.b.points[j][l*o.d:(l+1)*o.d], o.recipe.Periods) / o.recipe.R
			if o.recipe.Beta != 1 {
				t = math.Pow(t, o.recipe.Beta)
			}
			costs = append(costs, t)
		}
	}
	k, err := emd.NewCost(len(a), len(b), costs)
	if err != nil {
		return 0, costs, err
	}
	s, err := emd.NewSolver(k, set)
	if err != nil {
		return 0, costs, err
	}
	e, err := s.Distance(a, b)
	return e, costs, err
}
