package shard

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/outfile"
)

// A part is a piece that has rows.
type part struct {
	path string
	tally
}

// MergeSettings of a merge.
type MergeSettings struct {
	Force bool // replace a file that is there and is another
	// Join puts pieces that have rows, in the shards' order, together as the manifest's Join says,
	// where that is not [Lines], into a file at path that appears complete or not at all.
	Join     func(ctx context.Context, how map[string]string, pieces []string, path string) error
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
	return fmt.Sprintf("shard: %s: %d of %d shards are missing: %s", e.Dir, len(e.Missing), e.Shards, e.List())
}

// List is the numbers of those that are missing, rows of them as from–to.
func (e *MissingError) List() string { return spans(e.Missing) }

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
		if !outfile.Temporary(name) && !ofInputs(name) && !f.owns(name) {
			foreign = append(foreign, name)
		}
	}
	if slices.Sort(foreign); len(foreign) > 0 {
		return nil, fmt.Errorf("%s: %s: of no shard of %s: of other work, or of another number of shards: remove what does not belong there", dir, strings.Join(foreign[:min(5, len(foreign))], ", "), manifestName)
	}
	return f, nil
}

// ready reads a folder of shards which are all done, by this version of the program.
func ready(dir string) (*found, error) {
	f, err := look(dir)
	if err != nil {
		return nil, fmt.Errorf("shard: %w", err)
	}
	if now := program(); now != f.of.Program {
		return nil, fmt.Errorf("shard: %s was made by Barrow %s, this is %s: merge with that one", dir, f.of.Program, now)
	}
	if len(f.missing) > 0 {
		return nil, &MissingError{dir, f.of.Shards, f.missing}
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

// Merge makes the file of all its shards. Shards that are not there are a *[MissingError], those of
// another version of the program are an error, and what is there already with the same content is left as it is.
func Merge(ctx context.Context, dir string, s MergeSettings) (*Merged, error) {
	dir = filepath.Clean(dir)
	if !strings.HasSuffix(dir, Ending) {
		return nil, fmt.Errorf("shard: %s: a folder of a file's shards is called NAME%s", dir, Ending)
	}
	f, err := ready(dir)
	if err != nil {
		return nil, err
	}
	m := &Merged{File: strings.TrimSuffix(dir, Ending), Shards: f.of.Shards}
	var parts []part
	for _, r := range f.records {
		if r.Rows > 0 {
			parts = append(parts, part{filepath.Join(dir, r.File), r.tally})
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
func (f *found) join(ctx context.Context, m *Merged, parts []part, s MergeSettings) error {
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
	for k, p := range parts {
		if err := ctx.Err(); err != nil {
			return err
		}
		skip := 0
		if k > 0 {
			skip = header
		}
		if err := appendLines(out.Writer, p, skip); err != nil {
			return err
		}
		if s.Progress != nil {
			s.Progress(float64(k+1)/float64(len(parts)), fmt.Sprintf("shard %d of %d", k+1, len(parts)))
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return place(m, out.Temporary(), s.Force, out.Commit)
}

// place has the complete file at path put where it belongs, unless the same is there; it refuses to
// replace another.
func place(m *Merged, path string, force bool, commit func() error) error {
	there, err := equal(m.File, path)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && force && !there:
		return commit()
	case err != nil:
		return err
	case there:
		m.There = true
		return nil
	}
	return fmt.Errorf("%s: %w, and is another than the shards make", m.File, outfile.ErrExists)
}

// equal tells whether two files hold the same bytes.
func equal(a, b string) (bool, error) {
	f, err := os.Open(a)
	if err != nil {
		return false, err
	}
	defer f.Close()
	g, err := os.Open(b)
	if err != nil {
		return false, err
	}
	defer g.Close()
	one, other := make([]byte, 1<<18), make([]byte, 1<<18)
	for {
		n, errF := io.ReadFull(f, one)
		k, errG := io.ReadFull(g, other)
		if n != k || !bytes.Equal(one[:n], other[:k]) {
			return false, nil
		}
		for _, err := range []error{errF, errG} {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				return true, nil // they are of the same length
			}
			if err != nil {
				return false, err
			}
		}
	}
}

// appendLines copies a piece without its first lines, and holds it to its tally on the way. It reads into the
// buffer that is written from, which goes out full: pages of the file are written once.
func appendLines(w *bufio.Writer, p part, skip int) error {
	file, err := os.Open(p.path)
	if err != nil {
		return err
	}
	defer file.Close()
	var t tally
	for {
		if w.Available() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
		b := w.AvailableBuffer()
		n, err := file.Read(b[:cap(b)])
		b = b[:n]
		t.Write(b)
		for ; skip > 0; skip-- {
			_, after, found := bytes.Cut(b, []byte{'\n'})
			b = after
			if !found {
				break
			}
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		if err == io.EOF {
			return p.holdTo(t)
		}
		if err != nil {
			return err
		}
	}
}

// holdTo refuses a piece that is not what its shard left.
func (p *part) holdTo(t tally) error {
	if t != p.tally {
		return fmt.Errorf("%s is not what its shard left: run that shard again", p.path)
	}
	return nil
}

// joinBy has the pieces joined by who knows how.
func (f *found) joinBy(ctx context.Context, m *Merged, parts []part, s MergeSettings) error {
	if s.Join == nil {
		return fmt.Errorf("%s: pieces that are joined by %q: nobody here can", f.dir, f.of.Join[How])
	}
	var pieces []string
	for _, p := range parts {
		t, err := tallyOf(p.path)
		if err == nil {
			err = p.holdTo(t)
		}
		if err != nil {
			return err
		}
		pieces = append(pieces, p.path)
	}
	// Beside its name, under a name that goes with the next sweep if the process is killed.
	tmp, err := os.MkdirTemp(filepath.Dir(m.File), ".barrow-*.tmp")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	whole := filepath.Join(tmp, filepath.Base(m.File))
	if err := s.Join(ctx, f.of.Join, pieces, whole); err != nil {
		return err
	}
	return place(m, whole, s.Force, func() error { return os.Rename(whole, m.File) })
}

// Count is of how many shards a folder is.
func Count(dir string) (int, error) {
	m, err := read(filepath.Join(dir, manifestName), parseManifest)
	if err != nil {
		return 0, fmt.Errorf("shard: %w", err)
	}
	return m.Shards, nil
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
