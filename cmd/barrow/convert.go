package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"barrow/hgcal"
	"barrow/internal/index"
	"barrow/internal/jsonout"
	"barrow/internal/outfile"
	"barrow/wafer"
	"barrow/wafer/file"
	"barrow/wafer/pick"
)

// convertFlags are those of the convert command.
type convertFlags struct {
	imageFlags
	outOrder, dialect string
	digits            int
	force             bool
	shard             shardFlag

	pick pick.Settings
}

// newConvert is the command that turns wafer files into others.
func newConvert(c *common) *cobra.Command {
	f := &convertFlags{}
	cmd := &cobra.Command{
		Use:   "convert IN... OUT",
		Short: "Turn wafer files into one of another format, layout or cell order",
		Long: `Convert reads wafer images and writes them again: in another format (by the
ending of OUT), with another layout of columns, another cell numbering, or
another number of digits; all of them, or some. Several files, or those that a
pattern such as 'nt_*.root' fits, are joined. It streams, so files may be of any
size; .gz and .zst behind an ending compress. "-" stands for standard input and
output. What OUT cannot hold is said.

Some of the images: --select, then every N-th of those, then in random order,
then at most so many; --shuffle with --limit is a random sample. In --select the
columns are variables, and so are row (from 0), charge (the list of 48) and sum:
  layer == 9 && abs(eta) > 2        ModType in ["FI", "FM"]
  sum > 100 and max(charge) < 2000  count(charge, # > 35) >= 3
  missing(gen_pt)                   $env["a name with spaces"] > 0

Layouts of CSV (--dialect):
  header    a header, CALQ_0 ... CALQ_47, then all metadata columns
  charges   a header and the 48 charges
  ecoder    the training files of Ecoder: entry, charges, their metadata
  noheader  the older training files: 57 columns without a header
  plain     48 charges without a header
and of Parquet: list (one column CALQ of 48 numbers) or columns (CALQ_0 ...).

A header says the cell order where it is not v9: CALQ_postmux_0. Images without
any charge are converted too, and counted.`,
		Example: `  barrow convert ntuple.root wafers.parquet
  barrow convert --select 'layer==9 && eta>2' --columns layer,eta 'nt_*.root' wafers.csv.gz
  barrow convert --shuffle --seed 7 --limit 10000 wafers.npz sample.csv
  barrow convert --dialect plain train.csv -`,
		Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, c, args[:len(args)-1], args[len(args)-1])
		},
	}
	f.imageFlags.add(cmd)
	flags := cmd.Flags()
	wordVar(flags, &f.outOrder, "out-order", "v9", hgcal.OrderNames(), "cell numbering of OUT")
	wordVar(flags, &f.dialect, "dialect", "", file.Dialects(), "layout of OUT: "+strings.Join(file.Dialects(), ", "))
	flags.IntVar(&f.digits, "digits", 0, "digits behind the decimal point of charges in CSV; 0 writes the shortest exact form")
	flags.StringVar(&f.pick.Select, "select", "", "take the images for which this is true, as in 'layer==9 && eta>2'")
	flags.StringSliceVar(&f.pick.Columns, "columns", nil, "metadata columns to keep, in this order (default all); files need to have no others in common")
	flags.IntVar(&f.pick.Every, "every", 0, "take the first of every so many selected images")
	flags.IntVar(&f.pick.Limit, "limit", 0, "take at most so many")
	flags.BoolVar(&f.pick.Shuffle, "shuffle", false, "put the images in random order, that of --seed")
	flags.BoolVar(&f.force, "force", false, "overwrite OUT")
	f.shard.add(cmd)
	return cmd
}

// convertGC is how much the heap may grow, in percent of what is in use, before it is
// cleared. Files are converted a batch at a time: with the usual 100 the largest part
// of the memory would be batches of before, and the more the longer a file is.
const convertGC = 25

func (f *convertFlags) run(cmd *cobra.Command, c *common, in []string, out string) (err error) {
	defer debug.SetGCPercent(debug.SetGCPercent(convertGC))
	in, to, err := f.check(cmd, c, in, out)
	if err != nil {
		return err
	}
	r, err := f.open(in...)
	if err != nil {
		return err
	}
	defer func() { r.Close() }()
	to.Unit = r.Info().Unit
	p, err := f.begin(cmd, c, in, out, to)
	if err != nil {
		return err
	}
	if p != nil {
		if p.done {
			return p.close(remarks(cmd, c), 0)
		}
		out = p.Path()
	}
	w, err := createImages(cmd, out, f.force || p != nil, to)
	if errors.Is(err, outfile.ErrExists) && sameEnding(in, out) {
		return fmt.Errorf("%s: exists, and is called as the files to read are: if it is one of them, as of a pattern that the shell put files for, name the output after it; if not, --force overwrites it", out)
	}
	if err != nil {
		return err
	}
	defer w.Abort()
	f.pick.Spool = w.Spool
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	if p != nil {
		if f.pick.From, f.pick.To = p.rows(0); f.pick.From == f.pick.To {
			return p.close(remarks(cmd, c), 0)
		}
	}
	progress, err := f.kinds(cmd, in, w, p, bar.set)
	if err != nil {
		return err
	}
	f.pick.Progress = progress
	picked, err := f.picked(cmd.Context(), r, p)
	if err != nil {
		return err
	}
	defer picked.Close()
	stats, err := wafer.Copy(cmd.Context(), w, picked, wafer.CopySettings{Progress: progress})
	if err != nil {
		return err
	}
	if p != nil && stats.Images == 0 {
		return p.close(remarks(cmd, c), 0)
	}
	if stats.Images == 0 && f.pick.Select != "" {
		return errors.New("--select: true for no image: nothing is written")
	}
	if err := w.Close(); err != nil {
		return err
	}
	bar.close()
	if p != nil {
		return p.close(remarks(cmd, c), stats.Images)
	}
	return f.report(cmd, c, out, lost(out, w), picked.Seen(), stats)
}

// check is what can be found wrong before a file is opened; it returns the files that patterns fit, and how
// to write.
func (f *convertFlags) check(cmd *cobra.Command, c *common, in []string, out string) (files []string, to wafer.WriteSettings, err error) {
	f.pick.Seed = c.seed
	if err := f.pick.Check(); err != nil {
		return nil, to, err
	}
	if !f.pick.Shuffle {
		if err := needless(cmd.Flags(), purpose{[]string{"seed"}, "a random order, with --shuffle", false}); err != nil {
			return nil, to, err
		}
	}
	if files, err = file.Expand(in...); err != nil {
		return nil, to, err
	}
	if err := apart(files, out); err != nil {
		return nil, to, err
	}
	to = wafer.WriteSettings{Dialect: f.dialect, Digits: f.digits}
	to.Order, err = hgcal.ParseOrder(f.outOrder)
	return files, to, err
}

// kinds gives a format that wants to know them the kinds of all columns: the shards' own, or what a look at the files
// finds. It returns what of the progress is left for copying.
func (f *convertFlags) kinds(cmd *cobra.Command, in []string, w *file.Writer, p *sharded, progress func(float64, string)) (func(float64, string), error) {
	switch {
	case !w.Typed():
	case p != nil:
		w.SetTypes(wafer.TypesOf(p.in.Notes))
	case !slices.Contains(in, "-"):
		types, whole, err := f.look(cmd, in, part(progress, 0, looking), nil)
		if err != nil {
			return nil, err
		}
		w.SetTypes(types)
		if whole {
			return part(progress, looking, 1), nil
		}
	}
	return progress, nil
}

// begin begins a shard, nil where none is asked for.
func (f *convertFlags) begin(cmd *cobra.Command, c *common, in []string, out string, to wafer.WriteSettings) (*sharded, error) {
	if !f.shard.given() {
		return nil, nil
	}
	if f.pick.Shuffle || f.pick.Limit > 0 {
		return nil, errors.New("--shard: shards are of images in their order, all of them: leave --shuffle and --limit for what is merged")
	}
	inputs := &shardInputs{given: in, paths: in, look: func(ctx context.Context, set func(float64, string)) ([]*index.Index, map[string]string, error) {
		x := &index.Index{}
		if file.Text(out) {
			return []*index.Index{x}, nil, f.lookThrough(ctx, in, x, f.keep, set)
		}
		types, _, err := f.look(cmd, in, set, x)
		return []*index.Index{x}, types.Kinds(), err
	}}
	return f.shard.begin(cmd, c, out, pieces(out, to), inputs)
}

// lost says what of the images the output does not have.
func lost(out string, w *file.Writer) []string {
	var lines []string
	for _, text := range w.Lost() {
		lines = append(lines, out+": does not have "+text)
	}
	return lines
}

// report says how many of the images read were written, and what is to be said of them.
func (f *convertFlags) report(cmd *cobra.Command, c *common, out string, said []string, read int, stats wafer.Copied) error {
	for _, text := range said {
		fmt.Fprintln(remarks(cmd, c), text)
	}
	if c.json && out != "-" {
		return jsonout.Encode(cmd.OutOrStdout(), map[string]int{"images": stats.Images, "read": read, "zero_sum": stats.ZeroSum})
	}
	of := ""
	if read != stats.Images {
		of = fmt.Sprintf(" of the %d read", read)
	}
	fmt.Fprintf(remarks(cmd, c), "%d images%s, %d of them without charge\n", stats.Images, of, stats.ZeroSum)
	return nil
}

// looking is about how much of the time it takes to look files through.
const looking = 0.3

// part is the progress of work that is a part of the whole.
func part(set func(float64, string), from, to float64) func(float64, string) {
	return func(share float64, note string) { set(from+share*(to-from), note) }
}

// apart refuses an output that is one of the inputs, or a pattern that files fit: one more
// input, and the output was forgotten.
func apart(in []string, out string) error {
	if found, err := file.Expand(out); err == nil && (len(found) != 1 || found[0] != out) {
		return fmt.Errorf("%s: is a pattern, of %d files that are there: name the output after it", out, len(found))
	}
	return notAmong(in, out)
}

// notAmong refuses an output that is one of the inputs.
func notAmong(in []string, out string) error {
	to, err := os.Stat(out)
	if err != nil || !to.Mode().IsRegular() {
		return nil // what is wrong with the output is found when it is made
	}
	for _, name := range in {
		if from, err := os.Stat(name); err == nil && os.SameFile(from, to) {
			return fmt.Errorf("%s: is among the files to read: choose another name for the output", out)
		}
	}
	return nil
}

// sameEnding reports whether the output has the same ending as all files to read.
func sameEnding(in []string, out string) bool {
	return !slices.ContainsFunc(in, func(name string) bool { return filepath.Ext(name) != filepath.Ext(out) })
}

// keep has a reader give only the columns that the flags name.
func (f *convertFlags) keep(r *file.Reader) error {
	if f.pick.Columns == nil {
		return nil
	}
	keep, err := pick.Columns(f.pick, r.Info().Columns)
	if err != nil {
		return err
	}
	return r.Keep(keep)
}

// picked are the images of r that the flags pick, with the columns that they name; those of a shard
// alone, unless that is nil.
func (f *convertFlags) picked(ctx context.Context, r *file.Reader, p *sharded) (*pick.Reader, error) {
	if err := f.keep(r); err != nil {
		return nil, err
	}
	of := f.pick
	if p != nil && (of.Select == "" || of.Every < 2) { // otherwise those before have to be counted
		of.First = of.From
		if err := r.GoTo(p.in.Rows[0], of.From); err != nil {
			return nil, err
		}
	}
	return pick.New(ctx, r, of)
}

// look finds of what kinds the columns are, for a file that must know it before the
// first image: files are read until it is certain, those of text to their end; whole
// says whether one was. With an index, which is made, all are read to their end.
func (f *convertFlags) look(cmd *cobra.Command, in []string, progress func(float64, string), x *index.Index) (types *wafer.Types, whole bool, err error) {
	types = &wafer.Types{}
	for _, name := range in {
		if info, err := os.Stat(name); err != nil || !info.Mode().IsRegular() {
			return types, false, nil // a pipe is read once
		}
	}
	s, err := f.settings()
	if err != nil {
		return types, false, err
	}
	r, err := file.Open(cmd.Context(), s, in...)
	if err != nil {
		return types, false, err
	}
	defer r.Close()
	of := *f
	if of.pick.Shuffle { // any of them may be among the first
		of.pick.Shuffle, of.pick.Limit = false, 0
	}
	p, err := of.picked(cmd.Context(), r, nil)
	if err != nil {
		return types, false, err
	}
	defer p.Close()
	if x != nil {
		r.Index(x)
	}
	certain := -1 // number of the file of which all is known
	var part wafer.Set
	for {
		_, err := p.Read(&part, markEvery)
		if err == io.EOF {
			return types, whole, nil
		}
		if err != nil {
			return types, false, err
		}
		if r.File() != certain {
			types.Look(&part)
			if !slices.ContainsFunc(part.Columns, func(c wafer.Column) bool { return !types.Certain(&c) }) {
				certain = r.File()
			}
		}
		if certain == r.File() && x == nil {
			if err := r.Next(); err != nil {
				return types, false, err
			}
			continue
		}
		whole = true
		if share, ok := p.Share(); ok {
			progress(share, "columns")
		}
	}
}
