package main

import (
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"barrow/emd"
)

//go:embed lemon/driver.cpp
var lemonSource string

// A largePeer is another program for whole images.
type largePeer struct {
	*peer
	grid   bool   // it knows the grid's own graph, and nothing else
	single bool   // it computes in float32
	binary string // LEMON's driver
}

// findLargePeers looks for POT and OpenCV in the interpreters and builds LEMON's driver;
// done removes it.
func findLargePeers(o options) (found []*largePeer, done func()) {
	pot := everyPeer()[:1]
	pot[0].title = "POT core, ms"
	pot = append(pot, &peer{name: "opencv", title: "OpenCV, ms", module: "cv2", install: "pip install opencv-python-headless"})
	for _, p := range findPeers(pot, strings.Split(o.python, ",")) {
		found = append(found, &largePeer{peer: p, single: p.name == "opencv"})
	}
	dir, err := os.MkdirTemp("", "barrow-lemon-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd: LEMON is left out:", err)
		return found, func() {}
	}
	done = func() { os.RemoveAll(dir) }
	binary, version, err := buildLemon(dir)
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench/emd: LEMON is left out: %v (apt-get install g++ liblemon-dev)\n", err)
		return found, done
	}
	return append(found,
		&largePeer{peer: &peer{name: "lemon_grid", title: "LEMON on the grid, ms", version: version}, grid: true, binary: binary},
		&largePeer{peer: &peer{name: "lemon", title: "LEMON, ms", version: version}, binary: binary}), done
}

// buildLemon compiles the driver.
func buildLemon(dir string) (binary, version string, err error) {
	binary = filepath.Join(dir, "lemon")
	cmd := exec.Command("g++", "-std=c++17", "-O3", "-march=native", "-x", "c++", "-o", binary, "-")
	cmd.Stdin = strings.NewReader(lemonSource)
	if text, err := cmd.CombinedOutput(); err != nil {
		first, _, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
		return "", "", fmt.Errorf("%w: %s", err, first)
	}
	version = "of unknown version"
	cmd = exec.Command("g++", "-E", "-P", "-x", "c++", "-")
	cmd.Stdin = strings.NewReader("#include <lemon/config.h>\nLEMON_VERSION\n")
	if text, err := cmd.Output(); err == nil {
		lines := strings.Fields(string(text))
		version = strings.Trim(lines[len(lines)-1], `"`)
	}
	return binary, version, nil
}

// can says that the peer solves such problems, in the memory that a machine has.
func (p *largePeer) can(b *problem) bool {
	if p.grid {
		return b.side > 0 && b.norm != "l2"
	}
	if p.single {
		return b.points <= 1024 && b.placesQ == nil
	}
	return b.points <= 4096
}

// begin starts the peer and gives it the pairs.
func (p *largePeer) begin(b *problem) error {
	n, pairs := int64(b.points), int64(len(b.p))
	var all [2][]float64
	for side, images := range [2][][]float64{b.p, b.q} {
		for _, v := range images {
			factor := 1 / p.scale(sum(v))
			for _, x := range v {
				all[side] = append(all[side], x*factor)
			}
		}
	}
	if p.binary == "" {
		return p.launch(exec.Command(p.python, "-W", "ignore", "-c", peerScript, p.name, "--processor"),
			[]int64{n, pairs}, make([]float64, 2*n), b.matrix(), all[0], all[1])
	}
	head := []int64{0, n, n, 0, pairs}
	if b.placesQ == nil {
		head[3] = 1
	}
	if !p.grid {
		return p.launch(exec.Command(p.binary), head, b.matrix(), all[0], all[1])
	}
	head[1], head[2] = int64(b.side), int64(b.side)
	if head[0] = 4; b.norm == "linf" {
		head[0] = 8
	}
	return p.launch(exec.Command(p.binary), head, all[0], all[1])
}

// scale is what the peer's values are to be multiplied by for masses of that total: POT
// wants a total of 1, LEMON whole numbers.
func (p *largePeer) scale(total float64) float64 {
	if p.binary == "" {
		return total
	}
	return 1
}

// ground is the problem's for Barrow.
func (b *problem) ground() (emd.Ground, error) {
	if b.placesQ != nil {
		return emd.NewPointsBetween(2, b.places, b.placesQ, emd.Space{Norm: emd.L2})
	}
	if b.side == 0 {
		return emd.NewPoints(2, b.places, emd.Space{Norm: emd.L2})
	}
	norm := map[string]emd.Norm{"l1": emd.L1, "linf": emd.LInf, "l2": emd.L2}[b.norm]
	return emd.NewGrid([]int{b.side, b.side}, norm, nil)
}
