package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errValues is values that end before their number.
var errValues = errors.New("a page has fewer values than it says")

// hybrid reads numbers of up to 32 bits in the hybrid of runs and packed bits, in
// which levels, indices of dictionaries and truth values are written.
type hybrid struct {
	b     []byte
	width uint
	same  uint64 // numbers left of a run
	value uint32 // that it repeats
	// packed numbers: how many are left, and the bit in packed of the next
	more   uint64
	packed []byte
	bit    uint64
}

func newHybrid(b []byte, width uint) (hybrid, error) {
	if width > 32 {
		return hybrid{}, fmt.Errorf("numbers of %d bits", width)
	}
	return hybrid{b: b, width: width}, nil
}

// run takes the head of the next run.
func (h *hybrid) run() error {
	head, n := binary.Uvarint(h.b)
	if n <= 0 {
		return errValues
	}
	h.b = h.b[n:]
	if head&1 == 0 {
		bytes := int(h.width+7) / 8
		if len(h.b) < bytes {
			return errValues
		}
		h.value = 0
		for i := range bytes {
			h.value |= uint32(h.b[i]) << (8 * i)
		}
		h.b, h.same = h.b[bytes:], head>>1
		return nil
	}
	// Eight numbers take width bytes. The last group may be cut short.
	groups := head >> 1
	have := uint64(len(h.b))
	if h.width > 0 && groups > (have+uint64(h.width)-1)/uint64(h.width) {
		return errValues
	}
	size := min(groups*uint64(h.width), have)
	h.packed, h.b = h.b[:size], h.b[size:]
	h.bit, h.more = 0, 8*groups
	if h.width > 0 {
		h.more = min(h.more, size*8/uint64(h.width))
	}
	return nil
}

// fill reads numbers into all of dst.
func fill[T uint8 | uint32](h *hybrid, dst []T) error {
	for len(dst) > 0 {
		switch {
		case h.same > 0:
			n := int(min(h.same, uint64(len(dst))))
			for i := range dst[:n] {
				dst[i] = T(h.value)
			}
			h.same -= uint64(n)
			dst = dst[n:]
		case h.more > 0:
			n := int(min(h.more, uint64(len(dst))))
			unpackBits(dst[:n], h.packed, h.bit, h.width)
			h.bit += uint64(n) * uint64(h.width)
			h.more -= uint64(n)
			dst = dst[n:]
		default:
			if err := h.run(); err != nil {
				return err
			}
		}
	}
	return nil
}

// unpackBits reads numbers of width bits that begin at a bit of b, which has them all.
func unpackBits[T uint8 | uint32](dst []T, b []byte, bit uint64, width uint) {
	mask := uint64(1)<<width - 1
	i := 0
	for ; i < len(dst); i++ {
		at := bit >> 3
		if at+8 > uint64(len(b)) {
			break
		}
		dst[i] = T(binary.LittleEndian.Uint64(b[at:]) >> (bit & 7) & mask)
		bit += uint64(width)
	}
	for ; i < len(dst); i++ {
		dst[i] = T(tail(b, bit>>3) >> (bit & 7) & mask)
		bit += uint64(width)
	}
}

// tail is up to eight bytes of b from at on.
func tail(b []byte, at uint64) uint64 {
	var last [8]byte
	copy(last[:], b[min(at, uint64(len(b))):])
	return binary.LittleEndian.Uint64(last[:])
}
