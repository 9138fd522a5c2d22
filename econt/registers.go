package econt

import (
	"bytes"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

// A Dialect is one of the ways register files are written.
type Dialect uint8

const (
	// DialectProd has ConfigAlgo.Global.alg_type and alg_high_density,
	// FormatterBuffer.Global.active_etxs as a bit mask, keep_auto_encoder_bits
	// of 144 bits and Encoder.0–11.weights_byte…; its multiplexer is [MuxProd].
	DialectProd Dialect = iota
	// DialectP1 has Algorithm.Global.select and density, active_etxs as a
	// count, mask_ae (upper 128 bits) with mask_ae2 (lower 16), and the same
	// Encoder; its multiplexer is [MuxP1].
	DialectP1
	// DialectEcontSW is the register map of econt_sw: ECON-T.RW.FMTBUF_ALL
	// with eporttx_numen, mask_ae and mask_ae2, AUTOENCODER_0INPUT…, lists for
	// the 48 channels; its multiplexer is [MuxP1].
	DialectEcontSW
)

var dialectNames = [...]string{"prod", "p1", "econt_sw"}

// String is "prod", "p1" or "econt_sw".
func (d Dialect) String() string {
	if int(d) < len(dialectNames) {
		return dialectNames[d]
	}
	return fmt.Sprintf("dialect %d", uint8(d))
}

// ParseDialect reads a name as String gives it.
func ParseDialect(s string) (Dialect, error) {
	for i, name := range dialectNames {
		if s == name {
			return Dialect(i), nil
		}
	}
	return 0, fmt.Errorf("econt: register dialect %q: want one of %s", s, strings.Join(dialectNames[:], ", "))
}

// A Default is a register that a file may leave out.
type Default struct {
	Register string // name, with the number of channels that took it where not all did
	Value    string
	Source   string // where the value comes from
}

// Registers is what one or several register files say.
type Registers struct {
	Config  Config
	Dialect Dialect
	// Assumed says that no file tells its dialect, so that DialectProd was
	// taken: Mux then counts as [MuxProd], and active_etxs is a bit mask.
	Assumed bool
	// Defaults lists the registers that the file does not set and that the
	// algorithm reads, in the order of defaultTable.
	Defaults []Default
	// Ignored lists blocks of the file that exist on the chip and that have no
	// bearing on the output here, such as ClocksAndResets.
	Ignored []string
}

// idleP1 is the reset value of tx_sync_word in ECON-T-P1, low 11 bits.
const idleP1 = 0x70f

// A RegisterFile is a register file with the name that errors give it.
type RegisterFile struct {
	Name string
	io.Reader
}

// maxRegisterFile is the most bytes of a register file that are read; one of
// all registers has 30,000.
const maxRegisterFile = 16 << 20

// ReadRegisters reads a register file in any of the three dialects. An unknown
// key, a value out of range, a register given twice, a second YAML document and
// an incomplete set of encoder weights are errors that name the key and the
// line.
func ReadRegisters(r io.Reader) (*Registers, error) {
	return JoinRegisters(RegisterFile{Reader: r})
}

// JoinRegisters reads register files on top of each other: a register keeps the
// value of the last file that sets it. All are read in the dialect of the first
// that tells one; another that tells another dialect is an error, as is a
// register given twice in the same file.
func JoinRegisters(files ...RegisterFile) (*Registers, error) {
	if len(files) == 0 {
		return nil, fmt.Errorf("econt: registers: no file")
	}
	b := &builder{config: Defaults(), seen: map[register]place{}}
	tops := make([][]entry, len(files))
	teller := -1
	for i, f := range files {
		var d Dialect
		var told bool
		top, err := parseRegisters(f)
		if err == nil {
			d, told, err = dialectOf(top)
		}
		if err == nil && told && teller >= 0 && d != b.dialect {
			err = fmt.Errorf("its dialect is %s, but %s is in %s: files that are read together have one", d, files[teller].Name, b.dialect)
		}
		if err != nil {
			return nil, f.wrap(err)
		}
		if told && teller < 0 {
			b.dialect, teller = d, i
		}
		tops[i] = top
	}
	if b.dialect != DialectProd {
		b.config.Convention = MuxP1
		b.config.IdlePattern = idleP1
	}
	for i, top := range tops {
		b.file = i
		read := b.readBlocks
		if slices.ContainsFunc(top, func(e entry) bool { return e.key == "ECON-T" }) {
			read = b.readEcontSW
		}
		if err := read(top); err != nil {
			return nil, files[i].wrap(err)
		}
	}
	r, err := b.finish()
	if err != nil {
		names := make([]string, len(files))
		for i, f := range files {
			names[i] = f.Name
		}
		return nil, RegisterFile{Name: strings.Join(names, " + ")}.wrap(err)
	}
	r.Assumed = teller < 0
	return r, nil
}

// wrap says where an error lies.
func (f RegisterFile) wrap(err error) error {
	if f.Name != "" {
		return fmt.Errorf("econt: registers: %s: %w", f.Name, err)
	}
	return fmt.Errorf("econt: registers: %w", err)
}

// parseRegisters gives the top of a file's one document.
func parseRegisters(r io.Reader) ([]entry, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxRegisterFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxRegisterFile {
		return nil, fmt.Errorf("more than %d MB: no register file", maxRegisterFile>>20)
	}
	var doc, second yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); err != nil {
		if err == io.EOF {
			return nil, fmt.Errorf("empty file")
		}
		return nil, err
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, fmt.Errorf("no registers")
	}
	switch err := dec.Decode(&second); {
	case err == nil:
		return nil, fmt.Errorf("line %d: a second YAML document: registers are read from one; give the other as a file of its own", second.Line)
	case err != io.EOF:
		return nil, err
	}
	top, err := entries(doc.Content[0], "")
	if err == nil && len(top) == 0 {
		err = fmt.Errorf("no registers")
	}
	return top, err
}

// dialectOf finds the dialect by the blocks that only one has.
func dialectOf(top []entry) (d Dialect, told bool, err error) {
	names := map[string]bool{}
	for _, e := range top {
		names[e.key] = true
	}
	p1 := names["Algorithm"] || names["FmtBuf"]
	switch {
	case names["ECON-T"]:
		for _, e := range top {
			if e.key != "ECON-T" && !besideEcontSW[e.key] {
				return d, false, fmt.Errorf("line %d: ECON-T and %s: one file cannot mix the dialects", e.node.Line, e.key)
			}
		}
		return DialectEcontSW, true, nil
	case names["ConfigAlgo"] && p1:
		return d, false, fmt.Errorf("both ConfigAlgo and Algorithm or FmtBuf: one file cannot mix the dialects")
	case p1:
		return DialectP1, true, nil
	}
	return DialectProd, names["ConfigAlgo"], nil
}

// builder gathers registers under their common names.
type builder struct {
	config  Config
	dialect Dialect
	file    int // the one being read
	seen    map[register]place
	encoder encoderBytes
	maskHi  *big.Int // mask_ae
	maskLo  *big.Int // mask_ae2
	idle    bool     // idle_pattern was given: it wins over the reset pattern
	ignored []string
}

// register is one register, of a channel or input where it has one.
type register struct {
	name    string
	channel int // -1: none
}

// place is where a register was set.
type place struct {
	file, line int
	value      uint64
	star       bool // for all channels or inputs at once, by a *
}

// note remembers that a register is set, and rejects a second time in a file:
// under another spelling, as keys that are spelt alike have been rejected. One
// that is set for all by a * may be set anew for some, the later in the file
// winning, as econt_sw has it.
func (b *builder) note(name string, i int, e entry, value uint64) error {
	at, now := register{name, i}, place{b.file, e.node.Line, value, e.star}
	if old, ok := b.seen[at]; ok && old.file == b.file && old.star == e.star && (i >= 0 || old.value != value) {
		return fmt.Errorf("line %d: %s is given twice: first in line %d", e.node.Line, e.path, old.line)
	}
	b.seen[at] = now
	return nil
}

// given counts the channels that were set, or 1 for a register without.
func (b *builder) given(name string) (n int) {
	for i := -1; i < Channels; i++ {
		if _, ok := b.seen[register{name, i}]; ok {
			n++
		}
	}
	return n
}

// set takes one register under its common name; i is the channel, if any.
func (b *builder) set(name string, i int, e entry) error {
	v, err := e.upTo(registerMax[name])
	if err != nil {
		return err
	}
	at := name
	if name == "mask" || name == "links" {
		at = "active_etxs"
	}
	if err := b.note(at, i, e, v); err != nil {
		return err
	}
	c := &b.config
	switch name {
	case "alg_type":
		c.Algorithm = Algorithm(v)
		if v > 4 {
			c.Algorithm = Repeater // the chip's fallback; not covered by a golden
		}
	case "alg_high_density":
		c.HighDensity = v == 1
	case "mask":
		if v == 0 {
			return fmt.Errorf("line %d: %s is 0: want at least one link", e.node.Line, e.path)
		}
		c.Links = uint16(v)
	case "links":
		if v == 0 {
			return fmt.Errorf("line %d: %s is 0: want 1 to %d links", e.node.Line, e.path, MaxETx)
		}
		c.Links = LinkMask(int(v))
	case "drop_lsb":
		c.DropLSB = uint8(v)
	case "stc_type":
		c.STCType = STCType(v)
	case "use_sum":
		c.UseSum = v == 1
	case "buff_t1":
		c.T1 = uint16(v)
	case "buff_t2":
		c.T2 = uint16(v)
	case "buff_t3":
		c.T3 = uint16(v)
	case "idle_pattern":
		c.IdlePattern, b.idle = uint16(v), true
	case "link_reset_pattern":
		if !b.idle {
			c.IdlePattern = uint16(v)
		}
	case "threshold":
		c.Threshold[i] = uint32(v)
	case "cal":
		c.Cal[i] = uint16(v)
	case "mux":
		c.Mux[i] = uint8(v)
	}
	return nil
}

// registerMax is the largest value of a register. The multiplexer's six bits
// could hold 63, but only 48 inputs exist; stc_type's three bits hold 7, of
// which 0 to 4 are defined.
var registerMax = map[string]uint64{
	"alg_type": 7, "alg_high_density": 1, "mask": 1<<MaxETx - 1, "links": MaxETx,
	"drop_lsb": 7, "stc_type": 4, "use_sum": 1, "buff_t1": 511, "buff_t2": 511, "buff_t3": 31,
	"idle_pattern": 2047, "link_reset_pattern": 2047,
	"threshold": 1<<22 - 1, "cal": 4095, "mux": Channels - 1,
}

// setMask takes the keep mask or a half of it.
func (b *builder) setMask(name string, e entry) error {
	v, err := e.number()
	if err != nil {
		return err
	}
	limit := map[string]int{"keep_auto_encoder_bits": MaskBits, "mask_ae": 128, "mask_ae2": 16}[name]
	if name == "mask_ae" && b.dialect == DialectEcontSW {
		limit = MaskBits // the oldest maps have all 18 bytes in one register
	}
	if v.Sign() < 0 || v.BitLen() > limit {
		return fmt.Errorf("line %d: %s is %#x: want at most %d bits", e.node.Line, e.path, v, limit)
	}
	if err := b.note(name, -1, e, v.Uint64()); err != nil {
		return err
	}
	parts := []string{"mask_ae", "mask_ae2"}
	if name != "keep_auto_encoder_bits" {
		parts = []string{"keep_auto_encoder_bits"}
	}
	for _, other := range parts {
		if old, ok := b.seen[register{other, -1}]; ok && old.file == b.file {
			return fmt.Errorf("line %d: %s and the %s of line %d are the same register", e.node.Line, e.path, other, old.line)
		}
	}
	switch name {
	case "mask_ae":
		b.maskHi = v
	case "mask_ae2":
		b.maskLo = v
	default: // whose halves later files may set
		b.maskHi, b.maskLo = new(big.Int).Rsh(v, 16), new(big.Int).And(v, big.NewInt(0xffff))
	}
	return nil
}

// finish joins split registers, fills defaults and checks the whole.
func (b *builder) finish() (*Registers, error) {
	if err := b.joinMask(); err != nil {
		return nil, err
	}
	w, err := b.encoder.weights(b.dialect)
	if err != nil {
		return nil, err
	}
	b.config.Weights = w
	r := &Registers{Config: b.config, Dialect: b.dialect, Ignored: slices.Compact(slices.Sorted(slices.Values(b.ignored)))}
	r.Defaults = b.defaults()
	return r, nil
}

// joinMask puts the two registers of a split keep mask together: mask_ae is
// the upper 128 bits and mask_ae2 the lower 16, as upstream's emulator joins
// them (its bytes 0 and 1 are mask_ae2). Not covered by a golden.
func (b *builder) joinMask() error {
	if b.maskHi == nil && b.maskLo == nil {
		return nil
	}
	hi, lo := b.maskHi, b.maskLo
	if hi == nil {
		hi = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1))
	}
	if lo == nil {
		if hi.BitLen() > 128 {
			m, err := MaskFromInt(hi)
			b.config.Keep = m
			return err
		}
		lo = big.NewInt(0xffff)
	} else if hi.BitLen() > 128 {
		return fmt.Errorf("mask_ae has %d bits and mask_ae2 is given: want at most 128", hi.BitLen())
	}
	m, err := MaskFromInt(new(big.Int).Or(new(big.Int).Lsh(hi, 16), lo))
	b.config.Keep = m
	return err
}
