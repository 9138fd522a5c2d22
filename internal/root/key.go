package root

import (
	"errors"
	"fmt"
)

// maxDepth bounds folders within folders.
const maxDepth = 100

// A Key is what a file knows of one of its records.
type Key struct {
	// Path is the folders' names and the object's own, with slashes between.
	Path string
	// Class, Name and Title are the object's.
	Class, Name, Title string
	// Cycle counts the times that an object of the name was written.
	Cycle int

	// seek is where the record begins in the file: a key of keyLen bytes, then the
	// object, packed; size is that of both.
	seek         int64
	size, keyLen int
	// objLen is the object's size when unpacked.
	objLen int
}

// KeyLen is the number of bytes of the record's key, which positions within the object
// count.
func (k Key) KeyLen() int { return k.keyLen }

// Size is the number of bytes of the record, its key's among them.
func (k Key) Size() int { return k.size }

// Length is the number of bytes of the object, unpacked.
func (k Key) Length() int { return k.objLen }

// Key reads the key at the begin of a record. Its path is its name.
func (b *Buffer) Key() Key {
	var k Key
	k.size = int(b.I32())
	version := b.I16()
	k.objLen = int(b.I32())
	b.Take(4)
	k.keyLen = int(b.U16())
	k.Cycle = int(b.U16())
	if version > 1000 {
		k.seek = b.i64()
		b.Take(8)
	} else {
		k.seek = int64(b.I32())
		b.Take(4)
	}
	k.Class, k.Name, k.Title = b.String(), b.String(), b.String()
	k.Path = k.Name
	return k
}

// Bytes is the object's bytes, unpacked. The memory of buf serves where it is enough.
func (f *File) Bytes(k Key, buf []byte) ([]byte, error) {
	if k.keyLen < 0 || k.size < k.keyLen || k.objLen < 0 {
		return nil, fmt.Errorf("a record of %d bytes with a key of %d", k.size, k.keyLen)
	}
	return f.Unpacked(buf, k.seek+int64(k.keyLen), int64(k.size-k.keyLen), int64(k.objLen))
}

// Unpacked reads size bytes from offset on and unpacks them to length bytes, unless they
// are that many already. The memory of buf serves where it is enough.
func (f *File) Unpacked(buf []byte, offset, size, length int64) ([]byte, error) {
	if size == length {
		return f.bytes(buf, offset, size)
	}
	s := scratch.Get().(*[]byte)
	defer scratch.Put(s)
	packed, err := f.bytes(*s, offset, size)
	if err != nil {
		return nil, err
	}
	*s = packed
	return Unpack(buf, packed, length)
}

// walker collects keys.
type walker struct {
	f    *File
	keys []Key
	// seen has the folders' positions, since a damaged file may have one in itself.
	seen map[int64]bool
}

// folder reads the folder whose record is at offset, and those within.
func (w *walker) folder(offset int64, path string, depth int) error {
	fail := func(err error) error {
		if path == "" {
			return fmt.Errorf("the list of objects: %w", err)
		}
		return fmt.Errorf("folder %s: %w", path, err)
	}
	if depth > maxDepth {
		return fail(errors.New("too many folders within each other"))
	}
	if w.seen[offset] {
		return fail(errors.New("within itself"))
	}
	w.seen[offset] = true
	head, err := w.f.bytes(nil, offset, min(64, w.f.size-offset))
	if err != nil {
		return fail(err)
	}
	b := NewBuffer(head, 0)
	version := b.I16()
	b.Take(4 + 4)
	size := int64(b.I32())
	b.Take(4)
	var seek int64
	if version > 1000 {
		b.Take(8 + 8)
		seek = b.i64()
	} else {
		b.Take(4 + 4)
		seek = int64(b.I32())
	}
	if b.Err() != nil {
		return fail(b.Err())
	}
	if seek == 0 && size == 0 {
		return nil // A folder into which nothing was written.
	}
	list, err := w.f.bytes(nil, seek, size)
	if err != nil {
		return fail(err)
	}
	keys, err := keyList(list)
	if err != nil {
		return fail(err)
	}
	return w.add(keys, path, depth)
}

// keyList reads the keys of a folder: a key of the list's own, their number, themselves.
// Of several of the same name the one of the highest cycle stays.
func keyList(list []byte) ([]Key, error) {
	b := NewBuffer(list, 0)
	own := b.Key()
	b.seek(own.keyLen)
	n := int(b.I32())
	var keys []Key
	at := map[string]int{}
	for i := 0; i < n && b.Err() == nil; i++ {
		k := b.Key()
		if b.Err() != nil {
			break
		}
		if j, ok := at[k.Name]; ok {
			if k.Cycle > keys[j].Cycle {
				keys[j] = k
			}
			continue
		}
		at[k.Name] = len(keys)
		keys = append(keys, k)
	}
	if b.Err() != nil {
		return nil, fmt.Errorf("%d keys, of which %d are there: %w", n, len(keys), b.Err())
	}
	return keys, nil
}

func (w *walker) add(keys []Key, path string, depth int) error {
	for _, k := range keys {
		if path != "" {
			k.Path = path + "/" + k.Name
		}
		switch k.Class {
		case "TDirectory", "TDirectoryFile":
			if err := w.folder(k.seek+int64(k.keyLen), k.Path, depth+1); err != nil {
				return err
			}
		default:
			w.keys = append(w.keys, k)
		}
	}
	return nil
}
