package file

import (
	"fmt"
	"os"
	"path/filepath"

	"barrow/decoder"
	"barrow/nn"
	"barrow/run"
)

// Decoder opens a decoder of the chip's frames: the folder of its training, or its weights
// file.
func Decoder(name string, s Settings) (*decoder.Model, error) {
	path, err := DecoderWeights(name)
	if err != nil {
		return nil, err
	}
	kind, format, err := recognise(path)
	switch {
	case err != nil:
		return nil, err
	case kind == foreign:
		return nil, fmt.Errorf("model: %s: a file in the format %s, which does not say which frames it decodes; a run's folder or a weights file of Barrow is wanted", path, format.Name)
	case kind == barrowPotential:
		return nil, fmt.Errorf("model: %s: a network of potentials, which estimates distances; a decoder of frames is wanted", path)
	}
	return decoder.Load(path, nn.Settings{Threads: s.Threads})
}

// DecoderWeights finds the file that a user means by the name of a decoder: the file itself,
// or that of a run's folder.
func DecoderWeights(name string) (string, error) {
	folder, err := isFolder(name)
	if err != nil || !folder {
		return name, err
	}
	path := filepath.Join(name, run.Weights, run.DecoderWeights+run.WeightsEnding)
	if _, err := os.Stat(path); err != nil {
		return "", lacks(name, "a trained decoder of frames", run.DecoderWeights)
	}
	return path, nil
}
