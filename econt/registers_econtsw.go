package econt

import (
	"fmt"
	"strings"

	"gopkg.in/yaml.v3"
)

// econtSWIgnored are blocks of econt_sw's map without bearing on the output.
var econtSWIgnored = []string{
	"CH_ALIGNER_", "CH_EPRXGRP_", "CH_ERR_", "ALIGNER_ALL", "ERRTOP_ALL", "EPRXGRP_TOP_ALL",
	"FCTRL_ALL", "ERX_ALL", "ETX_ALL", "PLL_ALL", "MISC_ALL",
}

// readEcontSW reads ECON-T.RW.BLOCK.registers.NAME.value and its forms with
// params and lists.
func (b *builder) readEcontSW(top []entry) error {
	for _, e := range top {
		if e.key != "ECON-T" {
			return e.unknown()
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
			case "addr_base", "block_shift": // the map's addresses
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

// readEcontSWRegister reads one register: value, params.NAME.param_value, or
// NAME.param_value.
func (b *builder) readEcontSWRegister(block string, reg entry) error {
	body, err := entries(reg.node, reg.path)
	if err != nil {
		return err
	}
	for _, e := range body {
		switch e.key {
		case "value":
			err = b.econtSWValue(block, reg.key, e)
		case "params":
			var params []entry
			if params, err = entries(e.node, e.path); err != nil {
				return err
			}
			for _, p := range params {
				if err := b.econtSWParam(block, reg.key, p); err != nil {
					return err
				}
			}
		case "addr_offset", "addr_shift", "size_byte", "n_iterations", "param_mask", "param_shift": // the map's addresses
		default:
			err = b.econtSWParam(block, reg.key, e)
		}
		if err != nil {
			return err
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
		return b.bitFields(e, 0xff, []bitField{{"links", 4, 15}, {"use_sum", 2, 1}, {"stc_type", 0, 3}})
	case "MFC_ALGORITHM_SEL_DENSITY.algo": // density 3, select 2–0
		return b.bitFields(e, 15, []bitField{{"alg_high_density", 3, 1}, {"alg_type", 0, 7}})
	case "MFC_MUX_SELECT.mux_select_*":
		return b.econtSWList("mux", e)
	case "MFC_CAL_VAL.cal_*":
		return b.econtSWList("cal", e)
	case "ALGO_THRESHOLD_VAL.threshold_val_*":
		return b.econtSWList("threshold", e)
	case "ALGO_DROPLSB.drop_lsb":
		return b.set("drop_lsb", -1, e)
	}
	if n, ok := econtSWInput(block); ok {
		return b.encoder.set(n, entry{name, e.path, e.node})
	}
	return e.unknown()
}

// econtSWInput reads n of AUTOENCODER_nINPUT.
func econtSWInput(block string) (int, bool) {
	s, ok := strings.CutPrefix(block, "AUTOENCODER_")
	if !ok {
		return 0, false
	}
	s, ok = strings.CutSuffix(s, "INPUT")
	if !ok {
		return 0, false
	}
	n, err := entry{key: s, node: &yaml.Node{}}.index(ERxWords)
	return n, err == nil
}

type bitField struct {
	name  string
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
		if err := b.set(f.name, -1, entry{e.key, e.path + " (" + f.name + ")", &part}); err != nil {
			return err
		}
	}
	return nil
}

// econtSWParam takes one parameter of a register.
func (b *builder) econtSWParam(block, name string, p entry) error {
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
		switch e.key {
		case "param_value":
			if err := b.set(common, -1, e); err != nil {
				return err
			}
		case "param_mask", "param_shift":
		default:
			return e.unknown()
		}
	}
	return nil
}

// econtSWList takes the 48 values of a register with a star.
func (b *builder) econtSWList(name string, e entry) error {
	if e.node.Kind != yaml.SequenceNode || len(e.node.Content) != Channels {
		return fmt.Errorf("line %d: %s: want a list of 48 numbers", e.node.Line, e.path)
	}
	for i, n := range e.node.Content {
		if err := b.set(name, i, entry{e.key, fmt.Sprintf("%s[%d]", e.path, i), n}); err != nil {
			return err
		}
	}
	return nil
}
