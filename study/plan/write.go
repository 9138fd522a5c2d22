package plan

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"barrow/econt"
	"barrow/internal/outfile"
	"barrow/run"
)

// write writes the register files and the table of the modules, and notes in the results where
// a class's registers are.
func (w *work) write(r *Results) error {
	done := map[string]bool{}
	for k := range r.Classes {
		c := &r.Classes[k]
		name := c.setting()
		c.Registers = run.Registers + "/" + name
		if done[name] {
			continue
		}
		done[name] = true
		if err := w.registers(c, filepath.Join(w.folder.Path(run.Registers), name)); err != nil {
			return fmt.Errorf("plan: registers of %s: %w", c.Name, err)
		}
	}
	return w.folder.Write(run.Modules, func(out io.Writer) error { return w.table(out, r) })
}

// setting is the name of the registers of a class: all that tells them from others.
func (c *ClassResult) setting() string {
	s := c.chosen()
	words := []string{s.Algorithm, fmt.Sprintf("%d-links", s.Links), c.Density}
	if s.Threshold > 0 {
		words = append(words, fmt.Sprintf("threshold-%d", s.Threshold))
	}
	if s.drops() {
		words = append(words, fmt.Sprintf("drop-%d", s.Drop))
	}
	return strings.ToLower(strings.ReplaceAll(strings.Join(words, "-"), " ", "-"))
}

// registers writes a setting in the three dialects.
func (w *work) registers(c *ClassResult, folder string) error {
	config, _, err := w.config(c.chosen().Candidate, c.Density == density(true))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, d := range []econt.Dialect{econt.DialectProd, econt.DialectP1, econt.DialectEcontSW} {
		err := outfile.Write(filepath.Join(folder, d.String()+".yaml"), true, func(out io.Writer) error {
			return econt.WriteRegisters(out, &config, d)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// table writes one row a module, in the modules' order, with the sector where u and v are those
// of sector 0 by the file of modules.
func (w *work) table(out io.Writer, r *Results) error {
	of := make([]int, len(w.modules))
	for k, c := range w.classes {
		for _, i := range c.modules {
			of[i] = k
		}
	}
	masks := map[string]string{}
	for _, s := range r.Sets {
		masks[s.Name] = s.Mask
	}
	t := csv.NewWriter(out)
	sectors := slices.ContainsFunc(w.modules, func(m module) bool { return m.sector >= 0 })
	write := func(sector string, row ...string) error {
		if sectors {
			row = slices.Insert(row, 3, sector) // after u and v
		}
		return t.Write(row)
	}
	if err := write("sector", "layer", "waferu", "waferv", "type", "links", "algorithm", "model", "decoder", "mask", "drop_lsb", "emd", "registers"); err != nil {
		return err
	}
	for i := range w.modules {
		m, c := &w.modules[i], &r.Classes[of[i]]
		s := c.chosen()
		model, decoder := "", string(s.Decoding)
		if s.Set != "" {
			decoder = run.Weights + "/" + s.Set + run.WeightsEnding
		}
		if s.Algorithm == encoderName {
			model = decoder
		}
		drop := ""
		if s.drops() {
			drop = strconv.Itoa(s.Drop)
		}
		if err := write(strconv.Itoa(m.sector),
			strconv.Itoa(m.Layer), strconv.Itoa(m.u), strconv.Itoa(m.v), m.Kind, strconv.Itoa(m.links), s.Algorithm, model, decoder, masks[s.Set], drop,
			strconv.FormatFloat(c.EMD, 'f', 6, 64), c.Registers,
		); err != nil {
			return err
		}
	}
	t.Flush()
	return t.Error()
}
