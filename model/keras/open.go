package keras

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barrow/internal/sniff"
)

// signature is how an HDF5 file begins.
const signature = "\x89HDF\r\n\x1a\n"

const zipSignature = "PK\x03\x04"

// Recognise reports whether a file that begins with head could be one of a
// Keras model: HDF5, the JSON of an architecture, or the zip file of Keras 3.
func Recognise(head []byte) bool {
	return bytes.HasPrefix(head, []byte(signature)) || isJSON(head) || isKerasZip(head)
}

func isJSON(head []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) && bytes.Contains(head, []byte(`"class_name"`))
}

// isArchitecture is less strict: what is no architecture is told by what it lacks.
func isArchitecture(head []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) }

// isKerasZip looks at the name of a zip file's first entry.
func isKerasZip(head []byte) bool {
	if !bytes.HasPrefix(head, []byte(zipSignature)) || len(head) < 30 {
		return false
	}
	for _, name := range []string{"metadata.json", "config.json", "model.weights.h5", "assets/"} {
		if bytes.HasPrefix(head[30:], []byte(name)) {
			return true
		}
	}
	return false
}

// Open reads a model by the name of any of its files: a whole-model HDF5 file or a
// .keras file; or the architecture as JSON or the weights in HDF5, of which it finds
// the other beside it, called alike but for the ending.
func Open(path string) (*Model, error) {
	paths, err := Files(path)
	if err != nil {
		return nil, err
	}
	if len(paths) == 1 {
		return ReadModel(paths[0])
	}
	return ReadModelJSON(paths[0], paths[1])
}

// Files names what Open reads by a path: the file of a whole model, or the
// architecture and the weights.
func Files(path string) ([]string, error) {
	head, err := sniff.Head(path)
	if err != nil {
		return nil, errorf("%w", err)
	}
	if isJSON(head) {
		weights, err := beside(path, weightEndings...)
		if err != nil {
			return nil, errorf("%s: an architecture without its weights: %w; put them there", path, err)
		}
		return []string{path, weights}, nil
	}
	f, err := ReadWeights(path)
	if err != nil {
		return nil, err
	}
	if f.Config != "" {
		return []string{path}, nil
	}
	architecture, err := beside(path, ".json")
	if err != nil {
		return nil, errorf("%s: weights only (no attribute model_config), without their architecture: %w; put it there, as model.to_json() gives it", path, err)
	}
	return []string{architecture, path}, nil
}

// weightEndings are those of the weights of NAME.json.
var weightEndings = []string{".hdf5", ".h5", ".weights.h5", "_weights.h5", "_weights.hdf5"}

// beside finds the file of the same name with another ending.
func beside(path string, endings ...string) (string, error) {
	stem := strings.TrimSuffix(path, filepath.Ext(path))
	stem = strings.TrimSuffix(strings.TrimSuffix(stem, ".weights"), "_weights")
	for _, e := range endings {
		if _, err := os.Stat(stem + e); err == nil {
			return stem + e, nil
		}
	}
	return "", fmt.Errorf("there is no %s%s beside it", filepath.Base(stem), strings.Join(endings[:min(3, len(endings))], ", nor one ending in "))
}
