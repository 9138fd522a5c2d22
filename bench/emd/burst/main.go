// Program burst solves pairs of images of 48 cells in short bursts, on demand. bench/emd
// builds it from two commits and lets the two take turns (--against). On its input come, little
// endian, the number of pairs as an int64, the images p and q, and then, again and again,
// two int64: from which pair to which. It solves as many pairs before these untimed,
// then these, and answers with the nanoseconds, an int64, and their distances.
package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"barrow/emd"
	"barrow/hgcal"
)

func main() {
	if err := serve(os.Args[1], bufio.NewReader(os.Stdin), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench/emd/burst:", err)
		os.Exit(1)
	}
}

func serve(kernel string, in io.Reader, out io.Writer) error {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		return err
	}
	solver, err := emd.NewSolver(metric, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: kernel})
	if err != nil {
		return err
	}
	var n int64
	if err := binary.Read(in, binary.LittleEndian, &n); err != nil {
		return err
	}
	p, q := make([]float64, n*hgcal.Cells), make([]float64, n*hgcal.Cells)
	for _, v := range [][]float64{p, q} {
		if err := binary.Read(in, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	e, dq := make([]float64, n), make([]float64, n*hgcal.Cells)
	solve := func(from, to int64) error {
		for i := from; i < to; i++ {
			a, b := i*hgcal.Cells, (i+1)*hgcal.Cells
			if e[i], err = solver.Gradient(p[a:b], q[a:b], nil, dq[a:b]); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		var part [2]int64
		if err := binary.Read(in, binary.LittleEndian, &part); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		from, to := part[0], part[1]
		before := (from - (to - from) + n) % n
		if err := solve(before, min(n, before+to-from)); err != nil {
			return err
		}
		start := time.Now()
		if err := solve(from, to); err != nil {
			return err
		}
		took := time.Since(start).Nanoseconds()
		if err := binary.Write(out, binary.LittleEndian, took); err != nil {
			return err
		}
		if err := binary.Write(out, binary.LittleEndian, e[from:to]); err != nil {
			return err
		}
	}
}
