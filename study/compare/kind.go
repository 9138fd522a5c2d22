package compare

import (
	"barrow/autoencoder"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/internal/inputs"
	"barrow/surrogate"
)

// Kind of the folder of a comparison.
func Kind() run.Kind { return run.Kind{Name: "compare", Version: 2} }

// EncoderKind is that of the folder of one encoder, trained from one start or
// from several of which the best is kept.
func EncoderKind() run.Kind { return run.Kind{Name: "encoder", Version: 1} }

// BuiltIn stands for the program's own EMD network in a plan.
const BuiltIn = "built-in"

// Identity is what a run of the plan is known by.
func (p Plan) Identity(kind run.Kind) (run.Identity, error) {
	id := run.Identity{Kind: kind, Settings: p}
	var err error
	if id.Inputs, err = inputs.Metric(p.Metric); err != nil {
		return id, err
	}
	if err := p.startInputs(&id); err != nil {
		return id, err
	}
	switch p.CNN {
	case "":
	case BuiltIn:
		id.Inputs = append(id.Inputs, run.Input{Name: "the EMD network of the program", SHA256: surrogate.BuiltInDigest()})
	default:
		paths, err := file.EstimatorFiles(p.CNN)
		if err != nil {
			return id, err
		}
		list, err := inputs.Files("the EMD network", paths)
		if err != nil {
			return id, err
		}
		id.Inputs = append(id.Inputs, list...)
	}
	return id, nil
}

// startInputs are the files that trainings start from.
func (p Plan) startInputs(id *run.Identity) error {
	switch p.Start {
	case "":
	case autoencoder.StartMeta:
		for _, precision := range p.Precisions {
			id.Inputs = append(id.Inputs, run.Input{Name: "the program's start in the precision " + precision, SHA256: autoencoder.StartDigest(precision)})
		}
	default:
		list, err := inputs.Files("the start", []string{p.Start})
		if err != nil {
			return err
		}
		id.Inputs = append(id.Inputs, list...)
	}
	return nil
}
