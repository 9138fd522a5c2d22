// Command nn measures Barrow's training engine against PyTorch on the
// project's networks, side by side in one run:
//
//	go run ./bench/nn [--json] [--models N1a,N2] [--threads 2] [--kernels avx512]
//
// Each row alternates short bursts of both programs and gives the medians.
// With --emd it measures what the exact EMD costs as a loss of the autoencoder.
// PyTorch runs in the best of the settings tried for that row: eager,
// channels_last, traced and frozen by its JIT, with and without oneDNN, and
// through torch.compile where it has that. BARROW_PYTHON names the interpreter.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"barrow/nn"
)

// A row is one line of the result.
type row struct {
	Model     string  `json:"model"`
	Operation string  `json:"operation"`
	Kernel    string  `json:"kernel"`
	Threads   int     `json:"threads"`
	Barrow    float64 `json:"barrow_per_s"`
	PyTorch   float64 `json:"pytorch_per_s"`
	Ratio     float64 `json:"ratio"`
	Goal      float64 `json:"goal,omitempty"`
	Setting   string  `json:"pytorch_setting,omitempty"`
	BarrowMB  float64 `json:"barrow_mb"`
	PyTorchMB float64 `json:"pytorch_mb"`
}

// goals are the ratios aimed at, with two threads and the best kernel.
var goals = map[string]float64{
	"N1a forward": 2, "N1a step": 1.5, "N1b forward": 1.2, "N1b step": 1.2,
	"N2 forward": 3, "N2 step": 2.5, "N2q forward": 3, "N2q step": 2.5, "N3 step": 1.6,
}

var settings = []string{
	"eager", "foreach", "channels_last", "foreach+channels_last", "jit", "foreach+jit", "foreach+jit+channels_last",
	"foreach+native", "foreach+jit+native",
	"compile", "foreach+compile", "foreach+compile+channels_last", "foreach+compile+autotune+channels_last", "foreach+compile+freeze",
}

type config struct {
	json               bool
	models, operations []string
	threads            []int
	kernels            []string
	rounds             int
	seconds            float64
	python             string
}

func main() {
	worker := flag.Bool("worker", false, "measure on request (used by the program itself)")
	exact := flag.Bool("emd", false, "measure instead what the exact EMD costs as a loss")
	c, err := parse()
	switch {
	case err != nil:
	case *worker:
		err = serve()
	case *exact:
		for _, threads := range c.threads {
			if err == nil {
				err = emdCost(threads)
			}
		}
	default:
		err = c.run()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/nn:", err)
		os.Exit(1)
	}
}

func parse() (*config, error) {
	c := &config{python: os.Getenv("BARROW_PYTHON")}
	if c.python == "" {
		c.python = "/usr/bin/python3"
	}
	flag.BoolVar(&c.json, "json", false, "one JSON object a line instead of a table")
	models := flag.String("models", "N1a,N1b,N2,N2q,N3", "models to measure")
	operations := flag.String("operations", "forward,step", "operations to measure")
	threads := flag.String("threads", "2,1", "numbers of threads")
	kernels := flag.String("kernels", strings.Join(nn.Kernels(), ","), "kernels to measure")
	flag.IntVar(&c.rounds, "rounds", 5, "bursts of each program a row")
	flag.Float64Var(&c.seconds, "seconds", 0.3, "length of a burst")
	flag.Parse()
	c.models, c.operations, c.kernels = strings.Split(*models, ","), strings.Split(*operations, ","), strings.Split(*kernels, ",")
	for _, t := range strings.Split(*threads, ",") {
		n, err := strconv.Atoi(t)
		if err != nil || n < 1 {
			return nil, fmt.Errorf("--threads %q: want numbers from 1", *threads)
		}
		c.threads = append(c.threads, n)
	}
	return c, nil
}

func (c *config) run() error {
	if !c.json {
		fmt.Println("| model | operation | threads | kernel | Barrow /s | PyTorch /s | ratio | goal | PyTorch setting | MB Barrow | MB PyTorch |")
		fmt.Println("|---|---|---|---|---|---|---|---|---|---|---|")
	}
	for _, model := range c.models {
		for _, threads := range c.threads {
			for _, operation := range c.operations {
				if err := c.rows(model, operation, threads); err != nil {
					return fmt.Errorf("%s %s: %w", model, operation, err)
				}
			}
		}
	}
	return nil
}

// rows measures one operation with every kernel.
func (c *config) rows(model, operation string, threads int) error {
	barrow, err := startBarrow()
	if err != nil {
		return err
	}
	defer barrow.close()
	peer, err := startPyTorch(c.python)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/nn: PyTorch is skipped:", err)
		peer = nil
	} else {
		defer peer.close()
	}
	best := ""
	if peer != nil {
		if best, err = bestSetting(peer, request{model, operation, threads, c.seconds / 2, ""}); err != nil {
			return err
		}
	}
	for i, kernel := range c.kernels {
		r := row{Model: model, Operation: operation, Kernel: kernel, Threads: threads, Setting: best}
		if err := c.measure(&r, barrow, peer); err != nil {
			return err
		}
		if i == 0 && threads == 2 {
			r.Goal = goals[model+" "+operation]
		}
		r.print(c.json)
	}
	return nil
}

func bestSetting(peer *worker, r request) (string, error) {
	best, rate := "", 0.0
	var last error
	for _, s := range settings {
		r.setting = s
		a, err := peer.ask(r)
		if err != nil {
			last = err
			continue
		}
		if a.Rate > rate {
			best, rate = s, a.Rate
		}
	}
	if best == "" {
		return "", fmt.Errorf("PyTorch does none of its settings: %w", last)
	}
	return best, nil
}

func (c *config) measure(r *row, barrow, peer *worker) error {
	var ours, theirs []float64
	for range c.rounds {
		begin := time.Now()
		a, err := barrow.ask(request{r.Model, r.Operation, r.Threads, c.seconds, r.Kernel})
		if err != nil {
			return err
		}
		ours, r.BarrowMB = append(ours, a.Rate), a.MB
		slow := time.Since(begin).Seconds() > 10*c.seconds // portable Go on a large network: once will do
		if peer == nil {
			if slow {
				break
			}
			continue
		}
		if a, err = peer.ask(request{r.Model, r.Operation, r.Threads, c.seconds, r.Setting}); err != nil {
			return err
		}
		theirs, r.PyTorchMB = append(theirs, a.Rate), a.MB
		if slow {
			break
		}
	}
	r.Barrow = median(ours)
	if peer != nil {
		r.PyTorch = median(theirs)
		r.Ratio = r.Barrow / r.PyTorch
	}
	return nil
}

func median(x []float64) float64 {
	slices.Sort(x)
	return (x[(len(x)-1)/2] + x[len(x)/2]) / 2
}

func (r *row) print(asJSON bool) {
	if asJSON {
		b, _ := json.Marshal(r)
		fmt.Println(string(b))
		return
	}
	dash := func(v float64, format string) string {
		if v == 0 {
			return "–"
		}
		return fmt.Sprintf(format, v)
	}
	fmt.Printf("| %s | %s | %d | %s | %.0f | %s | %s | %s | %s | %.0f | %s |\n", r.Model, r.Operation, r.Threads, r.Kernel,
		r.Barrow, dash(r.PyTorch, "%.0f"), dash(r.Ratio, "%.2f"), dash(r.Goal, "%.1f"), r.Setting, r.BarrowMB, dash(r.PyTorchMB, "%.0f"))
}
