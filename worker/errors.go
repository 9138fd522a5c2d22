package worker

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"barrow/emd"
	"barrow/internal/outfile"
)

// The kinds of error on the wire.
const (
	kindInput    = "input"    // what the client sent cannot be
	kindEMD      = "emd"      // a distance of what the client sent is not defined, or was not found
	kindFile     = "file"     // the system says so of a file, or what is in it cannot be read
	kindInternal = "internal" // the worker's own mistake
	kindProtocol = "protocol" // the two sides do not understand each other; the worker ends
)

// A failure is an error as the reply's params have it.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
	Row     *int   `json:"row,omitempty"` // of the client's user
	Cell    *int   `json:"cell,omitempty"`
	Code    string `json:"code,omitempty"` // of the system, by its name in POSIX, with its file
	File    string `json:"file,omitempty"`
	Stack   string `json:"stack,omitempty"`
}

func (f *failure) Error() string { return f.Message }

// A versionError says that the client speaks another version of the protocol.
type versionError struct{ client uint16 }

func (e *versionError) Error() string {
	return fmt.Sprintf("worker: the client speaks version %d of the protocol, this program version %d: take the client and the program of one release",
		e.client, Protocol)
}

// fileError marks an error as one of a file's contents.
func fileError(err error) error {
	if err == nil {
		return nil
	}
	return describe(err, 0, kindFile)
}

// ofFile is an error of work on a file; what the system says is said of that, not of a
// temporary one that the client does not know.
func ofFile(err error, path string) error {
	if err == nil {
		return nil
	}
	if f := describe(err, 0, kindInput); f.Code != "" {
		f.File = path
		return f
	}
	return err
}

// describe is an error as the client gets it; rows count from the given first.
func describe(err error, first int, kind string) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	f = &failure{Kind: kind, Message: err.Error()}
	var row *emd.RowError
	if errors.As(err, &row) {
		there := *row // the library's own stays what it is
		there.Row += first
		f.Kind, f.Row = kindEMD, &there.Row
		f.Message = strings.Replace(f.Message, row.Error(), there.Error(), 1)
	}
	var (
		mass     *emd.MassError
		total    *emd.TotalError
		pivot    *emd.PivotError
		triangle *emd.TriangleError
		version  *versionError
		path     *fs.PathError
		code     syscall.Errno
	)
	switch {
	case errors.As(err, &mass):
		f.Kind, f.Cell = kindEMD, &mass.Cell
	case errors.As(err, &total), errors.As(err, &pivot), errors.As(err, &triangle), errors.Is(err, emd.ErrEmpty):
		f.Kind = kindEMD
	case errors.As(err, &version):
		f.Kind = kindProtocol
	case errors.As(err, &path):
		f.Kind, f.File = kindFile, path.Path
		if errors.As(path.Err, &code) {
			f.Code = posixName(code)
		} else if errors.Is(path.Err, fs.ErrNotExist) {
			f.Code = "ENOENT"
		}
	case errors.Is(err, outfile.ErrExists):
		f.Kind, f.Code = kindFile, "EEXIST"
	case errors.As(err, &code): // whose file is named in the text
		f.Kind, f.Code = kindFile, posixName(code)
	}
	return f
}
