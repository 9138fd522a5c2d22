package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	model "barrow/model/file"
	"barrow/wafer"
	"barrow/wafer/file"
)

// inspectFlags are those of the inspect command.
type inspectFlags struct {
	imageFlags
	stats bool
}

func newInspect(c *common) *cobra.Command {
	f := &inspectFlags{}
	cmd := &cobra.Command{
		Use:   "inspect FILE...",
		Short: "Say what is in wafer files and models, and what Barrow makes of them",
		Long: `Inspect lists the tables of a file (trees, data sets, or the one table that it
is), their columns with types, and how many entries they have, and says which
images Barrow would read from them, or why none. With --stats all numbers are
read, too: how many there are, how many are not finite, least, greatest and sum.
What cannot be read is listed with the reason.

Of a model (a run folder, a weights file or a model of another program) it lists
the layers with shapes, parameters, multiplications (a sample, those by padding
counted) and quantisers, and which of the
formats of "barrow encoder export" and "surrogate export" can hold it, or why not.`,
		Example: `  barrow inspect ntuple.root
  barrow inspect --stats --json wafers.parquet
  barrow inspect encoder.json
  barrow inspect --tree hgcalTriggerNtuplizer/HGCalTriggerNtuple ntuple.root`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args) },
	}
	f.imageFlags.add(cmd)
	cmd.Flags().BoolVar(&f.stats, "stats", false, "read all numbers: how many, least, greatest, sum")
	return cmd
}

// inspected is an object of a file as JSON has it.
type inspected struct {
	File    string           `json:"file,omitempty"`
	Format  string           `json:"format"`
	Name    string           `json:"name"`
	Kind    string           `json:"kind"`
	Entries int64            `json:"entries"`
	Images  string           `json:"images,omitempty"`
	Unread  string           `json:"unread,omitempty"`
	Columns []inspectedField `json:"columns"`

	Model *model.Inspection `json:"model,omitempty"`
}

type inspectedField struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Unread string `json:"unread,omitempty"`
	*inspectedStats
}

type inspectedStats struct {
	Values    int64    `json:"values"`
	NonFinite int64    `json:"nonfinite"`
	Min       *float64 `json:"min"`
	Max       *float64 `json:"max"`
	Sum       *float64 `json:"sum"`
}

// run inspects file after file. What was found before an error is printed.
func (f *inspectFlags) run(cmd *cobra.Command, c *common, paths []string) error {
	read, err := f.settings()
	if err != nil {
		return err
	}
	names, err := file.Expand(paths...)
	if err != nil {
		return err
	}
	inputs, err := waferInputs(cmd, names)
	if err != nil {
		return err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	s := wafer.InspectSettings{Stats: f.stats, Read: read, Progress: bar.set}
	objects := []inspected{} // never null
	var failed []error
	out := cmd.OutOrStdout()
	for i, in := range inputs {
		var found []inspected
		of, noModel := (*model.Inspection)(nil), error(nil)
		if in.Stream == nil {
			of, noModel = model.Inspect(in.Name)
		}
		if of != nil {
			found = []inspected{{Format: "model", Name: in.Name, Kind: of.Kind, Columns: []inspectedField{}, Model: of}}
		} else {
			if info, bad := os.Stat(in.Name); in.Stream == nil && bad == nil && info.IsDir() {
				err = fmt.Errorf("%s: a folder that holds no run; name a file, or a run's folder", in.Name)
			} else {
				found, err = inspectOne(cmd.Context(), in, s)
			}
			if noModel != nil && !errors.Is(noModel, model.ErrNoModel) {
				switch {
				case err == nil && len(found) > 0 && found[0].Format == "csv": // as any text is
					found, err = nil, noModel
				case err != nil && tables(in.Name):
					err = fmt.Errorf("%w; as a model: %w", err, noModel)
				case err != nil:
					err = noModel
				}
			}
			if errors.Is(err, context.Canceled) {
				bar.close()
				return err
			}
			failed = append(failed, err)
			if err == nil && len(found) == 0 && !c.json {
				fmt.Fprintf(printer{out}, "%s: no tables in it\n", in.Name)
			}
		}
		err = nil
		if len(inputs) > 1 {
			for k := range found {
				found[k].File = in.Name
			}
		}
		objects = append(objects, found...)
		if !c.json && len(found) > 0 {
			if i > 0 {
				fmt.Fprintln(out)
			}
			printInspected(printer{out}, in.Name, found)
		}
	}
	bar.close()
	if c.json {
		err = jsonout.Encode(out, map[string]any{"objects": objects})
	}
	return errors.Join(append(failed, err)...)
}

// tables reports whether a file that looks like a model may be one of tables: HDF5.
func tables(path string) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, 4)
	_, err = io.ReadFull(f, head)
	return err == nil && string(head) == "\x89HDF"
}

func inspectOne(ctx context.Context, in file.Input, s wafer.InspectSettings) ([]inspected, error) {
	format, objects, err := file.Inspect(ctx, in, s)
	var found []inspected
	for _, o := range objects {
		to := inspected{Format: format, Name: o.Name, Kind: o.Kind, Entries: o.Entries, Images: o.Images, Unread: o.Unread, Columns: []inspectedField{}}
		for _, c := range o.Columns {
			to.Columns = append(to.Columns, inspectedField{c.Name, c.Type, c.Unread, statsOf(c.Stats)})
		}
		found = append(found, to)
	}
	return found, err
}

// statsOf are stats as JSON has them, without least and greatest where no value is
// finite, and without a sum that is beyond float64.
func statsOf(s *wafer.Stats) *inspectedStats {
	if s == nil {
		return nil
	}
	to := &inspectedStats{Values: s.Values, NonFinite: s.NonFinite}
	if !math.IsInf(s.Sum, 0) && !math.IsNaN(s.Sum) {
		to.Sum = &s.Sum
	}
	if s.Values > s.NonFinite {
		to.Min, to.Max = &s.Min, &s.Max
	}
	return to
}

// printInspected prints a file's objects for people: columns aligned, and those that
// are numbered and alike (CALQ_0 … CALQ_47) as one.
func printInspected(out io.Writer, name string, found []inspected) {
	if m := found[0].Model; m != nil {
		fmt.Fprintf(out, "%s: %s\n", name, m.Kind)
		printModel(out, m)
		return
	}
	fmt.Fprintf(out, "%s: %s\n", name, found[0].Format)
	for _, o := range found {
		fmt.Fprintf(out, "\n%s  (%s, %d entries)\n", o.Name, o.Kind, o.Entries)
		for _, text := range []string{o.Images, o.Unread} {
			if text != "" {
				fmt.Fprintf(out, "  %s\n", text)
			}
		}
		w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
		for i := 0; i < len(o.Columns); {
			n := alike(o.Columns[i:])
			c := o.Columns[i]
			label, stats := c.Name, c.inspectedStats
			if n > 1 {
				label += " … " + o.Columns[i+n-1].Name
				stats = joined(o.Columns[i : i+n])
			}
			i += n
			fmt.Fprintf(w, "  %s\t%s", label, c.Type)
			switch {
			case c.Unread != "":
				fmt.Fprintf(w, "\tnot read: %s", c.Unread)
			case stats != nil:
				fmt.Fprintf(w, "\t%d values\t%s … %s\tsum %s", stats.Values, figure(stats.Min), figure(stats.Max), figure(stats.Sum))
				if stats.NonFinite > 0 {
					fmt.Fprintf(w, "\t%d not finite", stats.NonFinite)
				}
			}
			fmt.Fprintln(w)
		}
		w.Flush()
	}
}

func figure(v *float64) string {
	if v == nil {
		return "-"
	}
	return strconv.FormatFloat(*v, 'g', 8, 64)
}

var numbered = regexp.MustCompile(`^(.*?)(\d+)$`)

// alike is how many columns from the first on are numbered one after the other and of
// one type: 1 for a few, which are listed.
func alike(columns []inspectedField) int {
	n, base := 1, numbered.FindStringSubmatch(columns[0].Name)
	if base == nil {
		return 1
	}
	first, err := strconv.Atoi(base[2])
	if err != nil {
		return 1
	}
	for n < len(columns) && columns[n].Name == base[1]+strconv.Itoa(first+n) &&
		columns[n].Type == columns[0].Type && columns[n].Unread == columns[0].Unread {
		n++
	}
	if n < 4 {
		return 1
	}
	return n
}

// joined are the stats of several columns together; nil where one has none.
func joined(columns []inspectedField) *inspectedStats {
	all := wafer.Stats{}
	for _, c := range columns {
		s := c.inspectedStats
		if s == nil {
			return nil
		}
		if s.Values > s.NonFinite {
			if all.Values == all.NonFinite {
				all.Min, all.Max = *s.Min, *s.Max
			}
			all.Min, all.Max = min(all.Min, *s.Min), max(all.Max, *s.Max)
		}
		sum := math.NaN()
		if s.Sum != nil {
			sum = *s.Sum
		}
		all.Values, all.NonFinite, all.Sum = all.Values+s.Values, all.NonFinite+s.NonFinite, all.Sum+sum
	}
	return statsOf(&all)
}
