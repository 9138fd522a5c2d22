// Command emd measures Barrow's exact earth mover's distance against POT (R.
// Flamary et al., JMLR 22 (2021) 78), the two interleaved in one run: values and
// potentials, microseconds a pair, for the regimes of docs/benchmarks.md.
//
//	go run ./bench/emd [--json]
//
// POT runs in a Python process that holds the pairs and times itself, so that
// neither starting it nor the pipe counts. pot_core_us is its C++ network simplex
// (ot.lp.emd_c, one thread), pot_python_us is ot.emd2.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
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
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print one JSON object a line")
	flag.IntVar(&o.pairs, "pairs", 20000, "pairs of each regime")
	flag.IntVar(&o.rounds, "rounds", 5, "repetitions, of which medians are taken")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the pairs")
	flag.Parse()
	if err := run(o); err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd:", err)
		os.Exit(1)
	}
}

type options struct {
	json          bool
	pairs, rounds int
	seed          uint64
}

func run(o options) error {
	if o.pairs < blockPairs || o.rounds < 1 {
		return fmt.Errorf("--pairs must be at least %d and --rounds at least 1", blockPairs)
	}
	all, err := regimes(o.pairs, o.seed)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd:", err)
	}
	version, err := findPOT()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd:", err)
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
	for _, r := range all {
		rows, err := measure(r, metric, o.rounds, version != "")
		if err != nil {
			return err
		}
		for _, x := range rows {
			if err := x.print(o.json); err != nil {
				return err
			}
		}
	}
	if !o.json {
		fmt.Println()
		for _, r := range all {
			fmt.Printf("%s: %s. ", r.name, r.about)
		}
		fmt.Println("ratio: POT core over Barrow, gradient included.")
	}
	return nil
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

// A contender is one way to run Barrow.
type contender struct {
	kernel  emd.Kernel
	threads int
	batch   *emd.Batch
	seconds []float64 // per round
}

func contenders(m *emd.Metric) ([]*contender, error) {
	var cs []*contender
	for _, k := range []emd.Kernel{emd.KernelAVX512, emd.KernelAVX2, emd.KernelPortable} {
		for threads := 1; threads <= 2; threads++ {
			b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: k}, threads)
			if err != nil {
				fmt.Fprintln(os.Stderr, "bench/emd:", err)
				break
			}
			cs = append(cs, &contender{kernel: k, threads: threads, batch: b})
		}
	}
	if len(cs) == 0 {
		return nil, fmt.Errorf("no kernel runs here")
	}
	return cs, nil
}

const (
	// blockPairs is how many pairs one contender solves before the next: enough
	// that waking a second processor, some 0.1 ms, does not count.
	blockPairs = 10000
	// pythonShare of the pairs are given to ot.emd2 as well.
	pythonShare = 10
)

// wakePairs run before the clock starts: while POT computed on one processor
// the others slept, and the first call would count their waking.
const wakePairs = 500

// time is the seconds that pairs a to b take.
func (c *contender) time(r *regime, a, b int, got, dq []float64) (float64, error) {
	solve := func(b int) error {
		return c.batch.Gradient(context.Background(), r.p[a*cells:b*cells], r.q[a*cells:b*cells], got[a:b], nil, dq[a*cells:b*cells])
	}
	if err := solve(min(a+wakePairs, b)); err != nil {
		return 0, err
	}
	start := time.Now()
	err := solve(b)
	return time.Since(start).Seconds(), err
}

// measure times all contenders on one regime and checks that they agree.
func measure(r *regime, m *emd.Metric, rounds int, withPOT bool) ([]row, error) {
	cs, err := contenders(m)
	if err != nil {
		return nil, err
	}
	n := r.pairs()
	want := make([]float64, n)
	var p *pot
	if withPOT {
		if p, err = startPOT(r, matrix(m)); err != nil {
			return nil, err
		}
		defer p.close()
	}
	got, dq := make([]float64, n), make([]float64, n*cells)
	scratch := make([]float64, blockPairs)
	core, python := make([]float64, rounds), make([]float64, rounds)
	worst := make([]float64, len(cs))
	for round := range rounds {
		for _, c := range cs {
			c.seconds = append(c.seconds, 0)
		}
		asked := 0
		for a := 0; a < n; a += blockPairs {
			b := min(a+blockPairs, n)
			if p != nil {
				s, err := p.ask(potCore, a, b, want[a:b])
				if err != nil {
					return nil, err
				}
				core[round] += s
				part := (b - a) / pythonShare
				if s, err = p.ask(potPython, a, a+part, scratch); err != nil {
					return nil, err
				}
				python[round] += s
				asked += part
			}
			for i, c := range cs {
				seconds, err := c.time(r, a, b, got, dq)
				if err != nil {
					return nil, err
				}
				c.seconds[round] += seconds
				if p != nil {
					diff, err := compare(got[a:b], want[a:b])
					if err != nil {
						return nil, fmt.Errorf("%s, %v: %w", r.name, c.kernel, err)
					}
					worst[i] = max(worst[i], diff)
				}
			}
		}
		python[round] /= float64(max(asked, 1))
	}
	return table(r, cs, core, python, worst, withPOT), nil
}

func table(r *regime, cs []*contender, core, python, worst []float64, withPOT bool) []row {
	n := float64(r.pairs())
	var rows []row
	for i, c := range cs {
		x := row{Regime: r.name, Kernel: c.kernel.String(), Threads: c.threads, BarrowUS: median(c.seconds) / n * 1e6}
		if withPOT {
			ratios := make([]float64, len(core))
			for k := range ratios {
				ratios[k] = core[k] / c.seconds[k]
			}
			coreUS, pythonUS, ratio, diff := median(core)/n*1e6, median(python)*1e6, median(ratios), worst[i]
			x.POTCoreUS, x.POTPythonUS, x.Ratio, x.MaxDifference = &coreUS, &pythonUS, &ratio, &diff
		}
		rows = append(rows, x)
	}
	return rows
}

// compare returns the largest difference, and an error where it is neither
// within 1e-12 nor within 1e-9 of the value.
func compare(got, want []float64) (float64, error) {
	worst := 0.0
	for i, x := range got {
		d := math.Abs(x - want[i])
		if !(d <= 1e-12 || d <= 1e-9*want[i]) {
			return 0, fmt.Errorf("%.17g differs from POT's %.17g", x, want[i])
		}
		worst = max(worst, d)
	}
	return worst, nil
}

func matrix(m *emd.Metric) []float64 {
	d := make([]float64, 0, cells*cells)
	for i := range cells {
		for j := range cells {
			d = append(d, m.At(i, j))
		}
	}
	return d
}

func median(v []float64) float64 {
	s := slices.Clone(v)
	slices.Sort(s)
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}

// cpuName is the processor's model, or the architecture where it is unknown.
func cpuName() string {
	b, _ := os.ReadFile("/proc/cpuinfo")
	for _, line := range strings.Split(string(b), "\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
