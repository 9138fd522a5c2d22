package hdf5io

import (
	"bytes"
	"fmt"

	"barrow/internal/h5"
	"barrow/wafer"
)

// Format is HDF5 as one of the formats of wafer files.
type Format struct{}

var _ wafer.Inspector = Format{}

// Name is hdf5.
func (Format) Name() string { return "hdf5" }

// Endings are .h5 and what else such files are called.
func (Format) Endings() []string { return []string{".h5", ".hdf5", ".hdf", ".he5"} }

// Sniff looks for the signature, which stands at the start or behind a user block.
func (Format) Sniff(head []byte) bool {
	for base := 0; base < len(head); base = max(512, 2*base) {
		if bytes.HasPrefix(head[base:], []byte(h5.Signature)) {
			return true
		}
	}
	return false
}

// Heeds lists the settings that apply to such files.
func (Format) Heeds() []string { return []string{"header", "tree"} }

// Open starts reading the table that the settings name, else the only one that has
// images.
func (Format) Open(src *wafer.Source, s wafer.ReadSettings) (wafer.FileReader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	f, err := contents(src)
	if err != nil {
		return nil, err
	}
	l, err := f.arrange(s)
	if err != nil {
		return nil, err
	}
	return newReader(f, l)
}

// contents lists the tables of a file.
func contents(src *wafer.Source) (*file, error) {
	in, size, err := src.File()
	if err != nil {
		return nil, fmt.Errorf("hdf5io: %w", err)
	}
	h, err := h5.Open(in, size)
	if err != nil {
		return nil, fmt.Errorf("hdf5io: %s: %w", src.Name, err)
	}
	root, err := h.Root()
	if err != nil {
		return nil, fmt.Errorf("hdf5io: %s: %w", src.Name, err)
	}
	f := &file{name: src.Name, root: root}
	w := walk{file: f, seen: map[uint64]bool{root.Address(): true}}
	w.group(root, 0)
	return f, nil
}
