package npz

import (
	"archive/zip"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/flate"
)

// An Archive is a file of named arrays that is read.
type Archive struct {
	// Names are those of the arrays, in the order of the file.
	Names []string
	// Others are the names of entries that are no arrays.
	Others []string

	in      io.ReaderAt
	size    int64
	where   string
	entries []*zip.File
}

// maxArrays bounds the arrays of an archive, as each takes some memory when it is read.
const maxArrays = 1024

// deflateLimit is how many times smaller deflation makes anything at most.
const deflateLimit = 1032

// NewArchive reads the list of arrays of an archive that is the first size bytes of
// in. Errors begin with where.
func NewArchive(in io.ReaderAt, size int64, where string) (*Archive, error) {
	z, err := zip.NewReader(in, size)
	if err != nil {
		return nil, fmt.Errorf("%s: an archive that is cut off or damaged: %w", where, err)
	}
	z.RegisterDecompressor(zip.Deflate, func(r io.Reader) io.ReadCloser { return flate.NewReader(r) })
	a := &Archive{in: in, size: size, where: where}
	seen := map[string]bool{}
	for _, e := range z.File {
		if seen[e.Name] {
			return nil, fmt.Errorf("%s: two arrays are called %s", where, strings.TrimSuffix(e.Name, ".npy"))
		}
		seen[e.Name] = true
		if name, ok := strings.CutSuffix(e.Name, ".npy"); ok {
			a.Names, a.entries = append(a.Names, name), append(a.entries, e)
		} else {
			a.Others = append(a.Others, e.Name)
		}
	}
	if len(a.entries) > maxArrays {
		return nil, fmt.Errorf("%s: %d arrays; up to %d are read, so make one array of several columns", where, len(a.entries), maxArrays)
	}
	return a, nil
}

// Open begins to read array i of Names.
func (a *Archive) Open(i int) (*Reader, error) {
	e := a.entries[i]
	where := fmt.Sprintf("%s: %s", a.where, a.Names[i])
	src := source{open: e.Open, size: int64(e.UncompressedSize64)}
	begin, err := e.DataOffset()
	packed := int64(e.CompressedSize64)
	switch {
	case err != nil:
	case packed < 0 || packed > a.size-begin:
		err = fmt.Errorf("its %d bytes are not there: the file is cut off or damaged", e.CompressedSize64)
	case e.Flags&1 != 0:
		err = fmt.Errorf("%w: encrypted; save it without a password", ErrUnread)
	case e.Method == zip.Store && src.size != packed, e.Method == zip.Deflate && (src.size < 0 || src.size/deflateLimit > packed):
		err = fmt.Errorf("%d bytes packed into %d: the file is damaged", src.size, packed)
	case e.Method == zip.Store:
		src.at = io.NewSectionReader(a.in, begin, packed)
	case e.Method != zip.Deflate:
		err = fmt.Errorf("%w: compressed by method %d of ZIP; save it with numpy.savez or savez_compressed", ErrUnread, e.Method)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return newReader(src, where)
}
