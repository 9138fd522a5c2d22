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
}

// begin begins a shard of the file out, nil where none is asked for. inputs are the files that the
// command reads beside those that its flags name.
func (f *shardFlag) begin(cmd *cobra.Command, out string, join map[string]string, inputs ...string) (*sharded, error) {
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
	w, err := workOf(cmd, join, inputs)
	if err != nil {
		return nil, err
	}
	force, _ := cmd.Flags().GetBool("force")
	p := &sharded{Shard: s, name: out}
	p.Piece, p.done, err = shard.Open(out, s, w, force)
	return p, err
}

// unsaid are flags that change no byte of a file.
var unsaid = []string{"shard", maxRuntime, "threads", "quiet", "force", "out", "help"}

// workOf describes what a command does by the flags that were given and the files that they name.
func workOf(cmd *cobra.Command, join map[string]string, inputs []string) (shard.Work, error) {
	w := shard.Work{Command: strings.TrimPrefix(cmd.CommandPath(), cmd.Root().Name()+" "), Settings: map[string]string{}, Inputs: map[string]string{}, Join: join}
	for k, in := range inputs {
		w.Settings["input "+strconv.Itoa(k+1)] = in
	}
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
		digest, err := digestOf(in)
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
func digestOf(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", nil
	}
	h := sha256.New()
	add := func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		_, err = io.Copy(h, f)
		return err
	}
	switch {
	case info.Mode().IsRegular():
		err = add(path)
	case info.IsDir():
		err = filepath.WalkDir(path, func(at string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() || filepath.Ext(at) != ".weights" && e.Name() != "config.json" {
				return err
			}
			fmt.Fprintln(h, e.Name())
			return add(at)
		})
	default:
		return "", nil
	}
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

// rowsOf are some of a reader's images.
type rowsOf struct {
	wafer.Reader
	skip, left int
}

func (r *rowsOf) Read(s *wafer.Set, n int) (int, error) {
	for r.skip > 0 {
		got, err := r.Reader.Read(s, min(n, r.skip))
		if err != nil {
			return 0, err
		}
		r.skip -= got
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	got, err := r.Reader.Read(s, min(n, r.left))
	r.left -= got
	return got, err
}
