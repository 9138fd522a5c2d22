package main

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"barrow/hgcal"
	"barrow/internal/outfile"
)

// A gradientFile collects two N×48 arrays of unknown N and writes them as NPZ.
// An array's header states N in front of the numbers, and the npyio module
// writes whole arrays from memory; here both are spooled to temporary files in
// the folder of the result, and copied behind their headers when N is known, so
// that memory does not grow with N.
type gradientFile struct {
	out   *outfile.File
	spool [2]*os.File
	buf   [2]*bufio.Writer
	bytes []byte
}

// newGradientFile prepares the file at path.
func newGradientFile(path string, force bool) (*gradientFile, error) {
	out, err := outfile.Create(path, force)
	if err != nil {
		return nil, err
	}
	g := &gradientFile{out: out}
	for i := range g.spool {
		if g.spool[i], err = os.CreateTemp(filepath.Dir(path), ".barrow-*"); err != nil {
			g.abort()
			return nil, err
		}
		g.buf[i] = bufio.NewWriterSize(g.spool[i], 1<<18)
	}
	return g, nil
}

// write appends rows to both arrays.
func (g *gradientFile) write(f, q []float64) error {
	for i, v := range [2][]float64{f, q} {
		g.bytes = g.bytes[:0]
		for _, x := range v {
			g.bytes = binary.LittleEndian.AppendUint64(g.bytes, math.Float64bits(x))
		}
		if _, err := g.buf[i].Write(g.bytes); err != nil {
			return err
		}
	}
	return nil
}

// commit writes the archive of n rows and puts it in place.
func (g *gradientFile) commit(n int) error {
	archive := zip.NewWriter(g.out)
	for i, name := range [2]string{"f.npy", "g.npy"} {
		if err := g.buf[i].Flush(); err != nil {
			return err
		}
		if _, err := g.spool[i].Seek(0, io.SeekStart); err != nil {
			return err
		}
		// numpy.savez stores without compression, too.
		entry, err := archive.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
		if err != nil {
			return err
		}
		if _, err := entry.Write(npyHeader(n, hgcal.Cells)); err != nil {
			return err
		}
		if _, err := io.Copy(entry, g.spool[i]); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return errors.Join(g.out.Commit(), g.remove())
}

// npyHeader is the header of a C-ordered little-endian float64 array, version
// 1.0 of the format (NumPy Enhancement Proposal 1): magic, version, length of
// the text, and the text, padded so that the numbers begin at a multiple of 64.
func npyHeader(rows, cols int) []byte {
	text := fmt.Sprintf("{'descr': '<f8', 'fortran_order': False, 'shape': (%d, %d), }", rows, cols)
	for (10+len(text)+1)%64 != 0 {
		text += " "
	}
	text += "\n"
	b := append([]byte("\x93NUMPY\x01\x00"), byte(len(text)), byte(len(text)>>8))
	return append(b, text...)
}

// abort throws away what is not committed.
func (g *gradientFile) abort() {
	g.out.Abort()
	g.remove()
}

func (g *gradientFile) remove() error {
	var err error
	for i, f := range g.spool {
		if f != nil {
			err = errors.Join(err, f.Close(), os.Remove(f.Name()))
			g.spool[i] = nil
		}
	}
	return err
}
