package econt

import (
	"bufio"
	"fmt"
	"io"
	"math/big"
	"strings"
)

// WriteRegisters writes a configuration as a register file of the dialect,
// with every register that decides the output and, if there are any, the
// encoder's weights. Reading it gives the same configuration, but that the
// multiplexer is counted in the dialect's own convention.
//
// Only DialectProd can hold a link mask with gaps. Config.Overflow is not a
// register and is not written.
func WriteRegisters(w io.Writer, c *Config, d Dialect) error {
	check := *c
	if check.Weights == nil && check.Algorithm == Autoencoder {
		return fmt.Errorf("econt: registers of algorithm AE without weights")
	}
	if err := check.Validate(); err != nil {
		return err
	}
	if d != DialectProd && c.Links != LinkMask(c.ETx()) {
		return fmt.Errorf("econt: link mask %#x has gaps: the %s dialect only holds a count", c.Links, d)
	}
	bw := bufio.NewWriter(w)
	p := &registerPrinter{bw, c}
	switch d {
	case DialectProd:
		p.prod()
	case DialectP1:
		p.p1()
	case DialectEcontSW:
		p.econtSW()
	default:
		return fmt.Errorf("econt: %s: no such dialect", d)
	}
	return bw.Flush()
}

type registerPrinter struct {
	w io.Writer
	c *Config
}

func (p *registerPrinter) line(format string, args ...any) { fmt.Fprintf(p.w, format+"\n", args...) }

// mux gives the registers in a convention.
func (p *registerPrinter) mux(m MuxConvention) []uint64 {
	v := make([]uint64, Channels)
	for ch := range v {
		v[ch] = uint64(m.Input(p.c.Convention.Input(p.c.Mux[ch]))) // the flip is its own inverse
	}
	return v
}

func (p *registerPrinter) cal() []uint64 {
	v := make([]uint64, Channels)
	for ch := range v {
		v[ch] = uint64(p.c.Cal[ch])
	}
	return v
}

func (p *registerPrinter) threshold() []uint64 {
	v := make([]uint64, Channels)
	for ch := range v {
		v[ch] = uint64(p.c.Threshold[ch])
	}
	return v
}

// halves splits the keep mask as joinMask puts it together.
func (p *registerPrinter) halves() (hi, lo *big.Int) {
	v := p.c.Keep.Int()
	return new(big.Int).Rsh(v, 16), new(big.Int).And(v, big.NewInt(0xffff))
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (p *registerPrinter) channels(block string, v []uint64) {
	p.line("%s:", block)
	for i, x := range v {
		p.line("  %d: %d", i, x)
	}
}

func (p *registerPrinter) encoder(block func(n int) string, register func(name string, v *big.Int)) {
	if p.c.Weights == nil {
		return
	}
	var eb encoderBytes
	eb.encode(p.c.Weights)
	for n := range 12 {
		p.line("%s", block(n))
		for _, first := range encoderRegisters {
			b := eb.bytes[134*n+first : 134*n+first+min(16, 134-first)]
			v := new(big.Int)
			for i := len(b) - 1; i >= 0; i-- {
				v.Or(v.Lsh(v, 8), big.NewInt(int64(b[i])))
			}
			register(fmt.Sprintf("weights_byte%d", first), v)
		}
	}
}

// blocks writes what prod and p1 share.
func (p *registerPrinter) blocks(m MuxConvention) {
	p.line("  Global:")
	p.line("    drop_lsb: %d", p.c.DropLSB)
	p.channels("AlgoThreshold", p.threshold())
	p.channels("Cal", p.cal())
	p.channels("Mux", p.mux(m))
	if p.c.Weights != nil {
		p.line("Encoder:")
	}
	p.encoder(
		func(n int) string { return fmt.Sprintf("  %d:", n) },
		func(name string, v *big.Int) { p.line("    %s: 0x%x", name, v) })
	p.line("FormatterBuffer:")
	p.line("  Global:")
	p.line("    buff_t1: %d", p.c.T1)
	p.line("    buff_t2: %d", p.c.T2)
	p.line("    buff_t3: %d", p.c.T3)
	p.line("    stc_type: %d", p.c.STCType)
	p.line("    use_sum: %d", flag(p.c.UseSum))
	p.line("    link_reset_pattern: %d", p.c.IdlePattern)
}

func (p *registerPrinter) prod() {
	p.line("ConfigAlgo:")
	p.line("  Global:")
	p.line("    alg_type: %d", p.c.Algorithm)
	p.line("    alg_high_density: %d", flag(p.c.HighDensity))
	p.line("AlgoDroplsb:")
	p.blocks(MuxProd)
	p.line("    active_etxs: 0x%x", p.c.Links)
	p.line("    keep_auto_encoder_bits: 0x%x", p.c.Keep.Int())
}

func (p *registerPrinter) p1() {
	p.line("Algorithm:")
	p.line("  Global:")
	p.line("    select: %d", p.c.Algorithm)
	p.line("    density: %d", flag(p.c.HighDensity))
	p.line("AlgoDroplsb:")
	p.blocks(MuxP1)
	p.line("    active_etxs: %d", p.c.ETx())
	hi, lo := p.halves()
	p.line("    mask_ae: 0x%x", hi)
	p.line("    mask_ae2: 0x%x", lo)
}

func (p *registerPrinter) econtSW() {
	p.line("ECON-T:")
	p.line(" RW:")
	p.line("  MFC_ALGORITHM_SEL_DENSITY:")
	p.line("   registers:")
	p.line("    algo:")
	p.line("     params:")
	p.param("select", int(p.c.Algorithm))
	p.param("density", flag(p.c.HighDensity))
	p.list("MFC_MUX_SELECT", "mux_select_*", p.mux(MuxP1))
	p.list("MFC_CAL_VAL", "cal_*", p.cal())
	p.list("ALGO_THRESHOLD_VAL", "threshold_val_*", p.threshold())
	p.line("  ALGO_DROPLSB:")
	p.line("   registers:")
	p.value("drop_lsb", fmt.Sprint(p.c.DropLSB))
	p.line("  FMTBUF_ALL:")
	p.line("   registers:")
	p.value("tx_sync_word", fmt.Sprint(p.c.IdlePattern))
	p.value("buff_t1", fmt.Sprint(p.c.T1))
	p.value("buff_t2", fmt.Sprint(p.c.T2))
	p.value("buff_t3", fmt.Sprint(p.c.T3))
	p.line("    config:")
	p.line("     params:")
	p.param("eporttx_numen", p.c.ETx())
	p.param("use_sum", flag(p.c.UseSum))
	p.param("stc_type", int(p.c.STCType))
	hi, lo := p.halves()
	p.value("mask_ae", fmt.Sprintf("0x%x", hi))
	p.value("mask_ae2", fmt.Sprintf("0x%x", lo))
	p.encoder(
		func(n int) string { return fmt.Sprintf("  AUTOENCODER_%dINPUT:\n   registers:", n) },
		func(name string, v *big.Int) { p.value(name, fmt.Sprintf("0x%x", v)) })
}

func (p *registerPrinter) param(name string, v int) {
	p.line("      %s:", name)
	p.line("       param_value: %d", v)
}

func (p *registerPrinter) value(name, v string) {
	p.line("    %s:", name)
	p.line("     value: %s", v)
}

func (p *registerPrinter) list(block, name string, v []uint64) {
	p.line("  %s:", block)
	p.line("   registers:")
	p.value(name, "["+strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ", "), "[]")+"]")
}
