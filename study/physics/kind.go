package physics

import (
	"strconv"

	"barrow/run"
	"barrow/study/internal/inputs"
	"barrow/wafer/file"
)

// Kind of the folder of a run.
func Kind() run.Kind { return run.Kind{Name: "physics", Version: 1} }

// identity is what a run is known by: the plan, and the contents of the files that it names.
func (p Plan) identity(encoders []run.Input) (run.Identity, error) {
	id := run.Identity{Kind: Kind(), Settings: p}
	if len(p.losses()) > 0 {
		t, err := p.training(nil).Identity(Kind())
		if err != nil {
			return id, err
		}
		id.Inputs = t.Inputs
	} else {
		var err error
		if id.Inputs, err = inputs.Metric(p.Metric); err != nil {
			return id, err
		}
	}
	id.Inputs = append(id.Inputs, encoders...)
	add := func(what string, paths ...string) error {
		list, err := inputs.Files(what, paths)
		id.Inputs = append(id.Inputs, list...)
		return err
	}
	if p.Links != modulesLinks {
		if _, err := strconv.Atoi(p.Links); err != nil {
			if err := add("the links", p.Links); err != nil {
				return id, err
			}
		}
	}
	for _, list := range []struct {
		what  string
		names []string
	}{{"the events", p.Data}, {"the minimum bias", p.Others}} {
		for _, name := range list.names {
			paths, err := file.Expand(name)
			if err != nil {
				return id, err
			}
			if err := add(list.what, paths...); err != nil {
				return id, err
			}
		}
	}
	return id, nil
}
