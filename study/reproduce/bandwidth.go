package reproduce

import (
	"context"
	"strings"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/wafer"
)

// encoderLinks is the bandwidth of the chip's full encoder: 16 outputs of nine
// bits, the module sum's nine and a header of five are 158 of the 160 bits of
// five links.
const (
	encoderLinks  = 5
	encoderFrame  = 5 + 9 // header and sum
	encoderOutput = 144   // 16 outputs of nine bits
)

// OnLinks is what an encoder keeps with its outputs cut to what a number of
// links carries. The encoder is not trained anew for it.
type OnLinks struct {
	Links      int              `json:"links"`
	OutputBits int              `json:"output_bits"` // of each of the 16 outputs
	Bits       int              `json:"bits"`        // of outputs, sum and header
	EMD        evaluate.Summary `json:"emd"`

	values []float64
}

// rangeImages are enough training images to tell the ranges of an encoder's
// outputs by.
const rangeImages = 5000

// onLinks cuts every encoder's outputs to the bits of 1 to 5 links, in ranges
// that training images give.
func (w *work) onLinks(ctx context.Context) error {
	like := w.train.Slice(0, min(rangeImages, w.train.Len()))
	for k := range w.results.Encoders {
		e := &w.results.Encoders[k]
		for n := 1; n <= encoderLinks; n++ {
			bits, err := autoencoder.LatentBits(n)
			if err != nil {
				return err
			}
			decoded, err := w.decoders[e.Loss].DecodeRounded(ctx, w.test, like, bits)
			if err != nil {
				return err
			}
			x, err := evaluate.Images(ctx, w.metric, w.test.Charge, decoded.Charge, evaluate.Settings{Threads: w.threads})
			if err != nil {
				return err
			}
			e.OnLinks = append(e.OnLinks, OnLinks{n, bits, encoderFrame + 16*bits, x.EMD, x.Values})
		}
	}
	return nil
}

// on is the encoder on a number of links.
func (e *Encoder) on(links int) *OnLinks {
	for k := range e.OnLinks {
		if e.OnLinks[k].Links == links {
			return &e.OnLinks[k]
		}
	}
	return &OnLinks{Links: links, Bits: encoderFrame + encoderOutput, EMD: e.EMD, values: e.Values}
}

// Bandwidth sets the encoders beside the chip's algorithms that need no
// training.
type Bandwidth struct {
	EncoderLinks int    `json:"encoder_links"` // of the trained encoders
	EncoderBits  int    `json:"encoder_bits"`  // of their outputs, the module sum and the header
	Density      string `json:"wafer_density"` // in words
	// Missing says why there are no baselines, where there are none.
	Missing   string     `json:"missing,omitempty"`
	Baselines []Baseline `json:"baselines"`
}

// Baseline is an algorithm of the chip on the held-out images.
type Baseline struct {
	evaluate.Baseline
	// Worse is the share of the images of which it keeps less than the encoder
	// with the smallest mean EMD does, in the main job.
	Worse float64 `json:"share_worse_than_best_encoder,omitempty"`
}

// baselines sends images through the chip by all its algorithms. Images that no
// chip takes give none, and the reason.
func baselines(ctx context.Context, m *emd.Metric, images *wafer.Set, density string, s evaluate.Settings) (*Bandwidth, error) {
	b := &Bandwidth{EncoderLinks: encoderLinks, EncoderBits: encoderFrame + encoderOutput}
	if err := evaluate.ChipTakes(images.Charge); err != nil {
		b.Missing = strings.TrimPrefix(err.Error(), "evaluate: ")
		return b, nil
	}
	high, words, err := evaluate.Densities(images, density)
	if err != nil {
		return nil, err
	}
	b.Density = words
	list, err := evaluate.Baselines(ctx, m, images.Charge, evaluate.Schemes(econt.MaxETx), evaluate.ChipSettings{Settings: s, High: high})
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.Links != encoderLinks {
			x.ByOccupancy = nil
		}
		b.Baselines = append(b.Baselines, Baseline{Baseline: x})
	}
	return b, nil
}

// bandwidth measures the baselines on the held-out images.
func (w *work) bandwidth(ctx context.Context) error {
	b, err := baselines(ctx, w.metric, w.test, w.c.Density, evaluate.Settings{Threshold: w.c.Threshold, Threads: w.threads})
	if err != nil {
		return err
	}
	w.results.Bandwidth = b
	ours := w.results.Encoders[best(w.results)].on(encoderLinks).values
	for k := range b.Baselines {
		x, worse := &b.Baselines[k], 0
		for i, v := range x.Values {
			if v > ours[i] {
				worse++
			}
		}
		x.Worse = float64(worse) / float64(len(ours))
	}
	return nil
}

// on gives the baselines that run on up to n links, each kind where it keeps
// most; best choice with both decodings.
func (b *Bandwidth) on(n int) []*Baseline {
	var list []*Baseline
	at := map[[2]string]int{}
	for k := range b.Baselines {
		x := &b.Baselines[k]
		if x.Links > n {
			continue
		}
		key := [2]string{x.Name}
		if x.Algorithm == "BC" {
			key[1] = string(x.Decoding)
		}
		i, seen := at[key]
		if !seen {
			at[key] = len(list)
			list = append(list, x)
		} else if x.EMD.Mean < list[i].EMD.Mean {
			list[i] = x
		}
	}
	return list
}

// List is what the baselines measured, without the comparison with the
// encoders.
func (b *Bandwidth) List() []evaluate.Baseline {
	var list []evaluate.Baseline
	for _, x := range b.Baselines {
		list = append(list, x.Baseline)
	}
	return list
}
