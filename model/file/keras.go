package file

import (
	"barrow/model"
	"barrow/model/keras"
	"barrow/nn"
)

func kerasFormat() model.Format {
	return model.Format{
		Name: "keras", About: "Keras and QKeras: .h5 or .hdf5, or .json and weights of the same name beside it",
		Recognise: keras.Recognise,
		Read: func(f model.Source, s nn.Settings) (*nn.Network, error) {
			m, err := openKeras(f)
			if err != nil {
				return nil, err
			}
			return m.Network(s)
		},
		Open: runKeras,
		Files: func(f model.Source) ([]string, error) {
			if f.Weights != "" {
				return []string{f.Path, f.Weights}, nil
			}
			return keras.Files(f.Path)
		},
	}
}

func openKeras(f model.Source) (*keras.Model, error) {
	if f.Weights != "" {
		return keras.ReadModelJSON(f.Path, f.Weights)
	}
	return keras.Open(f.Path)
}

// runKeras runs a model with the inputs that it has in Keras, of which the network
// may see several as one.
func runKeras(f model.Source, s nn.Settings) (model.Runner, error) {
	m, err := openKeras(f)
	if err != nil {
		return nil, err
	}
	net, err := m.Network(s)
	if err != nil {
		return nil, err
	}
	var inputs []model.Input
	for _, in := range m.Inputs {
		inputs = append(inputs, model.Input{Name: in.Name, Shape: in.Shape, Side: in.Side})
	}
	return model.RunNetwork(net, inputs, m.Latent)
}
