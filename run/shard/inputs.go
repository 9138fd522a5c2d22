package shard

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barrow/internal/index"
	"barrow/internal/limit"
	"barrow/internal/outfile"
)

// Inputs are what the shard that comes first finds out about the files whose rows the shards have
// parts of, for the others to believe as long as files have the size and the time of change that
// they had.
type Inputs struct {
	Files []Fact `json:"files"`
	// Rows are the rows of the files, with marks where shards begin: one index for each stream of
	// rows that the command reads.
	Rows []*index.Index `json:"rows"`
	// Notes are what else the command found out.
	Notes map[string]string `json:"notes,omitempty"`
}

// A Fact is what is known of a file.
type Fact struct {
	Name     string `json:"name"`
	Bytes    int64  `json:"bytes"`
	Modified int64  `json:"modified_ns"` // since 1970, by the clock of the file system
	Digest   string `json:"sha256"`
}

// known is Inputs as they are kept.
type known struct {
	Of string `json:"of"` // sum of the manifest without digests of files
	Inputs
	Sum string `json:"sum"`
}

func (k known) sum() string { k.Sum = ""; return sumOf(k) }

const (
	inputsName = "inputs.json"
	inputsLock = "inputs.lock"
	// mostInputs is more than an index for [Most] shards has.
	mostInputs = 64 << 20
)

// InputsLock is the lock that whoever looks the inputs of a file's shards through holds meanwhile.
func InputsLock(name string) string { return filepath.Join(name+Ending, inputsLock) }

// FactOf is what is known of a file without reading it: all but its digest.
func FactOf(path string) (Fact, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return Fact{}, err
	case !info.Mode().IsRegular():
		return Fact{}, fmt.Errorf("%s: is no regular file, which all shards can read", path)
	}
	return Fact{Name: path, Bytes: info.Size(), Modified: info.ModTime().UnixNano()}, nil
}

// Digest is the SHA-256 of a file. read, unless nil, is called with the number of bytes whenever some
// were read.
func Digest(ctx context.Context, path string, read func(n int)) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h, buf := sha256.New(), make([]byte, 1<<18)
	for {
		n, err := f.Read(buf)
		h.Write(buf[:n])
		if read != nil {
			read(n)
		}
		if err == io.EOF {
			return hex.EncodeToString(h.Sum(nil)), nil
		}
		if err = cmp.Or(err, ctx.Err()); err != nil {
			return "", err
		}
	}
}

// Known is what shards of the file NAME have found out about their inputs, which are these files; nil
// where it is still to be found out. w is the work but for the digests of those. An input that is not what it was when
// the first shard came is an error that names it, as is a folder of other work. One that was only
// copied or touched, and has another time, is read once more for its digest.
func Known(ctx context.Context, name string, s Shard, w Work, files []string) (*Inputs, error) {
	dir := name + Ending
	begun, err := read(filepath.Join(dir, manifestName), parseManifest)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("shard %v: %w", s, err)
	}
	there := err == nil
	want := manifest{Form: form, Shards: s.N, Program: program(), Work: w}
	if there {
		as := want
		as.Inputs = begun.Inputs
		if text := differences(begun, as); text != "" {
			return nil, otherWork(s, dir, text)
		}
	}
	in, err := readInputs(filepath.Join(dir, inputsName), want)
	if in == nil || err != nil || !slices.EqualFunc(in.Files, files, func(f Fact, name string) bool { return f.Name == name }) {
		return nil, err
	}
	for _, was := range in.Files {
		now, err := FactOf(was.Name)
		if err != nil {
			return nil, fmt.Errorf("shard %v: %w", s, err)
		}
		if now.Bytes == was.Bytes && now.Modified != was.Modified {
			if now.Digest, err = Digest(ctx, was.Name, nil); err != nil {
				return nil, fmt.Errorf("shard %v: %w", s, err)
			}
		}
		switch {
		case now.Bytes == was.Bytes && (now.Modified == was.Modified || now.Digest == was.Digest):
		case there:
			return nil, otherWork(s, dir, was.Name+" has other content than before")
		default: // nobody has begun with what it was
			return nil, nil
		}
	}
	return in, nil
}

// otherWork is the error of a folder in which a shard has no place.
func otherWork(s Shard, dir, why string) error {
	return fmt.Errorf("shard %v: %s is of other work: %s: choose another name, or remove the folder", s, dir, why)
}

// readInputs reads what was kept of the inputs of some work; nil where there is nothing, or
// something that is damaged or of other work.
func readInputs(path string, of manifest) (*Inputs, error) {
	b, err := limit.ReadFile(path, "what is known of the inputs of shards", mostInputs)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	k := &known{}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(k) != nil || k.Sum != k.sum() || k.Of != withoutDigests(of) {
		return nil, nil
	}
	for _, x := range k.Rows {
		if x == nil || x.Check(len(k.Files)) != nil {
			return nil, nil
		}
	}
	return &k.Inputs, nil
}

// withoutDigests is the sum of a manifest of all inputs alike.
func withoutDigests(m manifest) string {
	m.Inputs = nil
	return m.sum()
}

// Keep leaves what was found out about inputs to other shards of the file NAME. Of the marks
// those are kept at which shards begin.
func (in *Inputs) Keep(name string, s Shard, w Work) error {
	for _, x := range in.Rows {
		var begin []int
		for i := range s.N {
			from, to := Shard{i, s.N}.Range(x.Rows)
			if from < to {
				begin = append(begin, from)
			}
		}
		x.Keep(begin)
	}
	k := known{Of: withoutDigests(manifest{Form: form, Shards: s.N, Program: program(), Work: w}), Inputs: *in}
	k.Sum = k.sum()
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	return outfile.Write(filepath.Join(name+Ending, inputsName), true, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

// ofInputs tells whether a file of a folder of shards is about their inputs.
func ofInputs(name string) bool { return name == inputsName || strings.HasPrefix(name, inputsLock) }
