package shard

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/internal/version"
)

// Ending is what the folder of a file's shards is called behind the file's name.
const Ending = ".shards"

const manifestName = "manifest.json"

// Work is what is cut into shards.
type Work struct {
	Command  string            `json:"command"`  // without the program's name
	Settings map[string]string `json:"settings"` // all that changes a byte
	Inputs   map[string]string `json:"inputs"`   // files that are read, with their SHA-256
	// Join says how pieces are put together; "how" is "lines", with "header" the lines of text that
	// every piece begins with, or a word that who merges knows.
	Join map[string]string `json:"join"`
}

// How pieces of text are joined.
const (
	How    = "how"
	Lines  = "lines"
	Header = "header"
)

// A manifest is of all shards of a file.
type manifest struct {
	Form    int    `json:"shards_version"`
	Shards  int    `json:"shards"`
	Program string `json:"program"` // version and commit
	Work
	Sum string `json:"sum"` // digest of the rest
}

// A record is of one shard that is done.
type record struct {
	Of     string `json:"of"` // the manifest's sum
	Shard  int    `json:"shard"`
	File   string `json:"file"`
	tally         // of the file
	Rows   int    `json:"rows"`
	Kernel string `json:"kernel"`
	Sum    string `json:"sum"`
}

const form = 2

// A tally tells a file from one that was cut short, damaged or changed by mistake. A digest against
// intent would be half of what merging costs.
type tally struct {
	Bytes int64  `json:"bytes"`
	CRC   uint32 `json:"crc32c"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Write counts what goes by.
func (t *tally) Write(b []byte) (int, error) {
	t.Bytes += int64(len(b))
	t.CRC = crc32.Update(t.CRC, castagnoli, b)
	return len(b), nil
}

func tallyOf(path string) (t tally, err error) {
	f, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer f.Close()
	_, err = io.Copy(&t, f)
	return t, err
}

func program() string {
	p := version.Current()
	return strings.TrimSpace(p.Version + " " + p.Commit)
}

// sumOf is the digest of a struct in JSON whose Sum is "".
func sumOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "no JSON"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (m manifest) sum() string { m.Sum = ""; return sumOf(m) }
func (r record) sum() string   { r.Sum = ""; return sumOf(r) }

// most is more than a manifest or a record has.
const most = 16 << 20

func parseManifest(b []byte) (manifest, error) {
	var m manifest
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	switch err := d.Decode(&m); {
	case err != nil:
		return m, fmt.Errorf("cannot be read as a manifest of shards: %w", err)
	case m.Form != form:
		return m, fmt.Errorf("is of form %d, this Barrow knows %d: use the one that began it", m.Form, form)
	case m.Shards < 1 || m.Shards > Most:
		return m, fmt.Errorf("is of %d shards: want 1 to %d", m.Shards, Most)
	case m.Sum != m.sum():
		return m, errors.New("was changed after it was written: remove the folder and run the shards again")
	}
	return m, nil
}

func parseRecord(b []byte) (record, error) {
	var r record
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	switch err := d.Decode(&r); {
	case err != nil:
		return r, fmt.Errorf("cannot be read as a shard's record: %w", err)
	case r.Sum != r.sum():
		return r, errors.New("was changed after it was written: run that shard again")
	case r.File != "" && (filepath.Base(r.File) != r.File || r.File == "." || r.File == ".."):
		return r, fmt.Errorf("names a file %q outside the folder", r.File)
	}
	return r, nil
}

// read reads a file whole.
func read[T any](path string, parse func([]byte) (T, error)) (T, error) {
	b, err := limit.ReadFile(path, "a manifest of shards", most)
	if err != nil {
		var none T
		return none, err
	}
	v, err := parse(b)
	if err != nil {
		return v, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

func write(path string, v any) error {
	return outfile.Write(path, true, func(w io.Writer) error {
		b, err := json.MarshalIndent(v, "", " ")
		if err == nil {
			_, err = w.Write(append(b, '\n'))
		}
		return err
	})
}

// base is what a shard's files are called, without ending.
func base(i, n int) string { return fmt.Sprintf("%05d-of-%05d", i, n) }

// A Piece is what one shard leaves of a file.
type Piece struct {
	dir    string
	of     manifest
	shard  Shard
	record string // path
	file   string // path
}

// Open begins a shard of the work that makes the file NAME, in NAME.shards; done tells that it is
// there already. The first shard that comes writes the manifest; shards of other work, of another
// number of shards or of another version of the program are errors that say so. With force a
// shard that is done is made again.
func Open(name string, s Shard, w Work, force bool) (p *Piece, done bool, err error) {
	if p, done, err = Begin(name+Ending, s, w); err != nil {
		return nil, false, err
	}
	p.file = filepath.Join(p.dir, base(s.I, s.N)+"-"+filepath.Base(name))
	return p, done && !force, nil
}

// Begin is Open for work whose shards leave no pieces, in a folder of its own.
func Begin(dir string, s Shard, w Work) (p *Piece, done bool, err error) {
	if err := s.Check(); err != nil {
		return nil, false, fmt.Errorf("shard: %w", err)
	}
	want := manifest{Form: form, Shards: s.N, Program: program(), Work: w}
	want.Sum = want.sum()
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, false, fmt.Errorf("shard: %w", err)
	}
	path := filepath.Join(dir, manifestName)
	have, err := read(path, parseManifest)
	if errors.Is(err, fs.ErrNotExist) {
		if err = write(path, want); err == nil {
			have, err = read(path, parseManifest) // another shard may have been faster
		}
	}
	if err != nil {
		return nil, false, fmt.Errorf("shard %v: %w", s, err)
	}
	if have.Sum != want.Sum {
		return nil, false, otherWork(s, dir, differences(have, want))
	}
	p = &Piece{dir: dir, of: have, shard: s, record: filepath.Join(dir, base(s.I, s.N)+".json")}
	r, err := read(p.record, parseRecord)
	if err == nil && r.Of == have.Sum && r.Shard == s.I {
		t, err := tallyOf(filepath.Join(dir, r.File))
		return p, r.Rows == 0 || err == nil && t == r.tally, nil
	}
	return p, false, nil // none, or damaged: it is made again
}

// Ready is what the shards of a folder are of, once all are done; those that are not are a
// *[MissingError]. Shards of another version of the program are an error.
func Ready(dir string) (Work, error) {
	f, err := ready(dir)
	if err != nil {
		return Work{}, err
	}
	return f.of.Work, nil
}

// differences says in what two manifests differ.
func differences(have, want manifest) string {
	var list []string
	add := func(what, a, b string) {
		if a != b {
			list = append(list, fmt.Sprintf("%s %s, now %s", what, or(a), or(b)))
		}
	}
	add("shards", fmt.Sprint(have.Shards), fmt.Sprint(want.Shards))
	add("Barrow", have.Program, want.Program)
	add("command", have.Command, want.Command)
	each := func(a, b map[string]string, add func(key string)) {
		all := map[string]string{}
		maps.Copy(all, a)
		maps.Copy(all, b)
		for _, k := range slices.Sorted(maps.Keys(all)) {
			if a[k] != b[k] {
				add(k)
			}
		}
	}
	each(have.Settings, want.Settings, func(k string) { add(k, have.Settings[k], want.Settings[k]) })
	each(have.Inputs, want.Inputs, func(k string) {
		switch {
		case have.Inputs[k] == "":
			list = append(list, k+" was not read before")
		case want.Inputs[k] == "":
			list = append(list, k+" is not read now")
		default:
			list = append(list, k+" has other content than before")
		}
	})
	if len(list) == 0 && !reflect.DeepEqual(have.Join, want.Join) {
		list = append(list, "its pieces are put together in another way")
	}
	return strings.Join(list, "; ")
}

func or(s string) string {
	if s == "" {
		return "not given"
	}
	return s
}

// Path is where the shard's piece goes; who makes it puts it there complete.
func (p *Piece) Path() string { return p.file }

// Done keeps that the piece is complete and has so many rows. Of no rows there need be no file.
func (p *Piece) Done(rows int) error {
	r := record{Of: p.of.Sum, Shard: p.shard.I, Rows: rows, Kernel: version.Current().Kernel}
	if rows > 0 {
		var err error
		r.File = filepath.Base(p.file)
		if r.tally, err = tallyOf(p.file); err != nil {
			return err
		}
	}
	r.Sum = r.sum()
	return write(p.record, r)
}
