package decode

import (
	"errors"
	"fmt"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/model/file"
	"barrow/run"
	"barrow/study/internal/inputs"
)

// A Chip says whose frames a decoder reads, in the words of "barrow econt encode".
type Chip struct {
	Algorithm string `json:"algorithm" help:"algorithm whose frames are decoded"`
	Links     int    `json:"links" flag:"etx" help:"output links, 32 bits each a bunch crossing"`
	Density   string `json:"density,omitempty" help:"wafers' density for all images (default: what a column HD_LD says of each, else ld)"`
	DropLSB   int    `json:"drop_lsb" help:"bits dropped before 4E3M, not of STC's types 0, 1 and 4; -1 is the density's"`
	STCType   int    `json:"stc_type" help:"STC: 0 4×5E4M, 1 16×5E4M, 2 coarse 4E3M, 3 4×4E3M, 4 coarse 5E4M"`
	Threshold int    `json:"threshold" help:"TS: lowest charge sent, in CALQ counts"`
	UseSum    bool   `json:"use_sum,omitempty" help:"TS and BC: the chip sends the sum of all cells, not of those left out"`
	Entry     string `json:"entry" help:"whether images go through the readout's code"`
	Point     string `json:"point" help:"value of a code's interval that is read"`
	ZeroCode  bool   `json:"zero_code,omitempty" help:"where bits are dropped, read code 0 as the point of its interval"`
	Pedestal  bool   `json:"pedestal,omitempty" help:"subtract what an empty input adds inside the chip"`
	Model     string `json:"model,omitempty" value:"file" help:"AE: run folder or weights file of a model trained with the precision asic"`
}

// defaultChip is best choice on four links.
func defaultChip() Chip {
	return Chip{Algorithm: econt.BestChoice.String(), Links: 4, DropLSB: -1, Threshold: 47, Entry: "calq", Point: "middle"}
}

// Choices are the values that a setting of the chip may have.
func (Chip) Choices(key string) []string {
	switch key {
	case "algorithm":
		return []string{"TS", "STC", "BC", "AE"}
	case "density":
		return []string{evaluate.LowDensity, evaluate.HighDensity}
	case "entry":
		return []string{"calq", "erx"}
	case "point":
		return []string{"middle", "lowest"}
	}
	return nil
}

// maxThreshold is above what a charge can be.
const maxThreshold = 1<<22 - 1

// Check reports what no chip has, by the setting's key.
func (c Chip) Check() error {
	for _, s := range [][2]string{{"algorithm", c.Algorithm}, {"density", c.Density}, {"entry", c.Entry}, {"point", c.Point}} {
		if s[0] == "density" && s[1] == "" {
			continue
		}
		if err := setting.Choice(s[0], s[1], c.Choices(s[0])); err != nil {
			return fmt.Errorf("decode: %w", err)
		}
	}
	if err := limit.Count("links =", c.Links, econt.MaxETx); err != nil {
		return fmt.Errorf("decode: %w", err)
	}
	switch {
	case c.DropLSB < -1 || c.DropLSB > 7:
		return fmt.Errorf("decode: drop_lsb = %d: want 0 to 7, or -1 for the density's", c.DropLSB)
	case c.STCType < 0 || c.STCType > 4:
		return fmt.Errorf("decode: stc_type = %d: want 0 to 4", c.STCType)
	case c.Threshold < 0 || c.Threshold > maxThreshold:
		return fmt.Errorf("decode: threshold = %d: want 0 to %d CALQ counts", c.Threshold, maxThreshold)
	}
	return c.needless()
}

// drops tells whether the algorithm drops bits.
func (c Chip) drops() bool {
	a, err := econt.ParseAlgorithm(c.Algorithm)
	return err == nil && a.Drops(econt.STCType(c.STCType))
}

// needless refuses settings of which the algorithm makes nothing.
func (c Chip) needless() error {
	ts, stc, bc, ae := c.Algorithm == "TS", c.Algorithm == "STC", c.Algorithm == "BC", c.Algorithm == "AE"
	usual := defaultChip()
	for _, s := range []struct {
		key   string
		given bool
		needs string
		has   bool
	}{
		{"threshold", c.Threshold != usual.Threshold, "TS", ts},
		{"stc_type", c.STCType != usual.STCType, "STC", stc},
		{"use_sum", c.UseSum, "TS or BC", ts || bc},
		{"drop_lsb", c.DropLSB != usual.DropLSB, "TS, BC or STC of types 2 and 3", c.drops()},
		{"zero_code", c.ZeroCode, "TS, BC or STC of types 2 and 3", c.drops()},
		{"point", c.Point != usual.Point, "TS, BC or STC", !ae},
		{"pedestal", c.Pedestal, "TS, BC or STC", !ae},
		{"model", c.Model != "", "AE", ae},
	} {
		if s.given && !s.has {
			return fmt.Errorf("decode: %s: algorithm = %q makes nothing of it: want algorithm %s, or leave it out", s.key, c.Algorithm, s.needs)
		}
	}
	if ae && c.Model == "" {
		return errors.New("decode: algorithm = \"AE\" needs model, an encoder trained with the precision asic")
	}
	return nil
}

// inputs are the files that a chip is made of.
func (c Chip) inputs() ([]run.Input, error) {
	if c.Model == "" {
		return nil, nil
	}
	paths, err := file.AutoencoderFiles(c.Model, "")
	if err != nil {
		return nil, err
	}
	return inputs.Files("the encoder", paths)
}

// open makes the chips of low and of high density, and opens AE's model, which is nil for
// others.
func (c Chip) open(threads int) (pair [2]*econt.Baseline, m *autoencoder.Model, err error) {
	a, err := econt.ParseAlgorithm(c.Algorithm)
	if err != nil {
		return pair, nil, err
	}
	var w *econt.Weights
	if a == econt.Autoencoder {
		if m, err = file.Autoencoder(c.Model, file.Settings{Threads: threads}); err != nil {
			return pair, nil, err
		}
		if w, err = m.ChipWeights(); err != nil {
			return pair, nil, fmt.Errorf("%s: %w", c.Model, err)
		}
	}
	for k := range pair {
		high := k == 1
		if c.Density != "" {
			high = c.Density == evaluate.HighDensity
		}
		config, err := c.config(a, high, w)
		if err != nil {
			return pair, nil, err
		}
		if m != nil {
			if config.Keep, err = keep(m, c.Links); err != nil {
				return pair, nil, fmt.Errorf("%s: %w", c.Model, err)
			}
		}
		if pair[k], err = econt.NewBaseline(config, c.settings()); err != nil {
			return pair, nil, err
		}
	}
	return pair, m, nil
}

// keep are the bits of a model's outputs that the chip sends.
func keep(m *autoencoder.Model, links int) (econt.Mask, error) {
	mask := m.Architecture().Widths().Keep()
	if n := mask.Links(); n > links {
		return mask, fmt.Errorf("its outputs have %d bits, which need %d links: give links = %d, or a model that was trained for fewer", mask.Count(), n, n)
	}
	return mask, nil
}

func (c Chip) config(a econt.Algorithm, high bool, w *econt.Weights) (econt.Config, error) {
	config, err := econt.BaselineConfig(a, c.Links, high, w)
	if err != nil {
		return config, err
	}
	if c.DropLSB >= 0 {
		config.DropLSB = uint8(c.DropLSB)
	}
	config.STCType = econt.STCType(c.STCType)
	config.UseSum = c.UseSum
	for ch := range config.Threshold {
		config.Threshold[ch] = uint32(c.Threshold)
	}
	return config, nil
}

// settings are how images enter and codes are read; rules by hand add to that.
func (c Chip) settings() econt.BaselineSettings {
	s := econt.BaselineSettings{Decoder: econt.DecoderSettings{ZeroCode: c.ZeroCode, Pedestal: c.Pedestal}}
	if c.Entry == "erx" {
		s.Entry = econt.EntryERx
	}
	if c.Point == "lowest" {
		s.Decoder.Point = econt.Lowest
	}
	return s
}
