package reproduce

import (
	"barrow/run"
	"barrow/study/internal/inputs"
)

// Kind of the folder of the main job.
func Kind() run.Kind { return run.Kind{Name: "reproduce", Version: 1} }

// FullKind is that of the folder of a full run.
func FullKind() run.Kind { return run.Kind{Name: "reproduce-full", Version: 1} }

// Identity is what a run is known by.
func (c Config) Identity() (run.Identity, error) {
	in, err := inputs.Metric(c.Metric)
	return run.Identity{Kind: Kind(), Settings: c, Inputs: in}, err
}

// Identity is what a full run is known by.
func (c FullConfig) Identity() (run.Identity, error) {
	id, err := c.Plan.Identity(FullKind())
	id.Settings = c
	return id, err
}
