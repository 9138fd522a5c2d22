package decoder

import (
	"math/bits"

	"barrow/econt"
)

// floor is added to every share, so that no group is without any.
const floor = 1.0 / (1 << 20)

// allChannels is the set of all.
const allChannels = 1<<econt.Channels - 1

// A split is how a frame's sums are divided by shares: charge c of a group is the group's
// sum times the c-th share over all shares of the group. What was sent cell by cell
// stays.
//
// Where the links carry some of a wafer's super trigger cells only, the others' channels
// have no sum. They get a part of all sums: their shares over everybody's. The charge
// of the groups is less by that part, so that the sum stays the sum sent.
type split struct {
	total  float64 // of the groups' sums
	kept   float64 // part of the total that the groups keep
	all    float64 // shares of groups and of channels in none
	open   uint64  // channels in no group, if they get anything
	shares [groups]float64
}

// groups is the most of them that a frame has: super trigger cells of four channels.
const groups = econt.Channels / 4

// each calls f with the channels of a set.
func each(set uint64, f func(ch int)) {
	for ; set != 0; set &= set - 1 {
		f(bits.TrailingZeros64(set))
	}
}

// sum is that of the shares of some channels.
func sum(set uint64, s []float32) (v float64) {
	for ; set != 0; set &= set - 1 {
		v += float64(s[bits.TrailingZeros64(set)]) + floor
	}
	return v
}

// divide divides a frame's sums by 48 shares, which are not negative.
func divide(f *econt.Decoded, s []float32) (d split) {
	known, grouped := f.Known(), uint64(0)
	of := f.Groups()
	for k := range of {
		g := &of[k]
		grouped |= g.Cells
		d.total += g.Sum
		d.shares[k] = sum(g.Cells, s)
		d.all += d.shares[k]
	}
	d.kept = 1
	if open := allChannels &^ (known | grouped); d.total > 0 && open != 0 {
		closed := d.all
		d.open = open
		d.all += sum(open, s)
		d.kept = closed / d.all
	}
	return d
}

// place writes the charges of all channels, in CALQ counts.
func place(f *econt.Decoded, s []float32, out *[econt.Channels]float64) {
	d := divide(f, s)
	clear(out[:])
	each(f.Known(), func(ch int) { out[ch] = f.Image[ch] })
	of := f.Groups()
	for k := range of {
		unit := d.kept * of[k].Sum / d.shares[k]
		each(of[k].Cells, func(ch int) { out[ch] = unit * (float64(s[ch]) + floor) })
	}
	each(d.open, func(ch int) { out[ch] = d.total / d.all * (float64(s[ch]) + floor) })
}

// back takes the gradient with respect to the charges, times unit, to that with respect to
// the shares.
func back(f *econt.Decoded, s []float32, dq *[econt.Channels]float64, unit float64, ds []float32) {
	d := divide(f, s)
	clear(ds)
	value := 0.0 // of the groups' charges if they kept all: Σ dq·charge
	of := f.Groups()
	for k := range of {
		g := &of[k]
		mean := weighted(g.Cells, s, dq) / d.shares[k]
		value += g.Sum * mean
		scale := unit * d.kept * g.Sum / d.shares[k]
		each(g.Cells, func(ch int) { ds[ch] = float32(scale * (dq[ch] - mean)) })
	}
	if d.open == 0 {
		return
	}
	// The charges are worth kept·value + total·open/all, where kept is the groups' shares
	// over all.
	open := weighted(d.open, s, dq)
	scale := unit / d.all
	lost := scale * (d.total*open/d.all + d.kept*value)
	each(d.open, func(ch int) { ds[ch] = float32(scale*d.total*dq[ch] - lost) })
	gained := scale * ((1-d.kept)*value - d.total*open/d.all)
	each(allChannels&^(d.open|f.Known()), func(ch int) { ds[ch] += float32(gained) })
}

// weighted is the sum of some channels' gradients, times their shares.
func weighted(set uint64, s []float32, dq *[econt.Channels]float64) (v float64) {
	each(set, func(ch int) { v += dq[ch] * (float64(s[ch]) + floor) })
	return v
}
