package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/run/shard"
	"barrow/wafer"
	"barrow/wafer/file"
)

// shardFlag is that of a command whose file can be made in shards.
type shardFlag struct{ text string }

func (f *shardFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.text, "shard", "", `make part "i/n" alone, i from 0, of what is made in n parts anywhere, into FILE.shards; "barrow merge FILE.shards" makes FILE of them; "auto" is what a batch system's array says`)
}

// given tells whether a shard was asked for.
func (f *shardFlag) given() bool { return f.text != "" }

// parse reads the flag.
func (f *shardFlag) parse() (shard.Shard, error) {
	s, err := shard.Parse(f.text, os.LookupEnv)
	if err != nil {
		return s, fmt.Errorf("--shard: %w", err)
	}
	return s, nil
}

// A sharded command makes one shard of a file.
type sharded struct {
	shard.Shard
	*shard.Piece
	done bool
	name string // of the whole file
	work shard.Work
	in   *shard.Inputs // what is known of the inputs, nil where there are none
}

// begin begins a shard of the file out, nil where none is asked for. in are the files whose rows
// shards have parts of, nil where there are none; those that flags name are found by themselves.
func (f *shardFlag) begin(cmd *cobra.Command, c *common, out string, join map[string]string, in *shardInputs) (*sharded, error) {
	if !f.given() {
		return nil, nil
	}
	s, err := f.parse()
	if err != nil {
		return nil, err
	}
	if out == "" || out == "-" {
		return nil, errors.New("--shard needs a file to make: name it")
	}
	w, err := workOf(cmd, join)
	if err != nil {
		return nil, err
	}
	if err := in.name(&w); err != nil {
		return nil, err
	}
	p := &sharded{Shard: s, name: out}
	if p.in, err = in.known(cmd, c, out, s, w); err != nil {
		return nil, err
	}
	p.work = with(w, p.in)
	return p, p.open(cmd)
}

// open begins the shard once its work is known.
func (p *sharded) open(cmd *cobra.Command) (err error) {
	force, _ := cmd.Flags().GetBool("force")
	p.Piece, p.done, err = shard.Open(p.name, p.Shard, p.work, force)
	return err
}

// beside begins the shard of a file that is made beside another.
func (p *sharded) beside(cmd *cobra.Command, out string, join map[string]string) (*sharded, error) {
	b := *p
	b.name, b.work.Join = out, join
	return &b, b.open(cmd)
}

// rows is the part of a stream of rows, by its number among the inputs, that is the shard's.
func (p *sharded) rows(stream int) (from, to int) { return p.Range(p.in.Rows[stream].Rows) }

// unsaid are flags that change no byte of a file.
var unsaid = []string{"shard", maxRuntime, "threads", "quiet", "force", "out", "help"}

// workOf describes what a command does by the flags that were given and the files that they name.
func workOf(cmd *cobra.Command, join map[string]string) (shard.Work, error) {
	w := shard.Work{Command: strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), Settings: map[string]string{}, Inputs: map[string]string{}, Join: join}
	var inputs []string
	cmd.Flags().Visit(func(f *pflag.Flag) {
		if slices.Contains(unsaid, f.Name) {
			return
		}
		w.Settings[f.Name] = f.Value.String()
		if s, ok := f.Value.(pflag.SliceValue); ok {
			inputs = append(inputs, s.GetSlice()...)
		} else {
			inputs = append(inputs, f.Value.String())
		}
	})
	for _, in := range inputs {
		if in == "-" {
			return w, errors.New("--shard: standard input is not there for all shards: name a file")
		}
		digest, err := digestOf(cmd.Context(), in)
		if err != nil {
			return w, err
		}
		if digest != "" {
			w.Inputs[in] = digest
		}
	}
	return w, nil
}

// digestOf is the digest of a file or of what a run's folder has of weights, "" where the text
// names neither.
func digestOf(ctx context.Context, path string) (string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Mode().IsRegular():
		return shard.Digest(ctx, path, nil)
	case err != nil || !info.IsDir():
		return "", nil
	}
	h := sha256.New()
	err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() || filepath.Ext(at) != ".weights" && e.Name() != "config.json" {
			return err
		}
		digest, err := shard.Digest(ctx, at, nil)
		fmt.Fprintln(h, e.Name(), digest)
		return err
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// lines are pieces of text with so many lines of header.
func lines(header int) map[string]string {
	return map[string]string{shard.How: shard.Lines, shard.Header: strconv.Itoa(header)}
}

// How pieces are joined that are not plain lines.
const (
	byImages = "images"       // wafer files
	byPacked = "packed lines" // compressed text
	byArrays = "arrays"       // NumPy's archives of rows
)

// pieces says how those of a wafer file are put together.
func pieces(out string, s wafer.WriteSettings) map[string]string {
	if file.Text(out) {
		how := lines(1)
		if s.Dialect == "plain" || s.Dialect == "noheader" {
			how = lines(0)
		}
		if file.Packed(out) {
			how[shard.How] = byPacked
		}
		return how
	}
	return map[string]string{shard.How: byImages, "order": s.Order.String(), "dialect": s.Dialect, "unit": s.Unit, "digits": strconv.Itoa(s.Digits)}
}

// join puts pieces together that are not plain lines.
func join(ctx context.Context, how map[string]string, pieces []string, path string) error {
	switch how[shard.How] {
	case byImages:
		return joinImages(ctx, how, pieces, path)
	case byArrays:
		return npz.Join(ctx, path, pieces...)
	case byPacked:
		header, err := strconv.Atoi(how[shard.Header])
		if err != nil {
			return fmt.Errorf("%q lines of header", how[shard.Header])
		}
		return file.JoinLines(ctx, path, header, pieces...)
	}
	return fmt.Errorf("pieces that are joined by %q: a newer Barrow can", how[shard.How])
}

// joinImages puts wafer files together.
func joinImages(ctx context.Context, how map[string]string, pieces []string, path string) error {
	s := wafer.WriteSettings{Dialect: how["dialect"], Unit: how["unit"]}
	var err error
	if s.Order, err = hgcal.ParseOrder(how["order"]); err != nil {
		return err
	}
	r, err := file.Open(ctx, wafer.ReadSettings{Order: s.Order}, pieces...)
	if err != nil {
		return err
	}
	defer r.Close()
	w, err := file.Create(path, false, s)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := wafer.Copy(ctx, w, r, wafer.CopySettings{}); err != nil {
		return err
	}
	return w.Close()
}

// close says that a shard is complete, if it was not before.
func (p *sharded) close(w io.Writer, rows int) error {
	if p.done {
		fmt.Fprintf(w, "shard %v of %s is there already\n", p.Shard, p.name)
		return nil
	}
	if err := p.Done(rows); err != nil {
		return fmt.Errorf("shard %v: %w", p.Shard, err)
	}
	fmt.Fprintf(w, "shard %v of %s: %d rows\n", p.Shard, p.name, rows)
	return nil
}

// firstOf are the first of a reader's images.
type firstOf struct {
	wafer.Reader
	left int
}

func (r *firstOf) Read(s *wafer.Set, n int) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	got, err := r.Reader.Read(s, min(n, r.left))
	r.left -= got
	return got, err
}
