// Command econt measures how many wafers a second one core sends through the
// chip: the autoencoder block with every kernel that runs here, from calibrated
// charges to outputs, and each algorithm whole, from input words to output
// words. The wafers are those of the public test vector, repeated.
//
//	go run ./bench/econt --json
//
// prints one object a line with the keys algorithm, kernel and wafers_per_s:
// the median of several repetitions. Algorithm "AE" is the block; "AE chain"
// and the others are whole. The test vector is looked for in ../shared/data,
// or where BARROW_DATA says.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sort"
	"time"

	"barrow/econt"
	"barrow/internal/simd"
)

func main() {
	asJSON := flag.Bool("json", false, "print one JSON object a line")
	seconds := flag.Float64("seconds", 0.3, "length of a repetition")
	repetitions := flag.Int("repetitions", 5, "repetitions, of which the median counts")
	flag.Parse()
	if err := run(os.Stdout, *asJSON, time.Duration(*seconds*1e9), *repetitions); err != nil {
		fmt.Fprintln(os.Stderr, "bench/econt:", err)
		os.Exit(1)
	}
}

// result is one line of output.
type result struct {
	Algorithm string  `json:"algorithm"`
	Kernel    string  `json:"kernel"`
	Rate      float64 `json:"wafers_per_s"`
}

func run(w io.Writer, asJSON bool, length time.Duration, repetitions int) error {
	runtime.GOMAXPROCS(1)
	dir := os.Getenv("BARROW_DATA")
	if dir == "" {
		dir = filepath.Join("..", "shared", "data")
	}
	dir = filepath.Join(dir, "econt")
	input, err := read(filepath.Join(dir, "testInput.csv"), func(r io.Reader) ([]econt.BunchCrossing, error) {
		return econt.ReadInput(r, 0)
	})
	if err != nil {
		return fmt.Errorf("no test vector: %w; set BARROW_DATA to the folder that holds econt/testInput.csv", err)
	}
	registers, err := read(filepath.Join(dir, "AE", "init.yaml"), econt.ReadRegisters)
	if err != nil {
		return err
	}
	emit := func(algorithm, kernel string, step func() (int, error)) error {
		rate, err := measure(step, length, repetitions)
		if err != nil {
			return fmt.Errorf("%s, %s: %w", algorithm, kernel, err)
		}
		if asJSON {
			return json.NewEncoder(w).Encode(result{algorithm, kernel, rate})
		}
		_, err = fmt.Fprintf(w, "%-9s %-8s %8.3f million wafers/s\n", algorithm, kernel, rate/1e6)
		return err
	}
	for _, k := range econt.Kernels() {
		step, err := block(registers.Config, input, k)
		if err != nil {
			return err
		}
		if err := emit("AE", k, step); err != nil {
			return err
		}
	}
	for a := econt.ThresholdSum; a <= econt.Autoencoder; a++ {
		step, err := chain(a, registers.Config, input)
		if err != nil {
			return err
		}
		name := a.String()
		if a == econt.Autoencoder {
			name = "AE chain"
		}
		if err := emit(name, simd.Portable, step); err != nil {
			return err
		}
	}
	return nil
}

func read[T any](path string, parse func(io.Reader) (T, error)) (v T, err error) {
	f, err := os.Open(path)
	if err != nil {
		return v, err
	}
	defer f.Close()
	return parse(f)
}

// block encodes all wafers of the input, calibrated before.
func block(c econt.Config, input []econt.BunchCrossing, kernel string) (func() (int, error), error) {
	chip, err := econt.New(c)
	if err != nil {
		return nil, err
	}
	encoder, err := econt.NewEncoder(c.Weights, econt.EncoderSettings{Kernel: kernel})
	if err != nil {
		return nil, err
	}
	n := len(input)
	calq := make([]uint32, n*econt.Channels)
	for i := range input {
		var q [econt.Channels]uint32
		chip.CALQ(&input[i], &q)
		copy(calq[i*econt.Channels:], q[:])
	}
	out, sums := make([]uint16, 16*n), make([]uint32, n)
	return func() (int, error) { return n, encoder.Encode(calq, out, sums) }, nil
}

// chain steps the whole chip through the input.
func chain(a econt.Algorithm, ae econt.Config, input []econt.BunchCrossing) (func() (int, error), error) {
	c, err := econt.BaselineConfig(a, 5, true, ae.Weights)
	if err != nil {
		return nil, err
	}
	c.Mux = ae.Mux
	chip, err := econt.New(c)
	if err != nil {
		return nil, err
	}
	return func() (int, error) {
		var out econt.Output
		for i := range input {
			chip.Step(&input[i], &out)
		}
		return len(input), nil
	}, nil
}

// measure gives the median rate of the repetitions, after one to warm up.
func measure(step func() (int, error), length time.Duration, repetitions int) (float64, error) {
	var rates []float64
	for i := 0; i <= repetitions; i++ {
		wafers := 0
		start := time.Now()
		for time.Since(start) < length {
			n, err := step()
			if err != nil {
				return 0, err
			}
			wafers += n
		}
		if i > 0 {
			rates = append(rates, float64(wafers)/time.Since(start).Seconds())
		}
	}
	sort.Float64s(rates)
	return rates[len(rates)/2], nil
}
