package reproduce

import (
	"context"
	"encoding/json"
	"strings"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/internal/jsonout"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/internal/learned"
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
			x, err := evaluate.Images(ctx, w.metric, w.test, decoded, evaluate.Settings{Threads: w.threads})
			if err != nil {
				return err
			}
			e.OnLinks = append(e.OnLinks, OnLinks{n, bits, encoderFrame + 16*bits, x.Of(evaluate.EMD).Summary, x.Of(evaluate.EMD).Values})
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
	return &OnLinks{Links: links, Bits: encoderFrame + encoderOutput, EMD: e.emd().Summary, values: e.emd().Values}
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
	Result evaluate.ChipResult `json:"-"` // its keys stand beside the other in JSON
	// Worse is the share of the images of which it keeps less than the encoder
	// with the smallest mean EMD does, in the main job.
	Worse float64 `json:"share_worse_than_best_encoder,omitempty"`
}

func (x *Baseline) emd() *evaluate.Measured { return x.Result.Fidelity.Of(evaluate.EMD) }

// MarshalJSON writes the result and the comparison as one object.
func (x Baseline) MarshalJSON() ([]byte, error) {
	type own Baseline
	return jsonout.Join(x.Result, own(x))
}

// UnmarshalJSON reads it again.
func (x *Baseline) UnmarshalJSON(b []byte) error {
	type own Baseline
	if err := json.Unmarshal(b, (*own)(x)); err != nil {
		return err
	}
	return x.Result.UnmarshalJSON(b)
}

// baselines sends images through the chip by all its algorithms, and by those that have decoders
// that learned. Images that no chip takes give none, and the reason.
func baselines(ctx context.Context, m *emd.Metric, images *wafer.Set, density string, s evaluate.Settings, decoded ...evaluate.Scheme) (*Bandwidth, error) {
	b := &Bandwidth{EncoderLinks: encoderLinks, EncoderBits: encoderFrame + encoderOutput}
	chip, err := evaluate.NewChipMeter(m, append(evaluate.Schemes(econt.MaxETx), decoded...), evaluate.ChipSettings{Settings: s, Density: density, Values: true})
	if err != nil {
		return nil, err
	}
	chip.Add(images)
	if err := chip.Check(); err != nil {
		b.Missing = strings.TrimPrefix(err.Error(), "evaluate: ")
		return b, nil
	}
	b.Density = chip.Density()
	list, err := chip.Measure(ctx)
	if err != nil {
		return nil, err
	}
	for _, x := range list {
		if x.Links != encoderLinks {
			x.Fidelity = x.Fidelity.Without()
		}
		b.Baselines = append(b.Baselines, Baseline{Result: x})
	}
	return b, nil
}

// decoders trains decoders for the algorithms that the configuration names, on as many links as
// encoders have.
func decoders(ctx context.Context, f *run.Folder, c Config, d compare.Data, threads int, progress func(share float64, note string)) ([]evaluate.Scheme, error) {
	var links []int
	for n := 1; n <= encoderLinks; n++ {
		links = append(links, n)
	}
	list := c.Lessons(f, d, links, c.Density)
	models, err := learned.Train(ctx, list, threads, progress)
	if err != nil {
		return nil, err
	}
	return learned.Schemes(list, models), nil
}

// bandwidth measures the baselines on the held-out images.
func (w *work) bandwidth(ctx context.Context) error {
	b, err := baselines(ctx, w.metric, w.test, w.c.Density, evaluate.Settings{Threshold: w.c.Threshold, Threads: w.threads, Points: w.points}, w.schemes...)
	if err != nil {
		return err
	}
	w.results.Bandwidth = b
	ours := w.results.Encoders[best(w.results)].on(encoderLinks).values
	for k := range b.Baselines {
		x, worse := &b.Baselines[k], 0
		for i, v := range x.emd().Values {
			if v > ours[i] {
				worse++
			}
		}
		x.Worse = float64(worse) / float64(len(ours))
	}
	return nil
}

// on gives the baselines that run on up to n links, each kind where it keeps
// most; best choice with both decodings, and any by a decoder that learned.
func (b *Bandwidth) on(n int) []*Baseline {
	var list []*Baseline
	at := map[[2]string]int{}
	for k := range b.Baselines {
		x := &b.Baselines[k]
		if x.Result.Links > n {
			continue
		}
		key := [2]string{x.Result.Name}
		if x.Result.Algorithm == "BC" || x.Result.Decoding == evaluate.DecodeLearned {
			key[1] = string(x.Result.Decoding)
		}
		i, seen := at[key]
		if !seen {
			at[key] = len(list)
			list = append(list, x)
		} else if x.emd().Mean < list[i].emd().Mean {
			list[i] = x
		}
	}
	return list
}

// List is what the baselines measured, without the comparison with the
// encoders.
func (b *Bandwidth) List() []evaluate.ChipResult {
	var list []evaluate.ChipResult
	for _, x := range b.Baselines {
		list = append(list, x.Result)
	}
	return list
}
