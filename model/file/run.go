package file

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/internal/outfile"
	"barrow/model"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
)

// Run runs the model of a source on the arrays of a file, in, as the model itself
// takes them, and writes what it makes of them to another, out: y, y1 and so on, and
// latent, where a model within it makes one. It returns what it wrote.
func Run(ctx context.Context, src model.Source, in, out string, force bool, s Settings) (model.Vectors, error) {
	if !strings.EqualFold(filepath.Ext(out), ".npz") {
		return nil, fmt.Errorf("model: %s: the arrays are written as an .npz file of NumPy's: give it that ending", out)
	}
	if err := outfile.Check(out, force); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	r, err := Runner(src, s)
	if err != nil {
		return nil, err
	}
	arrays, err := inputs(in, r.Inputs())
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	v, err := r.Run(ctx, arrays)
	if err != nil {
		return nil, named(src.Path, err)
	}
	if err := writeArrays(out, force, v); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return v, nil
}

// Runner makes ready to run a model of any sort: a run's folder, a weights file of
// Barrow, or a model of another program, in that program's own arithmetic.
func Runner(src model.Source, s Settings) (model.Runner, error) {
	settings := nn.Settings{Threads: s.Threads}
	path, err := anyWeights(src.Path, s.Loss)
	if err != nil {
		return nil, err
	}
	kind, format, err := recognise(path)
	if err != nil {
		return nil, err
	}
	src.Path = path
	switch {
	case src.Weights != "" && (kind != foreign || !apart(format, path)):
		return nil, fmt.Errorf("model: %s is a model whole, so %s is one weights file too many", path, src.Weights)
	case kind != foreign:
		return ownRunner(path, settings)
	case format.Open != nil:
		return format.Open(src, settings)
	case format.Read != nil:
		net, err := format.Read(src, settings)
		if err != nil {
			return nil, err
		}
		return model.RunNetwork(net, nil, 0)
	}
	return nil, fmt.Errorf("model: %s: the format %s is written and not read; %s", path, format.Name, wanted())
}

// named puts a file's name before an error that does not have it.
func named(path string, err error) error {
	if strings.Contains(err.Error(), path) {
		return err
	}
	return fmt.Errorf("%s: %w", path, err)
}

// apart reports whether a model of another program has its weights in another file.
func apart(format *model.Format, path string) bool {
	head, err := beginning(path)
	return err == nil && format.Apart != nil && format.Apart(head)
}

// ownRunner is that of a weights file of Barrow: an autoencoder, an estimator of the
// EMD, a decoder of frames, or any other network.
func ownRunner(path string, s nn.Settings) (model.Runner, error) {
	if a, err := autoencoder.Load(path, s); err == nil {
		m, err := model.Of(a)
		if err != nil {
			return nil, err
		}
		return m.Runner(), nil
	}
	if d, err := surrogate.Open(path, s); err == nil {
		m, err := model.OfEstimator(d)
		if err != nil {
			return nil, err
		}
		return m.Runner(), nil
	}
	if d, err := decoder.Load(path, s); err == nil {
		m, err := model.OfDecoder(d)
		if err != nil {
			return nil, err
		}
		return m.Runner(), nil
	}
	net, err := nn.Load(path, s)
	if err != nil {
		return nil, err
	}
	return model.RunNetwork(net, nil, 0)
}

// anyWeights finds the file that a user means by the name of a model: that itself, or
// of a run's folder the encoder's or, where it has none, the decoder's of frames or that of its
// EMD network.
func anyWeights(name, loss string) (string, error) {
	folder, err := isFolder(name)
	if err != nil || !folder && loss == "" {
		return name, err
	}
	if found, _ := filepath.Glob(filepath.Join(name, run.Weights, run.EncoderWeights+"*"+run.WeightsEnding)); loss == "" && len(found) == 0 {
		if path, err := DecoderWeights(name); err == nil {
			return path, nil
		}
		return estimatorWeights(name)
	}
	return EncoderWeights(name, loss)
}
