package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"barrow/econt"
)

func newEcontVerify(c *common) *cobra.Command {
	f := &chipFlags{}
	var golden string
	cmd := &cobra.Command{
		Use:   "verify",
		Short: "Compare the chip's output with a golden file, field by field",
		Long: `Runs the chip on a test vector and compares every bit with a golden output. It
prints how many rows are identical and, where one is not, each field of the
first that differs (row, word, bits, meaning, expected, got) and how many rows
each kind of field differs in. Registers taken from their reset values are
named on standard error. The exit code is 0 only if all rows are identical.`,
		Example: "  barrow econt verify --config TS_Thr47_13eTx/init.yaml --input testInput.csv --golden TS_Thr47_13eTx/testOutput.csv",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := oneStdin(append([]string{f.input, golden}, f.config...)...); err != nil {
				return err
			}
			notes := remarks(cmd, c)
			r, err := f.chip(cmd, notes)
			if err != nil {
				return err
			}
			report, err := f.verify(cmd, c, r.Config, golden)
			if err != nil {
				return err
			}
			if c.json {
				err = verifyJSON(cmd.OutOrStdout(), r, report)
			} else {
				err = verifyText(cmd.OutOrStdout(), report)
				remarkCounts(notes, report.Truncated, report.Overflows, report.Rows)
			}
			if err == nil && !report.OK() {
				err = fmt.Errorf("%s: %d of %d rows differ", golden, report.Rows-report.Identical, report.Rows)
			}
			return err
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&golden, "golden", "", "the expected output: CSV of TX_DATA_0 to TX_DATA_12")
	_ = cmd.MarkFlagRequired("golden")
	return cmd
}

// verify compares the files row by row.
func (f *chipFlags) verify(cmd *cobra.Command, c *common, config econt.Config, golden string) (*econt.Comparison, error) {
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	in, err := f.openInput(cmd, bar)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	want, err := openWords(cmd, golden, nil, func(r io.Reader) (econt.Source[econt.Output], error) {
		return econt.NewOutputReader(r)
	})
	if err != nil {
		return nil, err
	}
	defer want.Close()
	return econt.Verify(cmd.Context(), config, in, want)
}

func verifyText(w io.Writer, r *econt.Comparison) error {
	bw := bufio.NewWriter(w)
	for _, d := range r.First {
		fmt.Fprintln(bw, d)
	}
	fmt.Fprintf(bw, "%d/%d rows identical\n", r.Identical, r.Rows)
	for _, f := range r.ByField {
		fmt.Fprintf(bw, "%s differs in %d rows\n", f.Field, f.Rows)
	}
	return bw.Flush()
}

// verifyResult is the JSON form.
type verifyResult struct {
	Rows      int                `json:"rows"`
	Identical int                `json:"identical"`
	First     []verifyDifference `json:"first_difference"`
	ByField   map[string]int     `json:"rows_by_field"`
	Defaults  []verifyDefault    `json:"defaults"`
	Truncated int                `json:"truncated_frames"`
	Overflows int                `json:"overflow_frames"`
}

type verifyDifference struct {
	Row      int    `json:"row"`
	Word     string `json:"word"`
	Bits     [2]int `json:"bits"`
	Field    string `json:"field"`
	FrameRow int    `json:"frame_row"`
	BX       int    `json:"bx"`
	Expected uint64 `json:"expected"`
	Got      uint64 `json:"got"`
}

type verifyDefault struct {
	Register string `json:"register"`
	Value    string `json:"value"`
	Source   string `json:"source"`
}

func verifyJSON(w io.Writer, r *econt.Registers, rep *econt.Comparison) error {
	out := verifyResult{
		Rows: rep.Rows, Identical: rep.Identical, Truncated: rep.Truncated, Overflows: rep.Overflows,
		First: []verifyDifference{}, Defaults: []verifyDefault{}, ByField: map[string]int{},
	}
	for _, d := range rep.First {
		out.First = append(out.First, verifyDifference{
			Row: d.Row, Word: fmt.Sprintf("TX_DATA_%d", d.Link), Bits: [2]int{d.High, d.Low}, Field: d.Field,
			FrameRow: d.FrameRow, BX: d.BX, Expected: d.Want, Got: d.Got,
		})
	}
	for _, f := range rep.ByField {
		out.ByField[f.Field] = f.Rows
	}
	for _, d := range r.Defaults {
		out.Defaults = append(out.Defaults, verifyDefault(d))
	}
	return json.NewEncoder(w).Encode(out)
}
