package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/index"
	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/run/shard"
	"barrow/wafer"
)

// emdFlags are the flags of the emd command.
type emdFlags struct {
	groundFlags
	potentials, out string
	force           bool
	shard           shardFlag
}

func newEmd(c *common) *cobra.Command {
	f := &emdFlags{}
	cmd := &cobra.Command{
		Use:   "emd A B",
		Short: "Exact earth mover's distance of row i of A and row i of B",
		Long: `Prints the exact earth mover's distance between each image of wafer file A and
the image in the same row of B, one number a line, in the unit of the metric.
The files are read as streams, in memory that does not grow with them; one file
may be - for standard input.

--potentials writes the gradients with respect to both images, as the files
hold them and in their cell order: arrays f (dEMD/dA) and g (dEMD/dB), N×48.

--cost FILE compares rows of any length instead of wafer images: A has n columns,
B m columns, and FILE n rows of m costs, of any sign: what it costs to move a unit
from a column of A to one of B. All three are tables in text, separated by commas,
semicolons, tabs or spaces, with or without a header, or arrays of NumPy (NPY, or NPZ with
one), whose first axis is the rows.

--grid 28x28 compares rows of images of any size instead, of 28 rows of 28 pixels a unit
apart, row by row; any number of axes will do. --points FILE compares masses at any
points: FILE has a row of coordinates for each column of A and B. --norm says
how distances are measured: straight (l2), along the axes (l1), or by the largest
difference of a coordinate (linf); --periodic, which axes repeat.

--unequal says what to do where the totals differ:
  normalise   compare both images scaled to sum 1 (the default)
  error       refuse
  penalty=R   move the lighter image's charge, and pay R per unit of the rest

--empty says what a pair gives of which one image has no charge, and so no
distance unless --unequal is penalty=R:
  error   the command stops and names the row (the default)
  nan     nan is printed (null with --json), and its gradients are 0`,
		Example: `  barrow emd input.csv decoded.csv
  barrow emd input.csv decoded.csv --potentials gradients.npz
  barrow emd - decoded.csv --metric cmssw --unequal penalty=9 < input.csv
  barrow emd supply.csv demand.csv --cost costs.csv
  barrow emd digits.csv others.csv --grid 28x28 --norm l1`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0], args[1]) },
	}
	flags := cmd.Flags()
	f.groundFlags.add(cmd)
	flags.StringVar(&f.potentials, "potentials", "", "write the gradients to this NPZ file")
	flags.StringVar(&f.out, "out", "", "file for the distances instead of standard output")
	flags.BoolVar(&f.force, "force", false, "overwrite an existing file")
	f.shard.add(cmd)
	return cmd
}

func (f *emdFlags) run(cmd *cobra.Command, c *common, pathA, pathB string) error {
	settings, err := f.settings(c)
	if err != nil {
		return err
	}
	if err := f.check(cmd, pathA, pathB); err != nil {
		return err
	}
	for _, out := range []string{f.out, f.potentials} {
		if err := notAmong([]string{pathA, pathB, f.cost, f.points}, out); err != nil {
			return err
		}
	}
	if f.out != "" && f.potentials != "" && filepath.Clean(f.out) == filepath.Clean(f.potentials) {
		return fmt.Errorf("--out and --potentials are both %s: choose two names", f.out)
	}
	if f.potentials != "" && !f.shard.given() {
		if err := outfile.Check(f.potentials, f.force); err != nil {
			return err
		}
	}
	if f.shard.given() {
		return f.part(cmd, c, settings, pathA, pathB)
	}
	job := &emdJob{json: c.json, to: -1, potentials: f.potentials, force: f.force}
	if f.out == "" {
		job.out = bufio.NewWriter(cmd.OutOrStdout())
		return f.job(cmd, c, job, settings, pathA, pathB)
	}
	return outfile.Write(f.out, f.force, func(w io.Writer) error {
		job.out = bufio.NewWriter(w)
		return f.job(cmd, c, job, settings, pathA, pathB)
	})
}

// part computes the distances of a shard.
func (f *emdFlags) part(cmd *cobra.Command, c *common, settings emd.Settings, pathA, pathB string) error {
	in, err := f.pairInputs(cmd, pathA, pathB)
	if err != nil {
		return err
	}
	p, err := f.shard.begin(cmd, c, f.out, lines(0), in)
	if err != nil {
		return err
	}
	var g *sharded // of the gradients
	done := p.done
	if f.potentials != "" {
		if g, err = p.beside(cmd, f.potentials, map[string]string{shard.How: byArrays}); err != nil {
			return err
		}
		done = done && g.done
	}
	if done {
		return p.close(remarks(cmd, c), 0)
	}
	job := &emdJob{json: c.json, indexes: p.in.Rows}
	if job.from, job.to = p.rows(0); job.to > job.from {
		err = outfile.Write(p.Path(), true, func(w io.Writer) error {
			job.out = bufio.NewWriter(w)
			if g != nil {
				job.potentials, job.force = g.Path(), true
			}
			return f.job(cmd, c, job, settings, pathA, pathB)
		})
		if err != nil {
			return err
		}
	}
	if g != nil {
		if err := g.Done(job.to - job.from); err != nil {
			return err
		}
	}
	p.done = false
	return p.close(remarks(cmd, c), job.to-job.from)
}

// job opens the files and computes the distances of the job's rows.
func (f *emdFlags) job(cmd *cobra.Command, c *common, job *emdJob, settings emd.Settings, pathA, pathB string) error {
	ground, err := f.openPair(cmd, &job.pairing, pathA, pathB)
	defer job.close()
	if err != nil {
		return err
	}
	if job.batch, err = emd.NewBatch(ground, settings); err != nil {
		return err
	}
	if job.potentials != "" {
		job.gradients, err = npz.Create(job.potentials, job.force,
			npz.Array{Name: "f", Type: npz.Float64, Row: []int{job.cellsA}}, npz.Array{Name: "g", Type: npz.Float64, Row: []int{job.cellsB}})
		if err != nil {
			return err
		}
		defer job.gradients.Abort()
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	return job.run(cmd.Context(), bar)
}

// emdJob is one run of the command.
type emdJob struct {
	pairing
	batch    *emd.Batch
	json     bool
	from, to int            // rows to compare; to is -1 for all
	indexes  []*index.Index // of both files, where from is not the first
	out      *bufio.Writer
	// potentials is the file for the gradients, "" for none; force replaces it.
	potentials string
	force      bool
	gradients  *npz.Writer // nil unless wanted
}

func (j *emdJob) run(ctx context.Context, bar *progressBar) error {
	some := j.some()
	e := make([]float64, some)
	var dp, dq []float64
	if j.gradients != nil {
		dp, dq = make([]float64, some*j.cellsA), make([]float64, some*j.cellsB)
	}
	if j.from > 0 {
		if err := errors.Join(j.a.goTo(j.indexes[0], j.from), j.b.goTo(j.indexes[1], j.from)); err != nil {
			return err
		}
	}
	for {
		n := some
		if j.to >= 0 {
			if n = min(some, j.to-j.a.before()-j.a.len()); n == 0 {
				break
			}
		}
		if err := errors.Join(j.a.next(n), j.b.next(n)); err != nil {
			return err
		}
		n = j.a.len()
		if n != j.b.len() {
			return j.lengths()
		}
		if n == 0 {
			break
		}
		if dp != nil {
			dp, dq = dp[:n*j.cellsA], dq[:n*j.cellsB]
		}
		if err := j.batch.Gradient(ctx, j.a.values(), j.b.values(), e[:n], dp, dq); err != nil {
			return errors.Join(j.out.Flush(), j.locate(err))
		}
		if err := j.write(e[:n], dp, dq); err != nil {
			return err
		}
		bar.set(j.share(), fmt.Sprintf("%d pairs", j.a.before()+n))
	}
	if err := j.out.Flush(); err != nil {
		return err
	}
	if j.gradients != nil {
		return j.gradients.Commit()
	}
	return nil
}

// write prints distances and stores gradients, in the cell order of the files.
func (j *emdJob) write(e, dp, dq []float64) error {
	for i, x := range e {
		var err error
		if j.json {
			var line []byte
			line, err = json.Marshal(struct {
				Row int      `json:"row"`
				EMD *float64 `json:"emd"`
			}{j.a.before() + i, emdNumber(x)})
			if err == nil {
				_, err = fmt.Fprintf(j.out, "%s\n", line)
			}
		} else {
			_, err = fmt.Fprintln(j.out, emdText(x))
		}
		if err != nil {
			return err
		}
	}
	if j.gradients == nil {
		return nil
	}
	j.reorder(dp)
	j.reorder(dq)
	return errors.Join(j.gradients.Append("f", dp), j.gradients.Append("g", dq))
}

// reorder puts rows of cells from V9 into the order of the files.
func (j *emdJob) reorder(v []float64) {
	if j.order == hgcal.V9 {
		return
	}
	cell := j.order.ToV9()
	var row [hgcal.Cells]float64
	for ; len(v) > 0; v = v[hgcal.Cells:] {
		copy(row[:], v)
		for at, c := range cell {
			v[at] = row[c]
		}
	}
}

// locate names the rows of the files that a pair came from.
func (j *emdJob) locate(err error) error {
	row := (*emd.RowError)(nil)
	if !errors.As(err, &row) {
		return err
	}
	a, b := j.a.Place(row.Row), j.b.Place(row.Row)
	if errors.Is(err, emd.ErrEmpty) {
		side := a
		if wafer.Sum(j.a.values()[row.Row*j.cellsA:][:j.cellsA]) > 0 {
			side = b
		}
		return j.noMass(side, "the pair")
	}
	return pairError(a, b, row.Err)
}

// lengths reports how many images each file has.
func (j *pairing) lengths() error {
	var count [2]int
	for i, s := range []rows{j.a, j.b} {
		for s.len() > 0 {
			if err := s.next(j.some()); err != nil {
				return err
			}
		}
		count[i] = s.before()
	}
	return fmt.Errorf("%s has %d %ss and %s has %d: row i of one is compared with row i of the other", j.a, count[0], j.row, j.b, count[1])
}
