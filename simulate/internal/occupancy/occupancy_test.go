package occupancy

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
)

// line is the histogram of wafer u=1, v=5 of layer 9, a full module, with
// counts in its first bins.
func line(counts ...string) string {
	fields := append([]string{"nTCs_silicon_1_5_9,49,-0.5,48.5,0"}, counts...)
	for range hgcal.Cells + 1 - len(counts) {
		fields = append(fields, "0")
	}
	return strings.Join(append(fields, "0"), ",") + "\n"
}

func Example() {
	modules, err := Read(strings.NewReader(line("50", "30", "20")))
	if err != nil {
		fmt.Println(err)
		return
	}
	m := modules[0]
	fmt.Printf("layer %d, %g events, mean %.1f cells\n", m.Layer, m.Entries(), m.Mean())
	// Output: layer 9, 100 events, mean 0.7 cells
}

func TestRead(t *testing.T) {
	text := "nTCs_scintillator_1_5_9,ignored\n" + line("1", "1") + strings.Replace(line("2"), "_1_5_9", "_0_0_9", 1)
	modules, err := Read(strings.NewReader(text))
	if err != nil || len(modules) != 1 || modules[0].Ratio() != 0.5 {
		t.Fatalf("%v, %v", modules, err)
	}
	if b := Bins(modules); len(b) != 1 || b[0].Modules != 1 || b[0].Mean != 0.5 {
		t.Errorf("bins %v", b)
	}
	if p := Pool(modules); p[0] != 0.5 || p[1] != 0.5 {
		t.Errorf("pool %v", p[:3])
	}
	for in, want := range map[string]string{
		"":                                "no histogram",
		"nTCs_silicon_1_5,1\n":            "1: histogram",
		"nTCs_silicon_1_5_9,49,1\n":       "1: 3 columns, want 55",
		line("1", "x"):                    `1:7: count "x"`,
		line("1") + line("-1", "2"):       `2:6: count "-1"`,
		line("NaN"):                       `1:6: count "NaN"`,
		line("1", "Inf"):                  `1:7: count "Inf"`,
		line("0"):                         "no histogram",
		strings.Repeat("x", 1<<17) + "\n": "the line is longer than",
	} {
		if _, err := Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: error %v, want %q", in, err, want)
		}
	}
	if _, err := ReadFile(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("an absent file was read")
	}
}

func TestReference(t *testing.T) {
	modules, err := ReadFile(shared.Data(t, "occupancy", "nTCs_hists.csv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range modules {
		if m.Entries() != 54000 {
			t.Errorf("%d,%d of layer %d has %g entries", m.U, m.V, m.Layer, m.Entries())
		}
	}
	total := 0.0
	for _, p := range Pool(modules) {
		total += p
	}
	if len(modules) < 2500 || math.Abs(total-1) > 1e-9 {
		t.Errorf("%d modules, shares sum to %g", len(modules), total)
	}
}

func FuzzRead(f *testing.F) {
	f.Add(line("1", "2", "3"))
	f.Add("nTCs_silicon_1_5_9,49\n")
	f.Add("nTCs_silicon_a_b_c," + strings.Repeat("1,", 53) + "1\n")
	f.Fuzz(func(t *testing.T, text string) {
		modules, err := Read(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, m := range modules {
			if !(m.Mean() > 0) || m.Mean() > hgcal.Cells {
				t.Errorf("mean %g", m.Mean())
			}
		}
	})
}
