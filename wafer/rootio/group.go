package rootio

import (
	"fmt"
	"slices"
)

// A key is the wafer that something is on, so packed that keys sort as
// (zside, subdet, layer, waferu, waferv).
type key uint64

// What fits a key, and where in it.
const (
	zsideBits, subdetBits, layerBits, waferBits = 8, 8, 12, 16
	waferHalf                                   = 1 << (waferBits - 1)
	zsideHalf                                   = 1 << (zsideBits - 1)
)

// newKey packs a wafer; the name of what does not fit, "" if all does.
func newKey(zside, subdet, layer, u, v int64) (k key, odd string) {
	switch {
	case uint64(zside+zsideHalf) >= 1<<zsideBits:
		return 0, "zside"
	case uint64(subdet) >= 1<<subdetBits:
		return 0, "subdet"
	case uint64(layer) >= 1<<layerBits:
		return 0, "layer"
	case uint64(u+waferHalf) >= 1<<waferBits:
		return 0, "waferu"
	case uint64(v+waferHalf) >= 1<<waferBits:
		return 0, "waferv"
	}
	k = key(zside + zsideHalf)
	k = k<<subdetBits | key(subdet)
	k = k<<layerBits | key(layer)
	k = k<<waferBits | key(u+waferHalf)
	return k<<waferBits | key(v+waferHalf), ""
}

func (k key) v() int64     { return int64(k&(1<<waferBits-1)) - waferHalf }
func (k key) u() int64     { return int64(k>>waferBits&(1<<waferBits-1)) - waferHalf }
func (k key) layer() int64 { return int64(k >> (2 * waferBits) & (1<<layerBits - 1)) }
func (k key) subdet() int64 {
	return int64(k >> (2*waferBits + layerBits) & (1<<subdetBits - 1))
}
func (k key) zside() int64 { return int64(k>>(2*waferBits+layerBits+subdetBits)) - zsideHalf }

func (k key) String() string {
	return fmt.Sprintf("wafer (zside %d, subdet %d, layer %d, u %d, v %d)", k.zside(), k.subdet(), k.layer(), k.u(), k.v())
}

// A grouper numbers the distinct keys of an event as they come.
type grouper struct {
	keys  []key
	slots []int32 // by hash: 1 + the number of a key
}

func (g *grouper) reset() {
	g.keys = g.keys[:0]
	clear(g.slots)
}

// hash is the first slot to look for a key in; there are a power of two.
func (g *grouper) hash(k key) int {
	h := uint64(k) * 0x9e3779b97f4a7c15
	return int(h>>32) & (len(g.slots) - 1)
}

// find is the number of a key, -1 where it has none.
func (g *grouper) find(k key) int {
	if len(g.slots) == 0 {
		return -1
	}
	for at := g.hash(k); ; at = (at + 1) & (len(g.slots) - 1) {
		switch i := g.slots[at] - 1; {
		case i < 0:
			return -1
		case g.keys[i] == k:
			return int(i)
		}
	}
}

// add is the number of a key, which it gets if it has none.
func (g *grouper) add(k key) int {
	if i := g.find(k); i >= 0 {
		return i
	}
	g.keys = append(g.keys, k)
	if 2*len(g.keys) > len(g.slots) {
		g.slots = make([]int32, max(1024, 4*len(g.slots)))
		for i, k := range g.keys {
			g.put(k, i)
		}
	} else {
		g.put(k, len(g.keys)-1)
	}
	return len(g.keys) - 1
}

func (g *grouper) put(k key, i int) {
	at := g.hash(k)
	for g.slots[at] != 0 {
		at = (at + 1) & (len(g.slots) - 1)
	}
	g.slots[at] = int32(i + 1)
}

// sorted puts the numbers of the keys in the keys' order.
func (g *grouper) sorted(order []int) []int {
	order = order[:0]
	for i := range g.keys {
		order = append(order, i)
	}
	slices.SortFunc(order, func(a, b int) int {
		if g.keys[a] < g.keys[b] {
			return -1
		}
		return 1
	})
	return order
}
