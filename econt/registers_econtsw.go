package econt

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// econtSWIgnored are how blocks of econt_sw's map begin that have no bearing on
// the output.
var econtSWIgnored = []string{
	"CH_ALIGNER_", "CH_EPRXGRP_", "CH_ERR_", "ALIGNER_", "ERRTOP_", "EPRXGRP_",
	"FCTRL_", "ERX_", "ETX_", "PLL_", "MISC_",
}

// besideEcontSW are blocks that the public files have beside ECON-T: of the test
// stand, not of the chip.
var besideEcontSW = map[string]bool{"daq": true}

// readEcontSW reads ECON-T.RW.BLOCK.registers.NAME.value and its forms with
// params and lists.
func (b *builder) readEcontSW(top []entry) error {
	for _, e := range top {
		if e.key != "ECON-T" {
			b.ignored = append(b.ignored, e.key)
			continue
		}
		access, err := entries(e.node, e.path)
		if err != nil {
			return err
		}
		for _, a := range access {
			switch {
			case a.key == "RW":
				err = b.readEcontSWBlocks(a)
			case a.key == "RO" || a.key == "WO":
				b.ignored = append(b.ignored, a.path)
			case a.node.Kind == yaml.ScalarNode && (a.key == "ninput" || a.key == "noutput" || a.key == "nchannels"):
				// How often the map's own reader repeats a block with a *: a
				// property of the chip, not a register.
			default:
				err = a.unknown()
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

func (b *builder) readEcontSWBlocks(rw entry) error {
	blocks, err := entries(rw.node, rw.path)
	if err != nil {
		return err
	}
	for _, block := range blocks {
		if ignoredEcontSW(block.key) {
			b.ignored = append(b.ignored, block.key)
			continue
		}
		body, err := entries(block.node, block.path)
		if err != nil {
			return err
		}
		for _, r := range body {
			switch r.key {
			case "registers":
				regs, err := entries(r.node, r.path)
				if err != nil {
					return err
				}
				for _, reg := range regs {
					if err := b.readEcontSWRegister(block.key, reg); err != nil {
						return err
					}
				}
			case "addr_base", "block_shift": // the map's own, as in econtSWAddress
			default:
				return r.unknown()
			}
		}
	}
	return nil
}

func ignoredEcontSW(block string) bool {
	for _, p := range econtSWIgnored {
		if strings.HasPrefix(block, p) {
			return true
		}
	}
	return false
}

// econtSWAddress are the keys by which the map says where a register or a
// parameter lies.
var econtSWAddress = map[string]bool{
	"addr_offset": true, "addr_shift": true, "size_byte": true, "n_iterations": true, "param_mask": true, "param_shift": true,
}

// readEcontSWRegister reads one register: value, params.NAME.param_value, or
// NAME.param_value. Where both are given the value is the whole register, as
// econt_sw has it.
func (b *builder) readEcontSWRegister(block string, reg entry) error {
	body, err := entries(reg.node, reg.path)
	if err != nil {
		return err
	}
	whole := false
	for _, e := range body {
		if e.key == "value" && e.node.Tag != "!!null" {
			whole = true
			if err := b.econtSWValue(block, reg.key, e); err != nil {
				return err
			}
		}
	}
	for _, e := range body {
		switch {
		case e.key == "value" || econtSWAddress[e.key]:
		case e.key == "params":
			params, err := entries(e.node, e.path)
			if err != nil {
				return err
			}
			for _, p := range params {
				if err := b.econtSWParam(block, reg.key, p, whole); err != nil {
					return err
				}
			}
		default:
			if err := b.econtSWParam(block, reg.key, e, whole); err != nil {
				return err
			}
		}
	}
	return nil
}

// econtSWValue takes a register given whole.
func (b *builder) econtSWValue(block, name string, e entry) error {
	switch block + "." + name {
	case "FMTBUF_ALL.tx_sync_word":
		return b.set("link_reset_pattern", -1, e)
	case "FMTBUF_ALL.buff_t1", "FMTBUF_ALL.buff_t2", "FMTBUF_ALL.buff_t3":
		return b.set(name, -1, e)
	case "FMTBUF_ALL.mask_ae", "FMTBUF_ALL.mask_ae2":
		return b.setMask(name, e)
	case "FMTBUF_ALL.config": // eporttx_numen 7–4, use_sum 2, stc_type 1–0
		return b.bitFields(e, 0xff, []bitField{{"links", "eporttx_numen", 4, 15}, {"use_sum", "use_sum", 2, 1}, {"stc_type", "stc_type", 0, 3}})
	case "MFC_ALGORITHM_SEL_DENSITY.algo": // density 3, select 2–0
		return b.bitFields(e, 15, []bitField{{"alg_high_density", "density", 3, 1}, {"alg_type", "select", 0, 7}})
	case "ALGO_DROPLSB.drop_lsb":
		return b.set("drop_lsb", -1, e)
	}
	for prefix, common := range econtSWChannels {
		if number, ok := strings.CutPrefix(block+"."+name, prefix); ok {
			if number == "*" {
				return b.econtSWList(common, e)
			}
			i, err := entry{key: number, path: e.path, node: e.node}.index(Channels)
			if err != nil {
				return err
			}
			return b.set(common, i, e)
		}
	}
	if inputs := econtSWInputs(block); inputs != nil {
		e.key, e.star = name, len(inputs) > 1
		return b.setEncoder(inputs, e)
	}
	return e.unknown()
}

// econtSWChannels are the registers of each channel: a list of 48 under *, or
// one under its number.
var econtSWChannels = map[string]string{
	"MFC_MUX_SELECT.mux_select_":        "mux",
	"MFC_CAL_VAL.cal_":                  "cal",
	"ALGO_THRESHOLD_VAL.threshold_val_": "threshold",
}

// econtSWInputs reads n of AUTOENCODER_nINPUT, or * for all twelve; nil for
// another block.
func econtSWInputs(block string) []int {
	s, ok := strings.CutPrefix(block, "AUTOENCODER_")
	if !ok {
		return nil
	}
	s, ok = strings.CutSuffix(s, "INPUT")
	if !ok {
		return nil
	}
	inputs, err := entry{key: s, node: &yaml.Node{}}.indices(ERxWords)
	if err != nil {
		return nil
	}
	return inputs
}

type bitField struct {
	name  string // as set knows it
	key   string // as the file has it
	shift uint
	mask  uint64
}

func (b *builder) bitFields(e entry, most uint64, fields []bitField) error {
	v, err := e.upTo(most)
	if err != nil {
		return err
	}
	for _, f := range fields {
		part := *e.node
		part.Value = fmt.Sprint(v >> f.shift & f.mask)
		if err := b.set(f.name, -1, entry{key: e.key, path: e.path + " (" + f.key + ")", node: &part}); err != nil {
			return err
		}
	}
	return nil
}

// econtSWParam takes one parameter of a register, whose value counts unless the
// register was given whole.
func (b *builder) econtSWParam(block, name string, p entry, whole bool) error {
	body, err := entries(p.node, p.path)
	if err != nil {
		return err
	}
	common := map[string]string{
		"FMTBUF_ALL.config.eporttx_numen":        "links",
		"FMTBUF_ALL.config.use_sum":              "use_sum",
		"FMTBUF_ALL.config.stc_type":             "stc_type",
		"MFC_ALGORITHM_SEL_DENSITY.algo.select":  "alg_type",
		"MFC_ALGORITHM_SEL_DENSITY.algo.density": "alg_high_density",
	}[block+"."+name+"."+p.key]
	if common == "" {
		return p.unknown()
	}
	for _, e := range body {
		switch {
		case e.key == "param_value" && !whole && e.node.Tag != "!!null":
			if err := b.set(common, -1, e); err != nil {
				return err
			}
		case e.key != "param_value" && !econtSWAddress[e.key]:
			return e.unknown()
		}
	}
	return nil
}

// econtSWList takes the 48 values of a register with a star; null leaves a
// channel as it is.
func (b *builder) econtSWList(name string, e entry) error {
	if e.node.Kind != yaml.SequenceNode || len(e.node.Content) != Channels {
		return fmt.Errorf("line %d: %s: want a list of 48 numbers", e.node.Line, e.path)
	}
	for i, n := range e.node.Content {
		if n.Tag == "!!null" {
			continue
		}
		if err := b.set(name, i, entry{e.key, fmt.Sprintf("%s[%d]", e.path, i), n, true}); err != nil {
			return err
		}
	}
	return nil
}
