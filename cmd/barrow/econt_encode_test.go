package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/outfile"
	"barrow/nn"
)

// TestEncodeFlagsMatter: a flag of "econt encode" changes what comes out, or the
// algorithm refuses it.
func TestEncodeFlagsMatter(t *testing.T) {
	dir := t.TempDir()
	images, model, weights := filepath.Join(dir, "images.csv"), filepath.Join(dir, "encoder.weights"), filepath.Join(dir, "encoder.csv")
	var rows strings.Builder
	r := rand.New(rand.NewPCG(1, 2))
	for i := range 40 { // bright and dim
		for c := range 48 {
			fmt.Fprintf(&rows, "%d%s", int(math.Exp(float64(i%8)*r.Float64())-1), []string{",", "\n"}[c/47])
		}
	}
	if err := os.WriteFile(images, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	m, err := autoencoder.Architecture{Precision: "asic"}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Save(model); err != nil {
		t.Fatal(err)
	}
	w, err := m.ChipWeights()
	if err != nil {
		t.Fatal(err)
	}
	if err := outfile.Write(weights, false, w.WriteCSV); err != nil {
		t.Fatal(err)
	}
	encode := func(args string) (output, err string) {
		var out, errs strings.Builder
		execute(append([]string{"econt", "encode", images, "--out", "-", "--quiet"}, strings.Fields(args)...), strings.NewReader(""), &out, &errs)
		return out.String(), errs.String()
	}
	const charges = "TS TSrest BC BCrest STC0 STC1 STC2 STC3 STC4 RPT"
	flags := map[string]string{ // to the algorithms that take them
		"--threshold 100": "",
		"--use-sum":       "TSrest BCrest",
		"--rest":          "TS BC",
		"--share equal":   "STC0 STC1 STC3",
		"--drop-lsb 4":    "TS TSrest BC BCrest STC2 STC3 RPT",
		"--zero-code":     "TS TSrest BC BCrest STC2 STC3 RPT",
		"--point lowest":  charges,
		"--pedestal":      charges,
		"--stc-type 4":    "STC0",
		"--keep all":      "AEalone",
	}
	for algorithm, args := range map[string]string{
		"TS":      "--algorithm TS --etx 5 --threshold 4 --density hd",
		"TSrest":  "--algorithm TS --etx 5 --rest --threshold 4 --density hd",
		"BC":      "--algorithm BC --etx 8",
		"BCrest":  "--algorithm BC --etx 8 --rest",
		"STC0":    "--algorithm STC --etx 2",
		"STC1":    "--algorithm STC --etx 2 --stc-type 1",
		"STC2":    "--algorithm STC --etx 2 --stc-type 2",
		"STC3":    "--algorithm STC --etx 2 --stc-type 3",
		"STC4":    "--algorithm STC --etx 2 --stc-type 4",
		"RPT":     "--algorithm RPT --etx 13",
		"AE":      "--algorithm AE --etx 5 --model " + model,
		"AEalone": "--algorithm AE --etx 2 --weights " + weights,
	} {
		plain, errs := encode(args)
		if plain == "" {
			t.Fatalf("%s: %s", algorithm, errs)
		}
		for flag, takers := range flags {
			name, _, _ := strings.Cut(flag, " ")
			if strings.Contains(args, name) {
				continue
			}
			other, errs := encode(args + " " + flag)
			switch taken := slices.Contains(strings.Fields(takers), algorithm); {
			case !taken && !strings.Contains(errs, name+" changes nothing here: it is for "):
				t.Errorf("%s %s: not refused: %s", algorithm, flag, errs)
			case taken && (other == "" || other == plain):
				t.Errorf("%s %s: changes nothing: %s", algorithm, flag, errs)
			}
		}
	}
	for args, want := range map[string]string{
		"--overflow wrap": "--overflow changes nothing here: it is for algorithm AE, not BC",
		"--algorithm AE --weights " + weights + " --rounding floor": "--rounding changes nothing here: it is for --weights in HDF5",
		"--algorithm AE --weights " + weights + " --metric cmssw":   "--metric changes nothing here",
		"--algorithm AE --etx 3 --model " + model:                   "outputs of 144 bits in all, which take 5 links: give --etx 5",
		"--model " + model: "--model changes nothing here: it is for algorithm AE",
	} {
		if out, errs := encode(args); out != "" || !strings.Contains(errs, want) {
			t.Errorf("%s: %s", args, errs)
		}
	}
}
