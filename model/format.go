package model

import (
	"context"

	"barrow/nn"
)

// A Format is one way in which models are kept by other programs, or for them.
// It is read, written, or both: what it cannot do is nil.
type Format struct {
	Name  string // "keras", as a command takes it
	About string // what it is, in a few words

	// Recognise reports whether a file of the format may begin with head, its
	// first 512 bytes or all of a shorter one.
	Recognise func(head []byte) bool
	// Read gives the network of a file, in the file's own arithmetic.
	Read func(path string, s nn.Settings) (*nn.Network, error)
	// Files names all that Read reads by a path, for those who must know whether a
	// model has changed; nil where it is the file of that path alone.
	Files func(path string) ([]string, error)

	// Check says why the format cannot hold the model, and what to do; nil if it can.
	Check func(m *Model) error
	// Export makes the format's files of a model that Check has let pass.
	Export func(ctx context.Context, m *Model) ([]File, error)
}

// A File is one file of an export, small enough to be held.
type File struct {
	Name  string // within the export's folder
	Data  []byte
	About string // what it is and how it is used, for the folder's README.txt
}
