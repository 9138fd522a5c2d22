package cluster

import "barrow/run"

// Kind of the folder of a run.
func Kind() run.Kind { return run.Kind{Name: "cluster", Version: 2} }
