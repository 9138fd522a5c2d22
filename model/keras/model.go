package keras

import (
	"fmt"

	"barrow/nn"
)

// A Model is a Keras model in terms of nn.
type Model struct {
	// Spec is the network. Its input is the model's first inputs, concatenated
	// along the channels in the order of Inputs.
	Spec nn.Spec
	// Inputs are the model's inputs: first those that make up the network's
	// input, then those that join later (with a Side).
	Inputs []Input
	// places are those of the inputs in the order in which Keras takes them.
	places []int
	// Latent is how many of Spec's layers make up a model within the model that makes
	// a vector of its input, as the encoder in an autoencoder does; 0 where none does.
	Latent int
	// Weights are the values of the network's parameters by nn's names, such
	// as "conv2d_1/kernel".
	Weights map[string][]float32
	// File is where the model came from.
	File *File
}

// An Input is one input of a Keras model.
type Input struct {
	Name  string   // of its input layer
	Shape nn.Shape // of one sample
	// Side names the layer of Spec that the input joins at (see
	// nn.Network.SetSide); empty for the inputs in front of the network.
	Side string
}

// ReadModel reads a whole-model HDF5 file or a .keras file. An error says which layer is not
// supported, and what is.
func ReadModel(path string) (*Model, error) {
	f, err := readWhole(path)
	if err != nil {
		return nil, err
	}
	return finishRead(f, path)
}

func readWhole(path string) (*File, error) {
	f, err := ReadWeights(path)
	if err == nil && f.Config == "" {
		return nil, errorf("%s: holds weights only (no attribute model_config): give the architecture's JSON file too", path)
	}
	return f, err
}

// ReadModelJSON reads a model in two files: the architecture, as to_json gives
// it, and the weights in HDF5.
func ReadModelJSON(jsonPath, weightsPath string) (*Model, error) {
	f, err := readTwo(jsonPath, weightsPath)
	if err != nil {
		return nil, err
	}
	return finishRead(f, jsonPath+" with "+weightsPath)
}

func readTwo(jsonPath, weightsPath string) (*File, error) {
	config, err := readAll(jsonPath, "an architecture of Keras (JSON)", maxJSON, isArchitecture)
	if err != nil {
		return nil, err
	}
	f, err := ReadWeights(weightsPath)
	if err != nil {
		return nil, err
	}
	f.Config = string(config)
	return f, nil
}

func finishRead(f *File, path string) (*Model, error) {
	m, err := NewModel(f)
	if err != nil {
		return nil, fmt.Errorf("keras: %s: %w", path, trim(err))
	}
	return m, nil
}

// NewModel maps a file that has a Config onto nn. Every weight that the
// architecture asks for must be there, in its shape, and no others.
func NewModel(f *File) (*Model, error) {
	if f.Config == "" {
		return nil, errorf("no architecture (model_config)")
	}
	c, err := parseConfig([]byte(f.Config))
	if err != nil {
		return nil, errorf("%w", err)
	}
	m, err := lower(c)
	if err != nil {
		return nil, errorf("%w", err)
	}
	if err := f.agrees(c); err != nil {
		return nil, errorf("%w", err)
	}
	f = f.fitted(c)
	m.File, m.Weights = f, map[string][]float32{}
	if err := m.takeWeights(c); err != nil {
		return nil, errorf("%w", err)
	}
	return m, nil
}

// Network builds the network with the file's weights.
func (m *Model) Network(s nn.Settings) (*nn.Network, error) {
	n, err := nn.New(m.Spec, s)
	if err != nil {
		return nil, errorf("%w", err)
	}
	for _, p := range n.Params() {
		if err := n.SetParam(p.Name, m.Weights[p.Name]); err != nil {
			return nil, errorf("%w", err)
		}
	}
	return n, nil
}
