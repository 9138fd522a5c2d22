package econt

import (
	"context"
	"fmt"
	"io"

	"barrow/internal/simd"
)

// A BunchCrossing is one row of input: twelve eRx words, each a four-bit
// header and four 4E3M codes of seven bits, the first in bits 27–21.
type BunchCrossing struct {
	BX  int // 0..3563
	ERx [ERxWords]uint32
}

// An Output is what leaves in one bunch crossing; inactive links are zero.
type Output [MaxETx]uint32

// An Emulator is the chip with its registers set: feed it bunch crossings in
// order, because the output buffer remembers. It is not safe for concurrent
// use and allocates nothing after New.
type Emulator struct {
	config Config
	front  frontend
	drop   uint
	etx    int
	calq   [Channels]uint32
	frame  frame
	buffer buffer
	row    int

	truncated int
	overflows int
	encoder   *Encoder

	trace  bool
	origin [frameWords]origin
}

// New checks the configuration and builds the chip.
func New(c Config) (*Emulator, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	e := &Emulator{config: c, front: newFrontend(&c), drop: c.drop(), etx: c.ETx()}
	if c.Algorithm == Autoencoder {
		enc, err := NewEncoder(c.Weights, EncoderSettings{Overflow: c.Overflow, Kernel: simd.Portable})
		if err != nil {
			return nil, err
		}
		e.encoder = enc
	}
	e.Reset()
	return e, nil
}

// Reset empties the buffer and the counters.
func (e *Emulator) Reset() {
	e.buffer = buffer{}
	e.row, e.truncated, e.overflows = 0, 0, 0
	for i := range e.buffer.from {
		e.buffer.from[i] = noOrigin
	}
}

// Config is the configuration in force.
func (e *Emulator) Config() Config { return e.config }

// Truncated counts the frames that the buffer replaced by a truncated word.
func (e *Emulator) Truncated() int { return e.truncated }

// Overflows counts the AE frames in which an output needed more than nine
// bits, so that [Config].Overflow decided the frame and no golden does.
func (e *Emulator) Overflows() int { return e.overflows }

// CALQ is the calibrated charge of every channel for one row of input, without
// a step of the chip.
func (e *Emulator) CALQ(in *BunchCrossing, q *[Channels]uint32) {
	e.front.calq(&in.ERx, q)
}

// Step takes one bunch crossing and gives what leaves the chip in it. Only TS
// can need more bunch crossings than one for a frame.
func (e *Emulator) Step(in *BunchCrossing, out *Output) {
	e.front.calq(&in.ERx, &e.calq)
	e.step(in.BX, out)
}

// StepCALQ is Step for charges that are already calibrated and in channel
// order. A charge of more than 22 bits is an error.
func (e *Emulator) StepCALQ(bx int, q *[Channels]uint32, out *Output) error {
	for ch, v := range q {
		if v >= 1<<22 {
			return fmt.Errorf("econt: channel %d: charge %d needs more than 22 bits", ch, v)
		}
	}
	e.calq = *q
	e.step(bx, out)
	return nil
}

// Drain gives what is still in the buffer after the last row, one bunch
// crossing a call; ok is false when nothing is left.
func (e *Emulator) Drain(out *Output) (ok bool) {
	if e.buffer.fill == 0 {
		return false
	}
	e.buffer.pop(e.etx, e.config.Links, out, &e.origin, e.trace)
	return true
}

// Run steps through all rows of the input and writes what leaves the chip; with
// drain it goes on until the buffer is empty. It returns the rows of input and
// leaves out to be flushed.
func (e *Emulator) Run(ctx context.Context, in Source[BunchCrossing], out *OutputWriter, drain bool) (rows int, err error) {
	var row BunchCrossing
	var o Output
	for ; ; rows++ {
		if rows%checkEvery == 0 && ctx.Err() != nil {
			return rows, ctx.Err()
		}
		err := in.Read(&row)
		if err == io.EOF {
			break
		}
		if err != nil {
			return rows, err
		}
		e.Step(&row, &o)
		if err := out.Write(&o); err != nil {
			return rows, err
		}
	}
	for drain && e.Drain(&o) {
		if err := out.Write(&o); err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// checkEvery is after how many rows a context is asked.
const checkEvery = 4096

func (e *Emulator) step(bx int, out *Output) {
	e.format(bx)
	if e.buffer.push(&e.frame, &e.config, e.row, e.trace) {
		e.truncated++
	}
	e.row++
	e.buffer.pop(e.etx, e.config.Links, out, &e.origin, e.trace)
}

// format builds the frame of e.calq.
func (e *Emulator) format(bx int) {
	e.frame.reset()
	switch e.config.Algorithm {
	case ThresholdSum:
		e.thresholdSum(bx)
	case SuperTriggerCell:
		e.superTriggerCell(bx)
	case BestChoice:
		e.bestChoice(bx)
	case Repeater:
		e.repeat(bx)
	case Autoencoder:
		e.autoencode(bx)
	}
}
