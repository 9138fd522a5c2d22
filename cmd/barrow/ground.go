package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/index"
	"barrow/internal/table"
	"barrow/wafer"
	"barrow/wafer/file"
)

// groundFlags are the flags of commands that compare rows of two files by the EMD: what
// the rows are, what a move costs, and what becomes of totals that differ.
type groundFlags struct {
	imageFlags
	metric, cost, unequal, empty string
	grid, points, norm           string
	periodic                     []string
	given                        string // which of cost, grid and points, if any
	labels                       string // column of labels, if any
}

func (f *groundFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.imageFlags.add(cmd)
	metricVar(flags, &f.metric, "ground metric: benchmark, cmssw, or a CSV file of x,y per cell")
	flags.StringVar(&f.cost, "cost", "", "a table of costs, columns of A × columns of B, instead of a metric")
	flags.StringVar(&f.grid, "grid", "", "the shape of images, as in 28x28, instead of a metric of wafer images")
	flags.StringVar(&f.points, "points", "", "a table of coordinates, a row for each column of A and B, instead of a metric")
	wordVar(flags, &f.norm, "norm", "l2", norms, "the norm of --grid and --points: l1, l2 or linf")
	flags.StringSliceVar(&f.periodic, "periodic", nil, "axes that repeat, one value for each: yes or no for --grid, as in no,yes, or the length after which one of --points repeats, 0 where it does not, as in 0,360")
	flags.StringVar(&f.unequal, "unequal", "normalise", "images of different totals: normalise, error or penalty=R")
	wordVar(flags, &f.empty, "empty", "error", []string{"error", "nan"}, "pairs of which an image has no charge: error or nan")
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
func (f *groundFlags) settings(c *common) (emd.Settings, error) {
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

// check holds the flags to each other and to the files.
func (f *groundFlags) check(cmd *cobra.Command, pathA, pathB string) (err error) {
	if f.given, err = f.ofTables(cmd); err != nil {
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
	return nil
}

// openPair opens the files, and returns the ground of their rows. What is open is to be closed
// even after an error.
func (f *groundFlags) openPair(cmd *cobra.Command, job *pairing, pathA, pathB string) (ground emd.Ground, err error) {
	if f.given != "" {
		ground, err = f.tables(cmd, job, pathA, pathB)
	} else {
		ground, err = f.images(cmd, job, pathA, pathB)
	}
	if err == nil {
		job.cellsA, job.cellsB = ground.Dims()
	}
	return ground, err
}

// images opens wafer files, and returns their ground metric.
func (f *groundFlags) images(cmd *cobra.Command, job *pairing, pathA, pathB string) (emd.Ground, error) {
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
	if job.a, err = f.stream(pathA, f.labels); err != nil {
		return nil, noWafers(pathA, err)
	}
	if job.b, err = f.stream(pathB, f.labels); err != nil {
		return nil, noWafers(pathB, err)
	}
	return metric, nil
}

// noWafers says what else a file of rows may be that is none of wafer images.
func noWafers(path string, err error) error {
	t, no := table.Open(path)
	if no != nil {
		return err
	}
	defer t.Close()
	if t.Columns() == hgcal.Cells {
		return err
	}
	return fmt.Errorf("%w; rows of %d numbers that are no wafer images want --grid, --points or --cost", err, t.Columns())
}

// rows is a file of rows that are compared, read in pieces.
type rows interface {
	next(n int) error   // replaces the rows at hand by up to n further ones, none at the end
	len() int           // rows at hand
	before() int        // rows before these
	values() []float64  // of the rows at hand
	labels() []string   // of the rows at hand, nil where there are none
	names() []string    // of the columns that may be labels
	Place(i int) string // where row i of these stands
	Share() (float64, bool)
	Index(x *index.Index) // to be made as rows are read
	goTo(x *index.Index, row int) error
	Close() error
	fmt.Stringer // the file's name
}

// imageStream is a wafer file with the images that are being compared.
type imageStream struct {
	*file.Reader
	path string
	set  wafer.Set
	done int    // images read before those in set
	of   string // column of labels, if any
	text []string
}

// stream opens a wafer file with a column of labels, or "".
func (f *imageFlags) stream(path, labels string) (rows, error) {
	r, err := f.open(path)
	if err != nil {
		return nil, err
	}
	if path == "-" {
		path = "standard input"
	}
	return &imageStream{Reader: r, path: path, of: labels}, nil
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

func (s *imageStream) goTo(x *index.Index, row int) error {
	s.done = row
	return s.GoTo(x, row)
}

func (s *imageStream) labels() []string {
	c := s.set.Column(s.of)
	if s.of == "" || c == nil {
		return nil
	}
	s.text = s.text[:0]
	for i := range s.set.Len() {
		s.text = append(s.text, c.Value(i))
	}
	return s.text
}

func (s *imageStream) names() (names []string) {
	for _, c := range s.set.Columns {
		names = append(names, c.Name)
	}
	return names
}

// pairing is two files that are read row by row, side by side.
type pairing struct {
	a, b           rows
	cellsA, cellsB int
	order          hgcal.Order // of wafer images
	row, mass      string      // what these are called
}

func (j *pairing) close() {
	for _, r := range []rows{j.a, j.b} {
		if r != nil {
			r.Close()
		}
	}
}

// pairInputs are the two files as inputs of shards.
func (f *groundFlags) pairInputs(cmd *cobra.Command, pathA, pathB string) (*shardInputs, error) {
	in := &shardInputs{given: []string{pathA, pathB}}
	var ends [2]float64 // bytes up to the end of each
	all := 0.0
	for k, given := range in.given {
		paths := []string{given}
		if f.given == "" {
			var err error
			if paths, err = file.Expand(given); err != nil {
				return nil, err
			}
		}
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil { // if not, that is said when it is opened
				all += float64(info.Size())
			}
		}
		in.paths, ends[k] = append(in.paths, paths...), all
	}
	in.look = func(ctx context.Context, set func(float64, string)) ([]*index.Index, map[string]string, error) {
		j := &pairing{}
		defer j.close()
		if _, err := f.openPair(cmd, j, pathA, pathB); err != nil {
			return nil, nil, err
		}
		a, err := j.index(ctx, j.a, func(share float64) { set(share*ends[0]/all, lookingThrough) })
		if err != nil {
			return nil, nil, err
		}
		b, err := j.index(ctx, j.b, func(share float64) { set((ends[0]+share*(all-ends[0]))/all, lookingThrough) })
		if err == nil && a.Rows != b.Rows {
			err = j.lengths()
		}
		return []*index.Index{a, b}, nil, err
	}
	return in, nil
}

// index looks one of the files through.
func (j *pairing) index(ctx context.Context, r rows, set func(share float64)) (*index.Index, error) {
	x := &index.Index{}
	r.Index(x)
	for more := true; more; more = r.len() > 0 {
		if err := errors.Join(ctx.Err(), r.next(min(j.some(), markEvery))); err != nil {
			return nil, err
		}
		if share, ok := r.Share(); ok {
			set(share)
		}
	}
	return x, nil
}

// emdNumbers bounds the numbers of a file in memory: 4,096 wafer images.
const emdNumbers = 4096 * hgcal.Cells

// some is how many rows that is.
func (j *pairing) some() int { return max(1, emdNumbers/max(j.cellsA, j.cellsB)) }

// noMass is an error about a row that has no distance to another.
func (j *pairing) noMass(place, instead string) error {
	return fmt.Errorf("%s: the %s has no %s, so it has no distance to another; leave %s out, or use --empty nan or --unequal penalty=R", place, j.row, j.mass, instead)
}

// pairError is one about a pair of rows.
func pairError(a, b string, err error) error {
	if total := (*emd.TotalError)(nil); errors.As(err, &total) {
		return fmt.Errorf("%s and %s: the totals, %g and %g, differ; make them equal, or use --unequal normalise or --unequal penalty=R", a, b, total.P, total.Q)
	}
	return fmt.Errorf("%s and %s: %s", a, b, strings.TrimPrefix(err.Error(), "emd: "))
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
