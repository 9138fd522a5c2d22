package physics

import (
	"context"
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/hgcal"
	"barrow/wafer"
)

// EncoderSettings say what a trained encoder is sent with.
type EncoderSettings struct {
	// Name is the contender's, without links.
	Name string
	// Model encodes for any number of links.
	Model *autoencoder.Model
	// ByLinks are models for one number of links each, 1 to 13, in place of Model. That of
	// 5 links, which carry all the chip has, stands for more, too, where they have none.
	ByLinks map[int]*autoencoder.Model
	Links   *LinkTable
}

// encoder is the Contender of NewEncoder.
type encoder struct {
	name   string
	links  *LinkTable
	models []*autoencoder.Model
	of     [econt.MaxETx + 1]int8  // number of the model by links, -1 where nothing is sent
	bits   [econt.MaxETx + 1]uint8 // of an output by links

	senders    []*autoencoder.Sender
	images     wafer.Set // wafers under way, with the columns of conditions
	conditions bool      // of some model
	look       conditioner
	sent       []uint8 // bits
	decoded    []float64
	to         [][]float64 // where they go
}

// fullLinks carry all bits of the chip's encoder.
const fullLinks = 5

// NewEncoder sends images by trained encoders, through the integers of the chip where the
// model's precision is asic. Charges enter as whole CALQ counts. On few links the highest
// bits of each output arrive: 1, 3, 5, 7 on 1 to 4 links, 9 on more; outputs of fewer
// bits or in floating point arrive whole. What a conditional model needs and the source's
// columns lack, |η| and the type of the wafer, is the geometry's.
//
// Links for which there is no model are an error.
func NewEncoder(s EncoderSettings) (Contender, error) {
	switch {
	case s.Links == nil:
		return nil, fmt.Errorf("physics: %s without a table of links", s.Name)
	case s.Model == nil && len(s.ByLinks) == 0:
		return nil, fmt.Errorf("physics: %s without an encoder", s.Name)
	case s.Model != nil && len(s.ByLinks) > 0:
		return nil, fmt.Errorf("physics: %s with an encoder for all numbers of links and others for some: want one or the other", s.Name)
	}
	c := &encoder{name: s.Name + ", " + s.Links.Name(), links: s.Links}
	var missing []int
	for n := range c.of {
		c.of[n] = -1
	}
	number := map[*autoencoder.Model]int8{}
	for _, n := range s.Links.Counts() {
		if n == 0 {
			continue
		}
		m := s.Model
		if m == nil {
			m = s.ByLinks[n]
		}
		if m == nil && n > fullLinks {
			m = s.ByLinks[fullLinks]
		}
		if m == nil {
			missing = append(missing, n)
			continue
		}
		bits := 0 // all: outputs of different widths may have more bits than LatentBits says
		if m.Architecture().Links() > n {
			var err error
			if bits, err = autoencoder.LatentBits(n); err != nil {
				return nil, err
			}
		}
		if _, ok := number[m]; !ok {
			number[m] = int8(len(c.models))
			c.models = append(c.models, m)
			c.conditions = c.conditions || m.Architecture().Conditional
		}
		c.of[n], c.bits[n] = number[m], uint8(bits)
	}
	switch {
	case missing != nil:
		return nil, fmt.Errorf("physics: %s has no encoder for %v links, which wafers have: train one, or name one for all", c.name, missing)
	case len(c.models) == 0:
		return nil, fmt.Errorf("physics: %s: no wafer has a link", c.name)
	}
	return c, c.build()
}

// build makes what the contender has of its own.
func (c *encoder) build() error {
	c.senders = make([]*autoencoder.Sender, len(c.models))
	for k, m := range c.models {
		var err error
		if c.senders[k], err = m.Sender(); err != nil {
			return fmt.Errorf("physics: %s: %w", c.name, err)
		}
	}
	c.images, c.sent, c.to, c.decoded = wafer.Set{}, nil, nil, make([]float64, encoderBatch*hgcal.Cells)
	c.look = conditioner{geometry: c.links.geometry}
	if c.conditions {
		c.images.Columns = conditionColumns()
	}
	return nil
}

func (c *encoder) Name() string      { return c.name }
func (c *encoder) Links() *LinkTable { return c.links }

func (c *encoder) Clone() (Contender, error) {
	own := *c
	return &own, own.build()
}

// encoderBatch is how many wafers are encoded at once.
const encoderBatch = 4000

// Decode sends images, of all events together, model by model.
func (c *encoder) Decode(ctx context.Context, events []*Event, out [][]float64) error {
	if err := room(events, out); err != nil {
		return err
	}
	c.forget() // what an error left
	for model := range c.models {
		for k, e := range events {
			if err := c.gather(ctx, model, e, out[k]); err != nil {
				return err
			}
		}
		if err := c.send(ctx, model); err != nil {
			return err
		}
	}
	return nil
}

// gather puts the wafers of an event that a model sends among those under way. With the
// first model it clears those of which nothing is sent, too.
func (c *encoder) gather(ctx context.Context, model int, e *Event, out []float64) error {
	conditions := c.models[model].Architecture().Conditional
	if conditions {
		if err := c.look.at(e); err != nil {
			return err
		}
	}
	for i, w := range e.Wafers {
		n := c.links.links[w]
		if own := int(c.of[n]); own != model && (own >= 0 || model > 0) {
			continue
		}
		image, to := e.Images.Image(i), out[i*hgcal.Cells:][:hgcal.Cells]
		some, err := counts(image)
		if err != nil {
			return at(e, i, err)
		}
		if !some || n == 0 {
			clear(to)
			continue
		}
		for _, v := range image {
			c.images.Charge = append(c.images.Charge, math.Floor(v))
		}
		if conditions {
			c.look.add(&c.images, i)
		}
		c.sent, c.to = append(c.sent, c.bits[n]), append(c.to, to)
		if len(c.to) == encoderBatch {
			if err := c.send(ctx, model); err != nil {
				return err
			}
		}
	}
	return nil
}

// send sends the wafers under way.
func (c *encoder) send(ctx context.Context, model int) error {
	n := len(c.to)
	if n == 0 {
		return nil
	}
	var conditions []float32
	if c.models[model].Architecture().Conditional {
		var err error
		if conditions, err = autoencoder.Conditions(&c.images); err != nil {
			return fmt.Errorf("physics: %s: %w", c.name, err)
		}
	}
	if err := c.senders[model].Send(ctx, c.images.Charge, conditions, c.sent, c.decoded[:n*hgcal.Cells]); err != nil {
		return fmt.Errorf("physics: %s: %w", c.name, err)
	}
	for k, to := range c.to {
		copy(to, c.decoded[k*hgcal.Cells:])
	}
	c.forget()
	return nil
}

// forget leaves no wafer under way.
func (c *encoder) forget() {
	empty(&c.images)
	c.sent, c.to = c.sent[:0], c.to[:0]
}
