package plan

import "math"

// choose gives every class its best candidate by the validation images, with no more than limit
// sets of weights among them, 0 being no limit, and none of those that without leaves out. Which sets those are is found by adding the one
// that helps most until none helps or no more may be, and then exchanging one for another as
// long as that helps: no search of all, of which there may be too many.
func (p Plan) choose(classes []class, measures []measure, sets []Set, limit int, without func(Candidate) bool) []int {
	every := map[string]bool{}
	for _, s := range sets {
		every[s.Name] = true
	}
	choice, _ := p.pick(classes, measures, every, without)
	if limit == 0 || len(used(measures, choice)) <= limit {
		return choice
	}
	allowed := map[string]bool{}
	choice, best := p.pick(classes, measures, allowed, without)
	try := func(out, in string) (better bool) {
		next := map[string]bool{}
		for name := range allowed {
			next[name] = name != out
		}
		next[in] = true
		c, v := p.pick(classes, measures, next, without)
		if !v.below(best) {
			return false
		}
		choice, best = c, v
		return true
	}
	for step := true; step; {
		var out, in string
		for _, s := range sets {
			if allowed[s.Name] {
				continue
			}
			outs := []string{""}
			if len(allowed) >= limit {
				outs = keys(sets, allowed)
			}
			for _, o := range outs {
				if try(o, s.Name) {
					out, in = o, s.Name
				}
			}
		}
		if step = in != ""; step {
			delete(allowed, out)
			allowed[in] = true
		}
	}
	return choice
}

// keys are the allowed sets in their order.
func keys(sets []Set, allowed map[string]bool) (list []string) {
	for _, s := range sets {
		if allowed[s.Name] {
			list = append(list, s.Name)
		}
	}
	return list
}

// used are the sets of a choice.
func used(measures []measure, choice []int) map[string]bool {
	names := map[string]bool{}
	for k, i := range choice {
		if s := measures[k].Scores[i].Set; s != "" {
			names[s] = true
		}
	}
	return names
}

// A sum is what a choice leaves: the worst class first where that counts, then all together.
type sum struct{ worst, all float64 }

func (s sum) below(o sum) bool { return s.worst < o.worst || s.worst == o.worst && s.all < o.all }

// pick gives every class the best candidate of those allowed; at equal, the first, which the
// rules by hand are.
func (p Plan) pick(classes []class, measures []measure, allowed map[string]bool, without func(Candidate) bool) ([]int, sum) {
	var total sum
	choice := make([]int, len(measures))
	for k, m := range measures {
		best := Errors{EMD: math.Inf(1), Charge: math.Inf(1), Energy: math.Inf(1)}
		for i, s := range m.Scores {
			if without != nil && without(s.Candidate) || s.Set != "" && !allowed[s.Set] {
				continue
			}
			if p.better(s.Validation, best) {
				choice[k], best = i, s.Validation
			}
		}
		value := p.value(best)
		total.all += value * float64(len(classes[k].modules))
		if p.Figure == figureWorst {
			total.worst = max(total.worst, value)
		}
	}
	return choice, total
}
