package physics

import (
	"context"
	"fmt"
	"math"

	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/wafer"
)

// learned is the Contender of NewLearned: an algorithm whose frames are decoded together, as
// many as are on the same links.
type learned struct {
	*algorithm
	look  conditioner
	under [econt.MaxETx + 1]frames // way, by links
	out   []float64                // images of some frames
}

// frames that are to be decoded.
type frames struct {
	list   []econt.Decoded
	to     [][]float64 // where they go
	images wafer.Set   // with the columns of conditions, if the decoder wants any
}

// learnedBatch is how many frames are decoded at once.
const learnedBatch = 500

// NewLearned is NewAlgorithm with decoders that have learned, one for each number of links that
// is used ([LinksUsed]). The scheme's decoding is
// evaluate.DecodeLearned, without a decoder. The decoders are copied. What one with conditions
// needs and the source's columns lack is the geometry's.
//
// Links without a decoder, and a decoder of other frames, are errors.
func NewLearned(s evaluate.Scheme, decoders map[int]*decoder.Model, links *LinkTable) (Contender, error) {
	a, err := newAlgorithm(s, links)
	if err != nil {
		return nil, err
	}
	if s.Decoding != evaluate.DecodeLearned || s.Decoder != nil {
		return nil, fmt.Errorf("physics: %s: the decoding is %q: want %s, with the decoders by links", s.Name(), s.Decoding, evaluate.DecodeLearned)
	}
	var missing []int
	for _, n := range links.Counts() {
		if n == 0 {
			continue
		}
		if a.decoders[n] = decoders[LinksUsed(s, n)]; a.decoders[n] == nil {
			missing = append(missing, n)
		}
	}
	if missing != nil {
		return nil, fmt.Errorf("physics: %s has no decoder for %v links, which wafers have", a.name, missing)
	}
	return (&learned{algorithm: a}).Clone()
}

// Clone copies the decoders.
func (l *learned) Clone() (Contender, error) {
	a := *l.algorithm
	own := &learned{algorithm: &a, look: conditioner{geometry: a.geometry}, out: make([]float64, learnedBatch*hgcal.Cells)}
	for n, d := range a.decoders {
		if d == nil {
			continue
		}
		var err error
		if a.decoders[n], err = d.Clone(); err != nil {
			return nil, fmt.Errorf("physics: %s: %w", a.name, err)
		}
		if d.Architecture().Conditions {
			own.under[n].images.Columns = conditionColumns()
		}
	}
	return own, a.build()
}

// Decode sends images through the chip and decodes their frames.
func (l *learned) Decode(ctx context.Context, events []*Event, out [][]float64) error {
	if err := room(events, out); err != nil {
		return err
	}
	if err := l.fitted(); err != nil {
		return err
	}
	for n := range l.under {
		l.under[n].forget() // what an error left
	}
	for k, e := range events {
		if err := l.gather(ctx, e, out[k]); err != nil {
			return err
		}
	}
	for n := range l.under {
		if err := l.decode(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

// gather sends an event's wafers and puts their frames among those under way.
func (l *learned) gather(ctx context.Context, e *Event, out []float64) error {
	looked := false
	for i, w := range e.Wafers {
		image, to := e.Images.Image(i), out[i*hgcal.Cells:][:hgcal.Cells]
		some, err := counts(image)
		if err != nil {
			return at(e, i, err)
		}
		n := int(l.links.links[w])
		if !some || n == 0 {
			clear(to)
			continue
		}
		chip, f := l.chips[n][l.density[w]], &l.under[n]
		if _, err := chip.Encode(image, to); err != nil {
			return at(e, i, err)
		}
		if f.images.Columns != nil {
			if !looked {
				if err := l.look.at(e); err != nil {
					return err
				}
				looked = true
			}
			for _, v := range image {
				f.images.Charge = append(f.images.Charge, math.Floor(v))
			}
			l.look.add(&f.images, i)
		}
		f.list, f.to = append(f.list, *chip.Decoded()), append(f.to, to)
		if len(f.list) == learnedBatch {
			if err := l.decode(ctx, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// decode decodes the frames under way on some links.
func (l *learned) decode(ctx context.Context, links int) error {
	f := &l.under[links]
	if len(f.list) == 0 {
		return ctx.Err()
	}
	d := l.decoders[links]
	var conditions []float32
	if f.images.Columns != nil {
		var err error
		if conditions, err = d.Conditions(&f.images); err != nil {
			return fmt.Errorf("physics: %s: %w", l.name, err)
		}
	}
	images := l.out[:len(f.list)*hgcal.Cells]
	if err := d.Decode(ctx, f.list, conditions, images); err != nil {
		return fmt.Errorf("physics: %s: %w", l.name, err)
	}
	for k, to := range f.to {
		copy(to, images[k*hgcal.Cells:])
	}
	f.forget()
	return nil
}

// forget leaves no frame under way.
func (f *frames) forget() {
	f.list, f.to = f.list[:0], f.to[:0]
	empty(&f.images)
}
