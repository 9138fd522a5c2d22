package main

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"

	"barrow/internal/parquet"
	"barrow/wafer"
	"barrow/wafer/file"
)

// serve answers requests until there are no more.
func serve() error {
	tasks := map[string]func(request) (answer, error){"columns": columns, "images": images, "npz once": npzOnce, "parquet once": parquetOnce, "write": written}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			return err
		}
		task, ok := tasks[r.Task]
		if !ok {
			return fmt.Errorf("no task %q", r.Task)
		}
		start := used()
		a, err := task(r)
		a.Seconds = (used() - start).Seconds()
		if err != nil {
			a.Error = err.Error()
		}
		if err := json.NewEncoder(os.Stdout).Encode(a); err != nil {
			return err
		}
	}
	return in.Err()
}

// images reads a file as Barrow's commands do.
func images(r request) (a answer, err error) {
	in, err := file.Open(context.Background(), wafer.ReadSettings{Tree: r.Tree}, r.Path)
	if err != nil {
		return a, err
	}
	defer in.Close()
	var s wafer.Set
	for {
		n, err := in.Read(&s, 1024)
		if err == io.EOF {
			return a, nil
		}
		if err != nil {
			return a, err
		}
		a.Rows += n
	}
}

// written makes a file.
func written(r request) (answer, error) { return answer{}, write(r.Path, r.Rows) }

// npzOnce is what reading the bytes of an archive of numbers and turning them into
// numbers of 8 bytes costs, once.
func npzOnce(r request) (a answer, err error) {
	z, err := zip.OpenReader(r.Path)
	if err != nil {
		return a, err
	}
	defer z.Close()
	raw, floats, ints := make([]byte, 1<<16), make([]float64, 1<<14), make([]int64, 1<<14)
	for _, f := range z.File {
		in, err := f.Open()
		if err != nil {
			return a, err
		}
		head := make([]byte, 10)
		if _, err := io.ReadFull(in, head); err != nil {
			return a, err
		}
		header := make([]byte, binary.LittleEndian.Uint16(head[8:]))
		if _, err := io.ReadFull(in, header); err != nil {
			return a, err
		}
		decode, err := numbers(header, floats, ints)
		if err != nil {
			return a, fmt.Errorf("%s: %w", f.Name, err)
		}
		for {
			n, err := io.ReadFull(in, raw)
			decode(raw[:n])
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				break
			}
			if err != nil {
				return a, err
			}
		}
		if err := in.Close(); err != nil {
			return a, err
		}
	}
	return a, nil
}

// parquetOnce reads all pages into slices of numbers.
func parquetOnce(r request) (a answer, err error) {
	in, err := os.Open(r.Path)
	if err != nil {
		return a, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return a, err
	}
	f, err := parquet.Open(in, info.Size())
	if err != nil {
		return a, err
	}
	var v parquet.Values
	for i := range f.Leaves {
		c := f.Column(f.Leaves[i])
		for {
			_, err := c.Read(&v, 1<<14)
			if err == io.EOF {
				break
			}
			if err != nil {
				return a, err
			}
		}
		c.Close()
	}
	return a, nil
}

// numbers is how the bytes of an array are turned into numbers.
func numbers(header []byte, floats []float64, ints []int64) (func([]byte), error) {
	for _, t := range []struct {
		name   string
		decode func(b []byte)
	}{
		{"'<f8'", func(b []byte) {
			for i := range len(b) / 8 {
				floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
			}
		}},
		{"'<f4'", func(b []byte) {
			for i := range len(b) / 4 {
				floats[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:])))
			}
		}},
		{"'<i8'", func(b []byte) {
			for i := range len(b) / 8 {
				ints[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
			}
		}},
		{"'<i4'", func(b []byte) {
			for i := range len(b) / 4 {
				ints[i] = int64(int32(binary.LittleEndian.Uint32(b[4*i:])))
			}
		}},
		{"'<U", func([]byte) {}}, // of one text for all rows
		{"'|S", func([]byte) {}},
	} {
		if bytes.Contains(header, []byte(t.name)) {
			return t.decode, nil
		}
	}
	return nil, fmt.Errorf("not read here: %s", header)
}
