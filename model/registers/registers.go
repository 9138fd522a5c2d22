// Package registers is the format of ECON-T's registers: an encoder of the
// precision "asic" as the YAML files from which the chip is configured, in the
// three dialects that there are (barrow/econt). It also reads and writes the chip's
// weights as Keras files, which econt, that links no networks, cannot.
package registers

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/model"
)

// Format is the registers as a format of models. It is written only: barrow/econt
// reads register files.
func Format() model.Format {
	return model.Format{
		Name: "registers", About: "ECON-T's registers, YAML in three dialects",
		Check: check, Export: export, Verify: verify,
	}
}

// GoldenFormat is Format in the convention of the golden AE files, whose dense kernel is
// not transposed: the chip then computes another encoder than the one trained. It is for
// holding a program to those files, and must be asked for.
func GoldenFormat() model.Format {
	f := Format()
	f.Name = "registers-golden"
	f.About += ", the dense kernel untransposed as in the golden AE files: not the encoder that was trained"
	f.Export = func(ctx context.Context, m *model.Model) ([]model.File, error) {
		w, err := golden(m)
		if err != nil {
			return nil, err
		}
		e := *m.Encoder()
		e.Chip = w
		return write(&e)
	}
	f.Verify = func(_ context.Context, dir string, m *model.Model, _ model.Vectors) (string, error) {
		w, err := golden(m)
		if err != nil {
			return "", err
		}
		for _, d := range dialects {
			r, path, err := open(dir, d)
			if err != nil {
				return "", err
			}
			if r.Config.Weights == nil || *r.Config.Weights != *w {
				return "", fmt.Errorf("registers: %s: other weights than those of the kernel untransposed", path)
			}
		}
		return "the registers have the kernel untransposed, in each dialect; the test vectors are of the encoder that was trained, which the chip does not compute with them", nil
	}
	return f
}

// golden are the weights in the goldens' convention.
func golden(m *model.Model) (*econt.Weights, error) {
	floats := m.Encoder().Chip.Float(econt.DenseKeras)
	floats.Order = econt.DenseGolden
	w, _, err := floats.Quantise(econt.RoundFloor)
	if err != nil {
		return nil, fmt.Errorf("registers: %w", err)
	}
	return w, nil
}

func check(m *model.Model) error {
	e := m.Encoder()
	if e == nil {
		return errors.New("registers: the chip has an encoder's registers, and this network is none: name an autoencoder")
	}
	if e.Chip == nil && e.Layers != nil {
		return errors.New("registers: an encoder of another program, which rounds no single product down as the chip does: what the chip makes of its weights is another encoder, which barrow/econt configures")
	}
	if e.Chip == nil {
		return fmt.Errorf("registers: the encoder's precision is %q, and the chip computes otherwise: train with the precision asic", e.Precision.Name)
	}
	return nil
}

// config is the chip's configuration that computes the encoder: algorithm AE with
// its weights, the fewest links that carry the outputs' bits, and the mask that
// keeps them. The other registers have their usual values for wafers of low density
// ([econt.BaselineConfig]).
func config(e *model.Encoder) (econt.Config, error) {
	if e.Chip == nil {
		return econt.Config{}, errors.New("registers: an encoder that is not the chip's")
	}
	keep := e.Architecture.Widths().Keep()
	c, err := econt.BaselineConfig(econt.Autoencoder, keep.Links(), false, e.Chip)
	if err != nil {
		return c, fmt.Errorf("registers: %w", err)
	}
	c.Keep = keep
	return c, nil
}

var dialects = []econt.Dialect{econt.DialectProd, econt.DialectP1, econt.DialectEcontSW}

func export(_ context.Context, m *model.Model) ([]model.File, error) {
	return write(m.Encoder())
}

// write writes the configuration in each dialect.
func write(e *model.Encoder) ([]model.File, error) {
	c, err := config(e)
	if err != nil {
		return nil, err
	}
	var files []model.File
	for _, d := range dialects {
		var b bytes.Buffer
		if err := econt.WriteRegisters(&b, &c, d); err != nil {
			return nil, fmt.Errorf("registers: %w", err)
		}
		files = append(files, model.File{Name: d.String() + ".yaml", Data: b.Bytes(), About: about(d, &c, e.Architecture)})
	}
	return files, nil
}

func about(d econt.Dialect, c *econt.Config, a autoencoder.Architecture) string {
	kept := fmt.Sprintf("%d bits of each output", a.Widths().Widest())
	if a.Mask != "" {
		kept = fmt.Sprintf("bits of the outputs, %s from OUT0 to OUT15, %d in all,", a.Mask, c.Keep.Count())
	}
	return fmt.Sprintf(`ECON-T registers, dialect %s: algorithm AE on %d link(s), the highest %s kept.
Channel k of the chip is the k-th cell of the arrangement below, row by row. The multiplexer is at its reset value
(channel c reads register value c) and the density is low (LD): take both from your module. Calibrations are 1, thresholds
and buffer have their usual or reset values. "barrow econt run --config %s.yaml --input testInput.csv --out FILE.csv"
shows what the chip makes of it.`, d, c.ETx(), kept, d)
}
