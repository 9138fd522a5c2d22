package file

import (
	"fmt"
	"os"

	"barrow/model"
	"barrow/nn"
	"barrow/run"
)

// Describe says in a few words what model a run's folder or a file holds; ok is false
// for what is neither a run nor a model.
func Describe(path string) (text string, ok bool) {
	if info, err := os.Stat(path); err != nil || info.IsDir() {
		of, bad := run.Inspect(path)
		if err != nil || bad != nil {
			return "", false
		}
		text = "the folder of a run of the kind " + of.Name
		if !of.Finished {
			text += ", not finished"
		}
		return text, true
	}
	kind, format, err := recognise(path)
	switch {
	case err != nil:
		return "", false
	case kind == barrowNetwork:
		return "a network's weights, as Barrow keeps them", true
	case kind == barrowPotential:
		return "a network of potentials, as Barrow keeps them, which estimates distances", true
	case format.Read == nil:
		return "", false
	}
	// That a file could be a model's is not that it is: HDF5 holds tables, too.
	net, err := format.Read(model.Source{Path: path}, nn.Settings{})
	if err != nil {
		return "", false
	}
	numbers := 0
	for _, p := range net.Params() {
		numbers += len(p.Value)
	}
	return fmt.Sprintf("a model in the format %s: %d layers, %d parameters", format.Name, len(net.Layers()), numbers), true
}
