// Package occupancy reads the published histograms of trigger cells per module,
// the reference that the generator is calibrated to.
package occupancy

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"barrow/hgcal"
)

// Module is the histogram of one full silicon module.
type Module struct {
	Layer, U, V int
	Eta         float64
	Count       [hgcal.Cells + 1]float64 // events with 0, 1, … 48 cells
}

// mostEvents bounds a count, so that sums stay finite.
const mostEvents = 1e15

// Entries returns the number of events.
func (m *Module) Entries() float64 {
	s := 0.0
	for _, c := range m.Count {
		s += c
	}
	return s
}

// Mean returns the mean number of cells.
func (m *Module) Mean() float64 { mean, _ := moments(m.Count); return mean }

// Variance returns the variance of the number of cells.
func (m *Module) Variance() float64 { _, v := moments(m.Count); return v }

// Ratio returns the variance over the mean.
func (m *Module) Ratio() float64 { mean, v := moments(m.Count); return v / mean }

func moments(p [hgcal.Cells + 1]float64) (mean, variance float64) {
	s, sx, sxx := 0.0, 0.0, 0.0
	for n, c := range p {
		x := float64(n)
		s, sx, sxx = s+c, sx+c*x, sxx+c*x*x
	}
	mean = sx / s
	return mean, sxx/s - mean*mean
}

// ReadFile reads the histograms as CSV: name, number of bins, lower and upper
// edge, underflow, the bins, overflow. Only silicon modules that are whole
// wafers of GeometryV11 and have any cell are returned.
func ReadFile(path string) ([]Module, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	all, err := Read(f)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return all, nil
}

// Read is ReadFile for a stream; its errors begin with the line.
func Read(r io.Reader) ([]Module, error) {
	type key struct{ layer, u, v int }
	full := map[key]hgcal.Module{}
	for _, m := range hgcal.GeometryV11.Modules() {
		if m.Full() {
			full[key{m.Layer, m.U, m.V}] = m
		}
	}
	var all []Module
	const longest = 64 << 10 // of a line; the published ones have 500 bytes
	in := bufio.NewScanner(r)
	in.Buffer(nil, longest)
	line := 0
	for in.Scan() {
		line++
		f := strings.Split(in.Text(), ",")
		name, silicon := strings.CutPrefix(f[0], "nTCs_silicon_")
		if !silicon {
			continue
		}
		var k key
		if n, err := fmt.Sscanf(name, "%d_%d_%d", &k.u, &k.v, &k.layer); n != 3 {
			return nil, fmt.Errorf("%d: histogram %q is not named by u, v and layer: %v", line, f[0], err)
		}
		if want := 4 + hgcal.Cells + 1 + 2; len(f) != want {
			return nil, fmt.Errorf("%d: %d columns, want %d", line, len(f), want)
		}
		module, ok := full[k]
		if !ok {
			continue
		}
		m := Module{Layer: k.layer, U: k.u, V: k.v, Eta: module.Eta()}
		for n := range m.Count {
			v, err := strconv.ParseFloat(f[5+n], 64)
			if err != nil || !(v >= 0 && v <= mostEvents) {
				return nil, fmt.Errorf("%d:%d: count %q is not a number from 0 to 1e15", line, 6+n, f[5+n])
			}
			m.Count[n] = v
		}
		if m.Entries() > m.Count[0] {
			all = append(all, m)
		}
	}
	if errors.Is(in.Err(), bufio.ErrTooLong) {
		return nil, fmt.Errorf("%d: the line is longer than %d bytes: no file of histograms", line+1, longest)
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%d: %w", line+1, err)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf(" no histogram of a full silicon module")
	}
	return all, nil
}

// Bin is the modules of one layer in one range of η.
type Bin struct {
	Eta         float64 // mean
	Modules     int
	Mean, Ratio float64 // mean of the modules' means, and of their variance over mean
}

// BinWidth is the width in η of the bins of Bins, which start at 1.5.
const BinWidth = 0.2

// BinOf returns the number of the bin that η falls in.
func BinOf(eta float64) int { return int(math.Floor((eta - 1.5) / BinWidth)) }

// Bins groups the modules of a layer by η.
func Bins(modules []Module) []Bin {
	sums := map[int]*Bin{}
	for i := range modules {
		m := &modules[i]
		k := BinOf(m.Eta)
		b := sums[k]
		if b == nil {
			b = &Bin{}
			sums[k] = b
		}
		b.Modules++
		b.Eta += m.Eta
		b.Mean += m.Mean()
		b.Ratio += m.Ratio()
	}
	var bins []Bin
	for _, b := range sums {
		n := float64(b.Modules)
		bins = append(bins, Bin{b.Eta / n, b.Modules, b.Mean / n, b.Ratio / n})
	}
	slices.SortFunc(bins, func(a, b Bin) int {
		if a.Eta < b.Eta {
			return -1
		}
		return 1
	})
	return bins
}

// Pool returns the distribution of the number of cells over all modules, each
// with the same weight.
func Pool(modules []Module) [hgcal.Cells + 1]float64 {
	var p [hgcal.Cells + 1]float64
	for i := range modules {
		e := modules[i].Entries()
		for n, c := range modules[i].Count {
			p[n] += c / e / float64(len(modules))
		}
	}
	return p
}
