package worker

import (
	"errors"
	"fmt"
	"os"

	"barrow/internal/limit"
)

// alignment is that of results' places: a cache line, so that no two share one.
const alignment = 64

// firstMapping is how much of the file is mapped at first, and what a file grows to at
// least.
const firstMapping = 1 << 20

// An arena is the mapped file that the client made and both sides see. It only grows:
// by the client's hand between requests, by the worker's where results need room.
type arena struct {
	file *os.File
	data []byte
	old  [][]byte // mappings of before it grew, which views of this request may lie in
}

// open maps the file of a descriptor (a handle on Windows) that the client passed on.
func (a *arena) open(descriptor uintptr) error {
	if a.file != nil {
		return fmt.Errorf("worker: a second greeting")
	}
	file := os.NewFile(descriptor, "mapped file")
	if file == nil {
		return fmt.Errorf("worker: descriptor %d of the mapped file is none", descriptor)
	}
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("worker: descriptor %d of the mapped file: %w", descriptor, err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("worker: descriptor %d of the mapped file is no file that can be mapped (%v)", descriptor, info.Mode())
	}
	if err := keepSize(file); err != nil {
		return fmt.Errorf("worker: the mapped file: %w", err)
	}
	a.file = file
	return a.remap(min(info.Size(), firstMapping))
}

// close gives the file and the mappings back.
func (a *arena) close() error {
	if a.file == nil {
		return nil
	}
	err := a.remap(0)
	return errors.Join(err, a.settle(), a.file.Close())
}

func (a *arena) size() int64 { return int64(len(a.data)) }

// bytes are those of an array, which the mapping reaches over.
func (a *arena) bytes(x *array) []byte {
	if x.bytes == 0 {
		return nil
	}
	return a.data[x.offset : x.offset+x.bytes]
}

// reach makes the mapping at least size bytes long, where the file is.
func (a *arena) reach(size int64) error {
	if size <= a.size() {
		return nil
	}
	if a.file == nil {
		return fmt.Errorf("worker: arrays without a mapped file: the greeting comes first")
	}
	info, err := a.file.Stat()
	if err != nil {
		return fmt.Errorf("worker: the mapped file: %w", err)
	}
	if size > info.Size() {
		return fmt.Errorf("worker: an array ends at byte %d, the mapped file at %d", size, info.Size())
	}
	return a.remap(min(info.Size(), roomy(size)))
}

// roomy is the size that a mapping of at least so many bytes gets, so large that the next
// one is seldom needed.
func roomy(size int64) int64 {
	to := int64(firstMapping)
	for to < size {
		to *= 2
	}
	return to
}

// grow makes the file and its mapping at least size bytes long.
func (a *arena) grow(size int64) error {
	if size <= a.size() {
		return nil
	}
	if a.file == nil {
		return fmt.Errorf("worker: arrays without a mapped file: the greeting comes first")
	}
	info, err := a.file.Stat()
	if err != nil {
		return fmt.Errorf("worker: the mapped file: %w", err)
	}
	to := roomy(size)
	if to > info.Size() {
		if err := limit.Fits("worker: results and arrays, bytes in the mapped file:", int(size), 1); err != nil {
			return err
		}
		if err := a.file.Truncate(to); err != nil {
			return fmt.Errorf("worker: %d bytes of the mapped file for the results: %w", size, err)
		}
	}
	return a.remap(to)
}

func (a *arena) remap(size int64) error {
	var data []byte
	if size > 0 {
		var err error
		if data, err = mapFile(a.file, size); err != nil {
			return fmt.Errorf("worker: mapping %d bytes: %w", size, err)
		}
	}
	if a.data != nil {
		a.old = append(a.old, a.data)
	}
	a.data = data
	return nil
}

// settle drops mappings that only the last request's views could lie in. It tries each
// once: those that are dropped may be another's addresses at the next request.
func (a *arena) settle() error {
	var errs []error
	for _, m := range a.old {
		if err := unmapFile(m); err != nil {
			errs = append(errs, fmt.Errorf("worker: unmapping: %w", err))
		}
	}
	a.old = a.old[:0]
	return errors.Join(errs...)
}
