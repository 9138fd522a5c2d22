package main

import (
	"bufio"
	_ "embed"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
)

//go:embed pot.py
var potScript string

// What to ask POT for.
const (
	potCore   = 0 // ot.lp.emd_c
	potPython = 1 // ot.emd2
)

// pot is a Python process that holds the pairs of a regime.
type pot struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

func python() string {
	if name := os.Getenv("BARROW_PYTHON"); name != "" {
		return name
	}
	return "/usr/bin/python3"
}

// findPOT returns POT's version, or an error that says how to install it.
func findPOT() (string, error) {
	out, err := exec.Command(python(), "-c", "import ot; print(ot.__version__)").Output()
	if err != nil {
		return "", fmt.Errorf("POT is not installed for %s: its columns are left out (apt-get install python3-pot, or set BARROW_PYTHON)", python())
	}
	return strings.TrimSpace(string(out)), nil
}

func startPOT(r *regime, d []float64) (*pot, error) {
	cmd := exec.Command(python(), "-c", potScript)
	cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &pot{cmd: cmd, in: in, out: bufio.NewReader(out)}
	w := bufio.NewWriter(in)
	for _, v := range []any{[]int64{cells, int64(r.pairs())}, d, r.p, r.q} {
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			return nil, err
		}
	}
	return p, w.Flush()
}

// ask lets POT solve the pairs from a to b and returns the seconds it measured.
func (p *pot) ask(what, a, b int, values []float64) (float64, error) {
	if err := binary.Write(p.in, binary.LittleEndian, []int64{int64(what), int64(a), int64(b)}); err != nil {
		return 0, err
	}
	var seconds float64
	if err := binary.Read(p.out, binary.LittleEndian, &seconds); err != nil {
		return 0, fmt.Errorf("POT ended: %w", err)
	}
	return seconds, binary.Read(p.out, binary.LittleEndian, values[:b-a])
}

func (p *pot) close() error {
	p.in.Close()
	return p.cmd.Wait()
}
