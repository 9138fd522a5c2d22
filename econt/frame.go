package econt

// frameWords is what the buffer takes at once: 13 links × 32 bits in words of
// 16 bits.
const frameWords = 2 * MaxETx

// A Field is one part of a frame.
type Field struct {
	Name  string // such as "charge"
	Index int    // which of several, usually a channel; −1 where there is one
	Bit   int    // first bit, counted from the frame's most significant
	Width int    // bits
}

// frame is the output of one bunch crossing before the buffer: bits from the
// most significant of word 0 on, and idle words after them.
type frame struct {
	words     [frameWords]uint16
	pos       int    // bits written
	num       int    // words that the buffer counts
	truncated uint16 // the word that replaces the frame where the buffer is full
	trunIdle  uint16 // the words after that one
	fields    []Field
	trace     bool // record fields
}

func (f *frame) reset() {
	*f = frame{fields: f.fields[:0], trace: f.trace}
}

// put appends the low width bits of v, width ≤ 48.
func (f *frame) put(name string, index int, v uint64, width int) {
	if f.trace {
		f.note(name, index, width)
	}
	for width > 0 {
		word, used := f.pos>>4, f.pos&15
		n := min(16-used, width)
		part := uint16(v>>(width-n)) & uint16(1<<n-1)
		f.words[word] |= part << (16 - used - n)
		f.pos += n
		width -= n
	}
}

// note records a field; pieces of the same one are joined.
func (f *frame) note(name string, index, width int) {
	if n := len(f.fields); n > 0 {
		last := &f.fields[n-1]
		if last.Name == name && last.Index == index && last.Bit+last.Width == f.pos {
			last.Width += width
			return
		}
	}
	f.fields = append(f.fields, Field{name, index, f.pos, width})
}

// fill ends the frame: zeros to the end of the 16-bit word, idle after it.
func (f *frame) fill(idle uint16) {
	used := (f.pos + 15) / 16
	if f.trace && f.pos < 16*used {
		f.fields = append(f.fields, Field{"padding", -1, f.pos, 16*used - f.pos})
	}
	if f.trace {
		for w := used; w < frameWords; w++ {
			f.fields = append(f.fields, Field{"idle", w, 16 * w, 16})
		}
	}
	for w := used; w < frameWords; w++ {
		f.words[w] = idle
	}
}

// header5 is the bunch-crossing field: 31 at the orbit's start, else BX mod 16.
func header5(bx int) uint64 {
	if bx == 0 {
		return 31
	}
	return uint64(bx & 15)
}

// header4 is bit 4 and the low three bits of header5: 15 at the orbit's start,
// else BX mod 8.
func header4(bx int) uint64 {
	h := header5(bx)
	return h>>4<<3 | h&7
}
