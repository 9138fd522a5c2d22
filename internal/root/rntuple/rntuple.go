// Package rntuple reads and writes RNTuples, the tables of ROOT files that follow
// TTrees: the format's version 1.0, as ROOT's RNTuple Binary Format Specification
// describes it.
//
// A table's fields are read as columns: numbers, truth values and texts, in arrays,
// vectors and collections of any depth, members of records and collections each as a
// column of its own, under names with dots. Pages are unpacked once and decoded as far
// as they are wanted. What is written is numbers, texts and arrays of numbers, in
// clusters of bounded size, packed with Zstandard.
package rntuple

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"barrow/internal/root"
)

// Class is that of an RNTuple's key in a ROOT file.
const Class = "ROOT::RNTuple"

// Anchor is whether a key is an RNTuple's, also of the experimental format before
// version 1.0, which Open refuses.
func Anchor(k root.Key) bool { return k.Class == Class || k.Class == experimental }

const experimental = "ROOT::Experimental::RNTuple"

// Table is an RNTuple that is read. Several goroutines may use it, each its own
// Readers.
type Table struct {
	file    *root.File
	schema  schema
	groups  []group
	entries int64
	columns []root.Column
	leaves  []*leaf

	mu sync.Mutex
	// lists are the pages of the groups that were read last.
	lists [2]loaded
}

// loaded is a group's clusters.
type loaded struct {
	group    int
	clusters []cluster
}

var _ root.Table = (*Table)(nil)

// anchorSize is the bytes of what the anchor says, without byte count, version and
// checksum.
const anchorSize = 4*2 + 7*8

// Open reads what a file says of the RNTuple whose key is k: its fields and where
// their pages are listed.
func Open(f *root.File, k root.Key) (*Table, error) {
	t := &Table{file: f}
	if err := t.open(k); err != nil {
		return nil, fmt.Errorf("RNTuple %s: %w", k.Path, err)
	}
	return t, nil
}

func (t *Table) open(k root.Key) error {
	switch k.Class {
	case Class:
	case experimental:
		return errors.New("of ROOT's experimental format, before version 1.0, which is not read: write it anew with ROOT 6.34 or later")
	default:
		return fmt.Errorf("an object of class %s", k.Class)
	}
	b, err := t.file.Bytes(k, nil)
	if err != nil {
		return err
	}
	header, footer, err := anchor(b)
	if err != nil {
		return err
	}
	d, err := header.open(t.file, headerEnvelope)
	if err == nil {
		err = t.schema.header(d)
	}
	if err != nil {
		return fmt.Errorf("header: %w", err)
	}
	if d, err = footer.open(t.file, footerEnvelope); err == nil {
		err = t.footer(d)
	}
	if err != nil {
		return fmt.Errorf("footer: %w", err)
	}
	if err := t.schema.link(); err != nil {
		return err
	}
	t.plan()
	return nil
}

// anchor reads where header and footer are. Later versions may be longer.
func anchor(b []byte) (header, footer link, err error) {
	const head = 4 + 2 // byte count and version of the class
	if len(b) < head+anchorSize+checksumSize {
		return header, footer, fmt.Errorf("an anchor of %d bytes", len(b))
	}
	be := binary.BigEndian
	if epoch := be.Uint16(b[head:]); epoch != 1 {
		return header, footer, fmt.Errorf("version %d of the format, of which 1 is read", epoch)
	}
	said := b[head : len(b)-checksumSize]
	if want, is := be.Uint64(b[len(b)-checksumSize:]), hash(said); is != want {
		return header, footer, fmt.Errorf("the anchor's checksum is %016x where %016x is written", is, want)
	}
	var n [6]int64
	for i := range n {
		n[i] = int64(be.Uint64(said[8+8*i:]))
		if n[i] < 0 {
			return header, footer, fmt.Errorf("an anchor with the size %d", uint64(n[i]))
		}
	}
	return link{locator{n[0], n[1]}, n[2]}, link{locator{n[3], n[4]}, n[5]}, nil
}

// Kind is RNTuple.
func (t *Table) Kind() string { return "RNTuple" }

// Entries is the number of entries.
func (t *Table) Entries() int64 { return t.entries }

// Columns lists the fields' values.
func (t *Table) Columns() []root.Column { return t.columns }

// About is the description of the field that column i of Columns is of.
func (t *Table) About(i int) string { return t.leaves[i].top.about }

// Reader begins to read column i of Columns.
func (t *Table) Reader(i int) (root.Reader, error) {
	c, l := t.columns[i], t.leaves[i]
	if c.Unread != "" {
		return nil, fmt.Errorf("column %s is not read: %s", c.Name, c.Unread)
	}
	return newReader(t, c, l), nil
}
