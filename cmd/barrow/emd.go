package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/wafer"
	"barrow/wafer/file"
)

// emdFlags are the flags of the emd command.
type emdFlags struct {
	imageFlags
	metric, cost, unequal, empty, potentials string
	grid, points, norm                       string
	force                                    bool
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
semicolons, tabs or spaces, with or without a header.

--grid 28x28 compares rows of images of any size instead, of 28 rows of 28 pixels a unit
apart, row by row; any number of axes will do. --points FILE compares masses at any
points: FILE has a row of coordinates for each column of A and B. --norm says
how distances are measured: straight (l2), along the axes (l1), or by the largest
difference of a coordinate (linf).

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
	f.imageFlags.add(cmd)
	metricVar(flags, &f.metric, "ground metric: benchmark, cmssw, or a CSV file of x,y per cell")
	flags.StringVar(&f.cost, "cost", "", "a table of costs, columns of A × columns of B, instead of a metric")
	flags.StringVar(&f.grid, "grid", "", "the shape of images, as in 28x28, instead of a metric of wafer images")
	flags.StringVar(&f.points, "points", "", "a table of coordinates, a row for each column of A and B, instead of a metric")
	wordVar(flags, &f.norm, "norm", "l2", norms, "the norm of --grid and --points: l1, l2 or linf")
	flags.StringVar(&f.unequal, "unequal", "normalise", "images of different totals: normalise, error or penalty=R")
	wordVar(flags, &f.empty, "empty", "error", []string{"error", "nan"}, "pairs of which an image has no charge: error or nan")
	flags.StringVar(&f.potentials, "potentials", "", "write the gradients to this NPZ file")
	flags.BoolVar(&f.force, "force", false, "overwrite an existing file")
	return cmd
}

// parseUnequal reads --unequal.
func parseUnequal(s string) (emd.Settings, error) {
	switch name, r, _ := strings.Cut(s, "="); {
	case s == "normalise" || s == "normalize":
		return emd.Settings{Unequal: emd.UnequalNormalise}, nil
	case s == "error":
		return emd.Settings{Unequal: emd.UnequalError}, nil
	case name == "penalty":
		x, err := strconv.ParseFloat(r, 64)
		if err != nil || !(x > 0 && x <= emd.MaxDistance) {
			return emd.Settings{}, fmt.Errorf("--unequal %s: give the penalty as a number above 0 and at most %g, as in penalty=7", s, emd.MaxDistance)
		}
		return emd.Settings{Unequal: emd.UnequalPenalty, Penalty: x}, nil
	}
	return emd.Settings{}, fmt.Errorf("--unequal %s: choose normalise, error or penalty=R", s)
}

// settings are those that the flags say.
func (f *emdFlags) settings(c *common) (emd.Settings, error) {
	s, err := parseUnequal(f.unequal)
	if err != nil {
		return s, err
	}
	if f.empty == "nan" {
		s.Empty = emd.EmptySkip
	}
	s.Threads = c.threads
	return s, nil
}

func (f *emdFlags) run(cmd *cobra.Command, c *common, pathA, pathB string) error {
	settings, err := f.settings(c)
	if err != nil {
		return err
	}
	plain, err := f.ofTables(cmd)
	if err != nil {
		return err
	}
	standard := 0
	for _, path := range []string{pathA, pathB, f.cost, f.points} {
		if path == "-" {
			standard++
		}
	}
	if standard > 1 {
		return errors.New("standard input can be one of the files, not more")
	}
	if f.potentials != "" {
		if err := outfile.Check(f.potentials, f.force); err != nil {
			return err
		}
	}
	job := &emdJob{json: c.json, out: bufio.NewWriter(cmd.OutOrStdout())}
	var ground emd.Ground
	if plain != "" {
		ground, err = f.tables(cmd, job, plain, pathA, pathB)
	} else {
		ground, err = f.images(cmd, job, pathA, pathB)
	}
	defer job.close()
	if err != nil {
		return err
	}
	if job.batch, err = emd.NewBatch(ground, settings); err != nil {
		return err
	}
	job.cellsA, job.cellsB = ground.Dims()
	if f.potentials != "" {
		job.gradients, err = npz.Create(f.potentials, f.force,
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

// images opens wafer files, and returns their ground metric.
func (f *emdFlags) images(cmd *cobra.Command, job *emdJob, pathA, pathB string) (emd.Ground, error) {
	of, err := f.imageFlags.settings()
	if err != nil {
		return nil, err
	}
	job.order, job.row, job.mass = of.Order, "image", "charge"
	points, err := hgcal.Positions(f.metric)
	if err != nil {
		return nil, err
	}
	metricRemark(cmd, f.metric)
	metric, err := emd.Euclidean(points)
	if err != nil {
		return nil, fmt.Errorf("metric %s: %w", f.metric, err)
	}
	if job.a, err = f.stream(pathA); err != nil {
		return nil, err
	}
	job.b, err = f.stream(pathB)
	return metric, err
}

// rows is a file of rows that are compared, read in pieces.
type rows interface {
	next(n int) error   // replaces the rows at hand by up to n further ones, none at the end
	len() int           // rows at hand
	before() int        // rows before these
	values() []float64  // of the rows at hand
	Place(i int) string // where row i of these stands
	Share() (float64, bool)
	Close() error
	fmt.Stringer // the file's name
}

// imageStream is a wafer file with the images that are being compared.
type imageStream struct {
	*file.Reader
	path string
	set  wafer.Set
	done int // images read before those in set
}

func (f *imageFlags) stream(path string) (rows, error) {
	r, err := f.open(path)
	if err != nil {
		return nil, err
	}
	if path == "-" {
		path = "standard input"
	}
	return &imageStream{Reader: r, path: path}, nil
}

// next replaces the images in set by up to n further ones, none at the end.
func (s *imageStream) next(n int) error {
	s.done += s.set.Len()
	s.set.Charge = s.set.Charge[:0]
	if _, err := s.Read(&s.set, n); err != nil && err != io.EOF {
		return err
	}
	return nil
}

func (s *imageStream) len() int          { return s.set.Len() }
func (s *imageStream) before() int       { return s.done }
func (s *imageStream) values() []float64 { return s.set.Charge }
func (s *imageStream) String() string    { return s.path }

// pairing is two files that are read row by row, side by side.
type pairing struct {
	a, b           rows
	cellsA, cellsB int
	row, mass      string // what these are called
}

// emdJob is one run of the command.
type emdJob struct {
	pairing
	batch     *emd.Batch
	order     hgcal.Order // of images
	json      bool
	out       *bufio.Writer
	gradients *npz.Writer // nil unless wanted
}

func (j *pairing) close() {
	for _, r := range []rows{j.a, j.b} {
		if r != nil {
			r.Close()
		}
	}
}

// emdNumbers bounds the numbers of a file in memory: 4,096 wafer images.
const emdNumbers = 4096 * hgcal.Cells

// some is how many rows that is.
func (j *pairing) some() int { return max(1, emdNumbers/max(j.cellsA, j.cellsB)) }

func (j *emdJob) run(ctx context.Context, bar *progressBar) error {
	some := j.some()
	e := make([]float64, some)
	var dp, dq []float64
	if j.gradients != nil {
		dp, dq = make([]float64, some*j.cellsA), make([]float64, some*j.cellsB)
	}
	for {
		if err := j.a.next(some); err != nil {
			return err
		}
		if err := j.b.next(some); err != nil {
			return err
		}
		n := j.a.len()
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

// share is how much is read of the files whose size is known.
func (j *pairing) share() float64 {
	least, known := 1.0, false
	for _, s := range []rows{j.a, j.b} {
		if share, ok := s.Share(); ok {
			least, known = min(least, share), true
		}
	}
	if !known {
		return 0
	}
	return least
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

// emdNumber is x for JSON, which knows no NaN: null.
func emdNumber(x float64) *float64 {
	if math.IsNaN(x) {
		return nil
	}
	return &x
}

// emdText is x for a line, nan as Python and C spell it.
func emdText(x float64) string {
	if math.IsNaN(x) {
		return "nan"
	}
	return strconv.FormatFloat(x, 'g', 12, 64)
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
		return fmt.Errorf("%s: the %s has no %s, so it has no distance to another; leave the pair out, or use --empty nan or --unequal penalty=R", side, j.row, j.mass)
	}
	if total := (*emd.TotalError)(nil); errors.As(err, &total) {
		return fmt.Errorf("%s and %s: the totals, %g and %g, differ; make them equal, or use --unequal normalise or --unequal penalty=R", a, b, total.P, total.Q)
	}
	return fmt.Errorf("%s and %s: %s", a, b, strings.TrimPrefix(row.Err.Error(), "emd: "))
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
