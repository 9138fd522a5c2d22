package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/run"
	"barrow/study/compare"
	"barrow/study/reproduce"
)

// printFull prints a full run's tables.
func printFull(cmd *cobra.Command, c *common, out string, results *reproduce.FullResults, times *compare.Times, elapsed time.Duration) error {
	if c.json {
		return jsonout.Encode(cmd.OutOrStdout(), struct {
			*reproduce.FullResults
			Times *compare.Times `json:"times"`
		}{results, times})
	}
	if err := printTable(cmd, c, results.Table, times); err != nil {
		return err
	}
	if b := results.Bandwidth; b.Missing == "" {
		fmt.Fprintf(cmd.OutOrStdout(), "\nthe chip's other algorithms on up to %d links, wafer density %s:\n", b.EncoderLinks, b.Density)
		if err := printBaselines(cmd.OutOrStdout(), b.EncoderLinks, b.List()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "\n%s in all; beside the paper's figures in %s\n", elapsed.Round(time.Second), filepath.Join(out, run.Tables))
	return err
}
