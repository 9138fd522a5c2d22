package root

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"
)

// A File is an open ROOT file. Several goroutines may read from it.
type File struct {
	at   io.ReaderAt
	size int64
	keys []Key
	// Version of ROOT that wrote the file: 61404 is 6.14/04; 0 where a program of its
	// own wrote it.
	Version int

	seekInfo int64
	once     sync.Once
	infos    *Streamers
	infosErr error
}

// IsROOT tells whether a file that begins with these bytes is a ROOT file.
func IsROOT(head []byte) bool { return len(head) >= 4 && string(head[:4]) == "root" }

// Open reads the header of a file of size bytes and the keys of all its folders.
func Open(at io.ReaderAt, size int64) (*File, error) {
	f := &File{at: at, size: size}
	head := make([]byte, min(size, 128))
	if err := f.ReadAt(head, 0); err != nil {
		return nil, err
	}
	if !IsROOT(head) {
		return nil, errors.New("not a ROOT file")
	}
	b := NewBuffer(head, 0)
	b.Take(4)
	version := int(b.I32())
	begin := int64(b.I32())
	var end int64
	var nameLen int
	if big := version >= 1000000; big {
		version -= 1000000
		end = b.i64()
		b.Take(8 + 4 + 4)
		nameLen = int(b.I32())
		b.Take(1 + 4)
		f.seekInfo = b.i64()
	} else {
		end = int64(b.I32())
		b.Take(4 + 4 + 4)
		nameLen = int(b.I32())
		b.Take(1 + 4)
		f.seekInfo = int64(b.I32())
	}
	f.Version = version
	switch {
	case b.Err() != nil:
		return nil, errors.New("a ROOT file that ends within its header")
	case begin < 30 || end < begin || nameLen < 0:
		return nil, fmt.Errorf("a ROOT file whose header is damaged (data from %d to %d)", begin, end)
	case end > size:
		return nil, fmt.Errorf("a ROOT file that is cut off: %d bytes of %d are there", size, end)
	}
	w := walker{f: f, seen: map[int64]bool{}}
	if err := w.folder(begin+int64(nameLen), "", 0); err != nil {
		return nil, err
	}
	f.keys = w.keys
	return f, nil
}

// Size is the file's size in bytes.
func (f *File) Size() int64 { return f.size }

// Keys lists the objects of all folders, in the file's order; of several that have the
// same name the last written.
func (f *File) Keys() []Key { return f.keys }

// Key finds an object by its path, without or with a cycle behind a semicolon.
func (f *File) Key(path string) (Key, error) {
	for _, k := range f.keys {
		if k.Path == path || fmt.Sprintf("%s;%d", k.Path, k.Cycle) == path {
			return k, nil
		}
	}
	return Key{}, fmt.Errorf("nothing of the name %s", path)
}

// ReadAt fills p from offset on; all of it must lie in the file.
func (f *File) ReadAt(p []byte, offset int64) error {
	if offset < 0 || int64(len(p)) > f.size-offset {
		return fmt.Errorf("bytes %d to %d of a file of %d", offset, satAdd(offset, int64(len(p))), f.size)
	}
	n, err := f.at.ReadAt(p, offset)
	if n == len(p) {
		return nil
	}
	return fmt.Errorf("bytes from %d on: %w", offset, err)
}

func satAdd(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// bytes reads n bytes from offset on, where they are in the file, into memory of its
// own or that of p.
func (f *File) bytes(p []byte, offset, n int64) ([]byte, error) {
	if offset < 0 || n < 0 || offset > f.size || n > f.size-offset {
		return nil, fmt.Errorf("%d bytes from %d on of a file of %d", n, offset, f.size)
	}
	if int64(cap(p)) < n {
		p = make([]byte, n)
	}
	p = p[:n]
	return p, f.ReadAt(p, offset)
}
