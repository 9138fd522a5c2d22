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
	"time"

	"barrow/emd"
	"barrow/hgcal"
)

//go:embed peer.py
var peerScript string

// A peer is another program's exact EMD, run in a Python process of its own that
// holds the pairs of a regime.
type peer struct {
	name    string // of peer.py, and of its JSON key
	title   string // of its column
	module  string // that Python imports
	install string // what to say where it is not there
	share   int    // one of so many pairs is given to it

	python  string // that has it
	version string

	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader

	seconds []float64 // a pair, per round
}

// everyPeer lists them, the one that ratios are of first.
func everyPeer() []*peer {
	return []*peer{
		{name: "pot_core", title: "POT core, µs", module: "ot", install: "apt-get install python3-pot, or pip install POT", share: 1},
		{name: "pot_python", title: "ot.emd2, µs", module: "ot", install: "the same", share: 10},
		{name: "wasserstein", title: "Wasserstein, µs", module: "wasserstein", install: "pip install Wasserstein \"numpy<2\"", share: 100},
		{name: "pyemd", title: "pyemd, µs", module: "pyemd", install: "pip install pyemd \"numpy<2\"", share: 100},
	}
}

// findPeers looks for the peers in the interpreters, in their order, and says which
// are left out.
func findPeers(every []*peer, pythons []string) []*peer {
	var found []*peer
	for _, p := range every {
		for _, python := range pythons {
			script := fmt.Sprintf("import %s\nfrom importlib.metadata import version\nprint(version({'ot': 'POT', 'cv2': 'opencv-python-headless'}.get('%s', '%s')))", p.module, p.module, p.module)
			if out, err := exec.Command(python, "-c", script).Output(); err == nil {
				p.python, p.version = python, strings.TrimSpace(string(out))
				break
			}
		}
		if p.python == "" {
			fmt.Fprintf(os.Stderr, "bench/emd: %s is left out: none of %s has %s (%s; --python names interpreters)\n", p.name, strings.Join(pythons, ", "), p.module, p.install)
			continue
		}
		found = append(found, p)
	}
	return found
}

// start gives the peer the pairs of a regime.
func (p *peer) start(r *regime, m *emd.Metric) error {
	return p.launch(p.script(), []int64{cells, int64(r.pairs())}, hgcal.Benchmark(), matrix(m), r.p, r.q)
}

// script is the process of a peer that Python has.
func (p *peer) script() *exec.Cmd {
	return exec.Command(p.python, "-W", "ignore", "-c", peerScript, p.name)
}

// launch starts the process and gives it what its input begins with.
func (p *peer) launch(cmd *exec.Cmd, data ...any) (err error) {
	p.seconds = nil
	p.cmd = cmd
	p.cmd.Env = append(os.Environ(), "OMP_NUM_THREADS=1", "OPENBLAS_NUM_THREADS=1",
		// POT would load whatever else it can work with.
		"POT_BACKEND_DISABLE_PYTORCH=1", "POT_BACKEND_DISABLE_TENSORFLOW=1", "POT_BACKEND_DISABLE_JAX=1", "POT_BACKEND_DISABLE_CUPY=1")
	p.cmd.Stderr = os.Stderr
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return err
	}
	w := bufio.NewWriter(p.in)
	for _, v := range data {
		if err := binary.Write(w, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	return w.Flush()
}

// solve lets the peer do its share of the pairs from a to b, into values, and
// returns the seconds that a pair took, as the mean of as many times as take least, one at least.
func (p *peer) solve(a, b int, least time.Duration, values []float64) (float64, error) {
	if err := binary.Write(p.in, binary.LittleEndian, []int64{int64(a), int64(b), least.Microseconds()}); err != nil {
		return 0, fmt.Errorf("%s ended: %w", p.name, err)
	}
	var seconds float64
	if err := binary.Read(p.out, binary.LittleEndian, &seconds); err != nil {
		return 0, fmt.Errorf("%s ended: %w", p.name, err)
	}
	return seconds / float64(b-a), binary.Read(p.out, binary.LittleEndian, values[:b-a])
}

func (p *peer) close() error {
	p.in.Close()
	return p.cmd.Wait()
}
