package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/internal/outfile"
	"barrow/report"
	"barrow/run"
	"barrow/study"
)

func newReport(c *common) *cobra.Command {
	var png string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Draw a run's report again",
		Long: `Draws report.html of a finished run again from its results.json, whatever made the
run. With --png it also writes each figure as a picture into a folder.`,
		Example: `  barrow report runs/reproduce
  barrow report runs/compare --png pictures`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			page, err := study.Page(args[0])
			if err != nil {
				return err
			}
			done := drawn{Report: filepath.Join(args[0], run.Report), Pictures: []string{}}
			if err := outfile.Write(done.Report, true, func(w io.Writer) error { return report.Write(w, *page) }); err != nil {
				return err
			}
			if png != "" {
				if done.Pictures, err = pictures(page, png); err != nil {
					return err
				}
			}
			return done.print(cmd.OutOrStdout(), c.json)
		},
	}
	cmd.Flags().StringVar(&png, "png", "", "`folder` to write the figures to as pictures; made if need be")
	return cmd
}

// drawn is what the command wrote.
type drawn struct {
	Report   string   `json:"report"`
	Pictures []string `json:"pictures"`
}

func (d drawn) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(d)
	}
	for _, path := range append([]string{d.Report}, d.Pictures...) {
		if _, err := fmt.Fprintln(w, path); err != nil {
			return err
		}
	}
	return nil
}

// pictures writes the figures of a page and returns their files.
func pictures(page *report.Page, folder string) ([]string, error) {
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return nil, err
	}
	var paths []string
	for _, s := range page.Sections {
		for _, f := range s.Figures {
			f, _ := page.Figure(f.ID)
			path := filepath.Join(folder, f.ID+".png")
			if err := outfile.Write(path, true, func(w io.Writer) error { return report.PNG(w, f) }); err != nil {
				return nil, err
			}
			paths = append(paths, path)
		}
	}
	return paths, nil
}
