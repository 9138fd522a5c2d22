package main

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/internal/outfile"
	"barrow/report"
	"barrow/run"
	"barrow/study/reproduce"
)

func newReport(*common) *cobra.Command {
	var png string
	cmd := &cobra.Command{
		Use:   "report DIR",
		Short: "Draw a run's report again",
		Long: `Draws report.html of a finished run again from its results.json. With --png it
also writes each figure as a picture into a folder.`,
		Example: `  barrow report runs/reproduce
  barrow report runs/reproduce --png pictures`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var results reproduce.Results
			var times reproduce.Times
			if err := run.ReadJSON(args[0], run.Results, &results); err != nil {
				return fmt.Errorf("%w; a finished run is needed, as \"barrow reproduce\" leaves it", err)
			}
			if err := run.ReadJSON(args[0], run.Times, &times); err != nil {
				return err
			}
			page := reproduce.Page(&results, times)
			path := filepath.Join(args[0], run.Report)
			if err := outfile.Write(path, true, func(w io.Writer) error { return report.Write(w, *page) }); err != nil {
				return err
			}
			fmt.Fprintln(cmd.OutOrStdout(), path)
			if png == "" {
				return nil
			}
			return pictures(cmd.OutOrStdout(), page, png)
		},
	}
	cmd.Flags().StringVar(&png, "png", "", "existing `folder` to write the figures to as pictures")
	return cmd
}

func pictures(out io.Writer, page *report.Page, folder string) error {
	for _, s := range page.Sections {
		for _, f := range s.Figures {
			f, _ := page.Figure(f.ID)
			path := filepath.Join(folder, f.ID+".png")
			if err := outfile.Write(path, true, func(w io.Writer) error { return report.PNG(w, f) }); err != nil {
				return err
			}
			fmt.Fprintln(out, path)
		}
	}
	return nil
}
