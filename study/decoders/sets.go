package decoders

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"barrow/econt"
	"barrow/evaluate"
	"barrow/study/compare"
	"barrow/study/images"
	"barrow/wafer"
)

// A set is images of one origin, in parts.
type set struct {
	name             string
	preset           string                // of simulated ones
	digest           string                // of all its images
	density          string                // of all wafers, as evaluate has it; "" is what the column HD_LD says
	train, stop      *wafer.Set            // of files, to learn from and to choose an epoch by
	validation, held *wafer.Set            // to choose a decoding by, and to measure by
	high             []bool                // of the held-out images, where the column says both
	lengths          evaluate.FrameLengths // of the images that TS's thresholds are chosen by
}

// simulatedSet is what the set of simulated images is called.
const simulatedSet = "simulated"

// others is added to the seed for the images that are chosen by.
const others = 1 << 20

// sets gets the images, the simulated ones first.
func (p *Plan) sets(ctx context.Context, s images.Settings) ([]*set, error) {
	s.Seed = p.Seed
	var list []*set
	for _, preset := range append([]string{p.Preset}, p.Presets...) {
		x, err := p.simulated(ctx, preset, s)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	for _, group := range []struct {
		density string
		files   []string
	}{{"", p.Data}, {evaluate.LowDensity, p.Low}, {evaluate.HighDensity, p.High}} {
		for _, file := range group.files {
			x, err := p.file(ctx, file, group.density, s)
			if err != nil {
				return nil, err
			}
			for _, o := range list {
				if o.name == x.name {
					x.name = file
				}
			}
			list = append(list, x)
		}
	}
	p.Digests = nil
	for _, x := range list {
		if err := x.look(); err != nil {
			return nil, fmt.Errorf("decoders: %s: %w", x.name, err)
		}
		p.Digests = append(p.Digests, x.digest)
	}
	return list, nil
}

// simulated draws the images of a preset.
func (p *Plan) simulated(ctx context.Context, preset string, s images.Settings) (*set, error) {
	x := &set{name: simulatedSet, preset: preset}
	if len(p.Presets) > 0 {
		x.name += ", " + preset
	}
	of := p.Input
	of.Data, of.Preset = nil, preset
	var err error
	if x.held, _, err = of.Read(ctx, s); err != nil {
		return nil, err
	}
	of.Events, s.Seed = max(fewestImages, p.Events/4), s.Seed+others
	if x.validation, _, err = of.Read(ctx, s); err != nil {
		return nil, err
	}
	x.digest = x.held.Digest()
	return x, nil
}

// file reads a wafer file, or those of a pattern.
func (p *Plan) file(ctx context.Context, file, density string, s images.Settings) (*set, error) {
	s.Counts, s.Densities = true, density == ""
	all, err := p.Files(ctx, []string{file}, s)
	if err != nil {
		return nil, err
	}
	if err := evaluate.CheckCounts(all); err != nil { // images in another unit
		return nil, fmt.Errorf("decoders: %s: %w", file, err)
	}
	d, err := compare.Split(all, p.Seed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	half := d.Validation.Len() / 2 // they are in no order
	return &set{
		name: filepath.Base(file), digest: all.Digest(), density: density, train: d.Train, held: d.Test,
		stop: d.Validation.Slice(0, half), validation: d.Validation.Slice(half, d.Validation.Len()),
	}, nil
}

// look finds out what the set's wafers are.
func (x *set) look() error {
	by := x.train
	if by == nil {
		by = x.validation
	}
	for i := range by.Len() {
		x.lengths.Add(by.Image(i))
	}
	if x.density != "" {
		return nil
	}
	high, err := x.held.HighDensity()
	var missing *wafer.NoColumnError
	if errors.As(err, &missing) && x.train != nil {
		return errors.New("no column HD_LD says the wafers' density: name the file as ld or hd")
	}
	x.high = high
	return err
}

// chips are the pair of chips that the set's wafers have.
func (x *set) chips(k kind) ([2]*econt.Baseline, error) {
	pair, err := x.scheme(k).Chips()
	switch x.density {
	case evaluate.LowDensity:
		pair[1] = pair[0]
	case evaluate.HighDensity:
		pair[0] = pair[1]
	}
	return pair, err
}

// scheme is the kind on the set's images, with one of its decodings by hand.
func (x *set) scheme(k kind) evaluate.Scheme {
	if k.encoder != nil {
		return evaluate.Scheme{Algorithm: econt.Autoencoder, Links: k.links, Decoding: evaluate.DecodeSpread, Chip: k.encoder.chips}
	}
	s := k.Rules(k.links)[0]
	s.Threshold = x.threshold(k)
	return s
}

// threshold is TS's, the lowest with which the mean frame of the images that are learnt from
// fits the links; 0 of other algorithms.
func (x *set) threshold(k kind) uint32 {
	if k.Scheme.Algorithm != econt.ThresholdSum {
		return 0
	}
	return x.lengths.Threshold(k.links)
}
