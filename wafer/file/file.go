// Package file opens and creates files of wafer images, whatever their format:
// the one place where the formats below package wafer meet.
//
// A file to read is told by its content, by its ending where that is not
// enough; one to write by its ending. Either may be compressed by gzip or
// Zstandard. Files are streams: memory does not grow with them. Several files, or
// those that a pattern fits, are read as one set. What a file says of itself (the
// charges' order, their unit, its columns) is in [Reader.Info].
//
// To add a format write a package with a [wafer.Format] and name it in formats.
package file

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"barrow/internal/sniff"
	"barrow/wafer"
	"barrow/wafer/csvio"
	"barrow/wafer/hdf5io"
	"barrow/wafer/npzio"
	"barrow/wafer/parquetio"
	"barrow/wafer/rootio"
)

// formats are all formats: text first, which is what is written where nothing
// says another one; then those that have a signature.
func formats() []wafer.Format {
	return []wafer.Format{
		csvio.Format{},
		hdf5io.Format{},
		npzio.Archive{},
		npzio.Array{},
		parquetio.Format{},
		rootio.Format{},
	}
}

// Formats lists the names of all formats.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.Name())
	}
	return names
}

// written lists the names of the formats that can be written.
func written() string {
	var names []string
	for _, f := range formats() {
		if _, ok := f.(wafer.Creator); ok {
			names = append(names, f.Name())
		}
	}
	return strings.Join(names, ", ")
}

// Dialects lists what WriteSettings.Dialect may name, format after format.
func Dialects() []string {
	var names []string
	for _, f := range formats() {
		if d, ok := f.(wafer.Dialecter); ok {
			names = append(names, d.Dialects()...)
		}
	}
	return names
}

// recognise finds the format of a file by its beginning and, where several fit, by
// its name's ending.
func recognise(head []byte, name string) (wafer.Format, error) {
	var fit []wafer.Format
	for _, f := range formats() {
		if f.Sniff(head) {
			fit = append(fit, f)
		}
	}
	switch len(fit) {
	case 0:
		return nil, fmt.Errorf("wafer/file: %s: %s; what is read here is %s", name, sniff.Looks(head), strings.Join(Formats(), ", "))
	case 1:
		return fit[0], nil
	}
	inner, _ := unpackedName(name)
	for _, f := range fit { // a signature that is text, too
		if slices.Contains(f.Endings(), ending(inner)) {
			return f, nil
		}
	}
	return fit[len(fit)-1], nil
}

// byEnding finds the format to write a file of that name in, compression apart.
func byEnding(name string) (wafer.Creator, error) {
	end := ending(name)
	for _, f := range formats() {
		if slices.Contains(f.Endings(), end) {
			if c, ok := f.(wafer.Creator); ok {
				return c, nil
			}
			return nil, fmt.Errorf("wafer/file: %s: files of the format %s are read, not written; want a name for %s", name, f.Name(), written())
		}
	}
	if what := sniff.ByEnding(end); what != "" {
		return nil, fmt.Errorf("wafer/file: %s: the ending is that of %s: not written here; want a name for %s", name, what, written())
	}
	return usual()
}

// usual is the format of a stream, and of a file whose name says none.
func usual() (wafer.Creator, error) { return formats()[0].(wafer.Creator), nil }

func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }
