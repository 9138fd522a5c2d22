package econt

import "math/bits"

// repeat is RPT: all 48 charges in 4E3M.
//
//	header 5 | 48 × 4E3M of CALQ with dropped bits
//
// On fewer than eleven links the frame is cut where the links end (not covered
// by a golden).
func (e *Emulator) repeat(bx int) {
	f := &e.frame
	f.put("header", -1, header5(bx), 5)
	for ch, q := range e.calq {
		f.put("charge", ch, uint64(F4E3M.Encode(uint64(q>>e.drop))), 7)
	}
	f.fill(0)
	f.num = 2 * e.etx
}

// thresholdSum is TS: the cells that pass their channel's threshold and the
// sum of the rest (of all, with use_sum).
//
//	n = 0   header 5 | type 000 | 5E3M
//	n < 8   header 5 | type 010 | 5E3M | n 3 | n × address 6 | n × 4E3M
//	n ≥ 8   header 5 | type 100 | 5E3M | map 48, channel 0 first | n × 4E3M
//
// Charges drop bits, the sum does not. A frame refused by the buffer is one
// word: header 5 | type 110 or 111 | 5E3M of all cells, whatever use_sum says.
func (e *Emulator) thresholdSum(bx int) {
	f := &e.frame
	var pass uint64
	var all, rest uint64
	n := 0
	for ch, q := range e.calq {
		all += uint64(q)
		if q >= e.config.Threshold[ch] {
			pass |= 1 << ch
			n++
		} else {
			rest += uint64(q)
		}
	}
	head := header5(bx)
	full := uint64(F5E3M.Encode(all))
	sum := uint64(F5E3M.Encode(rest))
	if e.config.UseSum {
		sum = full
	}
	kind := uint64(0b100)
	switch {
	case n == 0:
		kind = 0b000
	case n < 8:
		kind = 0b010
	}
	f.put("header", -1, head, 5)
	f.put("type", -1, kind, 3)
	f.put("sum", -1, sum, 8)
	switch {
	case n == 0:
	case n < 8:
		f.put("count", -1, uint64(n), 3)
		e.putAddresses(pass)
	default:
		e.putMap(pass)
	}
	for ch, q := range e.calq {
		if pass>>ch&1 != 0 {
			f.put("charge", ch, uint64(F4E3M.Encode(uint64(q>>e.drop))), 7)
		}
	}
	idle := uint16(head<<11) | e.config.IdlePattern
	f.num = (f.pos + 15) / 16
	f.fill(idle)
	f.truncated = uint16(head<<11 | 0b110<<8 | full)
	f.trunIdle = idle
}

// putMap writes one bit a channel, channel 0 first.
func (e *Emulator) putMap(set uint64) {
	if !e.frame.trace {
		e.frame.put("map", -1, bits.Reverse64(set)>>(64-Channels), Channels)
		return
	}
	for ch := range Channels {
		e.frame.put("map", ch, set>>ch&1, 1)
	}
}

// putAddresses writes the six-bit numbers of the channels set, ascending.
func (e *Emulator) putAddresses(set uint64) {
	i := 0
	for ch := range Channels {
		if set>>ch&1 != 0 {
			e.frame.put("address", i, uint64(ch), 6)
			i++
		}
	}
}

// bestChoiceCells is how many cells BC sends on 1..13 links.
var bestChoiceCells = [MaxETx + 1]int{0, 1, 4, 6, 9, 14, 18, 23, 28, 32, 37, 41, 46, 48}

// bestChoice is BC: the largest cells after dropping bits.
//
//	header 4 | 5E3M of the rest (use_sum: of all) | n × address 6 (n < 8) or map 48 | n × 4E3M
//
// Both the sum and the charges have dropped bits; charges are in channel order
// and stay even where they are zero.
func (e *Emulator) bestChoice(bx int) {
	f := &e.frame
	n := bestChoiceCells[e.etx]
	var order [Channels]uint32
	var all, rest uint64
	for ch, q := range e.calq {
		order[ch] = q>>e.drop<<6 | uint32(ch)
		all += uint64(q >> e.drop)
	}
	batcherSort(&order)
	var set uint64
	for i, v := range order {
		if i < n {
			set |= 1 << (v & 63)
		} else {
			rest += uint64(v >> 6)
		}
	}
	sum := rest
	if e.config.UseSum {
		sum = all
	}
	f.put("header", -1, header4(bx), 4)
	f.put("sum", -1, uint64(F5E3M.Encode(sum)), 8)
	if n < 8 {
		e.putAddresses(set)
	} else {
		e.putMap(set)
	}
	for ch, q := range e.calq {
		if set>>ch&1 != 0 {
			f.put("charge", ch, uint64(F4E3M.Encode(uint64(q>>e.drop))), 7)
		}
	}
	f.fill(0)
	f.num = min(2*e.etx, 25)
}

// comparators of Batcher's merge exchange on 48 channels (Knuth, The Art of
// Computer Programming 3, 5.2.2, algorithm M). The order of equal charges is
// that of this network, which is not a stable sort.
var comparators = mergeExchange(Channels)

func mergeExchange(n int) [][2]uint8 {
	top := 1
	for 2*top < n {
		top *= 2
	}
	var net [][2]uint8
	for p := top; p > 0; p /= 2 {
		q, r, d := top, 0, p
		for {
			for i := range n - d {
				if i&p == r {
					net = append(net, [2]uint8{uint8(i), uint8(i + d)})
				}
			}
			if q == p {
				break
			}
			d, q, r = q-p, q/2, p
		}
	}
	return net
}

// batcherSort sorts charge<<6 | channel by charge, largest first.
func batcherSort(v *[Channels]uint32) {
	for _, c := range comparators {
		i, j := c[0], c[1]
		a, b := v[i], v[j]
		lo, hi := b, a
		if a>>6 < b>>6 {
			lo, hi = a, b
		}
		v[i], v[j] = hi, lo
	}
}

// stcShape describes one super trigger cell type.
type stcShape struct {
	cells   int             // trigger cells in each
	address int             // bits, 0 for coarse cells
	format  Format          // of the sum
	drop    bool            // whether the sum drops bits
	onLinks [MaxETx + 1]int // how many are sent on n links; beyond the last, none
}

var stcShapes = [...]stcShape{
	STC4A5E4M:  {4, 2, F5E4M, false, [MaxETx + 1]int{1: 2, 2: 5, 3: 8, 4: 11, 5: 12}},
	STC16A5E4M: {16, 4, F5E4M, false, [MaxETx + 1]int{1: 2, 2: 3}},
	CTC4N4E3M:  {4, 0, F4E3M, true, [MaxETx + 1]int{1: 4, 2: 8, 3: 12}},
	STC4A4E3M:  {4, 2, F4E3M, true, [MaxETx + 1]int{1: 3, 2: 6, 3: 10, 4: 12}},
	CTC4N5E4M:  {4, 0, F5E4M, false, [MaxETx + 1]int{1: 3, 2: 6, 3: 10, 4: 12}},
}

// superTriggerCell is STC: sums over consecutive channels.
//
//	header 4 | n × address of the largest cell | n × sum, zeros to 32 bits
//
// Of equal largest cells the one with the highest channel counts. A type on
// more links than it has sums for sends zeros.
func (e *Emulator) superTriggerCell(bx int) {
	f := &e.frame
	shape := &stcShapes[e.config.STCType]
	n := shape.onLinks[e.etx]
	if n == 0 {
		f.fill(0)
		f.num = 2
		return
	}
	var sum [12]uint64
	var best [12]uint64
	for i := range n {
		cells := e.calq[i*shape.cells : (i+1)*shape.cells]
		top := uint32(0)
		for j, q := range cells {
			sum[i] += uint64(q)
			if q >= top {
				top, best[i] = q, uint64(j)
			}
		}
	}
	f.put("header", -1, header4(bx), 4)
	if shape.address > 0 {
		for i := range n {
			f.put("address", i, best[i], shape.address)
		}
	}
	for i := range n {
		s := sum[i]
		if shape.drop {
			s >>= e.drop
		}
		f.put("sum", i, uint64(shape.format.Encode(s)), shape.format.Bits())
	}
	f.fill(0)
	f.num = 2 * ((f.pos + 31) / 32)
}
