// Program batch times emd.Batch on request, for python/bench.py, which holds the Python
// package's time against it. It reads from standard input, in little endian, the numbers
// of pairs, of cells and of threads (int64), the distances (n×n), all p and all q (N×n,
// float64), and then requests of two int64: so many of the pairs, from the first on, so
// many times. It answers each with the seconds of every time, and their values.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"barrow/emd"
)

func main() {
	if err := serve(bufio.NewReader(os.Stdin), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "bench/batch:", err)
		os.Exit(1)
	}
}

func serve(r io.Reader, w io.Writer) error {
	var size struct{ Pairs, Cells, Threads int64 }
	if err := binary.Read(r, binary.LittleEndian, &size); err != nil {
		return err
	}
	n, cells := int(size.Pairs), int(size.Cells)
	d, p, q := make([]float64, cells*cells), make([]float64, n*cells), make([]float64, n*cells)
	for _, v := range [][]float64{d, p, q} {
		if err := binary.Read(r, binary.LittleEndian, v); err != nil {
			return err
		}
	}
	metric, err := emd.NewMetric(cells, d)
	if err != nil {
		return err
	}
	batch, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: int(size.Threads)})
	if err != nil {
		return err
	}
	e, dp, dq := make([]float64, n), make([]float64, n*cells), make([]float64, n*cells)
	for {
		var ask struct{ Pairs, Times int64 }
		if err := binary.Read(r, binary.LittleEndian, &ask); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		k := int(ask.Pairs) * cells
		seconds := make([]float64, ask.Times)
		for i := range seconds {
			start := time.Now()
			if err := batch.Gradient(context.Background(), p[:k], q[:k], e[:ask.Pairs], dp[:k], dq[:k]); err != nil {
				return err
			}
			seconds[i] = time.Since(start).Seconds()
		}
		if err := binary.Write(w, binary.LittleEndian, append(seconds, e[:ask.Pairs]...)); err != nil {
			return err
		}
	}
}
