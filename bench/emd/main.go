// Program emd compares Barrow's exact EMD with other programs' on the regimes of
// docs/benchmarks.md, and prints two tables, or with --json one object a line:
//
//	go run ./bench/emd [--json] [--regimes R1,R2] [--kernels avx512] [--peers=false] [--python A,B]
//
// The peers are POT (its C++ network simplex and ot.emd2), Wasserstein and pyemd,
// whichever of them an interpreter has. Each runs in a Python process that holds
// the pairs and times itself, so that neither starting it nor the pipe counts.
//
// What a second thread gives is measured for itself, by long bursts beside each
// other; --rounds, --burst and the standard error's line on stolen time are about
// how far these are to be trusted.
//
// With --against it measures the solver of another commit beside this one's, in bursts
// of 200 pairs by turns, which a busy machine disturbs little:
//
//	go run ./bench/emd --against COMMIT --rounds 25 [--regimes R1,R2] [--kernels avx512]
//
// With --large it measures whole images of ten classes, and clouds of points, beside POT's
// core, OpenCV (as far as its float32 is right to 10⁻⁶) and LEMON's network simplex (C++, built
// where g++ and LEMON's headers are):
//
//	go run ./bench/emd --large [--sides 32,64] [--norms l1,l2] [--classes shapes,dotmark] [--clouds 2000] [--plot growth.png] [--results growth.json] [--table large.json]
package main

import (
	"cmp"
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
	Regime        string             `json:"regime"`
	Kernel        string             `json:"kernel"`
	Threads       int                `json:"threads"`
	BarrowUS      float64            `json:"barrow_us"`
	Peers         map[string]float64 `json:"peers_us"`       // microseconds a pair, by peer
	Ratios        map[string]float64 `json:"ratio"`          // peer over Barrow
	MaxDifference *float64           `json:"max_difference"` // from any of the peers
	*scaling                         // with two threads
}

type options struct {
	json, peers   bool
	python        string
	pairs, rounds int
	scalingRounds int
	burst         time.Duration
	seed          uint64
	regimes       string
	kernels       string
	against       string
	large         largeOptions
}

func main() {
	var o options
	flag.BoolVar(&o.json, "json", false, "print one JSON object a line")
	flag.BoolVar(&o.peers, "peers", true, "compare with other programs")
	flag.StringVar(&o.python, "python", cmp.Or(os.Getenv("BARROW_PYTHON"), "/usr/bin/python3"), "Python interpreters to look for them in, separated by commas")
	flag.IntVar(&o.pairs, "pairs", 20000, "pairs of each regime")
	flag.IntVar(&o.rounds, "rounds", 5, "repetitions of the comparison, of which medians are taken")
	flag.IntVar(&o.scalingRounds, "scaling-rounds", 9, "repetitions of the comparison of one thread with two; 0 leaves it out")
	flag.DurationVar(&o.burst, "burst", 300*time.Millisecond, "time of each measurement in the comparison of one thread with two")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the pairs")
	flag.StringVar(&o.regimes, "regimes", "R1,R2,R3,real", "regimes to measure")
	flag.StringVar(&o.kernels, "kernels", "", "kernels to measure, such as avx2,portable; all that run here if empty")
	flag.StringVar(&o.against, "against", "", "a commit whose solver to compare with this one's instead")
	whole := flag.Bool("large", false, "measure whole images and clouds of points instead")
	flag.StringVar(&o.large.sides, "sides", "8,16,32,64", "with --large: sides of the images in pixels")
	flag.StringVar(&o.large.norms, "norms", "l1,linf,l2", "with --large: distances between pixels")
	flag.StringVar(&o.large.classes, "classes", "", "with --large: classes of images, such as shapes,cauchy,dotmark; all that are drawn if empty")
	flag.StringVar(&o.large.clouds, "clouds", "2000", "with --large: numbers of random points")
	flag.DurationVar(&o.large.longest, "longest", 20*time.Second, "with --large: a program that takes longer for a pair gets no more of that norm")
	flag.StringVar(&o.large.plot, "plot", "", "with --large: a file, .svg or .png, to draw the growth with the pixels in")
	flag.StringVar(&o.large.results, "results", "", "with --large: a file to write the growth with the pixels to, as a table of docs/results")
	flag.StringVar(&o.large.table, "table", "", "with --large: a file to write medians over the classes to, as a table of docs/results")
	flag.Parse()
	work := run
	switch {
	case *whole:
		work = large
	case o.against != "":
		work = against
	}
	if err := work(o); err != nil {
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
	var peers []*peer
	if o.peers {
		peers = findPeers(everyPeer(), strings.Split(o.python, ","))
	}
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		return err
	}
	if !o.json {
		printHead(peers, o)
	}
	before := readLoad()
	var rows []row
	for _, r := range chosen {
		more, err := measure(r, metric, kernels, o, peers)
		if err != nil {
			return err
		}
		for _, x := range more {
			if err := x.print(o.json, peers); err != nil {
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
		fmt.Println("In brackets: the other program over Barrow, whose time includes the gradient.")
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

// printHead says what is measured and begins the table.
func printHead(peers []*peer, o options) {
	fmt.Printf("%s, %d processors, %s; %d pairs a regime, medians of %d rounds", cpuName(), runtime.NumCPU(), runtime.Version(), o.pairs, o.rounds)
	head, line := "| regime | kernel | threads | Barrow, µs |", "|---|---|---|---|"
	for _, p := range peers {
		fmt.Printf("; %s %s", p.name, p.version)
		head, line = head+" "+p.title+" |", line+"---|"
	}
	fmt.Printf("\n\n%s largest difference |\n%s---|\n", head, line)
}

func (x row) print(asJSON bool, peers []*peer) error {
	if asJSON {
		b, err := json.Marshal(x)
		if err == nil {
			fmt.Println(string(b))
		}
		return err
	}
	fmt.Printf("| %s | %s | %d | %.3f |", x.Regime, x.Kernel, x.Threads, x.BarrowUS)
	for _, p := range peers {
		fmt.Printf(" %.1f (%.1f) |", x.Peers[p.name], x.Ratios[p.name])
	}
	if x.MaxDifference == nil {
		fmt.Println(" – |")
		return nil
	}
	fmt.Printf(" %.1e |\n", *x.MaxDifference)
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
