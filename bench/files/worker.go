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
	"slices"
)

// A request asks a worker for one measurement.
type request struct {
	Task     string   `json:"task"`
	Path     string   `json:"path,omitempty"`
	Kind     string   `json:"kind,omitempty"`
	Tree     string   `json:"tree,omitempty"`
	Branches []string `json:"branches,omitempty"`
	How      string   `json:"how,omitempty"`
	Rows     int      `json:"rows,omitempty"`
	Module   string   `json:"module,omitempty"`
}

// An answer is what it measured.
type answer struct {
	Seconds float64 `json:"seconds"`
	Rows    int     `json:"rows"`
	Sum     float64 `json:"sum"` // of the charges, or tc_data
	By      string  `json:"by"`  // which program, with its version
	Error   string  `json:"error"`
}

// A worker is a process that measures itself.
type worker struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func (w *worker) ask(r request) (answer, error) {
	var a answer
	text, err := json.Marshal(r)
	if err != nil {
		return a, err
	}
	if _, err := fmt.Fprintf(w.in, "%s\n", text); err != nil {
		return a, err
	}
	line, err := w.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("%s ended: %w", w.cmd.Path, err)
	}
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

// startBarrow starts this program as a worker with one thread.
func startBarrow() (*worker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "--worker")
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	return start(cmd)
}

//go:embed peer.py
var peerSource string

// startPeers starts the peers of an interpreter, or says why there are none.
func startPeers(python, variable string) (*worker, error) {
	if python == "" {
		return nil, fmt.Errorf("no interpreter: .ci/python makes one that %s names", variable)
	}
	if err := exec.Command(python, "-c", "import numpy").Run(); err != nil {
		return nil, fmt.Errorf("%s has no NumPy: %w", python, err)
	}
	return start(exec.Command(python, "-W", "ignore", "-c", peerSource))
}

func skipped(what string, err error) {
	fmt.Fprintf(os.Stderr, "bench/files: %s skipped: %v\n", what, err)
}

// A side is a program with what it is asked.
type side struct {
	worker *worker
	request
}

// race asks sides in turns, each once untimed before, and gives the medians of their
// seconds and their last answers.
func race(rounds int, sides ...side) ([]answer, error) {
	last := make([]answer, len(sides))
	seconds := make([][]float64, len(sides))
	for round := range rounds + 1 {
		for i, s := range sides {
			a, err := s.worker.ask(s.request)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.Task, err)
			}
			last[i] = a
			if round > 0 {
				seconds[i] = append(seconds[i], a.Seconds)
			}
		}
	}
	for i := range last {
		last[i].Seconds = median(seconds[i])
	}
	return last, nil
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2
}
