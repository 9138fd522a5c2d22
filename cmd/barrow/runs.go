package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"barrow/run"
	"barrow/study"
)

func newRuns(c *common) *cobra.Command {
	by := "name"
	cmd := &cobra.Command{
		Use:   "runs [DIR]",
		Short: "List the runs under a folder",
		Long: `Lists every run under a folder (the present one by default): kind, how far it is,
figures, age since its last change, size, and the settings in which runs of its
kind differ, the first of them ("runs diff" and --json have all). The figures of a finished run are those of held-out images or
pairs, of the best of what it compares; of others the best so far on the images to choose by.`,
		Example: `  barrow runs runs --sort emd
  barrow runs diff runs/a runs/b`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) > 0 {
				dir = args[0]
			}
			list, err := study.Find(cmd.Context(), dir)
			if err != nil {
				return err
			}
			if err := study.Sort(list, by); err != nil {
				return fmt.Errorf("--sort: %w", err)
			}
			return printRuns(cmd.OutOrStdout(), list, c.json)
		},
	}
	cmd.Flags().StringVar(&by, "sort", by, "`key` to order by: "+strings.Join(study.Orders(), ", ")+", or a figure, as emd, the smallest first")
	cmd.AddCommand(newRunsDiff(c))
	return cmd
}

// differing are the settings in which runs of a kind differ, by kind.
func differing(list []study.Run) map[string][]string {
	kinds := map[string][]run.Found{}
	for _, r := range list {
		kinds[r.Name] = append(kinds[r.Name], r.Found)
	}
	out := map[string][]string{}
	for kind, of := range kinds {
		out[kind] = run.Differing(of)
	}
	return out
}

// mostDiffering is how much of a run's settings a line has room for; diff and --json have all.
const mostDiffering = 120

func printRuns(w io.Writer, list []study.Run, asJSON bool) error {
	differ := differing(list)
	if asJSON {
		if list == nil {
			list = []study.Run{}
		}
		return json.NewEncoder(w).Encode(struct {
			Runs   []study.Run         `json:"runs"`
			Differ map[string][]string `json:"differing_settings"` // by kind
		}{list, differ})
	}
	if len(list) == 0 {
		_, err := fmt.Fprintln(w, "no runs")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "run\tkind\tstate\tfigures\tage\tsize\tdiffers in")
	for _, r := range list {
		var in []string
		for _, key := range differ[r.Name] {
			in = append(in, key+" "+run.Text(r.Settings[key]))
		}
		text := strings.Join(in, ", ")
		if r.Problem != "" {
			text = r.Problem
		} else if long := []rune(text); len(long) > mostDiffering {
			text = string(long[:mostDiffering]) + " …"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Folder, r.Name, r.State, figures(r), age(time.Since(r.Changed)), bytesText(r.Bytes), text)
	}
	return t.Flush()
}

// figures are a run's in words.
func figures(r study.Run) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(r.Figures)) {
		parts = append(parts, name+" "+strconv.FormatFloat(r.Figures[name], 'g', 4, 64))
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, ", ")
}

// age is a time in its largest unit.
func age(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(max(d, 0).Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

// bytesText is a size in its largest unit.
func bytesText(n int64) string {
	v, units := float64(n), []string{"B", "kB", "MB", "GB", "TB"}
	for v >= 1000 && len(units) > 1 {
		v, units = v/1000, units[1:]
	}
	return strconv.FormatFloat(v, 'g', 3, 64) + " " + units[0]
}

func newRunsDiff(c *common) *cobra.Command {
	return &cobra.Command{
		Use:     "diff A B",
		Short:   "In which settings and figures two runs differ",
		Example: "  barrow runs diff runs/a runs/b",
		Args:    cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var pair [2]study.Run
			for k, dir := range args {
				var err error
				if pair[k], err = study.Look(dir); err != nil {
					return err
				}
			}
			return printDiff(cmd.OutOrStdout(), pair, c.json)
		},
	}
}

// A difference is what two runs have of one thing; nil where one has none.
type difference struct {
	What string `json:"what"`
	A    any    `json:"a"`
	B    any    `json:"b"`
}

// differences of two runs in kind, settings and figures.
func differences(a, b study.Run) []difference {
	list := []difference{}
	add := func(what string, x, y any) {
		if !reflect.DeepEqual(x, y) {
			list = append(list, difference{what, x, y})
		}
	}
	add("kind", a.Name, b.Name)
	add("version", a.Version, b.Version)
	add("state", a.State, b.State)
	for _, key := range run.Differing([]run.Found{a.Found, b.Found}) {
		add(key, a.Settings[key], b.Settings[key])
	}
	names := maps.Clone(a.Figures)
	maps.Copy(names, b.Figures)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		add(name, figureOf(a, name), figureOf(b, name))
	}
	return list
}

func figureOf(r study.Run, name string) any {
	if v, ok := r.Figures[name]; ok {
		return v
	}
	return nil
}

func printDiff(w io.Writer, pair [2]study.Run, asJSON bool) error {
	list := differences(pair[0], pair[1])
	if asJSON {
		return json.NewEncoder(w).Encode(struct {
			A           string       `json:"a"`
			B           string       `json:"b"`
			Differences []difference `json:"differences"`
		}{pair[0].Folder, pair[1].Folder, list})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\t%s\t%s\n", pair[0].Folder, pair[1].Folder)
	for _, d := range list {
		fmt.Fprintf(t, "%s\t%s\t%s\n", d.What, run.Text(d.A), run.Text(d.B))
	}
	return t.Flush()
}
