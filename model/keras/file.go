package keras

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"barrow/internal/h5"
	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/internal/sniff"
)

// A File is what a Keras HDF5 file holds: weights, and in a whole-model file
// the architecture.
type File struct {
	KerasVersion string // "2.5.0"; a guess at what made the file, not checked
	Backend      string // "tensorflow"
	// Config is the architecture as JSON, empty in a weights-only file. In a
	// file written by Write it makes the difference between the two.
	Config string
	// TrainingConfig is the optimizer and the losses as JSON, if the model was
	// compiled. The optimizer's state is not read.
	TrainingConfig string
	Layers         []LayerWeights

	vars *varGroup // what a file has that does not name its layers
}

// LayerWeights are the weights of one top-level layer, in Keras' order:
// trainable ones first. A nested model counts as one layer.
type LayerWeights struct {
	Layer   string
	Weights []Weight
}

// A Weight is one array, in C order and in the shape that Keras gives it:
// kernels of convolutions are height×width×in×out (transposed ones
// height×width×out×in), those of dense layers in×out.
type Weight struct {
	Name  string // "conv2d_1/kernel:0"
	Shape []int
	Data  []float32
}

// The largest files that are read, in bytes: weights, an architecture.
const (
	maxFile = 1 << 30
	maxJSON = 1 << 26
)

// maxWeights is how many weights a file may hold. Links can make a small file
// name the same data many times; this bounds what comes of it.
const maxWeights = 1 << 27

// ReadWeights reads a whole-model or weights-only HDF5 file, or a .keras file. Weights stored as
// float16 or float32 are exact; float64 is rounded to float32. Errors name the
// file and the group or dataset.
func ReadWeights(path string) (*File, error) {
	data, err := readAll(path, "a Keras file of weights (HDF5)", maxFile, isWeights)
	if err != nil {
		return nil, err
	}
	f, err := ParseWeights(data)
	if err != nil {
		return nil, fmt.Errorf("keras: %s: %w", path, trim(err))
	}
	return f, nil
}

// readAll reads a file that is what it should be: its size and, before the rest
// is read, its beginning are looked at.
func readAll(path, what string, most int64, is func(head []byte) bool) ([]byte, error) {
	head, err := sniff.Head(path)
	if err != nil {
		return nil, errorf("%w", err)
	}
	if !is(head) {
		return nil, errorf("%s: %s; wanted is %s", path, sniff.Looks(head), what)
	}
	b, err := limit.ReadFile(path, what, most)
	if err != nil {
		return nil, errorf("%w", err)
	}
	return b, nil
}

// isWeights is HDF5 or a zip file, which .keras files are.
func isWeights(head []byte) bool {
	return bytes.HasPrefix(head, []byte(signature)) || bytes.HasPrefix(head, []byte(zipSignature))
}

// trim takes the package's prefix off an error that gets a longer one.
func trim(err error) error {
	var k *kerasError
	if errors.As(err, &k) {
		return k.err
	}
	return err
}

// A kerasError is an error of this package; trim takes the prefix off again.
type kerasError struct{ err error }

func (e *kerasError) Error() string { return "keras: " + e.err.Error() }
func (e *kerasError) Unwrap() error { return e.err }

func errorf(format string, args ...any) error {
	return &kerasError{fmt.Errorf(format, args...)}
}

// ParseWeights is ReadWeights for a file that is in memory. The data must not
// be changed afterwards.
func ParseWeights(data []byte) (f *File, err error) {
	// The reader checks what it reads; should it yet fail on some file, the
	// caller gets an error as for any other damage.
	defer func() {
		if r := recover(); r != nil {
			f, err = nil, errorf("the reader failed on this file (%v): it is damaged or of a kind that is not supported", r)
		}
	}()
	if bytes.HasPrefix(data, []byte(zipSignature)) {
		return parseZip(data)
	}
	return parseHDF5(data)
}

func parseHDF5(data []byte) (f *File, err error) {
	file, err := h5.Parse(data)
	if err != nil {
		return nil, errorf("%w", err)
	}
	root, err := file.Root()
	if err != nil {
		return nil, errorf("%w", err)
	}
	f = &File{}
	if f.Config, _, err = root.String("model_config"); err != nil {
		return nil, errorf("%w", err)
	}
	if f.TrainingConfig, _, err = root.String("training_config"); err != nil {
		return nil, errorf("%w", err)
	}
	g := root
	if root.Has("model_weights") {
		if g, err = root.Group("model_weights"); err != nil {
			return nil, errorf("%w", err)
		}
	}
	if f.KerasVersion, _, err = g.String("keras_version"); err != nil {
		return nil, errorf("%w", err)
	}
	if f.Backend, _, err = g.String("backend"); err != nil {
		return nil, errorf("%w", err)
	}
	if named, err := g.HasAttribute("layer_names"); err == nil && !named && hasVars(g) {
		return f, f.readVars(g)
	}
	return f, f.readLayers(g)
}

func (f *File) readLayers(g *h5.Group) error {
	names, ok, err := g.Strings("layer_names")
	if err != nil {
		return errorf("%w", err)
	}
	if !ok {
		return errorf("%s: no attribute layer_names: not a Keras 2 file of weights (one of Keras 3, or another program's?)", g.Path())
	}
	seen, total := map[string]bool{}, 0
	for _, name := range names {
		if seen[name] {
			return errorf("layer_names: layer %q is there twice", name)
		}
		seen[name] = true
		l, err := g.Group(name)
		if err != nil {
			return errorf("layer %q: %w", name, err)
		}
		lw := LayerWeights{Layer: name}
		weights, _, err := l.Strings("weight_names")
		if err != nil {
			return errorf("layer %q: %w", name, err)
		}
		twice := map[string]bool{}
		for _, w := range weights {
			if twice[w] {
				return errorf("layer %q: weight %q is there twice", name, w)
			}
			twice[w] = true
			d, err := l.Dataset(w)
			if err != nil {
				return errorf("layer %q: weight %q is missing: %w", name, w, err)
			}
			data, err := numbers(d)
			if err != nil {
				return errorf("layer %q: weight %q: %w", name, w, err)
			}
			if total += len(data); total > maxWeights {
				return errorf("more than %d weights are not supported", maxWeights)
			}
			lw.Weights = append(lw.Weights, Weight{Name: w, Shape: d.Shape(), Data: data})
		}
		f.Layers = append(f.Layers, lw)
	}
	return nil
}

// numbers are an array's. Keras keeps bfloat16, which HDF5 has not, as two bytes of no type.
func numbers(d *h5.Dataset) ([]float32, error) {
	if t := d.Type(); t.Class.String() == "opaque" && t.Size == 2 {
		return nil, fmt.Errorf("%s: bfloat16 is not supported; supported are float16, float32 and float64: set the policy to float32, build the model again and give it the weights (set_weights)", d.Path())
	}
	return d.Float32s()
}

// Weight finds an array by its layer (a top-level one) and its name there,
// such as "conv2d_1/kernel:0"; nil if there is none.
func (f *File) Weight(layer, name string) *Weight {
	for i := range f.Layers {
		if f.Layers[i].Layer != layer {
			continue
		}
		for j := range f.Layers[i].Weights {
			if w := &f.Layers[i].Weights[j]; w.Name == name {
				return w
			}
		}
	}
	return nil
}

// Count is the number of weights, moving averages included.
func (f *File) Count() int {
	n := 0
	for _, l := range f.Layers {
		for _, w := range l.Weights {
			n += len(w.Data)
		}
	}
	return n
}

// Encode is the file as HDF5: whole-model if there is a Config, weights-only
// otherwise. Names must be unique and shapes fit their data.
func (f *File) Encode() ([]byte, error) {
	root := &h5.Tree{}
	g := root
	about := func(t *h5.Tree) {
		t.Scalars = map[string]string{"keras_version": f.KerasVersion, "backend": f.Backend}
	}
	about(root)
	if f.Config != "" {
		root.Scalars["model_config"] = f.Config
		if f.TrainingConfig != "" {
			root.Scalars["training_config"] = f.TrainingConfig
		}
		g = root.Group("model_weights")
		about(g)
	}
	names, seen := []string{}, map[string]bool{}
	for i, l := range f.Layers {
		if l.Layer == "" || strings.ContainsRune(l.Layer, 0) || seen[l.Layer] {
			return nil, errorf("layer %d: name %q is empty, not allowed in the file, or there twice", i, l.Layer)
		}
		seen[l.Layer] = true
		names = append(names, l.Layer)
		t := g.Group(l.Layer)
		weights := []string{}
		for _, w := range l.Weights {
			if err := t.SetDataset(w.Name, h5.Array{Shape: w.Shape, Data: w.Data}); err != nil {
				return nil, errorf("layer %q: weight %q: %w", l.Layer, w.Name, err)
			}
			weights = append(weights, w.Name)
		}
		t.Lists = map[string][]string{"weight_names": weights}
	}
	g.Lists = map[string][]string{"layer_names": names}
	data, err := h5.Encode(root)
	if err != nil {
		return nil, errorf("%w", err)
	}
	return data, nil
}

// Write writes the file as HDF5 (see Encode). Without force an existing file
// is an error.
func (f *File) Write(path string, force bool) error {
	data, err := f.Encode()
	if err != nil {
		return err
	}
	return write(path, force, data)
}

// WriteJSON writes the architecture as Keras' to_json does: the configuration
// and, beside it, keras_version and backend. The file must have a Config.
func (f *File) WriteJSON(path string, force bool) error {
	data, err := f.JSON()
	if err != nil {
		return err
	}
	return write(path, force, data)
}

func write(path string, force bool, data []byte) error {
	err := outfile.Write(path, force, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
	if err != nil {
		return errorf("%w", err)
	}
	return nil
}
