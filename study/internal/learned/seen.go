package learned

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"barrow/run"
	"barrow/wafer"
)

// Seen are images that something has learned from or was chosen by, by 64 bits of a hash of their charges each.
type Seen []uint64

// See takes note of images; nil ones are none.
func See(sets ...*wafer.Set) Seen {
	var list Seen
	for _, s := range sets {
		if s == nil {
			continue
		}
		for i := range s.Len() {
			list = append(list, hash(s.Image(i)))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func hash(image []float64) uint64 {
	h := fnv.New64a()
	var b [8]byte
	for _, v := range image {
		binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
		h.Write(b[:])
	}
	return h.Sum64()
}

// Count is how many of some images are among them.
func (s Seen) Count(images *wafer.Set) (n int) {
	if len(s) == 0 {
		return 0
	}
	for i := range images.Len() {
		if _, ok := slices.BinarySearch(s, hash(images.Image(i))); ok {
			n++
		}
	}
	return n
}

// seenFile is the list in a run's folder: numbers of 8 bytes, little-endian, the smallest first.
const seenFile = "learned-from.hashes"

// Write keeps the list in a run's folder.
func (s Seen) Write(f *run.Folder) error {
	return f.Write(filepath.Join(run.Weights, seenFile), func(w io.Writer) error {
		b := make([]byte, 0, 8*len(s))
		for _, v := range s {
			b = binary.LittleEndian.AppendUint64(b, v)
		}
		_, err := w.Write(b)
		return err
	})
}

// ReadSeen reads the list of a run's folder; it is empty where there is none, as of a weights file.
func ReadSeen(folder string) (Seen, error) {
	path := filepath.Join(folder, run.Weights, seenFile)
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return nil, nil
	}
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if len(b)%8 != 0 {
		return nil, fmt.Errorf("%s: %d bytes: want a multiple of 8", path, len(b))
	}
	list := make(Seen, len(b)/8)
	for i := range list {
		list[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	slices.Sort(list)
	return list, nil
}

// Shared says how many held-out images of files are the same as others that are learned from or chosen by; empty of none.
func Shared(held *wafer.Set, others ...*wafer.Set) string {
	n := See(others...).Count(held)
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d held-out images are the same, cell by cell, as ones that are learned from or chosen by: the figures are too good if that is no chance of images with few counts", n, held.Len())
}
