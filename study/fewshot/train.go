package fewshot

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/internal/counter"
	"barrow/internal/outfile"
)

// A lesson is a task with its wafers, ready for the networks.
type lesson struct {
	task   Task
	images *autoencoder.Prepared
}

// A course is a training that can be interrupted between two steps; what it needs to go on is kept in a file.
type course struct {
	plan    *Plan
	lessons []lesson
	l       *learner
	curve   map[int]*curvature // by bits of the outputs, for MAML
	metric  *emd.Metric
	seed    uint64
	file    string // of the checkpoint
	tell    func(share float64)
	grad    []float64
}

// A state is where a course is: all that is kept of it.
type state struct {
	Step    int
	Passes  float64 // wafers that went forward and backward, Hessians' products as three
	Weights []float64
	Adam    adam
	// Base are the steps' rates before they are learned, Log the logarithms of what they are learned to be times as
	// large; nil in pooled training.
	Base, Log []float64
	Rates     adam
	// Begun are the passes with which learning a start set in.
	Begun float64
}

// rates are those of the steps inside.
func (s *state) rates() []float64 {
	r := make([]float64, len(s.Base))
	for i, b := range s.Base {
		r[i] = b * math.Exp(s.Log[i])
	}
	return r
}

// The pooled training's steps have as many wafers of as many tasks.
const (
	pooledTasks  = 4
	pooledImages = 6
)

// Streams of random numbers of a training.
const (
	streamPooled = 0x706f6f6c
	streamMeta   = 0x6d657461
)

// saveEvery is the time between two checkpoints of a training that nobody interrupts.
const saveEvery = 30 * time.Second

// run takes steps from a state on until there are so many, each as one makes it.
func (c *course) run(ctx context.Context, s *state, steps int, step func(ctx context.Context, s *state) error) error {
	last := time.Now()
	for s.Step < steps {
		err := ctx.Err()
		if err == nil {
			if err = step(ctx, s); err == nil {
				s.Step++
			}
		}
		switch {
		case err != nil && ctx.Err() != nil:
			return errors.Join(ctx.Err(), c.save(s))
		case err != nil:
			return err
		case time.Since(last) > saveEvery:
			if err := c.save(s); err != nil {
				return err
			}
			last = time.Now()
		}
		if s.Step%64 == 0 {
			c.tell(float64(s.Step) / float64(steps))
		}
	}
	return nil
}

func (c *course) save(s *state) error {
	return outfile.Write(c.file, true, func(w io.Writer) error { return gob.NewEncoder(w).Encode(s) })
}

// resume reads what an interrupted run has kept, if anything that can be read.
func (c *course) resume() *state {
	f, err := os.Open(c.file)
	if err != nil {
		return nil
	}
	defer f.Close()
	s := &state{}
	if err := gob.NewDecoder(f).Decode(s); err != nil || len(s.Weights) != c.l.size {
		return nil
	}
	return s
}

// pooled trains on wafers of all tasks at once, for the whole budget. begun gets the state in which learning a start
// sets in.
func (c *course) pooled(ctx context.Context, begun func(*state) error) (*state, error) {
	s := c.resume()
	if s == nil {
		set, err := c.lessons[0].task.images(ctx, c.plan.Images)
		if err != nil {
			return nil, err
		}
		w, err := c.l.begin(set, c.seed)
		if err != nil {
			return nil, err
		}
		s = &state{Weights: w}
	}
	steps := max(2, c.plan.Budget/(pooledTasks*pooledImages))
	turn := int(c.plan.First * float64(steps))
	index := make([]int, pooledImages)
	return s, c.run(ctx, s, steps, func(ctx context.Context, s *state) error {
		if s.Step == turn {
			if err := begun(s); err != nil {
				return err
			}
		}
		r := counter.New(c.seed^streamPooled, uint64(s.Step))
		clear(c.grad)
		for range pooledTasks {
			t := &c.lessons[r.IntN(len(c.lessons))]
			for i := range index {
				index[i] = r.IntN(t.images.Len())
			}
			if _, err := c.l.gradient(ctx, s.Weights, t.task.bits(), t.images, index, 1.0/pooledTasks, c.grad); err != nil {
				return fmt.Errorf("fewshot: %s: %w", t.task.Name(), err)
			}
		}
		s.Passes += pooledTasks * pooledImages
		s.Adam.update(s.Weights, c.grad, c.plan.Rate*along((float64(s.Step)+0.5)/float64(steps)))
		return nil
	})
}

// leastGradient is what is added to a weight's usual gradient where the rate of its step is made of it.
const leastGradient = 1e-4

// meta learns a start by a method, from where pooled training has come to, for what is left of the budget. It goes on with
// the moments and along the course of the learning rate.
func (c *course) meta(ctx context.Context, method string, first *state) (*state, error) {
	s := c.resume()
	if s == nil {
		s = &state{Weights: first.Weights, Adam: first.Adam, Passes: first.Passes, Begun: first.Passes, Log: make([]float64, c.l.size)}
		for _, v := range first.Adam.V {
			s.Base = append(s.Base, c.plan.Inside/(math.Sqrt(v)+leastGradient))
		}
	}
	p := c.plan
	o := &outer{course: c, method: method, weights: make([]float64, c.l.size), rates: make([]float64, c.l.size)}
	steps := max(1, int((float64(p.Budget)-s.Begun)/(float64(p.Batch)*o.cost())))
	return s, c.run(ctx, s, steps, func(ctx context.Context, s *state) error {
		r := counter.New(c.seed^streamMeta, uint64(s.Step))
		clear(o.weights)
		clear(o.rates)
		rates := s.rates()
		for range p.Batch {
			t := &c.lessons[r.IntN(len(c.lessons))]
			if err := o.add(ctx, s.Weights, rates, t, draw(&r, t.images.Len(), p.Inner+p.Query), 1/float64(p.Batch)); err != nil {
				return fmt.Errorf("fewshot: %s: %w", t.task.Name(), err)
			}
		}
		s.Passes += float64(p.Batch) * o.cost()
		part := along(p.First + (1-p.First)*(float64(s.Step)+0.5)/float64(steps))
		s.Adam.update(s.Weights, o.weights, p.Outer*part)
		if p.Speed > 0 && method != byReptile {
			s.Rates.update(s.Log, o.rates, p.Speed*part)
			for i, v := range s.Log {
				s.Log[i] = min(max(v, -mostLog), mostLog)
			}
		}
		return nil
	})
}

// mostLog bounds the logarithm of what a rate is learned to be times as large.
const mostLog = 3

// draw is k of n numbers, none twice.
func draw(r *counter.Stream, n, k int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	for i := range k {
		j := i + r.IntN(n-i)
		all[i], all[j] = all[j], all[i]
	}
	return all[:k]
}
