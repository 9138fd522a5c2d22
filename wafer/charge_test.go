package wafer

import (
	"testing"

	"barrow/hgcal"
)

func TestChargeName(t *testing.T) {
	for name, want := range map[string]ChargeName{
		"CALQ": {-1, 0, false}, "calq": {-1, 0, false}, "wafer_CALQ": {-1, 0, false}, "CALQ_postmux": {-1, hgcal.PostMux, true}, "CALQ_v9": {-1, hgcal.V9, true},
		"CALQ_0": {0, 0, false}, "CALQ0": {0, 0, false}, "CALQ_07": {7, 0, false}, "calq 47": {47, 0, false}, "wafer_CALQ63": {63, 0, false},
		"CALQ_raster_5": {5, hgcal.Raster, true}, "CALQ-Raster-5": {5, hgcal.Raster, true},
	} {
		got, ok := ParseChargeName(name)
		if !ok || got != want {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, want)
		}
		if again, ok := ParseChargeName(got.String()); !ok || again.Cell != got.Cell || again.Order != got.Order {
			t.Errorf("%s: written %s, which reads as %v", name, got, again)
		}
	}
	for _, name := range []string{"", "CALQ_", "CALQ_3.1", "SumCALQ", "CALQ_foo_3", "CALQ_99999999999999999999", "sumCALQ", "tc_CALQ"} {
		if got, ok := ParseChargeName(name); ok {
			t.Errorf("%q is taken for %v", name, got)
		}
	}
}
