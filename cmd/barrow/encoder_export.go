package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"barrow/model"
	"barrow/model/file"
)

type encoderExport struct {
	format, out, loss string
	force             bool
}

func newEncoderExport(c *common) *cobra.Command {
	f := &encoderExport{}
	cmd := &cobra.Command{
		Use:   "export MODEL",
		Short: "Write a trained encoder for other programs",
		Long: `Writes a trained encoder into a folder, in a format of other programs:

` + formats(func(x model.Format) bool { return x.Export != nil }) + `
The model is a run folder, a weights file or an autoencoder of another program.
Beside the format's files the folder gets test vectors (vectors.npz: images, what
the encoder takes of them, and its outputs to the bit) and a README.txt that says
what the files expect. Weights of an encoder alone, as Keras or CSV files, become
registers by "barrow econt weights".`,
		Example: `  barrow encoder export runs/asic --format registers --out asic-registers
  barrow encoder export runs/reproduce --loss emd --format registers --out registers`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, c, args[0]) },
	}
	flags := cmd.Flags()
	wordVar(flags, &f.format, "format", "", file.Exports(), "format: "+strings.Join(file.Exports(), ", "))
	flags.StringVar(&f.out, "out", "", "`folder` to write into")
	flags.StringVar(&f.loss, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	return cmd
}

func (f *encoderExport) run(cmd *cobra.Command, c *common, name string) error {
	if f.out == "" {
		return fmt.Errorf("name the folder to write into: --out FOLDER")
	}
	if f.format == "" {
		return fmt.Errorf("name the format: --format %s", strings.Join(file.Exports(), ", "))
	}
	path, err := encoderWeights(name, f.loss)
	if err != nil {
		return err
	}
	m, err := openEncoder(path, c.threads)
	if err != nil {
		return err
	}
	modelRemark(cmd, path)
	files, err := file.Export(cmd.Context(), m, f.format, f.out, f.force)
	if err != nil {
		return err
	}
	w := cmd.OutOrStdout()
	if c.json {
		return json.NewEncoder(w).Encode(struct {
			Format string   `json:"format"`
			Model  string   `json:"model"`
			Files  []string `json:"files"`
		}{f.format, path, files})
	}
	for _, p := range files {
		fmt.Fprintln(w, p)
	}
	return nil
}
