package evaluate

import (
	"context"
	"errors"
	"fmt"
	"io"

	"barrow/emd"
	"barrow/wafer"
)

// A Decoder encodes and decodes images, as an autoencoder's model does.
type Decoder interface {
	Decode(ctx context.Context, images *wafer.Set) (*wafer.Set, error)
}

// StreamSettings of a [Stream].
type StreamSettings struct {
	Settings
	Out  wafer.Writer // gets the first decoder's images; none by default
	Chip *ChipMeter   // gathers the images, too, for its own measurement; none by default
}

// streamBatch is how many images are in memory at once.
const streamBatch = 5000

// ErrNoImages is what Stream and [ChipMeter.Check] return where no image has charge.
var ErrNoImages = errors.New("evaluate: no image with charge")

// Stream measures what decoders leave of all images that a reader has, in memory
// that grows by the figures of an image alone. Images without charge are left out;
// dropped is how many those were. Progress is the reader's to tell.
func Stream(ctx context.Context, m *emd.Metric, in wafer.Reader, s StreamSettings, decoders ...Decoder) (list []*Fidelity, dropped int, err error) {
	var meters []*Meter
	for range decoders {
		t, err := NewMeter(m, s.Settings)
		if err != nil {
			return nil, 0, err
		}
		meters = append(meters, t)
	}
	var part wafer.Set
	for from := 0; ; {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		if _, err = in.Read(&part, streamBatch); err == io.EOF {
			break
		} else if err != nil {
			return nil, 0, err
		}
		images, zero := part.NonZero()
		dropped += zero
		if images.Len() == 0 {
			continue
		}
		if s.Chip != nil {
			s.Chip.Add(images)
		}
		for k, d := range decoders {
			decoded, err := d.Decode(ctx, images)
			if err != nil && from > 0 {
				err = fmt.Errorf("after %d images with charge: %w", from, err)
			}
			if err != nil {
				return nil, 0, err
			}
			if k == 0 && s.Out != nil {
				if err := s.Out.Write(decoded); err != nil {
					return nil, 0, err
				}
			}
			if err := meters[k].Add(ctx, images, decoded); err != nil {
				return nil, 0, err
			}
		}
		from += images.Len()
	}
	for _, t := range meters {
		if t.n == 0 {
			return nil, dropped, ErrNoImages
		}
		list = append(list, t.Fidelity())
	}
	return list, dropped, nil
}
