package worker

import (
	"context"
	"fmt"
	"os"
	"strings"

	"barrow/econt"
)

// readWords gives the input words of a test vector's file.
func readWords(_ context.Context, c *call) error {
	var p struct {
		File    string `json:"file"`
		FirstBX int    `json:"first_bx"`
	}
	if err := c.decode(&p); err != nil {
		return err
	}
	f, err := os.Open(p.File)
	if err != nil {
		return err
	}
	defer f.Close()
	rows, err := econt.ReadInput(f, p.FirstBX)
	if err != nil {
		return fileError(fmt.Errorf("%s: %w", p.File, err))
	}
	words, err := out[uint32](c, "words", len(rows), econt.ERxWords)
	for i := range rows {
		copy(words[i*econt.ERxWords:], rows[i].ERx[:])
	}
	return err
}

// A chip is an emulator with its output buffer, so that its calls build on each other.
type chip struct {
	emulator *econt.Emulator
	first    int // bunch crossing of the first row
	remarks  []string
	at       place
}

func openChip(_ context.Context, c *call) (object, error) {
	var p struct {
		Config   []string `json:"config"`
		Mux      string   `json:"mux"`
		Overflow string   `json:"overflow"`
		FirstBX  int      `json:"first_bx"`
		weightsParams
	}
	if err := c.decode(&p); err != nil {
		return object{}, err
	}
	if p.FirstBX < 0 || p.FirstBX >= econt.OrbitBX {
		return object{}, fmt.Errorf("worker: first_bx is %d: want 0 to %d", p.FirstBX, econt.OrbitBX-1)
	}
	r, err := readRegisters(p.Config)
	if err != nil {
		return object{}, err
	}
	m := &chip{first: p.FirstBX}
	names := strings.Join(p.Config, " + ")
	if r.Assumed {
		m.remarks = append(m.remarks, names+": no register tells the dialect (ConfigAlgo: prod, Algorithm: p1, ECON-T: econt_sw); prod is assumed")
	}
	for _, d := range r.Defaults {
		m.remarks = append(m.remarks, fmt.Sprintf("%s: %s not given: %s, %s", names, d.Register, d.Value, d.Source))
	}
	if p.Mux != "" && p.Mux != "auto" {
		if r.Config.Convention, err = econt.ParseMuxConvention(p.Mux); err != nil {
			return object{}, err
		}
	}
	if r.Config.Overflow, err = choice("overflow", p.Overflow, map[string]econt.Overflow{"saturate": econt.Saturate, "wrap": econt.Wrap}); err != nil {
		return object{}, err
	}
	if p.Weights != "" && r.Config.Algorithm != econt.Autoencoder {
		return object{}, fmt.Errorf("worker: weights are for the algorithm AE; the registers have %s", r.Config.Algorithm)
	}
	read, remarks, err := p.read(r.Config.Weights)
	if err != nil {
		return object{}, err
	}
	if read != nil {
		r.Config.Weights, m.remarks = read, append(m.remarks, remarks...)
	}
	if m.emulator, err = econt.New(r.Config); err != nil {
		return object{}, err
	}
	return object{methods: map[string]function{"run": m.run, "drain": m.drain, "counts": m.counts}}, nil
}

// run steps through rows of input words.
func (m *chip) run(ctx context.Context, c *call) error {
	words, err := in[uint32](c, "words", -1, econt.ERxWords)
	if err != nil {
		return err
	}
	if err := m.at.follows(c); err != nil {
		return err
	}
	n := len(words) / econt.ERxWords
	sent, err := out[uint32](c, "sent", n, econt.MaxETx)
	if err != nil {
		return err
	}
	for i := range n {
		row := econt.BunchCrossing{BX: (m.first + c.row + i) % econt.OrbitBX}
		copy(row.ERx[:], words[i*econt.ERxWords:])
		if err := header(&row, c.row+i); err != nil {
			return err
		}
		m.emulator.Step(&row, (*econt.Output)(sent[i*econt.MaxETx:]))
	}
	m.at += place(n)
	return ctx.Err()
}

// header checks that the words have the header that is due.
func header(b *econt.BunchCrossing, row int) error {
	want := uint32(0xa)
	if b.BX == 0 {
		want = 0x9
	}
	for k, w := range b.ERx {
		if w>>28 != want {
			return &failure{Kind: kindInput, Row: &row, Cell: &k, Message: fmt.Sprintf(
				"worker: row %d, word %d: %08x has the header %x; at bunch crossing %d it is %x (first_bx says which is the first)", row, k, w, w>>28, b.BX, want)}
		}
	}
	return nil
}

// drain gives what is still in the buffer.
func (m *chip) drain(_ context.Context, c *call) error {
	if err := m.at.follows(c); err != nil {
		return err
	}
	var all []uint32
	for row := (econt.Output{}); m.emulator.Drain(&row); {
		all = append(all, row[:]...)
	}
	sent, err := out[uint32](c, "sent", len(all)/econt.MaxETx, econt.MaxETx)
	copy(sent, all)
	return err
}

// counts says of the frames so far what a user should know.
func (m *chip) counts(_ context.Context, c *call) error {
	if err := m.at.follows(c); err != nil {
		return err
	}
	return c.answer(map[string]any{"truncated": m.emulator.Truncated(), "overflows": m.emulator.Overflows(), "remarks": m.remarks})
}
