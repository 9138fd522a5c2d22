package plan

import (
	"math/rand/v2"

	"barrow/econt"
	"barrow/hgcal"
)

// A Buffer is what becomes of TS' frames on a module's links, in crossings that have nothing to do
// with one another.
type Buffer struct {
	Longer    float64 `json:"longer"`    // share of the frames that are longer than what the links carry in a crossing
	Truncated float64 `json:"truncated"` // share that the chip's buffer refuses, of which only the sum arrives
}

// bufferOrder tells the order of the crossings from other random choices.
const bufferOrder = 0x6f72646572

// buffer sends the images that a class is measured by, those without charge among them, through
// the chip with its buffer.
func (w *work) buffer(c *class, p *parts, one Candidate) (b Buffer, err error) {
	config, err := one.config(c.high)
	if err != nil {
		return b, err
	}
	chip, err := baseline(config, one.Decoding)
	if err != nil {
		return b, err
	}
	e, err := econt.New(config)
	if err != nil {
		return b, err
	}
	n := p.heldOut.Len() + p.empty[heldOut]
	at := hgcal.Map(config.Algorithm.Order(), hgcal.V9)
	var image [hgcal.Cells]float64
	var q [econt.Channels]uint32
	var out econt.Output
	for bx, i := range rand.New(rand.NewPCG(w.plan.Seed, bufferOrder)).Perm(n) {
		in := image[:]
		clear(in)
		if i < p.heldOut.Len() {
			in = p.heldOut.Image(i)
		}
		for cell, v := range in {
			q[at[cell]] = uint32(v)
		}
		if err := e.StepCALQ(bx, &q, &out); err != nil {
			return b, err
		}
		var decoded [hgcal.Cells]float64
		bits, err := chip.Encode(in, decoded[:])
		if err != nil {
			return b, err
		}
		if bits > linkBits*one.Links {
			b.Longer += 1 / float64(n)
		}
	}
	b.Truncated = float64(e.Truncated()) / float64(n)
	return b, nil
}

// linkBits is what a link carries in a crossing.
const linkBits = 32
