package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"barrow/emd"
	"barrow/internal/jsonout"
	"barrow/internal/knn"
	"barrow/internal/limit"
)

// nearestFlags are the flags of the nearest command.
type nearestFlags struct {
	groundFlags
	k      int
	itself bool
}

func newNearest(c *common) *cobra.Command {
	f := &nearestFlags{}
	cmd := &cobra.Command{
		Use:   "nearest A B",
		Short: "The rows of B that are nearest to each row of A by the exact EMD",
		Long: `Finds for each image of wafer file A, or each row of table A, the --k nearest of B by
the exact earth mover's distance, and prints a line for each: row of A, rank from 1,
row of B (its index), distance. Rows count from 0; of rows of B at the same distance
the first comes first. They are exactly those of comparing each row with each, but
bounds from below tell of most pairs that they are too far: how few had to be
solved is said in the end. B is held in memory, A is read as a stream; one of them may
be - for standard input.

Files, metrics, --grid, --points, --cost, --unequal and --empty are those of
"barrow emd". With --empty nan a row of B without mass is nobody's neighbour, and a row
of A without mass has the index -1 and the distance nan.

--labels COLUMN classifies: each neighbour's label is printed, and the one that most of
the k have, or of several that as many have the nearest one's. COLUMN is a metadata column of
wafer files; of tables the name of a column in their first line, its number from 1, or the
name of an array of an NPZ file. Where A has it, too, the share of rows that are given
their own label is reported, of those that have a neighbour, and that by the straight-line
distance (L2) of the same rows in its place, scaled to sum 1 where --unequal scales them.

--leave-one-out is for A and B that are the same, or A the first rows of B: row i is not
held against itself.

With --json there is an object for each line, and a last one, "summary".`,
		Example: `  barrow nearest query.csv images.csv --k 5
  barrow nearest test.csv train.csv --grid 28x28 --norm l1 --labels label
  barrow nearest digits.npz digits.npz --grid 28x28 --labels y --leave-one-out`,
		Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0], args[1]) },
	}
	flags := cmd.Flags()
	flags.IntVar(&f.k, "k", 1, "how many neighbours")
	flags.StringVar(&f.labels, "labels", "", "`column` of labels to classify by")
	flags.BoolVar(&f.itself, "leave-one-out", false, "A is B, or its first rows: none is a neighbour of itself")
	f.groundFlags.add(cmd)
	return cmd
}

func (f *nearestFlags) run(cmd *cobra.Command, c *common, pathA, pathB string) error {
	settings, err := f.settings(c)
	if err != nil {
		return err
	}
	if f.k < 1 {
		return fmt.Errorf("--k %d: want at least 1 neighbour", f.k)
	}
	if err := f.check(cmd, pathA, pathB); err != nil {
		return err
	}
	if cmd.Flags().Changed("labels") && f.labels == "" {
		return errors.New("--labels: name a column")
	}
	job := &nearestJob{k: f.k, itself: f.itself, voting: f.labels != "", out: lineWriter{json: c.json, w: bufio.NewWriter(cmd.OutOrStdout())}}
	ground, err := f.openPair(cmd, &job.pairing, pathA, pathB)
	defer job.close()
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	ctx := cmd.Context()
	if err := job.readSet(ctx, bar, f.labels); err != nil {
		return err
	}
	var from, to float64
	settings.Progress = func(share float64, note string) { bar.set(from+share*(to-from), note) }
	bar.set(0, "preparing bounds")
	if job.index, err = emd.NewIndex(ctx, ground, job.set, settings); err != nil {
		return job.locateSet(err)
	}
	threads, err := limit.Threads(c.threads)
	for err == nil {
		if err = job.a.next(min(job.some(), 64*threads)); err != nil || job.a.len() == 0 {
			break
		}
		from = to
		to, _ = job.a.Share()
		err = job.search(ctx, settings)
	}
	if err = errors.Join(job.out.flush(), err); err != nil {
		return err
	}
	bar.close()
	return job.finish(remarks(cmd, c))
}

// A nearestJob is one run of the command.
type nearestJob struct {
	pairing
	k      int
	itself bool // A and B are the same rows
	voting bool
	set    []float64 // rows of B
	places []string
	names  []string // labels of B
	index  *emd.Index
	near   []emd.Neighbour
	count  emd.Search
	rows   int // of A with a label and a neighbour
	right  int // of these by the EMD,
	rightL int // and by L2, −1 where columns of A and B are not the same
	out    lineWriter
}

// readSet reads all of B.
func (j *nearestJob) readSet(ctx context.Context, bar *progressBar, labels string) error {
	for {
		if err := j.b.next(j.some()); err != nil {
			return err
		}
		n := j.b.len()
		if n == 0 {
			break
		}
		// What the index keeps beside them it counts itself.
		if err := limit.Fits(fmt.Sprintf("the rows of %s:", j.b), j.b.before()+n, 24*float64(j.cellsB)+200); err != nil {
			return err
		}
		j.set = append(j.set, j.b.values()...)
		for i := range n {
			j.places = append(j.places, j.b.Place(i))
		}
		names := j.b.labels()
		if j.voting && names == nil {
			return fmt.Errorf("--labels %s: %s has no such column%s", labels, j.b, listed(j.b.names()))
		}
		j.names = append(j.names, names...)
		share, _ := j.b.Share()
		bar.set(share, fmt.Sprintf("%d %ss of %s", len(j.places), j.row, j.b))
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	most := len(j.places)
	if j.itself {
		most--
	}
	if j.k > most {
		return fmt.Errorf("--k %d: %s has %d %ss to be neighbours", j.k, j.b, max(most, 0), j.row)
	}
	return nil
}

// search finds the neighbours of the rows of A at hand.
func (j *nearestJob) search(ctx context.Context, s emd.Settings) error {
	n, k := j.a.len(), j.k
	if j.itself {
		k++
		if err := j.same(); err != nil {
			return err
		}
	}
	j.near = slices.Grow(j.near[:0], n*k)[:n*k]
	count, err := j.index.Nearest(ctx, j.a.values(), k, j.near)
	if err != nil {
		return j.locate(err)
	}
	j.count.Pairs, j.count.Coarse, j.count.Solved = j.count.Pairs+count.Pairs, j.count.Coarse+count.Coarse, j.count.Solved+count.Solved
	names := j.a.labels()
	for i := range n {
		near, vote := j.vote(i, k)
		if names != nil && near[0].Row >= 0 {
			j.rows++
			if vote == names[i] {
				j.right++
			}
		}
		if err := j.write(j.a.before()+i, near, vote); err != nil {
			return err
		}
	}
	if names == nil {
		return nil
	}
	if j.cellsA != j.cellsB {
		j.rightL = -1
		return nil
	}
	if err := knn.Euclidean(ctx, j.a.values(), j.set, j.cellsA, k, s, j.near); err != nil {
		return err
	}
	for i, name := range names {
		if near, vote := j.vote(i, k); near[0].Row >= 0 && vote == name {
			j.rightL++
		}
	}
	return nil
}

// vote is the neighbours of row i of those at hand, of k that were found, and their vote.
func (j *nearestJob) vote(i, k int) (near []emd.Neighbour, vote string) {
	near = j.others(j.near[i*k:][:k], j.a.before()+i)
	if j.voting {
		vote = knn.Vote(near, func(row int) string { return j.names[row] })
	}
	return near, vote
}

// same holds the rows of A at hand to those of B.
func (j *nearestJob) same() error {
	if j.a.before()+j.a.len() > len(j.places) {
		return fmt.Errorf("--leave-one-out: %s has more %ss than %s: they are not the same", j.a, j.row, j.b)
	}
	if j.cellsA != j.cellsB {
		return fmt.Errorf("--leave-one-out: %s has %d columns and %s has %d: they are not the same", j.a, j.cellsA, j.b, j.cellsB)
	}
	for i := range j.a.len() {
		row := j.a.before() + i
		if !slices.Equal(j.a.values()[i*j.cellsA:][:j.cellsA], j.set[row*j.cellsB:][:j.cellsB]) {
			return fmt.Errorf("--leave-one-out: %s and %s differ: the %ss of A have to be those of B", j.a.Place(i), j.places[row], j.row)
		}
	}
	return nil
}

// others are the neighbours of a row that are not the row itself.
func (j *nearestJob) others(near []emd.Neighbour, row int) []emd.Neighbour {
	if j.itself {
		return knn.Without(near, row)
	}
	return near
}

// A nearestLine is a neighbour, as it is printed.
type nearestLine struct {
	Row   int      `json:"row"`
	Rank  int      `json:"rank"`
	Index int      `json:"index"`
	EMD   *float64 `json:"emd"`
	Label *string  `json:"label,omitempty"`
	Vote  *string  `json:"vote,omitempty"`
}

func (j *nearestJob) write(row int, near []emd.Neighbour, vote string) error {
	for r, n := range near {
		line := nearestLine{Row: row, Rank: r + 1, Index: n.Row, EMD: emdNumber(n.Distance)}
		if j.voting {
			line.Vote, line.Label = &vote, new(string)
			if n.Row >= 0 {
				line.Label = &j.names[n.Row]
			}
		}
		if err := j.out.line(line); err != nil {
			return err
		}
	}
	return nil
}

// A lineWriter prints lines as CSV or as JSON.
type lineWriter struct {
	json bool
	w    *bufio.Writer
	csv  *csv.Writer
}

func (o *lineWriter) line(l nearestLine) error {
	if o.json {
		b, err := json.Marshal(l)
		if err != nil {
			return err
		}
		_, err = o.w.Write(append(b, '\n'))
		return err
	}
	fields := []string{strconv.Itoa(l.Row), strconv.Itoa(l.Rank), strconv.Itoa(l.Index), "nan"}
	if l.EMD != nil {
		fields[3] = emdText(*l.EMD)
	}
	header := []string{"row", "rank", "index", "emd"}
	if l.Label != nil {
		header, fields = append(header, "label", "vote"), append(fields, *l.Label, *l.Vote)
	}
	if o.csv == nil {
		o.csv = csv.NewWriter(o.w)
		if err := o.csv.Write(header); err != nil {
			return err
		}
	}
	return o.csv.Write(fields)
}

func (o *lineWriter) flush() error {
	if o.csv != nil {
		o.csv.Flush() // whose error is that of w
	}
	return o.w.Flush()
}

// finish says what it took, and how many labels were right.
func (j *nearestJob) finish(say io.Writer) error {
	share := func(n int64, of int64) float64 { return 100 * float64(n) / math.Max(1, float64(of)) }
	if !j.out.json {
		fmt.Fprintf(say, "%d of %d distances were solved (%.3g %%), %d on a coarser ground; bounds said of the others that they are larger\n",
			j.count.Solved, j.count.Pairs, share(j.count.Solved, j.count.Pairs), j.count.Coarse)
		by := "the nearest neighbour"
		if j.k > 1 {
			by = fmt.Sprintf("the vote of %d neighbours", j.k)
		}
		if j.rows > 0 {
			fmt.Fprintf(say, "%.2f %% of %d labels are right by %s\n", share(int64(j.right), int64(j.rows)), j.rows, by)
		}
		if j.rows > 0 && j.rightL >= 0 {
			fmt.Fprintf(say, "%.2f %% are by the straight-line distance (L2) instead\n", share(int64(j.rightL), int64(j.rows)))
		}
		return nil
	}
	type accuracy struct {
		Rows int      `json:"rows"`
		EMD  float64  `json:"emd"`
		L2   *float64 `json:"l2,omitempty"`
	}
	summary := struct {
		Pairs    int64     `json:"pairs"`
		Coarse   int64     `json:"coarse"`
		Solved   int64     `json:"solved"`
		Accuracy *accuracy `json:"accuracy,omitempty"`
	}{j.count.Pairs, j.count.Coarse, j.count.Solved, nil}
	if j.rows > 0 {
		summary.Accuracy = &accuracy{Rows: j.rows, EMD: float64(j.right) / float64(j.rows)}
		if right := float64(j.rightL) / float64(j.rows); right >= 0 {
			summary.Accuracy.L2 = &right
		}
	}
	b, err := jsonout.Marshal(map[string]any{"summary": summary})
	if err != nil {
		return err
	}
	if _, err := j.out.w.Write(append(b, '\n')); err != nil {
		return err
	}
	return j.out.flush()
}

// locateSet names the row of B that an index cannot have.
func (j *nearestJob) locateSet(err error) error {
	row := (*emd.RowError)(nil)
	switch {
	case !errors.As(err, &row):
		return err
	case errors.Is(err, emd.ErrEmpty):
		return j.noMass(j.places[row.Row], "it")
	}
	return fmt.Errorf("%s: %s", j.places[row.Row], strings.TrimPrefix(row.Err.Error(), "emd: "))
}

// locate names the rows that an error is about.
func (j *nearestJob) locate(err error) error {
	row, image := (*emd.RowError)(nil), (*emd.ImageError)(nil)
	if !errors.As(err, &row) {
		return err
	}
	a := j.a.Place(row.Row)
	switch {
	case errors.As(err, &image):
		return pairError(a, j.places[image.Row], image.Err)
	case errors.Is(err, emd.ErrEmpty):
		return j.noMass(a, "it")
	}
	return fmt.Errorf("%s: %s", a, strings.TrimPrefix(row.Err.Error(), "emd: "))
}
