package pick

import (
	"bufio"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"slices"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"
)

// shuffle sorts images by random keys: image k of those put in has the k-th of the
// seed, so that their order is that of the keys whatever is kept where. What does not
// fit in memory lies in a temporary file, in runs that are sorted and merged.
type shuffle struct {
	keys counter.Stream
	rows int

	memory []byte // rows end to end
	index  []keyed
	room   int // bytes of memory before a run is written

	spool func() (*os.File, error)
	file  *os.File
	out   *bufio.Writer // to file
	size  int64
	runs  []extent

	merge merger
	kinds map[string]kinds
}

// keyed is a row in memory.
type keyed struct {
	key      uint64
	from, to int
}

type extent struct{ from, to int64 }

// kinds says which kinds of values a column has had.
type kinds struct{ text, whole, number bool }

const (
	shuffleStream = 0x73687566 // of random numbers, so that uses of one seed do not share any
	runBytes      = 2 << 20
	mergeBytes    = 2 << 20
	leastBuffer   = 1 << 10 // of a run that is merged
	writeBytes    = 64 << 10
	leastRow      = hgcal.Cells + 1 // bytes
	indexBytes    = 24              // of a keyed
)

func newShuffle(seed uint64, spool func() (*os.File, error)) (*shuffle, error) {
	if spool == nil {
		spool = func() (*os.File, error) { return os.CreateTemp("", "barrow-*") }
	}
	return &shuffle{keys: counter.New(seed, shuffleStream), room: runBytes, spool: spool, kinds: map[string]kinds{}}, nil
}

// add puts in image i of a set, which is number n of the source.
func (s *shuffle) add(set *wafer.Set, i, n int) error {
	if s.memory == nil { // at once, so that it is the same for many images and for more
		s.memory, s.index = make([]byte, 0, s.room+s.room/8), make([]keyed, 0, s.room/(leastRow+indexBytes)+1)
	}
	from := len(s.memory)
	s.memory = binary.AppendUvarint(s.memory, uint64(n))
	for _, v := range set.Image(i) {
		s.memory = appendCharge(s.memory, v)
	}
	for k := range set.Columns {
		c := &set.Columns[k]
		if i == 0 {
			seen := s.kinds[c.Name]
			seen.text, seen.whole, seen.number = seen.text || c.Text != nil, seen.whole || c.Int != nil, seen.number || c.Float != nil
			s.kinds[c.Name] = seen
		}
		s.memory = appendValue(s.memory, c, i)
	}
	s.index = append(s.index, keyed{s.keys.Uint64(), from, len(s.memory)})
	s.rows++
	if len(s.memory)+len(s.index)*indexBytes >= s.room {
		return s.write()
	}
	return nil
}

// sort puts the rows in memory in the order of their keys; the first of equal ones, of
// which there are hardly any, stays first.
func (s *shuffle) sort() {
	slices.SortStableFunc(s.index, func(a, b keyed) int { return cmp.Compare(a.key, b.key) })
}

// write makes a run of the rows in memory.
func (s *shuffle) write() error {
	if s.file == nil {
		f, err := s.spool()
		if err != nil {
			return fmt.Errorf("pick: no place to shuffle: %w", err)
		}
		os.Remove(f.Name()) // at once where the system lets go of a name in use
		s.file, s.out = f, bufio.NewWriterSize(f, writeBytes)
	}
	s.sort()
	from := s.size
	var head []byte
	for _, k := range s.index {
		head = binary.LittleEndian.AppendUint64(head[:0], k.key)
		head = binary.AppendUvarint(head, uint64(k.to-k.from))
		s.out.Write(head)
		s.out.Write(s.memory[k.from:k.to])
		s.size += int64(len(head) + k.to - k.from)
	}
	if err := s.out.Flush(); err != nil {
		return fmt.Errorf("pick: shuffling %d images: %w", s.rows, err)
	}
	s.runs = append(s.runs, extent{from, s.size})
	s.memory, s.index = s.memory[:0], s.index[:0]
	return nil
}

// begin ends putting in; read then gives the rows.
func (s *shuffle) begin() error {
	s.sort()
	s.merge = append(s.merge, &run{memory: s.memory, index: s.index})
	for _, e := range s.runs {
		buffer := max(leastBuffer, mergeBytes/len(s.runs))
		s.merge = append(s.merge, &run{in: bufio.NewReaderSize(io.NewSectionReader(s.file, e.from, e.to-e.from), buffer)})
	}
	kept := s.merge[:0]
	for age, r := range s.merge { // the run in memory is the youngest
		r.age = (age + len(s.runs)) % (len(s.runs) + 1)
		ok, err := r.advance()
		if err != nil {
			return err
		}
		if ok {
			kept = append(kept, r)
		}
	}
	s.merge = kept
	heap.Init(&s.merge)
	return nil
}

// read puts up to n rows into set, and their numbers behind places.
func (s *shuffle) read(set *wafer.Set, n int, columns []string, places []int) ([]int, error) {
	set.Charge = set.Charge[:0]
	set.Columns = make([]wafer.Column, len(columns))
	for k, name := range columns {
		set.Columns[k].Name = name
	}
	for len(places) < n && len(s.merge) > 0 {
		r := s.merge[0]
		place, err := s.row(set, r.row)
		if err != nil {
			return places, err
		}
		places = append(places, place)
		ok, err := r.advance()
		switch {
		case err != nil:
			return places, err
		case ok:
			heap.Fix(&s.merge, 0)
		default:
			heap.Pop(&s.merge)
		}
	}
	if len(places) == 0 {
		return places, io.EOF
	}
	return places, nil
}

// row appends a row to the set and returns its number.
func (s *shuffle) row(set *wafer.Set, b []byte) (int, error) {
	d := decoder{b: b}
	place := int(d.uvarint())
	for range hgcal.Cells {
		set.Charge = append(set.Charge, d.charge())
	}
	for k := range set.Columns {
		c := &set.Columns[k]
		d.value(c, s.kinds[c.Name])
	}
	if d.failed || len(d.b) > 0 {
		return 0, errors.New("pick: the temporary file was changed while shuffling")
	}
	return place, nil
}

func (s *shuffle) close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	if gone := os.Remove(s.file.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	s.file = nil
	return err
}

// run is sorted rows, in memory or in the file, of which one is the next.
type run struct {
	memory []byte
	index  []keyed
	in     *bufio.Reader
	age    int

	key uint64
	row []byte
}

// advance takes the next row; ok is false at the end.
func (r *run) advance() (ok bool, err error) {
	if r.in == nil {
		if len(r.index) == 0 {
			return false, nil
		}
		k := r.index[0]
		r.index, r.key, r.row = r.index[1:], k.key, r.memory[k.from:k.to]
		return true, nil
	}
	var key [8]byte
	if _, err := io.ReadFull(r.in, key[:]); err == io.EOF {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("pick: shuffling: %w", err)
	}
	n, err := binary.ReadUvarint(r.in)
	if err == nil {
		r.row = slices.Grow(r.row[:0], int(n))[:n]
		_, err = io.ReadFull(r.in, r.row)
	}
	if err != nil {
		return false, fmt.Errorf("pick: shuffling: %w", err)
	}
	r.key = binary.LittleEndian.Uint64(key[:])
	return true, nil
}

// merger is the runs by their next rows.
type merger []*run

func (m merger) Len() int { return len(m) }
func (m merger) Less(i, j int) bool {
	if m[i].key != m[j].key {
		return m[i].key < m[j].key
	}
	return m[i].age < m[j].age
}
func (m merger) Swap(i, j int) { m[i], m[j] = m[j], m[i] }
func (m *merger) Push(x any)   { *m = append(*m, x.(*run)) }
func (m *merger) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}

// appendCharge writes a charge: whole ones, nearly all, as 1 + 2·value in few bytes.
func appendCharge(b []byte, v float64) []byte {
	if v >= 0 && v < 1<<52 && v == math.Trunc(v) && !math.Signbit(v) {
		return binary.AppendUvarint(b, uint64(v)<<1|1)
	}
	return binary.LittleEndian.AppendUint64(append(b, 0), math.Float64bits(v))
}

// What a value is.
const (
	isText = iota
	isWhole
	isNumber
)

func appendValue(b []byte, c *wafer.Column, i int) []byte {
	switch {
	case c.Text != nil:
		b = binary.AppendUvarint(append(b, isText), uint64(len(c.Text[i])))
		return append(b, c.Text[i]...)
	case c.Int != nil:
		return binary.AppendVarint(append(b, isWhole), c.Int[i])
	}
	return binary.LittleEndian.AppendUint64(append(b, isNumber), math.Float64bits(c.Float[i]))
}

// decoder takes a row apart.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.b) {
		d.failed = true
		return make([]byte, 8)
	}
	part := d.b[:n]
	d.b = d.b[n:]
	return part
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		d.failed = true
		return 0
	}
	d.b = d.b[n:]
	return v
}

func (d *decoder) charge() float64 {
	v := d.uvarint()
	if v&1 == 1 {
		return float64(v >> 1)
	}
	return d.float()
}

func (d *decoder) float() float64 {
	return math.Float64frombits(binary.LittleEndian.Uint64(d.take(8)))
}

// value appends a value to a column, which is text where its values were of several
// kinds.
func (d *decoder) value(c *wafer.Column, seen kinds) {
	one := wafer.Column{}
	switch d.take(1)[0] {
	case isText:
		n := d.uvarint()
		if n > uint64(len(d.b)) {
			d.failed = true
			return
		}
		one.Text = []string{string(d.take(int(n)))}
	case isWhole:
		v, n := binary.Varint(d.b)
		if n <= 0 {
			d.failed = true
			return
		}
		d.b = d.b[n:]
		one.Int = []int64{v}
	default:
		one.Float = []float64{d.float()}
	}
	switch {
	case seen.whole && !seen.text && !seen.number:
		c.Int = append(c.Int, one.Int...)
	case seen.number && !seen.text && !seen.whole:
		c.Float = append(c.Float, one.Float...)
	default:
		c.Text = append(c.Text, one.Value(0))
	}
}
