package drift

import (
	"barrow/run"
	"barrow/study/internal/inputs"
)

// Kind of the folder of a run.
func Kind() run.Kind { return run.Kind{Name: "drift", Version: 2} }

// identity is what a run is known by: the plan with the drifts as they were read, and the metric.
func (p Plan) identity() (run.Identity, error) {
	in, err := inputs.Metric(p.Metric)
	return run.Identity{Kind: Kind(), Settings: p, Inputs: in}, err
}
