package fewshot

import (
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/autoencoder"
)

// A tuning is a way to tune a start on a task: a method and its rate.
type tuning struct {
	// Way is "rates", the start's own; "sgd"; "adam", from nothing; or "warm", the second moments that training has
	// left in place of Adam's.
	Way      string  `json:"way"`
	Rate     float64 `json:"rate"` // of rates, times what they are
	Momentum float64 `json:"momentum,omitempty"`
}

// String is the tuning in words.
func (t tuning) String() string {
	var s string
	switch t.Way {
	case "rates":
		s = fmt.Sprintf("its own rates × %g", t.Rate)
	case "sgd":
		s = fmt.Sprintf("plain steps at %g", t.Rate)
	case "adam":
		return fmt.Sprintf("Adam at %g", t.Rate)
	default:
		s = fmt.Sprintf("steps at %g by the moments of training", t.Rate)
	}
	if t.Momentum > 0 {
		s += fmt.Sprintf(", momentum %g", t.Momentum)
	}
	return s
}

// tunings are what is tried of a contender's starts: of all alike plain steps, of several momenta, and Adam from
// nothing; of those that carry the moments of training steps by these; of those with rates of their own, these.
func (p *Plan) tunings(contender string) (list []tuning) {
	add := func(way string, momentum float64, rates ...float64) {
		for _, r := range rates {
			list = append(list, tuning{way, r, momentum})
		}
	}
	momenta := []float64{0, p.Momentum, usualMomentum}
	slices.Sort(momenta)
	momenta = slices.Compact(momenta)
	for _, m := range momenta {
		add("sgd", m, 1e-3, 3e-3, 1e-2)
	}
	add("adam", 0, 3e-4, 1e-3, 3e-3)
	if contender == ofPooled {
		return list
	}
	for _, m := range momenta {
		add("warm", m, 1e-4, 3e-4, 1e-3)
	}
	if contender != ofCarried {
		add("rates", p.Momentum, 0.5, 1, 2, 4)
	}
	return list
}

// usualMomentum is what is tried whatever the steps inside have.
const usualMomentum = 0.9

// tune steps from a start on wafers of a task. Steps may go too far, which the same wafers show: see gets, before the
// first step and after each, the weights that have had the least loss on them.
func (l *learner) tune(ctx context.Context, s *state, by tuning, task Task, images *autoencoder.Prepared, index []int, steps int, see func(weights []float64) error) error {
	w, shift, grad := slices.Clone(s.Weights), make([]float64, l.size), make([]float64, l.size)
	best, least := make([]float64, l.size), math.Inf(1)
	rates := s.of(by)
	var a adam
	for k := 0; ; k++ {
		clear(grad)
		v, err := l.gradient(ctx, w, task.bits(), images, index, 1, grad)
		if err != nil {
			return err
		}
		if v < least || k == 0 {
			least = v
			copy(best, w)
		}
		if err := see(best); err != nil || k == steps {
			return err
		}
		if by.Way == "adam" {
			a.update(w, grad, by.Rate)
			continue
		}
		step(w, w, shift, rates, grad, by.Momentum)
	}
}

// of are the rates of a way of tuning.
func (s *state) of(by tuning) []float64 {
	rates := make([]float64, len(s.Weights))
	if by.Way == "rates" {
		rates = s.rates()
	}
	for i := range rates {
		switch by.Way {
		case "rates":
			rates[i] *= by.Rate
		case "sgd":
			rates[i] = by.Rate
		case "warm":
			rates[i] = by.Rate / (math.Sqrt(s.Adam.V[i]) + leastGradient)
		}
	}
	return rates
}
