package shard

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/outfile"
)

// A Part is a piece as Merge hands it to who joins them: one with rows, in the shards' order.
type Part struct {
	Path string
	Rows int
}

// MergeSettings of a merge.
type MergeSettings struct {
	Force bool // replace a file that is there and is another
	// Join puts the pieces together as the manifest's Join says, where that is not [Lines], into a
	// file at path that appears complete or not at all.
	Join     func(ctx context.Context, how map[string]string, parts []Part, path string) error
	Progress func(share float64, note string) // nil for none
	Remark   func(string)                     // nil for none
}

// Merged is what a merge made.
type Merged struct {
	File   string `json:"file"`
	Shards int    `json:"shards"`
	Rows   int    `json:"rows"`
	There  bool   `json:"was_there"` // with the same content
}

// A MissingError says which shards are not done.
type MissingError struct {
	Dir     string
	Shards  int
	Missing []int
}

func (e *MissingError) Error() string {
	return fmt.Sprintf("shard: %s: %d of %d shards are missing: %s", e.Dir, len(e.Missing), e.Shards, spans(e.Missing))
}

// spans lists numbers, rows of them as from–to.
func spans(list []int) string {
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == list[j]+1 {
			j++
		}
		text := strconv.Itoa(list[i])
		if j > i {
			text += "–" + strconv.Itoa(list[j])
		}
		out, i = append(out, text), j+1
		if len(out) == 20 && i < len(list) {
			return strings.Join(out, ", ") + ", …"
		}
	}
	return strings.Join(out, ", ")
}

// found is a folder of shards.
type found struct {
	dir     string
	of      manifest
	records []record // of those that are done, by number
	missing []int
}

// look reads a folder of shards. Files that belong to no shard of its manifest are an error that
// names them.
func look(dir string) (*found, error) {
	m, err := read(filepath.Join(dir, manifestName), parseManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no shards (no %s)", dir, manifestName)
	}
	if err != nil {
		return nil, err
	}
	f := &found{dir: dir, of: m, records: make([]record, m.Shards)}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	there := map[string]bool{}
	for _, e := range entries {
		there[e.Name()] = true
	}
	delete(there, manifestName)
	for i := range m.Shards {
		name := base(i, m.Shards)
		if !there[name+".json"] {
			f.missing = append(f.missing, i)
			continue
		}
		r, err := read(filepath.Join(dir, name+".json"), parseRecord)
		if err != nil {
			return nil, fmt.Errorf("shard %d/%d: %w", i, m.Shards, err)
		}
		if r.Of != m.Sum || r.Shard != i {
			return nil, fmt.Errorf("shard %d/%d: %s is of other work than the manifest: run that shard again", i, m.Shards, filepath.Join(dir, name+".json"))
		}
		f.records[i] = r
	}
	var foreign []string
	for name := range there {
		if !outfile.Temporary(name) && !f.owns(name) {
			foreign = append(foreign, name)
		}
	}
	if slices.Sort(foreign); len(foreign) > 0 {
		return nil, fmt.Errorf("%s: %s: of no shard of %s: of other work, or of another number of shards: remove what does not belong there", dir, strings.Join(foreign[:min(5, len(foreign))], ", "), manifestName)
	}
	return f, nil
}

// owns tells whether a file's name is that of one of the shards.
func (f *found) owns(name string) bool {
	i, rest, ok := strings.Cut(name, fmt.Sprintf("-of-%05d", f.of.Shards))
	k, err := strconv.Atoi(i)
	return ok && err == nil && len(i) == 5 && k >= 0 && k < f.of.Shards && (rest == ".json" || rest == "-"+f.name())
}

// name is that of the file that is made of the shards, without folder.
func (f *found) name() string { return strings.TrimSuffix(filepath.Base(f.dir), Ending) }

// Folder tells whether a path is a folder of a file's shards.
func Folder(path string) bool {
	_, err := os.Stat(filepath.Join(path, manifestName))
	return err == nil
}

// Merge makes the file of all its shards. Shards that are not there are a *[MissingError]. What is
// there already with the same content is left as it is.
func Merge(ctx context.Context, dir string, s MergeSettings) (*Merged, error) {
	dir = filepath.Clean(dir)
	if !strings.HasSuffix(dir, Ending) {
		return nil, fmt.Errorf("shard: %s: a folder of a file's shards is called NAME%s", dir, Ending)
	}
	f, err := look(dir)
	if err != nil {
		return nil, fmt.Errorf("shard: %w", err)
	}
	if len(f.missing) > 0 {
		return nil, &MissingError{dir, f.of.Shards, f.missing}
	}
	if now := program(); now != f.of.Program {
		return nil, fmt.Errorf("shard: %s was made by Barrow %s, this is %s: merge with that one", dir, f.of.Program, now)
	}
	m := &Merged{File: strings.TrimSuffix(dir, Ending), Shards: f.of.Shards}
	var parts []Part
	for _, r := range f.records {
		if r.Rows > 0 {
			parts = append(parts, Part{filepath.Join(dir, r.File), r.Rows})
			m.Rows += r.Rows
		}
	}
	f.remarkKernels(s.Remark)
	if m.Rows == 0 {
		return nil, fmt.Errorf("shard: %s: no shard has any rows: nothing is written", dir)
	}
	if err := f.join(ctx, m, parts, s); err != nil {
		return nil, fmt.Errorf("shard: %w", err)
	}
	return m, nil
}

// remarkKernels says where shards were computed by different kernels.
func (f *found) remarkKernels(remark func(string)) {
	kernels := map[string][]int{}
	for i, r := range f.records {
		kernels[r.Kernel] = append(kernels[r.Kernel], i)
	}
	if len(kernels) < 2 || remark == nil {
		return
	}
	var list []string
	for k, of := range kernels {
		list = append(list, fmt.Sprintf("%s made %s", k, spans(of)))
	}
	slices.Sort(list)
	remark(fmt.Sprintf("%s: processors of different kinds (kernel %s): where networks compute, last digits may differ from those of one machine", f.dir, strings.Join(list, "; ")))
}

// join writes the file beside its name and puts it there.
func (f *found) join(ctx context.Context, m *Merged, parts []Part, s MergeSettings) error {
	if f.of.Join[How] != Lines {
		return f.joinBy(ctx, m, parts, s)
	}
	header, err := strconv.Atoi(f.of.Join[Header])
	if err != nil || header < 0 {
		return fmt.Errorf("%s: %q lines of header", f.dir, f.of.Join[Header])
	}
	out, err := outfile.Create(m.File, true)
	if err != nil {
		return err
	}
	defer out.Abort()
	all := sha256.New()
	digests := f.digests()
	for k, p := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		skip := 0
		if k > 0 {
			skip = header
		}
		if err := appendLines(io.MultiWriter(out, all), p.Path, skip, digests[p.Path]); err != nil {
			return err
		}
		if s.Progress != nil {
			s.Progress(float64(k+1)/float64(len(parts)), fmt.Sprintf("shard %d of %d", k+1, len(parts)))
		}
	}
	return place(m, hex.EncodeToString(all.Sum(nil)), s.Force, out.Commit)
}

// place puts the file there unless it is, and refuses to replace another.
func place(m *Merged, digest string, force bool, commit func() error) error {
	have, err := digestOf(m.File)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && force && have != digest:
		return commit()
	case err != nil:
		return err
	case have == digest:
		m.There = true
		return nil
	}
	return fmt.Errorf("%s: %w, and is another than the shards make", m.File, outfile.ErrExists)
}

// digests are those of the pieces, by path.
func (f *found) digests() map[string]string {
	out := map[string]string{}
	for _, r := range f.records {
		out[filepath.Join(f.dir, r.File)] = r.SHA256
	}
	return out
}

// appendLines copies a file without its first lines, and compares its digest on the way.
func appendLines(w io.Writer, path string, skip int, digest string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	h := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(file, h), 1<<18)
	for range skip {
		for {
			_, err := in.ReadSlice('\n')
			if errors.Is(err, bufio.ErrBufferFull) {
				continue
			}
			if err != nil && err != io.EOF {
				return err
			}
			break
		}
	}
	if _, err := in.WriteTo(w); err != nil {
		return err
	}
	return same(path, h, digest)
}

func same(path string, h hash.Hash, digest string) error {
	want, err := hex.DecodeString(digest)
	if err != nil || !bytes.Equal(h.Sum(nil), want) {
		return fmt.Errorf("%s is not what its shard left: run that shard again", path)
	}
	return nil
}

// joinBy has the pieces joined by who knows how.
func (f *found) joinBy(ctx context.Context, m *Merged, parts []Part, s MergeSettings) error {
	if s.Join == nil {
		return fmt.Errorf("%s: pieces that are joined by %q: nobody here can", f.dir, f.of.Join[How])
	}
	digests := f.digests()
	for _, p := range parts {
		if d, err := digestOf(p.Path); err != nil {
			return err
		} else if d != digests[p.Path] {
			return fmt.Errorf("%s is not what its shard left: run that shard again", p.Path)
		}
	}
	// Beside its name, under a name that goes with the next sweep if the process is killed.
	tmp, err := os.MkdirTemp(filepath.Dir(m.File), ".barrow-*.tmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	whole := filepath.Join(tmp, filepath.Base(m.File))
	if err := s.Join(ctx, f.of.Join, parts, whole); err != nil {
		return err
	}
	digest, err := digestOf(whole)
	if err != nil {
		return err
	}
	return place(m, digest, s.Force, func() error { return os.Rename(whole, m.File) })
}

// Finished tells of n shards of a folder which have left their record, without looking at what they
// made: [Merge] does. A folder that is not there yet has none; one of another number of shards is
// an error.
func Finished(dir string, n int) ([]bool, error) {
	done := make([]bool, n)
	m, err := read(filepath.Join(dir, manifestName), parseManifest)
	if errors.Is(err, fs.ErrNotExist) {
		return done, nil
	}
	if err != nil {
		return nil, fmt.Errorf("shard: %w", err)
	}
	if m.Shards != n {
		return nil, fmt.Errorf("shard: %s is of %d shards, not %d: choose another name, or remove it", dir, m.Shards, n)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("shard: %w", err)
	}
	for _, e := range entries {
		i, _, _ := strings.Cut(e.Name(), "-of-")
		if k, err := strconv.Atoi(i); err == nil && k >= 0 && k < n && base(k, n)+".json" == e.Name() {
			done[k] = true
		}
	}
	return done, nil
}
