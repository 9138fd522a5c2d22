package econt

// bufferWords holds T1's largest value and one whole frame more.
const bufferWords = 512 + 2*frameWords

// origin says which row's frame a word of the buffer came from.
type origin struct {
	row       int  // index of the input row, −1 for none
	word      int  // 16-bit word within its frame
	truncated bool // whether the frame was replaced
}

var noOrigin = origin{row: -1}

// buffer is the output buffer: frames go in behind what is waiting, 2·eTx words
// come out each bunch crossing. With N words waiting and a frame of M words:
//
//	N+M > T1            the frame is replaced by one truncated word, type 110
//	N > T2 and M ≤ T3   the same, type 111
//	else                the frame goes in whole
//
// The frames of all algorithms but TS fill their links exactly, so that N is
// always 0 for them. What lies behind the last word written is the frame's own
// idle words, and that is what leaves if nothing else is there.
type buffer struct {
	words [bufferWords]uint16
	from  [bufferWords]origin // kept only with trace
	fill  int
}

// push puts a frame in and reports how it was treated.
func (b *buffer) push(f *frame, c *Config, row int, trace bool) (truncated bool) {
	n, m := b.fill, f.num
	word := f.truncated
	switch {
	case n+m > int(c.T1):
		truncated, word = true, word&^(1<<8)
	case n > int(c.T2) && m <= int(c.T3):
		truncated, word = true, word|1<<8
	}
	dst := b.words[n : n+frameWords]
	if truncated {
		m = 1
		dst[0] = word
		for i := 1; i < frameWords; i++ {
			dst[i] = f.trunIdle
		}
	} else {
		copy(dst, f.words[:])
	}
	if trace {
		for i := range frameWords {
			b.from[n+i] = origin{row, i, truncated}
		}
	}
	b.fill += m
	return truncated
}

// pop takes 2·etx words out into the active links.
func (b *buffer) pop(etx int, links uint16, out *Output, from *[frameWords]origin, trace bool) {
	*out = Output{}
	k := 0
	for l := range MaxETx {
		if links>>l&1 == 0 {
			if trace {
				from[2*l], from[2*l+1] = noOrigin, noOrigin
			}
			continue
		}
		out[l] = uint32(b.words[k])<<16 | uint32(b.words[k+1])
		if trace {
			from[2*l], from[2*l+1] = b.from[k], b.from[k+1]
		}
		k += 2
	}
	copy(b.words[:], b.words[2*etx:])
	if trace {
		copy(b.from[:], b.from[2*etx:])
	}
	b.fill = max(b.fill-2*etx, 0)
}
