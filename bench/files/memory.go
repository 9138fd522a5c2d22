package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"barrow/wafer/file"
)

// A peak is one line of the table of memory.
type peak struct {
	From  string  `json:"from"`
	To    string  `json:"to"`
	Rows  int     `json:"rows"`
	MB    float64 `json:"mb"`
	Large float64 `json:"mb_large"` // with so many times the rows
	Times int     `json:"times"`
	Ratio float64 `json:"ratio"`
	Goal  string  `json:"goal"`
}

var peakColumns = []column{
	{"from", "{from}"}, {"to", "{to}"}, {"images", "{rows:.0f}"}, {"peak, MB", "{mb:.1f}"},
	{"times more", "{times:.0f}"}, {"peak, MB", "{mb_large:.1f}"}, {"ratio", "{ratio:.2f}"}, {"goal", "{goal}"},
}

// memory measures what the program takes at most while it converts, from each format to
// each, a file and one of many times its rows.
func (o *options) memory(dir string) ([]peak, error) {
	barrow := filepath.Join(dir, "barrow")
	if out, err := exec.Command("go", "build", "-o", barrow, "barrow/cmd/barrow").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the program: %w\n%s", err, out)
	}
	// Files are made by another process: the least that a program can take at most is
	// what takes the one that starts it.
	maker, err := startBarrow()
	if err != nil {
		return nil, err
	}
	defer maker.close()
	var to []string
	for _, name := range file.Formats() {
		if _, err := maker.ask(request{Task: "write", Path: filepath.Join(dir, "probe."+name), Rows: 1}); err == nil {
			to = append(to, name)
		}
	}
	from := append(slices.Clone(to), "csv.gz", "csv.zst")
	peer, err := startPeers(o.python, "BARROW_FILES_PYTHON")
	if err != nil {
		skipped("HDF5 is", err)
	} else {
		defer peer.close()
		from = append(from, "h5")
	}
	sizes := []int{o.memoryRows, o.memoryRows * o.times}
	var rows []peak
	for _, in := range from {
		var paths []string
		for i, n := range sizes {
			path := filepath.Join(dir, fmt.Sprintf("in%d.%s", i, in))
			paths = append(paths, path)
			if in == "h5" {
				_, err = peer.ask(request{Task: "hdf5", Path: path, Rows: n})
			} else {
				_, err = maker.ask(request{Task: "write", Path: path, Rows: n})
			}
			if err != nil {
				return nil, err
			}
		}
		for _, out := range to {
			p := peak{From: strings.ToUpper(in), To: strings.ToUpper(out), Rows: o.memoryRows, Times: o.times, Goal: "0.9–1.1"}
			for i, mb := range []*float64{&p.MB, &p.Large} {
				if *mb, err = o.conversion(barrow, paths[i], filepath.Join(dir, "out."+out)); err != nil {
					return nil, err
				}
			}
			p.Ratio = p.Large / p.MB
			rows = append(rows, p)
		}
		for _, path := range paths {
			if err := os.Remove(path); err != nil {
				return nil, err
			}
		}
	}
	return rows, nil
}

// conversion is the largest resident size of a conversion in MB, the median of the
// rounds.
func (o *options) conversion(barrow, in, out string) (float64, error) {
	var all []float64
	for range o.rounds {
		cmd := exec.Command(barrow, "convert", "--quiet", "--force", in, out)
		if text, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%s: %w\n%s", strings.Join(cmd.Args, " "), err, text)
		}
		all = append(all, peakMB(cmd.ProcessState))
	}
	slices.Sort(all)
	return median(all), os.Remove(out)
}
