package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/model"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
)

// Settings say which model is meant, and how it shall run.
type Settings struct {
	// Loss names one of a run folder's encoders, by what it was trained with.
	Loss string
	// Threads that the model may use; 0 is all processors.
	Threads int
}

// Autoencoder opens an encoder with its decoder: a run's folder, a weights file
// of Barrow, or the file of another program (see [autoencoder.FromNetwork]). One
// that holds an encoder alone is taken with the file of its decoder beside it, called
// alike but for the words encoder and decoder, as in CMSSW and in Barrow's exports.
func Autoencoder(name string, s Settings) (*autoencoder.Model, error) {
	settings := nn.Settings{Threads: s.Threads}
	path, err := EncoderWeights(name, s.Loss)
	if err != nil {
		return nil, err
	}
	kind, format, err := recognise(path)
	switch {
	case err != nil:
		return nil, err
	case kind == barrowPotential:
		return nil, fmt.Errorf("model: %s: a network of potentials, which estimates distances; an encoder is wanted", path)
	case kind == barrowNetwork:
		return autoencoder.Load(path, settings)
	}
	net, err := readNetwork(format, path, settings)
	if err != nil {
		return nil, err
	}
	m, err := autoencoderOf(net, path, settings)
	if err != nil {
		return nil, named(path, err)
	}
	return m, nil
}

// Encoder opens what Autoencoder does, and an encoder or a decoder alone of another
// program, as formats see them.
func Encoder(name string, s Settings) (*model.Model, error) {
	settings := nn.Settings{Threads: s.Threads}
	path, err := EncoderWeights(name, s.Loss)
	if err != nil {
		return nil, err
	}
	if kind, format, err := recognise(path); err == nil && kind == foreign {
		net, err := readNetwork(format, path, settings)
		if err != nil {
			return nil, err
		}
		m, err := ofAutoencoder(net)
		if err != nil {
			return nil, named(path, err)
		}
		return m, nil
	}
	a, err := Autoencoder(path, Settings{Threads: s.Threads})
	if err != nil {
		return nil, err
	}
	return model.Of(a)
}

// ofAutoencoder is another program's network as an autoencoder, or a part of one.
func ofAutoencoder(net *nn.Network) (*model.Model, error) {
	a, err := autoencoder.FromNetwork(net)
	if err == nil {
		return model.Of(a)
	}
	if m, alone := model.OfNetwork(net); alone == nil {
		return m, nil
	}
	return nil, err
}

// Assumed is what is taken for granted of an encoder's file because the file does
// not say it; "" if nothing is, or if the file cannot be opened.
func Assumed(path string) string {
	kind, format, err := recognise(path)
	if err != nil || kind != foreign {
		return ""
	}
	return fmt.Sprintf("%s: a file in the format %s does not say how images are normalised and arranged: as Barrow's own encoders have them, divided by 2^floor(log2(sum)), is assumed", path, format.Name)
}

// Estimator opens a network that estimates the EMD: a run's folder, a weights
// file of Barrow of either sort, or the EMD CNN of another program.
func Estimator(name string, s Settings) (loss.Distance, error) {
	settings := nn.Settings{Threads: s.Threads}
	path, err := estimatorWeights(name)
	if err != nil {
		return nil, err
	}
	kind, format, err := recognise(path)
	if err != nil {
		return nil, err
	}
	if kind != foreign {
		return surrogate.Open(path, settings)
	}
	net, err := readNetwork(format, path, settings)
	if err != nil {
		return nil, err
	}
	m, err := surrogate.FromNetwork(net)
	if err != nil {
		return nil, named(path, err)
	}
	return m, nil
}

// EstimatorFiles names the files that Estimator reads by a name: more than one
// where another program keeps layers and weights apart.
func EstimatorFiles(name string) ([]string, error) {
	path, err := estimatorWeights(name)
	if err != nil {
		return nil, err
	}
	return files(path)
}

// AutoencoderFiles names in the same way those that Autoencoder reads.
func AutoencoderFiles(name, loss string) ([]string, error) {
	path, err := EncoderWeights(name, loss)
	if err != nil {
		return nil, err
	}
	own, err := files(path)
	if err != nil {
		return nil, err
	}
	beside := decoderBeside(path)
	if kind, _, err := recognise(path); err != nil || kind != foreign || beside == "" {
		return own, err
	}
	more, err := files(beside)
	return append(own, more...), err
}

func files(path string) ([]string, error) {
	kind, format, err := recognise(path)
	if err != nil {
		return nil, err
	}
	if kind != foreign || format.Files == nil {
		return []string{path}, nil
	}
	return format.Files(model.Source{Path: path})
}

// estimatorWeights finds the file that a user means by the name of a network that
// estimates the EMD: the file itself, or that of a run's folder.
func estimatorWeights(name string) (string, error) {
	folder, err := isFolder(name)
	if err != nil || !folder {
		return name, err
	}
	path := filepath.Join(name, run.Weights, run.SurrogateWeights+run.WeightsEnding)
	if _, err := os.Stat(path); err != nil {
		return "", lacks(name, "a trained EMD network", run.SurrogateWeights)
	}
	return path, nil
}

// isFolder tells folders from files; what is neither is an error.
func isFolder(name string) (bool, error) {
	info, err := os.Stat(name)
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		return false, fmt.Errorf("model: %q: %w; %s", name, at.Err, wanted())
	}
	if err != nil {
		return false, fmt.Errorf("model: %q: %w", name, err)
	}
	return info.IsDir(), nil
}

// lacks says what a folder holds instead of the weights of a name.
func lacks(folder, network, name string) error {
	is, has := "a folder that holds no run", ""
	if info, err := run.Inspect(folder); err == nil {
		is = fmt.Sprintf("the folder of a run of the kind %q", info.Name)
		if !info.Finished {
			is += ", not finished"
		}
	}
	if others, err := filepath.Glob(filepath.Join(folder, run.Weights, "*"+run.WeightsEnding)); err == nil && len(others) > 0 {
		const listed = 6
		for _, path := range others[:min(listed, len(others))] {
			has += ", " + filepath.Base(path)
		}
		if len(others) > listed {
			has += fmt.Sprintf(" and %d more", len(others)-listed)
		}
		has = "; it has" + has[1:]
	} else if found := modelsIn(folder); len(found) > 0 {
		has = "; it has models of other programs: name one of " + strings.Join(found, ", ")
	}
	return fmt.Errorf("model: %s: %s, without %s (no %s)%s; %s", folder, is, network, filepath.Join(run.Weights, name+run.WeightsEnding), has, wanted())
}

// modelsIn lists a folder's files that look like models of other programs, the first few.
func modelsIn(folder string) (names []string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if kind, _, err := recognise(filepath.Join(folder, e.Name())); err == nil && kind == foreign {
			if names = append(names, e.Name()); len(names) == 6 {
				break
			}
		}
	}
	return names
}

// ofSeed are the weights of one seed among several: the best of them lie beside
// them under the loss alone.
var ofSeed = regexp.MustCompile(`-seed\d+\.weights$`)

// ErrSeveral is wrapped where a run's folder holds more than one encoder and no
// loss says which is meant.
var ErrSeveral = errors.New("say which, by its loss or its file")

// ErrLoss is wrapped where a run's folder holds encoders, but none of the loss that was
// named.
var ErrLoss = errors.New("name one of these")

// EncoderWeights finds the file that a user means by the name of an encoder: the
// file itself or, in a run's folder, the encoder trained with the named loss,
// or the only one there is.
func EncoderWeights(name, by string) (string, error) {
	folder, err := isFolder(name)
	switch {
	case err != nil:
		return "", err
	case !folder && by != "":
		return "", fmt.Errorf("model: %s: a file, which holds one encoder; a loss (%q) chooses among those of a run's folder: name the folder, or leave the loss out", name, by)
	case !folder:
		return name, nil
	}
	found, err := filepath.Glob(filepath.Join(name, run.Weights, run.EncoderWeights+"*"+run.WeightsEnding))
	if err != nil {
		return "", fmt.Errorf("model: %s: %w", name, err)
	}
	if want := filepath.Join(name, run.Weights, run.EncoderWeights+loss.FileName(by)+run.WeightsEnding); slices.Contains(found, want) {
		return want, nil
	}
	found = slices.DeleteFunc(found, ofSeed.MatchString)
	switch {
	case len(found) == 0:
		return "", lacks(name, "a trained encoder", run.EncoderWeights+"*")
	case by != "":
		return "", fmt.Errorf("model: %s holds no encoder trained with %q; it has %s: %w", name, by, losses(found), ErrLoss)
	case len(found) > 1:
		return "", fmt.Errorf("model: %s holds %d encoders (%s): %w", name, len(found), losses(found), ErrSeveral)
	}
	return found[0], nil
}

// readNetwork gives the network of a file of another program.
func readNetwork(f *model.Format, path string, s nn.Settings) (*nn.Network, error) {
	if f.Read == nil {
		return nil, fmt.Errorf("model: %s: a model in the format %s is run as it stands, and not read as a network of Barrow's layers; %s", path, f.Name, wanted())
	}
	return f.Read(model.Source{Path: path}, s)
}
