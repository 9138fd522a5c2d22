package rntuple

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"runtime/metrics"
	"testing"

	"barrow/internal/root"
	"barrow/internal/shared"
)

// small is a file of a few entries in two clusters and two groups, packed or not.
func small(t testing.TB, packed bool) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "small")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fields, values := sample(7)
	fields[5].Len, values[5].Float = 2, values[5].Float[:14]
	p, err := newPacker()
	if err != nil {
		t.Fatal(err)
	}
	pack := p.pack
	if !packed {
		pack = func(b []byte) []byte { return b }
	}
	w, err := newWriter(f, "t", fields, pack)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Write(values); err != nil {
			t.Fatal(err)
		}
		w.cluster()
		w.group()
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// repair sets the checksums of a file that is not packed to what they should be, so that
// what is damaged is seen by what reads it.
func repair(b []byte) {
	inside := func(l locator) []byte {
		if l.offset < 0 || l.size < 16 || l.offset > int64(len(b)) || l.size > int64(len(b))-l.offset {
			return nil
		}
		return b[l.offset : l.offset+l.size]
	}
	seal := func(l link) bool {
		e := inside(l.locator)
		if e == nil || l.length != l.size {
			return false
		}
		body := e[:len(e)-checksumSize]
		binary.LittleEndian.PutUint64(e[len(body):], hash(body))
		return true
	}
	at := bytes.Index(b, []byte("\x40\x00\x00\x42\x00\x02\x00\x01"))
	if at < 0 || at+6+anchorSize+checksumSize > len(b) {
		return
	}
	said := b[at+6:][:anchorSize]
	binary.BigEndian.PutUint64(b[at+6+anchorSize:], hash(said))
	header, footer, err := anchor(b[at : at+6+anchorSize+checksumSize])
	if err != nil || !seal(header) || !seal(footer) {
		return
	}
	file, err := root.Open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return
	}
	t := &Table{file: file}
	if d, err := header.open(file, headerEnvelope); err != nil || t.schema.header(d) != nil {
		return
	}
	if d, err := footer.open(file, footerEnvelope); err != nil || t.footer(d) != nil {
		return
	}
	for i, g := range t.groups {
		if !seal(g.list) {
			continue
		}
		clusters, err := t.clusters(i)
		if err != nil {
			continue
		}
		for _, c := range clusters {
			for _, chunk := range c.columns {
				for _, p := range chunk.pages {
					if page := inside(locator{p.offset, max(p.size+checksumSize, 16)}); page != nil && p.checked {
						binary.LittleEndian.PutUint64(page[p.size:], hash(page[:p.size]))
					}
				}
			}
		}
	}
}

// use reads as much of a file's tables as there is, up to some thousand entries. It
// returns the first error.
func use(b []byte) (first error) {
	keep := func(err error) bool {
		if first == nil {
			first = err
		}
		return err != nil
	}
	file, err := root.Open(bytes.NewReader(b), int64(len(b)))
	if keep(err) {
		return first
	}
	for _, k := range file.Keys() {
		table, err := Open(file, k)
		if keep(err) {
			continue
		}
		for i, c := range table.Columns() {
			if c.Unread != "" {
				keep(fmt.Errorf("%s: %s", c.Name, c.Unread))
				continue
			}
			r, err := table.Reader(i)
			if keep(err) {
				continue
			}
			var a root.Array
			for at := int64(0); at < min(table.Entries(), 2000); {
				n := min(table.Entries()-at, 5)
				if keep(r.Read(&a, at, int(n))) {
					break
				}
				at += n
			}
		}
	}
	return first
}

// TestDamaged: a file that ends early is an error, and single bytes of other values, with
// their checksums and without, are an error or other numbers, and never more than that.
func TestDamaged(t *testing.T) {
	for _, packed := range []bool{true, false} {
		b := small(t, packed)
		if err := use(b); err != nil {
			t.Fatal(err)
		}
		flips := 5000
		told := shared.Damaged(t, b, flips, func(b []byte) error {
			if !packed {
				repair(b)
			}
			return use(b)
		})
		if testing.Short() {
			flips /= 10
		}
		t.Logf("packed %t: %d of %d are errors", packed, told, flips)
		if packed && told < flips/3 {
			t.Errorf("%d of %d flipped bytes are errors", told, flips)
		}
	}
}

// TestAbsurd: numbers that no file has, at every place, cost no memory and no time.
func TestAbsurd(t *testing.T) {
	b := small(t, false)
	most := uint64(0)
	for _, x := range []uint64{0, 1 << 20, 1<<31 - 1, 1 << 31, 1 << 40, 1<<63 - 1, 1<<64 - 1} {
		for at := 0; at+8 <= len(b); at++ {
			damaged := bytes.Clone(b)
			if x < 1<<32 {
				binary.LittleEndian.PutUint32(damaged[at:], uint32(x))
			} else {
				binary.LittleEndian.PutUint64(damaged[at:], x)
			}
			repair(damaged)
			before := allocated()
			use(damaged)
			most = max(most, allocated()-before)
		}
	}
	t.Logf("at most %d bytes for a file of %d", most, len(b))
	if most > 16<<20 {
		t.Errorf("%d bytes of memory for a file of %d", most, len(b))
	}
}

// allocated is how many bytes were, since the program began.
func allocated() uint64 {
	s := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// FuzzRead reads anything, with the checksums that it should have.
func FuzzRead(f *testing.F) {
	f.Add(small(f, false))
	f.Add(small(f, true))
	f.Fuzz(func(t *testing.T, b []byte) {
		b = bytes.Clone(b)
		repair(b)
		use(b)
	})
}
