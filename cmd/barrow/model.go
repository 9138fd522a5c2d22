package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"barrow/model"
	"barrow/model/file"
)

func newModel(c *common) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "model",
		Short:   "Run trained models of any program",
		Example: "  barrow model run model.onnx --in x.npz --out y.npz",
	}
	cmd.AddCommand(newModelRun(c))
	return cmd
}

func newModelRun(c *common) *cobra.Command {
	var source model.Source
	var in, out, loss string
	var force bool
	cmd := &cobra.Command{
		Use:   "run MODEL",
		Short: "Run a model on arrays",
		Long: `Runs a model on the arrays of an .npz file, as the model itself takes them, in its
own arithmetic and layout. Its first input is the array x, further ones are x1, x2
and so on, or bear the names that the model has for them. What it makes of them is
written as y, and y1 and so on; and as latent where a model within it makes the 16
numbers that an encoder sends.

The model is a run folder, a weights file, or a model of another program:

` + runFormats(),
		Example: `  barrow model run model.onnx --in x.npz --out y.npz
  barrow model run encoder.json --weights trained.h5 --in x.npz --out y.npz
  barrow model run runs/reproduce --loss emd --in x.npz --out y.npz`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if in == "" || out == "" {
				return errors.New("name the arrays' file and the one to write: --in X.npz --out Y.npz")
			}
			source.Path = args[0]
			arrays, err := file.Run(cmd.Context(), source, in, out, force, file.Settings{Loss: loss, Threads: c.threads})
			if errors.Is(err, file.ErrSeveral) {
				err = fmt.Errorf("%w: --loss", err)
			}
			if err != nil {
				return err
			}
			return printArrays(cmd, c, arrays)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&source.Weights, "weights", "", "`file` with the weights, where the model has them apart and not beside it under its name")
	flags.StringVar(&in, "in", "", "`file` of the arrays to run it on")
	flags.StringVar(&out, "out", "", "`file` to write")
	flags.StringVar(&loss, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	flags.BoolVar(&force, "force", false, "replace a file that is there")
	return cmd
}

// printArrays says what was written.
func printArrays(cmd *cobra.Command, c *common, arrays model.Vectors) error {
	if c.json {
		shapes := map[string][]int{}
		for _, a := range arrays {
			shapes[a.Name] = a.Shape
		}
		return json.NewEncoder(cmd.OutOrStdout()).Encode(map[string]any{"arrays": shapes})
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	for _, a := range arrays {
		fmt.Fprintf(w, "%s\t%v\n", a.Name, a.Shape)
	}
	return w.Flush()
}
