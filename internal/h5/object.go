package h5

import "bytes"

// object is an object header: a list of messages.
type object struct {
	file     *File
	path     string
	at       uint64
	messages []message
	order    bool // messages say the order in which they were made
}

type message struct {
	kind int
	data []byte
}

// maxMessages bounds what one header may hold; of old attributes there may be 65,535.
const maxMessages = 1 << 17

// object reads the object header at an address.
func (f *File) object(at uint64, path string) (*object, error) {
	o := &object{file: f, path: path, at: at}
	b, err := f.block(at, 16, path+": object header")
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(b, []byte("OHDR")) {
		err = o.readNew()
	} else {
		err = o.readOld(b)
	}
	if err != nil {
		return nil, err
	}
	for i := range o.messages {
		m := &o.messages[i]
		if m.kind&elsewhere == 0 {
			continue
		}
		m.kind &^= elsewhere
		// Attributes of a committed type and the like are met where they are read.
		if m.kind == msgDatatype || m.kind == msgDataspace || m.kind == msgFill || m.kind == msgFilter {
			if m.data, err = o.follow(m.kind, m.data); err != nil {
				return nil, err
			}
		} else {
			return nil, errorf("%s: a shared header message of type %d is not supported", path, m.kind)
		}
	}
	return o, nil
}

// elsewhere marks a message that is kept elsewhere.
const elsewhere = 1 << 16

// follow reads a message that is kept in another object's header: a committed
// datatype.
func (o *object) follow(kind int, b []byte) ([]byte, error) {
	c := &cursor{b: b}
	version, where := c.u8(), c.u8()
	switch {
	case version == 1:
		c.skip(6)
	case version == 2 && where != 1, version == 3 && where == 2:
	default:
		return nil, errorf("%s: a header message shared in the way %d.%d is not supported", o.path, version, where)
	}
	at := c.u64()
	if c.short || at == o.at {
		return nil, errorf("%s: a shared header message leads nowhere: the file is damaged", o.path)
	}
	b, err := o.file.block(at, 16, o.path+": committed datatype")
	if err != nil {
		return nil, err
	}
	other := &object{file: o.file, path: o.path + ": committed datatype", at: at}
	if bytes.HasPrefix(b, []byte("OHDR")) {
		err = other.readNew()
	} else {
		err = other.readOld(b)
	}
	if err != nil {
		return nil, err
	}
	if data, ok := other.first(kind); ok {
		return data, nil
	}
	return nil, errorf("%s: a shared header message leads to an object without it: the file is damaged", o.path)
}

// readOld reads a header of version 1, which begins with b.
func (o *object) readOld(b []byte) error {
	c := &cursor{b: b}
	version := c.u8()
	c.skip(1)
	count := c.u16()
	c.skip(4)
	size := c.u32()
	if version != 1 {
		return errorf("%s: no object header at address %#x: the file is damaged", o.path, o.at)
	}
	b, err := o.file.block(o.at+16, uint64(size), o.path+": object header")
	if err != nil {
		return err
	}
	return o.readBlocks(&cursor{b: b}, count, func(c *cursor) (kind int, size int) {
		kind, size = c.u16(), c.u16()
		if c.u8()&2 != 0 {
			kind |= elsewhere
		}
		c.skip(3)
		return kind, size
	}, 8, func(at, n uint64) (*cursor, error) {
		b, err := o.file.block(at, n, o.path+": continued object header")
		return &cursor{b: b}, err
	})
}

// readNew reads a header of version 2.
func (o *object) readNew() error {
	const most = 4 + 2 + 16 + 4 + 8
	b, err := o.file.block(o.at, min(most, o.file.size-o.at), o.path+": object header")
	if err != nil {
		return err
	}
	c := &cursor{b: b, pos: 4}
	version, flags := c.u8(), c.u8()
	if version != 2 {
		return errorf("%s: object header of version %d is not supported; supported are 1 and 2", o.path, version)
	}
	if flags&0x20 != 0 {
		c.skip(16)
	}
	if flags&0x10 != 0 {
		c.skip(4)
	}
	size := c.uint(1 << (flags & 3))
	if c.short || size > o.file.size {
		return errorf("%s: object header is cut short: the file is damaged", o.path)
	}
	first, err := o.file.checked(o.at, uint64(c.pos)+size+4, "OHDR", o.path+": object header")
	if err != nil {
		return err
	}
	first.skip(c.pos - first.pos)
	o.order = flags&4 != 0
	head := 4
	if o.order {
		head += 2
	}
	return o.readBlocks(first, maxMessages, func(c *cursor) (kind, size int) {
		kind, size = int(c.u8()), c.u16()
		if c.u8()&2 != 0 {
			kind |= elsewhere
		}
		if o.order {
			c.skip(2)
		}
		return kind, size
	}, head, func(at, n uint64) (*cursor, error) {
		return o.file.checked(at, n, "OCHK", o.path+": continued object header")
	})
}

// readBlocks reads the messages of a header's first block and of all in which it goes
// on, of which each begins with a head of so many bytes.
func (o *object) readBlocks(first *cursor, count int, head func(*cursor) (int, int), headSize int, next func(at, n uint64) (*cursor, error)) error {
	seen := map[uint64]bool{o.at: true, o.at + 16: true}
	total := uint64(len(first.b))
	read := 0
	for queue := []*cursor{first}; len(queue) > 0; queue = queue[1:] {
		for c := queue[0]; c.rest() >= headSize && read < count; read++ {
			kind, n := head(c)
			data := c.take(n)
			if c.short {
				return errorf("%s: message %d runs beyond its object header: the file is damaged", o.path, read)
			}
			if kind != msgContinuation {
				if kind != 0 {
					o.messages = append(o.messages, message{kind, data})
				}
				continue
			}
			d := &cursor{b: data}
			at, size := d.u64(), d.u64()
			if total += size; d.short || seen[at] || size > o.file.size || total > o.file.size {
				return errorf("%s: object header goes on where it has already been: the file is damaged", o.path)
			}
			seen[at] = true
			block, err := next(at, size)
			if err != nil {
				return err
			}
			queue = append(queue, block)
		}
	}
	if len(o.messages) > maxMessages {
		return errorf("%s: an object header of %d messages is not supported", o.path, len(o.messages))
	}
	return nil
}

// first is the first message of a kind.
func (o *object) first(kind int) ([]byte, bool) {
	for _, m := range o.messages {
		if m.kind == kind {
			return m.data, true
		}
	}
	return nil, false
}
