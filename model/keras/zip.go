package keras

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
)

// What a .keras file may be: Keras stores its entries as they are, and weights are
// hardly made smaller by compression.
const (
	maxEntries = 1000
	maxRatio   = 100
)

// parseZip reads a .keras file: the architecture and the weights.
func parseZip(data []byte) (*File, error) {
	z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, errorf("a damaged zip file, or none of Keras 3 (.keras): %w", err)
	}
	if len(z.File) > maxEntries {
		return nil, errorf("a zip file of %d entries, which a model is not (.keras has three)", len(z.File))
	}
	config, err := entry(z, entryConfig, maxJSON)
	if err != nil {
		return nil, err
	}
	weights, err := entry(z, entryWeights, maxFile)
	if err != nil {
		return nil, err
	}
	f, err := parseHDF5(weights)
	if err != nil {
		return nil, fmt.Errorf("keras: %s: %w", entryWeights, trim(err))
	}
	f.Config = string(config)
	if about, err := entry(z, entryMetadata, maxJSON); err == nil {
		var m struct {
			Version string `json:"keras_version"`
		}
		if json.Unmarshal(about, &m) == nil {
			f.KerasVersion = m.Version
		}
	}
	return f, nil
}

// entry reads an entry of at most so many bytes.
func entry(z *zip.Reader, name string, most uint64) ([]byte, error) {
	is := func(e *zip.File) bool { return e.Name == name }
	at := slices.IndexFunc(z.File, is)
	if at < 0 {
		return nil, errorf("a zip file without the entry %s, so none of Keras 3 (.keras), nor of Keras 2.12 or later", name)
	}
	e := z.File[at]
	switch size, packed := e.UncompressedSize64, e.CompressedSize64; {
	case slices.ContainsFunc(z.File[at+1:], is):
		return nil, errorf("%s is there twice", name)
	case size > most:
		return nil, errorf("%s: %d bytes; at most %d are read", name, size, most)
	case size > 1<<20 && size/maxRatio > packed:
		return nil, errorf("%s: %d bytes made of %d, which weights are not: a damaged file, or one made to fill memory", name, size, packed)
	}
	r, err := e.Open()
	if err != nil {
		return nil, errorf("%s: %w", name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, int64(e.UncompressedSize64)+1)) // no more than the entry says, whatever is in it
	if err != nil {
		return nil, errorf("%s: %w", name, err)
	}
	return b, nil
}
