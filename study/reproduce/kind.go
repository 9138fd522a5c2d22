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

// FullIdentity is what a full run is known by.
func (c Config) FullIdentity() (run.Identity, error) {
	id, err := c.Identity()
	id.Kind = FullKind()
	return id, err
}
