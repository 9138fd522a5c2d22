package econt

// The encoder's arithmetic is fixed point. An image is 48 eight-bit numbers
// with seven fractional bits whose sum is at most 255. Products are truncated
// (towards −∞) one by one before they are added: in the convolution to seven
// fractional bits, in the dense layer to eight.

// outputBits is the width of an encoder output, eight of them fractional.
const outputBits = 9

// autoencode is AE: the encoder's 16 outputs filtered by the keep mask, and
// the sum of all cells.
//
//	header 5 | 5E4M | payload of min(18 + 32(n−1), 146) bits
//
// The payload is OUT15…OUT0, most significant bits first, where the mask has a
// one: its last bits if there are more than fit, right-aligned behind zeros if
// there are fewer. Only 2 and 5 links with all bits kept are covered by
// goldens.
func (e *Emulator) autoencode(bx int) {
	f := &e.frame
	var out [16]uint16
	sum, over := e.encoder.encodeOne(&e.calq, &out)
	if over {
		e.overflows++
	}
	f.put("header", -1, header5(bx), aeHeader)
	f.put("sum", -1, uint64(F5E4M.Encode(uint64(sum))), aeSum)
	room := payloadBits(e.etx)
	kept := e.config.Keep.Count()
	for pad := room - kept; pad > 0; {
		n := min(pad, 32)
		f.put("padding", -1, 0, n)
		pad -= n
	}
	skip := max(kept-room, 0)
	for j := len(out) - 1; j >= 0; j-- {
		v, n := e.config.Keep.take(j, out[j])
		lost := min(skip, n)
		skip -= lost
		if n -= lost; n > 0 {
			f.put("output", j, uint64(v), n)
		}
	}
	f.fill(0)
	f.num = (f.pos + 15) / 16
}

// An AE frame begins with header and module sum.
const (
	aeHeader = 5
	aeSum    = 9
	// AEHeadBits are those of both: what a frame has beside the outputs.
	AEHeadBits = aeHeader + aeSum
)

// payloadBits is the room for encoder bits on n links.
func payloadBits(n int) int { return min(18+32*(n-1), 146) }
