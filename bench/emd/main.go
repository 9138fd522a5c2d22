// Program emd compares Barrow's exact EMD with POT, Python Optimal Transport, on
// the regimes of docs/benchmarks.md, and prints two tables, or with --json one
// object a line:
//
//	go run ./bench/emd [--json] [--regimes R1,R2] [--kernels avx512] [--pot=false]
//
// POT runs in a Python process that holds the pairs and times itself, so that
// neither starting it nor the pipe counts. pot_core_us is its C++ network simplex
// (ot.lp.emd_c, one thread), pot_python_us is ot.emd2.
//
// What a second thread gives is measured for itself, by long bursts beside each
// other; --rounds, --burst and the standard error's line on stolen time are about
// how far these are to be trusted.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"barrow/emd"
	"barrow/hgcal"
)

// A row of the table. The JSON keys are the program's contract.
type row struct {
	Regime        string   `json:"regime"`
	Kernel        string   `json:"kernel"`
	Threads       int      `json:"threads"`
	BarrowUS      float64  `json:"barrow_us"`
	POTCoreUS     *float64 `json:"pot_core_us"`
	POTPythonUS   *float64 `json:"pot_python_us"`
	Ratio         *float64 `json:"ratio"`
	MaxDifference *float64 `json:"max_difference"`
	*scaling               // with two threads
}

type options struct {
	json, pot     bool
	pairs, rounds int
	scalingRounds int
	burst         time.Duration
	seed          uint64
	regimes       string
	kernels       string
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print one JSON object a line")
	flag.BoolVar(&o.pot, "pot", true, "compare with POT")
	flag.IntVar(&o.pairs, "pairs", 20000, "pairs of each regime")
	flag.IntVar(&o.rounds, "rounds", 5, "repetitions of the comparison with POT, of which medians are taken")
	flag.IntVar(&o.scalingRounds, "scaling-rounds", 9, "repetitions of the comparison of one thread with two; 0 leaves it out")
	flag.DurationVar(&o.burst, "burst", 300*time.Millisecond, "time of each measurement in the comparison of one thread with two")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the pairs")
	flag.StringVar(&o.regimes, "regimes", "R1,R2,R3,real", "regimes to measure")
	flag.StringVar(&o.kernels, "kernels", "", "kernels to measure, such as avx2,portable; all that run here if empty")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	if o.pairs < blockPairs || o.rounds < 1 || o.scalingRounds < 0 {
		return fmt.Errorf("--pairs must be at least %d, --rounds at least 1, --scaling-rounds at least 0", blockPairs)
	}
	kernels := emd.Kernels()
	if o.kernels != "" {
		kernels = strings.Split(o.kernels, ",")
	}
	chosen, err := choose(o)
	if err != nil {
		return err
	}
	version := ""
	if o.pot {
		if version, err = findPOT(); err != nil {
			fmt.Fprintln(os.Stderr, "bench/emd:", err)
		}
	}
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		return err
	}
	if !o.json {
		fmt.Printf("%s, %d processors, %s; POT %s; %d pairs a regime, medians of %d rounds\n\n",
			cpuName(), runtime.NumCPU(), runtime.Version(), orNone(version), o.pairs, o.rounds)
		fmt.Println("| regime | kernel | threads | Barrow, µs | POT core, µs | ot.emd2, µs | ratio | largest difference |")
		fmt.Println("|---|---|---|---|---|---|---|---|")
	}
	before := readLoad()
	var rows []row
	for _, r := range chosen {
		more, err := measure(r, metric, kernels, o, version != "")
		if err != nil {
			return err
		}
		for _, x := range more {
			if err := x.print(o.json); err != nil {
				return err
			}
		}
		rows = append(rows, more...)
	}
	if !o.json {
		printScaling(rows, o)
		fmt.Println()
		for _, r := range chosen {
			fmt.Printf("%s: %s. ", r.name, r.about)
		}
		fmt.Println("ratio: POT core over Barrow, gradient included.")
	}
	before.report(readLoad())
	return nil
}

// choose draws the regimes, the same pairs whichever of them are measured.
func choose(o options) ([]*regime, error) {
	all, err := regimes(o.pairs, o.seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd:", err)
	}
	names := strings.Split(o.regimes, ",")
	var chosen []*regime
	for _, r := range all {
		if slices.Contains(names, r.name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("--regimes %q: none of R1, R2, R3 and real", o.regimes)
	}
	return chosen, nil
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (x row) print(asJSON bool) error {
	if asJSON {
		b, err := json.Marshal(x)
		if err == nil {
			fmt.Println(string(b))
		}
		return err
	}
	text := func(v *float64, format string) string {
		if v == nil {
			return "–"
		}
		return fmt.Sprintf(format, *v)
	}
	fmt.Printf("| %s | %s | %d | %.3f | %s | %s | %s | %s |\n", x.Regime, x.Kernel, x.Threads, x.BarrowUS,
		text(x.POTCoreUS, "%.1f"), text(x.POTPythonUS, "%.1f"), text(x.Ratio, "%.1f"), text(x.MaxDifference, "%.1e"))
	return nil
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// cpuName is the processor's model, or the architecture where it is unknown.
func cpuName() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.SplitSeq(string(b), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
