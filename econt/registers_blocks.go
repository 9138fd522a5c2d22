package econt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// notEmulated are the chip's blocks that have no bearing on the output words.
var notEmulated = map[string]bool{
	"Algo": true, "Aligner": true, "ChAligner": true, "ChEprxGrp": true, "ChErr": true,
	"ClocksAndResets": true, "Config": true, "ERx": true, "ETx": true, "EprxGrpTop": true,
	"ErrTop": true, "FCtrl": true, "Misc": true, "Misc_TMR_ERR_CNT": true, "Pll": true, "PLL": true,
}

// notEmulatedKeys are registers of emulated blocks without such bearing.
var notEmulatedKeys = map[string]bool{
	"ConfigAlgo.Global.bad_erx_mode": true, "ConfigAlgo.Global.invalid_threshold": true,
	"ConfigAlgo.Global.observation_window": true, "ConfigAlgo.Global.valid_threshold": true,
	"FormatterBuffer.Global.etx_pattern": true, "FormatterBuffer.Global.align_serializer": true,
	"FmtBuf.Global.etx_pattern": true, "FmtBuf.Global.align_serializer": true,
}

// readBlocks reads the dialects of the form block.id.register: value.
func (b *builder) readBlocks(top []entry) error {
	for _, e := range top {
		var err error
		switch e.key {
		case "ConfigAlgo":
			err = b.readGlobal(e, map[string]string{"alg_type": "alg_type", "alg_high_density": "alg_high_density"})
		case "Algorithm":
			err = b.readGlobal(e, map[string]string{"select": "alg_type", "density": "alg_high_density"})
		case "AlgoDroplsb":
			err = b.readDropLSB(e)
		case "FormatterBuffer", "FmtBuf":
			err = b.readFormatter(e)
		case "AlgoThreshold":
			err = b.readChannels(e, "threshold")
		case "Cal":
			err = b.readChannels(e, "cal")
		case "Mux":
			err = b.readChannels(e, "mux")
		case "Encoder":
			err = b.readEncoder(e)
		default:
			if !notEmulated[e.key] {
				return e.unknown()
			}
			b.ignored = append(b.ignored, e.key)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// global opens block.Global.
func (b *builder) global(e entry) (*entry, error) {
	list, err := entries(e.node, e.path)
	if err != nil {
		return nil, err
	}
	var found *entry
	for i := range list {
		if list[i].key != "Global" {
			return nil, list[i].unknown()
		}
		found = &list[i]
	}
	if found == nil {
		return nil, fmt.Errorf("line %d: %s: no Global", e.node.Line, e.path)
	}
	return found, nil
}

func (b *builder) readGlobal(e entry, names map[string]string) error {
	g, err := b.global(e)
	if err != nil {
		return err
	}
	list, err := entries(g.node, g.path)
	if err != nil {
		return err
	}
	for _, r := range list {
		name, ok := names[r.key]
		if !ok {
			if notEmulatedKeys[r.path] {
				b.ignored = append(b.ignored, r.path)
				continue
			}
			return r.unknown()
		}
		switch name {
		case "keep_auto_encoder_bits", "mask_ae", "mask_ae2":
			err = b.setMask(name, r)
		default:
			err = b.set(name, -1, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readDropLSB takes AlgoDroplsb.Global: 3 and AlgoDroplsb.Global.drop_lsb: 3.
func (b *builder) readDropLSB(e entry) error {
	g, err := b.global(e)
	if err != nil {
		return err
	}
	if g.node.Kind == yaml.ScalarNode {
		return b.set("drop_lsb", -1, *g)
	}
	return b.readGlobal(e, map[string]string{"drop_lsb": "drop_lsb"})
}

func (b *builder) readFormatter(e entry) error {
	names := map[string]string{
		"buff_t1": "buff_t1", "buff_t2": "buff_t2", "buff_t3": "buff_t3",
		"stc_type": "stc_type", "use_sum": "use_sum",
		"link_reset_pattern": "link_reset_pattern", "tx_sync_word": "link_reset_pattern",
		"idle_pattern": "idle_pattern", "active_etxs": "mask",
		"keep_auto_encoder_bits": "keep_auto_encoder_bits", "mask_ae": "mask_ae", "mask_ae2": "mask_ae2",
	}
	if b.dialect != DialectProd {
		names["active_etxs"] = "links"
		names["eporttx_numen"] = "links"
	}
	return b.readGlobal(e, names)
}

func (b *builder) readChannels(e entry, name string) error {
	list, err := entries(e.node, e.path)
	if err != nil {
		return err
	}
	for _, r := range list {
		channels, err := r.indices(Channels)
		if err != nil {
			return err
		}
		r.star = len(channels) > 1
		for _, i := range channels {
			if err := b.set(name, i, r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) readEncoder(e entry) error {
	list, err := entries(e.node, e.path)
	if err != nil {
		return err
	}
	for _, in := range list {
		inputs, err := in.indices(ERxWords)
		if err != nil {
			return err
		}
		regs, err := entries(in.node, in.path)
		if err != nil {
			return err
		}
		for _, r := range regs {
			r.star = len(inputs) > 1
			if err := b.setEncoder(inputs, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// encoderRegisters are the first bytes of an input's weight registers: eight
// of 16 bytes and one of 6.
var encoderRegisters = [...]int{0, 16, 32, 48, 64, 80, 96, 112, 128}

// encoderBytesEach is how many bytes of weights an input has.
const encoderBytesEach = 134

// encoderBytes are the 12 × 134 bytes of the weight registers: weight i is the
// six bits from bit 6i on, least significant first.
type encoderBytes struct {
	bytes [ERxWords * encoderBytesEach]byte
	given [12][len(encoderRegisters)]bool
	any   bool
}

// setEncoder takes weights_byteK of some inputs, or weights, all their 134 bytes
// in one as in the first register maps.
func (b *builder) setEncoder(inputs []int, e entry) error {
	from, to := -1, 0
	for k, first := range encoderRegisters {
		switch e.key {
		case "weights_byte" + strconv.Itoa(first):
			from, to = k, k+1
		case "weights":
			from, to = 0, len(encoderRegisters)
		}
	}
	if from < 0 {
		return e.unknown()
	}
	first, last := encoderRegisters[from], encoderBytesEach
	if to < len(encoderRegisters) {
		last = encoderRegisters[to]
	}
	v, err := e.number()
	if err != nil {
		return err
	}
	if v.Sign() < 0 || v.BitLen() > 8*(last-first) {
		return fmt.Errorf("line %d: %s: want at most %d bits", e.node.Line, e.path, 8*(last-first))
	}
	for _, n := range inputs {
		dst := b.encoder.bytes[encoderBytesEach*n+first : encoderBytesEach*n+last]
		slices.Reverse(v.FillBytes(dst))
		for k := from; k < to; k++ {
			if err := b.note(fmt.Sprintf("weights_byte%d", encoderRegisters[k]), n, e, 0); err != nil {
				return err
			}
			b.encoder.given[n][k], b.encoder.any = true, true
		}
	}
	return nil
}

// weights decodes the registers, nil if none was given.
func (eb *encoderBytes) weights(d Dialect) (*Weights, error) {
	if !eb.any {
		return nil, nil
	}
	block := "Encoder.%d.weights_byte%d"
	if d == DialectEcontSW {
		block = "AUTOENCODER_%dINPUT.weights_byte%d"
	}
	var missing []string
	for n := range eb.given {
		for k, ok := range eb.given[n] {
			if !ok {
				missing = append(missing, fmt.Sprintf(block, n, encoderRegisters[k]))
			}
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%d of 108 weight registers are missing: %s", len(missing), shorten(missing, 3))
	}
	var r [WeightCount]int8
	for i := range r {
		bit := 6 * i
		v := uint(eb.bytes[bit/8]) >> (bit % 8)
		if bit/8+1 < len(eb.bytes) {
			v |= uint(eb.bytes[bit/8+1]) << (8 - bit%8)
		}
		r[i] = int8(v<<2) >> 2
	}
	return WeightsFromRegisters(&r)
}

// encode is the inverse of weights.
func (eb *encoderBytes) encode(w *Weights) {
	*eb = encoderBytes{any: true}
	for i, v := range w.Registers() {
		bits := uint16(uint8(v)&63) << (6 * i % 8)
		eb.bytes[6*i/8] |= byte(bits)
		if 6*i/8+1 < len(eb.bytes) {
			eb.bytes[6*i/8+1] |= byte(bits >> 8)
		}
	}
}

func shorten(list []string, n int) string {
	if len(list) > n {
		return strings.Join(list[:n], ", ") + ", …"
	}
	return strings.Join(list, ", ")
}
