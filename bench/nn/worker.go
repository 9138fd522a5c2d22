package main

import (
	"bufio"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"

	"barrow/hgcal"
	"barrow/nn"
)

// A request asks a worker to repeat an operation for some time.
type request struct {
	model, operation string
	threads          int
	seconds          float64
	setting          string // Barrow: the kernel; PyTorch: see peer.py
}

// An answer is what a worker measured.
type answer struct {
	Rate  float64 `json:"rate"` // samples a second
	MB    float64 `json:"mb"`   // the process's peak memory
	Error string  `json:"error"`
}

// A worker is a process that measures, so that each side's peak memory is its
// own.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *worker) ask(r request) (answer, error) {
	_, err := fmt.Fprintln(w.in, r.model, r.operation, r.threads, r.seconds, r.setting)
	if err != nil {
		return answer{}, err
	}
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return answer{}, fmt.Errorf("%s ended: %w", w.cmd.Path, err)
	}
	var a answer
	if err := json.Unmarshal(line, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, errors.New(a.Error)
	}
	return a, nil
}

func (w *worker) close() {
	w.in.Close()
	w.cmd.Wait()
}

func start(cmd *exec.Cmd) (*worker, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stderr = os.Stderr
	return &worker{cmd, in, bufio.NewReader(out)}, cmd.Start()
}

func startBarrow() (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return start(exec.Command(self, "--worker"))
}

//go:embed peer.py
var peerSource string

// startPyTorch starts the peer, or says how to install it.
func startPyTorch(python string) (*worker, error) {
	if err := exec.Command(python, "-c", "import torch").Run(); err != nil {
		return nil, fmt.Errorf("%s has no PyTorch (apt-get install python3-torch, or set BARROW_PYTHON): %w", python, err)
	}
	cmd := exec.Command(python, "-W", "ignore", "-c", peerSource)
	cmd.Env = append(os.Environ(), "OPENBLAS_NUM_THREADS=1")
	w, err := start(cmd)
	if err != nil {
		return nil, err
	}
	table := struct {
		Pixel   []int     `json:"pixel"` // of each cell
		Groups  [][4]int  `json:"groups"`
		Weights []float64 `json:"weights"`
	}{Pixel: make([]int, hgcal.Cells)}
	for pixel, cell := range hgcal.Arrange8x8() {
		if cell >= 0 {
			table.Pixel[cell] = pixel
		}
	}
	for _, c := range hgcal.Supercells(hgcal.Published) {
		table.Groups = append(table.Groups, c.Cells)
		table.Weights = append(table.Weights, c.Weight)
	}
	return w, json.NewEncoder(w.in).Encode(table)
}

// serve is a worker's main loop.
func serve() error {
	benches := map[string]*bench{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r request
		if _, err := fmt.Sscan(in.Text(), &r.model, &r.operation, &r.threads, &r.seconds, &r.setting); err != nil {
			return err
		}
		rate, err := measure(benches, r)
		a := answer{Rate: rate, MB: peakMB()}
		if err != nil {
			a.Error = err.Error()
		}
		if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

func measure(benches map[string]*bench, r request) (float64, error) {
	key := fmt.Sprint(r.model, r.threads, r.setting)
	b := benches[key]
	if b == nil {
		var err error
		if b, err = newBench(r.model, nn.Settings{Threads: r.threads, Kernel: r.setting}); err != nil {
			return 0, err
		}
		benches[key] = b
	}
	call := b.forward
	if strings.HasPrefix(r.operation, "step") {
		call = b.step
	}
	count, begin := 0, time.Now()
	for range 3 { // warm up
		if err := call(); err != nil {
			return 0, err
		}
		if time.Since(begin).Seconds() > r.seconds {
			break
		}
	}
	begin = time.Now()
	for {
		if err := call(); err != nil {
			return 0, err
		}
		count++
		if spent := time.Since(begin).Seconds(); spent >= r.seconds {
			return float64(count*b.batch) / spent, nil
		}
	}
}
