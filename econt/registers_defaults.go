package econt

import "fmt"

const (
	sourceMap   = "reset value in the chip's register map (pflib ECONT_I2C_params_regmap.yaml)"
	sourceMapP1 = "reset value in econt_sw's register map (ECON_I2C_params_regmap.yaml)"
)

// defaultTable is every register with its reset value, under its name in each
// dialect. Both reset maps agree but for the idle word.
var defaultTable = []struct {
	name  string // of set
	files [3]string
	value string
	used  func(Algorithm) bool
}{
	{"alg_type", [3]string{"alg_type", "select", "select"}, "0 (TS)", always},
	{"alg_high_density", [3]string{"alg_high_density", "density", "density"}, "0", always},
	{"active_etxs", [3]string{"active_etxs", "active_etxs", "eporttx_numen"}, "2 links (mask 0x3)", always},
	{"drop_lsb", alike("drop_lsb"), "0", except(Autoencoder)},
	{"stc_type", alike("stc_type"), "1", only(SuperTriggerCell)},
	{"use_sum", alike("use_sum"), "1", only(ThresholdSum, BestChoice)},
	{"buff_t1", alike("buff_t1"), "48", always},
	{"buff_t2", alike("buff_t2"), "511", always},
	{"buff_t3", alike("buff_t3"), "0", always},
	{"link_reset_pattern", [3]string{"link_reset_pattern", "link_reset_pattern", "tx_sync_word"},
		"", only(ThresholdSum)}, // the dialect's
	{"keep_auto_encoder_bits", [3]string{"keep_auto_encoder_bits", "mask_ae", "mask_ae"}, "all 144 bits", only(Autoencoder)},
	{"threshold", [3]string{"AlgoThreshold", "AlgoThreshold", "threshold_val_*"}, "0", only(ThresholdSum)},
	{"cal", [3]string{"Cal", "Cal", "cal_*"}, "2048", always},
	{"mux", [3]string{"Mux", "Mux", "mux_select_*"}, "channel c reads register value c", always},
}

func alike(name string) [3]string { return [3]string{name, name, name} }

func always(Algorithm) bool { return true }

func only(list ...Algorithm) func(Algorithm) bool {
	return func(a Algorithm) bool {
		for _, b := range list {
			if a == b {
				return true
			}
		}
		return false
	}
}

func except(b Algorithm) func(Algorithm) bool {
	return func(a Algorithm) bool { return a != b }
}

// defaults lists what no file sets and the algorithm reads.
func (b *builder) defaults() (list []Default) {
	for _, d := range defaultTable {
		if !d.used(b.config.Algorithm) {
			continue
		}
		n, name := b.given(d.name), d.files[b.dialect]
		switch d.name {
		case "link_reset_pattern":
			n += b.given("idle_pattern")
		case "keep_auto_encoder_bits":
			switch hi, lo := b.given("mask_ae") > 0, b.given("mask_ae2") > 0; {
			case hi && (lo || b.maskHi.BitLen() > 128):
				n = 1
			case hi:
				name, d.value = "mask_ae2", "all 16 bits"
			case lo:
				name, d.value = "mask_ae", "all 128 bits"
			}
		case "threshold", "cal", "mux":
			if n > 0 && n < Channels {
				name = fmt.Sprintf("%s (%d of 48 channels)", name, Channels-n)
				n = 0
			}
		}
		if n > 0 {
			continue
		}
		value, source := d.value, sourceMap
		if b.dialect != DialectProd {
			source = sourceMapP1
		}
		if d.name == "link_reset_pattern" {
			value = fmt.Sprint(b.config.IdlePattern)
		}
		list = append(list, Default{name, value, source})
	}
	return list
}
