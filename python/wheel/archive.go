package main

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"barrow/internal/outfile"
)

// An entry is a file of a wheel.
type entry struct {
	name string
	data []byte
	mode fs.FileMode
}

// path is where a platform's wheel is written.
func (s *source) path(out string, p platform) string {
	return filepath.Join(out, fmt.Sprintf("barrow-%s-%s.whl", s.version, p.tag()))
}

// write makes a platform's wheel and returns its path and size in bytes.
func (s *source) write(out string, p platform, program []byte, force bool) (string, int64, error) {
	to := s.path(out, p)
	var size int64
	err := outfile.Write(to, force, func(w io.Writer) error {
		count := &counter{w: w}
		err := pack(count, s.entries(p, program))
		size = count.n
		return err
	})
	return to, size, err
}

type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

// entries are a wheel's files: the package, the program, and last, as the format asks, the
// folder that describes them, its list of all files with their digests at the end.
func (s *source) entries(p platform, program []byte) []entry {
	var all []entry
	for _, name := range slices.Sorted(maps.Keys(s.files)) {
		all = append(all, entry{name, s.files[name], 0o644})
	}
	all = append(all, entry{p.program(), program, 0o755})
	info := "barrow-" + s.version + ".dist-info/"
	add := func(name, text string) { all = append(all, entry{info + name, []byte(text), 0o644}) }
	add("licenses/LICENSE", string(s.license))
	add("licenses/LICENSE.others", string(s.others))
	add("METADATA", s.metadata())
	add("WHEEL", wheel(p))
	add("entry_points.txt", "[console_scripts]\nbarrow = barrow._command:main\n")
	add("RECORD", record(all, info+"RECORD"))
	return all
}

// metadata is the description that pip and indexes read (core metadata 2.4).
func (s *source) metadata() string {
	return strings.Join([]string{
		"Metadata-Version: 2.4",
		"Name: barrow",
		"Version: " + s.version,
		"Summary: The exact earth mover's distance as a loss: batched, with gradients, for NumPy, PyTorch, Keras and JAX",
		"License-Expression: BSD-3-Clause",
		"License-File: LICENSE",
		"License-File: LICENSE.others",
		"Classifier: Programming Language :: Python :: 3",
		"Classifier: Intended Audience :: Science/Research",
		"Classifier: Typing :: Typed",
		"Requires-Python: >=3.9",
		"Requires-Dist: numpy>=1.21",
		"Description-Content-Type: text/markdown",
		"",
		description(string(s.readme)),
	}, "\n")
}

var (
	installing = regexp.MustCompile(`(?ms)^## Install$.*?^## `)
	link       = regexp.MustCompile(`\[([^\]]+)\]\(([^)\s]+)\)`)
)

// description is docs/python.md for who has the wheel and not its source: without how a
// wheel is made, and without links into the source.
func description(readme string) string {
	readme = installing.ReplaceAllString(readme, "## ")
	return link.ReplaceAllStringFunc(readme, func(s string) string {
		part := link.FindStringSubmatch(s)
		if strings.HasPrefix(part[2], "https://") || strings.HasPrefix(part[2], "#") {
			return s
		}
		return part[1]
	})
}

// wheel is the description of the wheel as such; it names its tags one by one.
func wheel(p platform) string {
	var b strings.Builder
	b.WriteString("Wheel-Version: 1.0\nGenerator: barrow/python/wheel\nRoot-Is-Purelib: false\n")
	for _, t := range p.tags {
		b.WriteString("Tag: py3-none-" + t + "\n")
	}
	return b.String()
}

// record lists files with digests and sizes, and itself without.
func record(all []entry, self string) string {
	var b strings.Builder
	for _, e := range all {
		sum := sha256.Sum256(e.data)
		fmt.Fprintf(&b, "%s,sha256=%s,%d\n", e.name, base64.RawURLEncoding.EncodeToString(sum[:]), len(e.data))
	}
	b.WriteString(self + ",,\n")
	return b.String()
}

// pack writes a ZIP file whose bytes follow from its entries: no times but the first that
// the format knows.
func pack(w io.Writer, all []entry) error {
	z := zip.NewWriter(w)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) {
		return flate.NewWriter(w, flate.BestCompression)
	})
	for _, e := range all {
		h := &zip.FileHeader{Name: e.name, Method: zip.Deflate}
		h.SetMode(e.mode)
		//lint:ignore SA1019 Modified would add a field of 9 bytes to every entry
		h.ModifiedDate = 1<<5 | 1 // 1 January 1980
		f, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if _, err := f.Write(e.data); err != nil {
			return err
		}
	}
	return z.Close()
}
