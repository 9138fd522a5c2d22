package model

import "barrow/nn"

// A Format is one way in which models are kept for other programs, or by them.
// It is read, written, or both: what it cannot do is nil.
type Format struct {
	Name  string // "registers", as a command takes it
	About string // what it is, in a few words

	// Recognise reports whether a file of the format may begin with head, its
	// first 512 bytes or all of a shorter one.
	Recognise func(head []byte) bool
	// Read gives the network of a file, in the file's own arithmetic.
	Read func(path string, s nn.Settings) (*nn.Network, error)
}
