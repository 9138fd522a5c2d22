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
	// Apart reports whether a file that begins with head has its weights in another
	// file, which a source may name; nil where no file of the format has.
	Apart func(head []byte) bool
	// Read gives the network of a file, in the file's own arithmetic.
	Read func(f Source, s nn.Settings) (*nn.Network, error)
	// Open makes ready to run a file's model on arrays as the model itself takes
	// them, in its own arithmetic. Nil where what Read gives does that, with the
	// channels last.
	Open func(f Source, s nn.Settings) (Runner, error)
	// Files names all that is read for a source, for those who must know whether a
	// model has changed; nil where it is the files that the source names.
	Files func(f Source) ([]string, error)

	// Check says why the format cannot hold the model, and what to do; nil if it can.
	Check func(m *Model) error
	// Export makes the format's files of a model that Check has let pass.
	Export func(ctx context.Context, m *Model) ([]File, error)
	// Vectors makes, of the test vectors that every export has, those that the
	// format adds: of a second arrangement, x443, latent443 and y443.
	Vectors func(ctx context.Context, m *Model, v Vectors) (Vectors, error)
	// Verify holds the files of an export, in the folder dir, to all its test
	// vectors, and says what it found; where they part, or where no check can be made
	// here, is an error. Nil where reading the files that have a Part does that.
	Verify func(ctx context.Context, dir string, m *Model, v Vectors) (string, error)
}

// A Source is where a model of another program is.
type Source struct {
	Path    string // of its file
	Weights string // of another file, with its weights; "" where Path holds them or they lie beside it
}

// A File is one file of an export, small enough to be held.
type File struct {
	Name  string // within the export's folder
	Data  []byte
	About string // what it is and how it is used, for the folder's README.txt
	// Part is what the file holds, of the model ([Model.Part]) or in a second
	// arrangement: verifying reads the file, with those beside it, and holds it to
	// the test vectors that the part's inputs and output name. Nil where the file is
	// none to be read by itself.
	Part *Part
}

// A Runner runs a model. It is used by one goroutine at a time.
type Runner interface {
	// Inputs describes what Run takes, in order.
	Inputs() []Port
	// Run computes outputs from the inputs, in the order of Inputs. The results
	// are named as files have them: the model's outputs y, y1, y2, …, and latent
	// where a model within it makes the 16 numbers that the encoder sends. It
	// checks the inputs' shapes and names those that do not fit.
	Run(ctx context.Context, in []*Array) (Vectors, error)
}

// A Tracer is a Runner that can also tell what every operation of the model makes, so
// that a mismatch can be told by the operation where it begins.
type Tracer interface {
	Runner
	// Trace gives, in the order in which they are computed, the results of the
	// operations by their names.
	Trace(ctx context.Context, in []*Array) (Vectors, error)
}

// A Port is an input of a model.
type Port struct {
	Name  string // in the model
	Shape []int  // -1 is any length
}
