package plan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"barrow/hgcal"
	"barrow/physics"
	"barrow/simulate"
	"barrow/wafer"
)

// The events of the figure resolution: an electron in 200 collisions, and its cluster, all within a
// radius of its direction in x/z and y/z, the one that clusters have by default in barrow/physics.
const (
	electronMin, electronMax = 10, 100 // GeV of p_T
	collisions               = 200
	clusterRadius            = 0.03
)

// hits are a class's wafers in clusters of electrons.
type hits struct {
	images *wafer.Set // of all that the wafers see, with the columns of conditions
	inside []uint64   // cells of each image that are the cluster's
	event  []int      // that it is of
	share  []float64  // what a count is of the whole cluster's
	events int        // how many there were
}

// clusters draws events, and deals their wafers to the classes.
func (w *work) clusters(ctx context.Context, seed uint64) ([]hits, error) {
	p := w.plan
	source, err := physics.NewSimulated(physics.SimulatedSettings{N: p.PerClass, Reach: clusterRadius, Events: simulate.EventSettings{
		Seed: p.Seed + seed, Threads: w.threads, Geometry: p.geometry(), Allocation: simulate.PerModule,
		Class: simulate.Electron, PtMin: electronMin, PtMax: electronMax, PileUp: collisions,
	}})
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	of := placesOf(w.classes)
	list := make([]hits, len(w.classes))
	for k := range list {
		list[k].images, list[k].events = &wafer.Set{}, p.PerClass
	}
	events := make([]*physics.Event, 64)
	for i := range events {
		events[i] = &physics.Event{}
	}
	for done := 0; ; {
		n, err := source.Next(ctx, events)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		for _, e := range events[:n] {
			if err := addEvent(list, source.Geometry(), of, e, done); err != nil {
				return nil, fmt.Errorf("plan: %w", err)
			}
			done++
		}
	}
}

// addEvent deals an event's wafers to the classes.
func addEvent(list []hits, g *physics.Geometry, of map[place][]int, e *physics.Event, number int) error {
	x, y := physics.Direction(e.Truth[0].Eta, e.Truth[0].Phi)
	wafers := make([]*physics.Wafer, len(e.Wafers))
	inside := make([]uint64, len(e.Wafers))
	index := make([][]int, len(list))
	total := 0.0
	for i, at := range e.Wafers {
		wafers[i] = g.Wafer(int(at))
		for c, v := range e.Images.Image(i) {
			if cx, cy := g.Cell(int(at), c); math.Hypot(cx-x, cy-y) <= clusterRadius {
				inside[i] |= 1 << c
				total += v
			}
		}
		m := &wafers[i].Module
		if inside[i] != 0 && wafer.Sum(e.Images.Image(i)) > 0 {
			for _, k := range of[place{m.Layer, m.U, m.V}] {
				index[k] = append(index[k], i)
			}
		}
	}
	if !(total > 0) {
		return nil // the cluster has no charge
	}
	for k, in := range index {
		if in == nil {
			continue
		}
		h := &list[k]
		if err := h.images.Append(described(&e.Images, wafers, in)); err != nil {
			return err
		}
		for _, i := range in {
			h.inside, h.event, h.share = append(h.inside, inside[i]), append(h.event, number), append(h.share, 1/total)
		}
	}
	return nil
}

// part is what an image has of its cluster.
func (h *hits) part(i int, image []float64) (v float64) {
	for c := range hgcal.Cells {
		if h.inside[i]>>c&1 == 1 {
			v += image[c]
		}
	}
	return v * h.share[i]
}

// off is how far a candidate leaves the class's part of every event's cluster from what it was,
// as a part of the whole cluster. What arrives is calibrated by the scale; 0 finds the best
// one.
func (w *work) off(ctx context.Context, k, side int, one Candidate, scale float64) (off []float64, used float64, err error) {
	h := &w.hits[side][k]
	off = make([]float64, h.events)
	if h.images.Len() == 0 {
		return off, scale, nil
	}
	decoded, err := w.decode(ctx, w.classes[k].high, h.images, one)
	if err != nil {
		return nil, 0, err
	}
	was, is := make([]float64, len(h.event)), make([]float64, len(h.event))
	var cross, square float64
	for i := range was {
		was[i], is[i] = h.part(i, h.images.Image(i)), h.part(i, decoded.Image(i))
		cross, square = cross+was[i]*is[i], square+is[i]*is[i]
	}
	if scale == 0 && square > 0 {
		scale = cross / square
	}
	for i, e := range h.event {
		off[e] += scale*is[i] - was[i]
	}
	return off, scale, nil
}

// energy is the mean square of what a candidate leaves off, for a module of the class.
func energy(off []float64, modules int) (v float64) {
	for _, x := range off {
		v += x * x
	}
	return v / float64(len(off)) / float64(modules)
}

// Clusters are the spreads of what clusters' energies are off, in parts of them, with the errors of
// all modules of an event together.
type Clusters struct {
	Plan       float64 `json:"plan"`
	BestSingle float64 `json:"best_single"`
}

// clustersOf finds them of a contest.
func (o *outcome) clustersOf(c *contest) *Clusters {
	if o.work.plan.Figure != figureResolution {
		return nil
	}
	spread := func(scores []int) float64 {
		sum := make([]float64, o.work.plan.PerClass)
		for _, k := range c.in {
			for e, v := range o.held[k].off[o.held[k].at(scores[k])] {
				sum[e] += v
			}
		}
		return moments(sum).Std
	}
	return &Clusters{spread(c.choice), spread(c.single)}
}
