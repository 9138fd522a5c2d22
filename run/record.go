package run

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"barrow/internal/jsonout"
	"barrow/internal/limit"
)

// A record is what is kept of a finished part of a run.
type record struct {
	Made  string            `json:"made_by"` // digest of all that made it
	Files map[string]string `json:"files"`   // of the part, with the digests of their contents
	Value json.RawMessage   `json:"value"`
	Sum   string            `json:"sum"` // digest of files and value: a record can be damaged, too
}

func (r record) sum() string {
	r.Sum = ""
	b, err := json.Marshal(r)
	if err != nil {
		return "no JSON"
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

const recordEnding = ".json"

// keep keeps a finished part of the run under a name: a value of which JSON
// keeps everything, and the digests of the part's files, which lie in the folder
// [Weights] under the given names. made is what the part depends on beyond the
// run's identity.
func (f *Folder) keep(part string, made, value any, files ...string) error {
	r := record{Files: map[string]string{}}
	var err error
	if r.Made, err = f.made(part, made); err != nil {
		return fmt.Errorf("run: record of %s: %w", part, err)
	}
	for _, name := range files {
		if r.Files[name], err = fileDigest(f.Path(Weights, name)); err != nil {
			return fmt.Errorf("run: record of %s: %w", part, err)
		}
	}
	if r.Value, err = jsonout.Marshal(value); err != nil {
		return fmt.Errorf("run: record of %s: %w", part, err)
	}
	r.Sum = r.sum()
	return f.WriteJSON(filepath.Join(Weights, part+recordEnding), r)
}

// recall reads the record of a part into value, a pointer, and reports whether
// the part is done. It is not where its record was made by something else, or
// where one of its files is gone or not what it was; the user is told, and the
// part must be made again.
func (f *Folder) recall(part string, made, value any) (done bool, err error) {
	b, err := limit.ReadFile(f.Path(Weights, part+recordEnding), "a run's record", mostJSON)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("run: %w", err)
	}
	want, err := f.made(part, made)
	if err != nil {
		return false, fmt.Errorf("run: record of %s: %w", part, err)
	}
	var r record
	var kind Kind
	again := func(why string) (bool, error) {
		f.say("%s: %s is done again: %s", f.path, part, why)
		return false, nil
	}
	if json.Unmarshal(b, &r) != nil || json.Unmarshal(b, &kind) != nil || compact(&r.Value) != nil || r.Sum != r.sum() {
		return again("its record is damaged")
	}
	if kind != f.kind || r.Made != want {
		return again("its record is of other settings")
	}
	for name, digest := range r.Files {
		switch is, err := fileDigest(f.Path(Weights, name)); {
		case errors.Is(err, fs.ErrNotExist):
			return again(name + " is gone")
		case err != nil:
			return again(err.Error())
		case is != digest:
			return again(name + " is not what it was when the part was done")
		}
	}
	if err := json.Unmarshal(r.Value, value); err != nil {
		return again("its record is damaged")
	}
	return true, nil
}

// Once makes a part of the run that is not done yet: do fills in value and leaves
// the files whose names in [Weights] it returns. Afterwards the part's checkpoints,
// files named as the part with [CheckpointEnding] and perhaps more behind it, are
// removed.
func (f *Folder) Once(part string, made, value any, do func() (files []string, err error)) error {
	done, err := f.recall(part, made, value)
	if err != nil {
		return err
	}
	if !done {
		files, err := do()
		if err != nil {
			return err
		}
		if err := f.keep(part, made, value, files...); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(f.Path(Weights))
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), part+CheckpointEnding) {
			if err := os.Remove(f.Path(Weights, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("run: %w", err)
			}
		}
	}
	return nil
}

// made is the digest of the run's identity with the part's name and what it
// depends on beyond that.
func (f *Folder) made(part string, by any) (string, error) {
	b, err := json.Marshal([]any{part, by})
	if err != nil {
		return "", err
	}
	h := sha256.New()
	_, err = io.Copy(h, io.MultiReader(bytes.NewReader(f.identity), bytes.NewReader(b)))
	return hex.EncodeToString(h.Sum(nil)), err
}

// compact undoes the indentation of a file that was read.
func compact(v *json.RawMessage) error {
	var b bytes.Buffer
	err := json.Compact(&b, *v)
	*v = b.Bytes()
	return err
}
