package main

import (
	"strings"
	"testing"
)

// TestFlagsAreGivenOnce: of two values for one thing none is dropped without a word,
// whichever command's flag it is; lists take both.
func TestFlagsAreGivenOnce(t *testing.T) {
	for line, first := range map[string]string{
		"emd a b --metric a.csv --metric b.csv":                   "a.csv",
		"encoder train --out a --out b":                           "a",
		"encoder train --config a.toml --config b.toml":           "a.toml",
		"encoder train --loss emd --loss mse":                     "emd", // of a struct of settings
		"encoder eval --weights a --weights b":                    "a",
		"encoder export m --out a --out b":                        "a",
		"compare --out a --out b":                                 "a",
		"reproduce --out a --out b":                               "a",
		"report a --png a --png b":                                "a",
		"simulate --out a --out b":                                "a",
		"simulate --seed 1 --seed 2":                              "1",
		"simulate validate --data a --data b":                     "a",
		"surrogate eval a b --weights a --weights b":              "a",
		"surrogate train --out=a --out=b":                         "a",
		"convert a b --order v9 --order raster":                   "v9",
		"econt run --input a --input b":                           "a",
		"econt run --input a --out a --out b":                     "a",
		"econt verify --golden a --golden b":                      "a",
		"econt encode a --model a --model b":                      "a",
		"econt encode a --pedestal --pedestal=false --seed 1":     "true",
		"econt weights a b --dialect p1 --dialect prod --force":   "p1",
		"econt run --config a --config b --input a --input a":     "", // files are read in order, the same twice is one
		"compare --losses emd --losses mse --data x --data y --x": "",
	} {
		var out, errs strings.Builder
		code := execute(strings.Fields(line), strings.NewReader(""), &out, &errs)
		twice := strings.Contains(errs.String(), "given twice, first as")
		if code == 0 || twice != (first != "") || twice && !strings.Contains(errs.String(), `given twice, first as "`+first+`"; give one`) {
			t.Errorf("%s: exit code %d: %s", line, code, errs.String())
		}
	}
}
