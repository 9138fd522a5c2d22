package registers

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barrow/econt"
	"barrow/model/keras"
)

// A WeightsKind is a format of files of the chip's weights.
type WeightsKind uint8

const (
	NoWeights    WeightsKind = iota // none that is known
	KerasWeights                    // Keras' HDF5, with one encoder among its layers
	CSVWeights                      // [econt.ReadWeightsCSV]
	YAMLWeights                     // a register file, of which the weights are taken
)

// KindOf tells a file of weights by the ending of its name, in upper or lower case: .hdf5
// and .h5, .csv, .yaml and .yml.
func KindOf(path string) WeightsKind {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".hdf5", ".h5":
		return KerasWeights
	case ".csv":
		return CSVWeights
	case ".yaml", ".yml":
		return YAMLWeights
	}
	return NoWeights
}

// FileSettings say how [ReadFile] makes the chip's integers of a Keras file's numbers.
type FileSettings struct {
	// Order of the dense kernel. Nil is that of the weights given where they are the
	// file's, else [econt.DenseKeras], the trained network's.
	Order *econt.DenseOrder
	// Rounding to multiples of 1/32. Nil is that of the weights given where they are the
	// file's, else the golden files' own, [econt.RoundFloor], with the order
	// [econt.DenseGolden], and [econt.RoundNearest] with the other.
	Rounding *econt.Rounding
	Given    *econt.Weights // those of the register file that the weights are for; may be nil
}

// ReadFile reads the weights of an encoder alone, in the format that [KindOf] tells. The
// remarks are what a user should know of how they were read: weights that were rounded or
// clipped, and a kernel that is not the trained network's. Settings are for Keras files:
// others have the chip's integers.
func ReadFile(path string, s FileSettings) (w *econt.Weights, remarks []string, err error) {
	if KindOf(path) == NoWeights {
		return nil, nil, fmt.Errorf("%s: weights of an encoder alone end in .hdf5, .h5, .csv, .yaml or .yml; a trained encoder of Barrow becomes registers by \"barrow encoder export\"", path)
	}
	if KindOf(path) == KerasWeights {
		return s.readKeras(path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	if KindOf(path) == YAMLWeights {
		r, err := econt.JoinRegisters(econt.RegisterFile{Name: path, Reader: in})
		if err != nil {
			return nil, nil, err
		}
		if r.Config.Weights == nil {
			return nil, nil, fmt.Errorf("%s: no Encoder registers", path)
		}
		return r.Config.Weights, nil, nil
	}
	if w, err = econt.ReadWeightsCSV(in); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil, nil
}

// readKeras takes the encoder of a Keras file. Where a setting is open and the weights
// given are these, read in some way, that way is taken.
func (s FileSettings) readKeras(path string) (*econt.Weights, []string, error) {
	orders := []econt.DenseOrder{econt.DenseKeras, econt.DenseGolden}
	roundings := []econt.Rounding{econt.RoundNearest, econt.RoundFloor}
	if s.Order != nil {
		orders = []econt.DenseOrder{*s.Order}
		if *s.Order == econt.DenseGolden { // who asks for the golden files' order means their rounding
			roundings = []econt.Rounding{econt.RoundFloor, econt.RoundNearest}
		}
	}
	if s.Rounding != nil {
		roundings = []econt.Rounding{*s.Rounding}
	}
	var readings []reading
	for _, o := range orders {
		for _, r := range roundings {
			readings = append(readings, reading{o, r})
		}
	}
	file, err := keras.ReadWeights(path)
	if err != nil {
		return nil, nil, err
	}
	w, err := read(file, s.Given, readings...)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	remarks := s.remarks(w)
	for i := range remarks {
		remarks[i] = path + ": " + remarks[i]
	}
	return w.Weights, remarks, nil
}

// remarks say what was chosen and changed in reading a Keras file.
func (s FileSettings) remarks(w *found) (all []string) {
	if w.given && w.reading.order == econt.DenseGolden && s.Order == nil {
		all = append(all, "the registers hold this dense kernel untransposed, as the golden files do: not the network that was trained")
	}
	if n := w.changed.OffGrid; n > 0 {
		how := "the nearest, as QKeras computes"
		if w.reading.rounding == econt.RoundFloor {
			how = "the next below, as the golden files were made: not the network that QKeras computes"
		}
		if w.given && s.Rounding == nil {
			how += "; so the registers have it"
		}
		all = append(all, fmt.Sprintf("%d of %d weights are no multiples of 1/32 and were rounded to %s", n, econt.WeightCount, how))
	}
	if n := w.changed.Clipped; n > 0 {
		all = append(all, fmt.Sprintf("%d of %d weights were outside -1 to 31/32 and were clipped", n, econt.WeightCount))
	}
	return all
}
