package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"barrow/internal/jsonout"
	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/report"
	"barrow/simulate"
	"barrow/simulate/validate"
)

func newSimulateValidate(c *common) *cobra.Command {
	var data, out, parameters string
	var force, quick bool
	var seeds int
	cmd := &cobra.Command{
		Use:   "validate",
		Short: "Compare simulated images with published distributions",
		Long: `Validate draws images and compares them with what is published about the CMS
simulation: occupancy per layer and against pseudorapidity, charge spectra,
correlations, and earth mover's distances. It prints every number beside its
reference and tolerance, and fails if one is outside. --seeds repeats that and
prints of each number the one farthest from its reference.

--data names a folder with occupancy/nTCs_hists.csv, wafers/ldm.csv and
wafers/hdm.csv; the environment variable BARROW_DATA is its default. Without it,
or for files that are not there, numbers computed from them before are used.`,
		Example: `  barrow simulate validate --out validation.html
  barrow simulate validate --seeds 10
  barrow simulate validate --data ../shared/data --parameters mine.toml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s := validate.Settings{Seed: c.seed, Seeds: seeds, Threads: c.threads, Quick: quick, Data: data}
			if seeds < 1 {
				return fmt.Errorf("--seeds %d: want at least 1", seeds)
			}
			if err := limit.Count("--seeds", seeds, 10_000); err != nil {
				return err
			}
			if data != "" {
				if info, err := os.Stat(data); err != nil || !info.IsDir() {
					return fmt.Errorf("--data %s: no such folder", data)
				}
			}
			var err error
			if parameters != "" {
				if s.Parameters, err = simulate.ReadParameters(parameters); err != nil {
					return err
				}
			}
			if out != "" {
				if err := outfile.Check(out, force); err != nil {
					return err
				}
			}
			bar := newProgress(cmd.ErrOrStderr(), c)
			s.Progress = bar.set
			r, err := validate.Run(cmd.Context(), s)
			bar.close()
			if err != nil {
				return err
			}
			return printValidation(cmd, c, r, out, force)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&data, "data", os.Getenv("BARROW_DATA"), "folder with the published files")
	flags.StringVar(&out, "out", "", "HTML page with the plots to write")
	flags.BoolVar(&force, "force", false, "overwrite --out")
	flags.IntVar(&seeds, "seeds", 1, "validate so many seeds, from --seed on; each check is then the worst of them")
	flags.BoolVar(&quick, "quick", false, "a tenth of the images; their statistical errors widen the tolerances")
	flags.StringVar(&parameters, "parameters", "", "TOML file with parameters of the model")
	return cmd
}

// printValidation writes the page and prints the numbers; checks outside of
// their tolerance are an error.
func printValidation(cmd *cobra.Command, c *common, r *validate.Result, out string, force bool) error {
	if out != "" {
		if err := outfile.Write(out, force, func(w io.Writer) error { return report.Write(w, r.Page()) }); err != nil {
			return err
		}
		fmt.Fprintf(remarks(cmd, c), "plots: %s\n", filepath.Clean(out))
	}
	failed := len(r.Failed())
	if c.json {
		b, err := jsonout.Marshal(r)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, append(b, '\n'), "", "  "); err != nil {
			return err
		}
		if _, err := cmd.OutOrStdout().Write(out.Bytes()); err != nil {
			return err
		}
	} else {
		fmt.Fprint(cmd.OutOrStdout(), r.Text())
		fmt.Fprintf(cmd.OutOrStdout(), "%d of %d checks within tolerance\n", len(r.Checks)-failed, len(r.Checks))
	}
	if failed > 0 {
		return fmt.Errorf("validate: %d of %d checks are outside of their tolerance", failed, len(r.Checks))
	}
	return nil
}
