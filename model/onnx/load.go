package onnx

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"
)

// maxFile is the size of the largest file that is read, in bytes.
const maxFile = 1 << 30

// Recognise reports whether a file that begins with head may be an ONNX model: a
// message that begins with the version of its IR and goes on with fields that a
// model has.
func Recognise(head []byte) bool {
	num, kind, n := protowire.ConsumeTag(head)
	if n < 0 || num != 1 || kind != protowire.VarintType {
		return false
	}
	v, k := protowire.ConsumeVarint(head[n:])
	if k < 0 || v < 1 || v > 1000 {
		return false
	}
	rest := head[n+k:]
	if len(rest) == 0 {
		return false
	}
	num, kind, n = protowire.ConsumeTag(rest)
	if n < 0 {
		return false
	}
	switch num {
	case 2, 3, 4, 6, 7, 8, 14, 20, 25:
		return kind == protowire.BytesType
	case 5:
		return kind == protowire.VarintType
	}
	return false
}

// read opens a file and checks what it says of itself.
func read(path string) (*graph, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("onnx: %w", err)
	}
	defer f.Close()
	var b bytes.Buffer
	if _, err := io.Copy(&b, io.LimitReader(f, maxFile+1)); err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	if b.Len() > maxFile {
		return nil, fmt.Errorf("onnx: %s: more than %d bytes, which is not supported", path, maxFile)
	}
	g, err := parse(b.Bytes(), &beside{filepath.Dir(path)})
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", path, err)
	}
	return g, nil
}

// beside is the folder of a model, in which the files of its external data lie.
type beside struct{ dir string }

// read gives size bytes of external data. Only files beside the model, or below its
// folder, are read.
func (d *beside) read(where map[string]string, size int) ([]byte, error) {
	if d == nil {
		return nil, fmt.Errorf("its data lie in another file, %q, which cannot be read here", where["location"])
	}
	location := where["location"]
	if location == "" || !filepath.IsLocal(filepath.FromSlash(location)) || strings.ContainsRune(location, 0) {
		return nil, fmt.Errorf("its data lie in the file %q: only files beside the model are read", location)
	}
	root, err := os.OpenRoot(d.dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(filepath.FromSlash(location))
	if err != nil {
		return nil, fmt.Errorf("its data: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	offset, err := whole(where, "offset", 0)
	if err != nil {
		return nil, err
	}
	length, err := whole(where, "length", int64(size))
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || length != int64(size) || offset > info.Size()-length {
		return nil, fmt.Errorf("its data are %d bytes from %d on in the file %q of %d bytes, want %d bytes", length, offset, location, info.Size(), size)
	}
	b := make([]byte, size)
	_, err = f.ReadAt(b, offset)
	if err == io.EOF && size == 0 {
		err = nil
	}
	return b, err
}

func whole(where map[string]string, key string, or int64) (int64, error) {
	s, ok := where[key]
	if !ok {
		return or, nil
	}
	v, err := strconv.ParseInt(s, 10, 64)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("its data have the %s %q, want a whole number from 0 up", key, s)
	}
	return v, nil
}
