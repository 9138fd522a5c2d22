package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"barrow/model"
	"barrow/model/file"
)

// exportFlags say in which format a model is written, and where.
type exportFlags struct {
	format, out   string
	force, verify bool
}

func (f *exportFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	wordVar(flags, &f.format, "format", "", file.Exports(), "format: "+strings.Join(file.Exports(), ", "))
	flags.StringVar(&f.out, "out", "", "`folder` to write into")
	flags.BoolVar(&f.force, "force", false, "replace files that are there")
	flags.BoolVar(&f.verify, "verify", false, "run the test vectors through the files, as Barrow reads them, or through their own test")
}

func (f *exportFlags) check() error {
	if f.out == "" {
		return fmt.Errorf("name the folder to write into: --out FOLDER")
	}
	if f.format == "" {
		return fmt.Errorf("name the format: --format %s", strings.Join(file.Exports(), ", "))
	}
	return nil
}

// export writes the model of the given name.
func (f *exportFlags) export(cmd *cobra.Command, c *common, m *model.Model, name string) error {
	files, err := file.Export(cmd.Context(), m, f.format, f.out, f.force)
	if err != nil {
		return err
	}
	var verified []file.Verified
	if f.verify {
		verified, err = file.Verify(cmd.Context(), m, f.format, f.out)
		if err != nil && errors.Is(cmd.Context().Err(), context.Canceled) { // whatever a tool said that was stopped
			return left{context.Canceled, f.out + " is complete but not verified"}
		}
		if err != nil {
			return fmt.Errorf("%s is written but not verified: %w", f.out, err)
		}
	}
	w := cmd.OutOrStdout()
	if c.json {
		return json.NewEncoder(w).Encode(struct {
			Format   string          `json:"format"`
			Model    string          `json:"model"`
			Files    []string        `json:"files"`
			Verified []file.Verified `json:"verified,omitempty"`
		}{f.format, name, files, verified})
	}
	for _, p := range files {
		fmt.Fprintln(w, p)
	}
	for _, v := range verified {
		said := []string{v.Remark}
		if v.Part != "" {
			said = append([]string{fmt.Sprintf("the largest difference is %.3g", v.Most)}, said...)
		}
		fmt.Fprintf(w, "verified %s: %s\n", v.File, strings.TrimSuffix(strings.Join(said, "; "), "; "))
	}
	return nil
}

func newEncoderExport(c *common) *cobra.Command {
	var f exportFlags
	var loss string
	cmd := &cobra.Command{
		Use:   "export MODEL",
		Short: "Write a trained encoder for other programs",
		Long: `Writes a trained encoder, with its decoder where the format holds one, into a
folder, in a format of other programs:

` + formats(func(x model.Format) bool { return x.Export != nil }) + `
The model is a run folder, a weights file or a model of another program: an
autoencoder, an encoder alone or a decoder alone.
Beside the format's files the folder gets test vectors (vectors.npz: images, what
the encoder takes of them, its outputs to the bit, and what the decoder makes of
them; the same as CSV files) and a README.txt that says what the files expect. With
--verify the vectors are run through the files, as Barrow itself reads them.
Weights of an encoder alone, as Keras or CSV files, become registers by "barrow
econt weights".`,
		Example: `  barrow encoder export runs/asic --format registers --out asic-registers
  barrow encoder export runs/reproduce --loss emd --format registers --out registers`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			path, err := encoderWeights(args[0], loss)
			if err != nil {
				return err
			}
			m, err := file.Encoder(path, file.Settings{Threads: c.threads})
			if err != nil {
				return err
			}
			modelRemark(cmd, path)
			return f.export(cmd, c, m, path)
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&loss, "loss", "", "which of a run folder's encoders, by the loss it was trained with")
	return cmd
}

func newDecoderExport(c *common) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export DECODER",
		Short: "Write a trained decoder of frames for other programs",
		Long: `Writes a trained decoder of the chip's frames into a folder, in a format of other
programs:

` + formats(func(x model.Format) bool { return x.Export != nil }) + `
The decoder is a folder of "barrow decoder train" or a weights file. Its network makes
48 shares of what a frame says; what is in front of it and behind it no format says:
` + model.FramesScript + `, beside the format's files, has that as functions on NumPy arrays, and
README.txt in words. The folder gets test vectors, too (vectors.npz: what frames say,
what the network takes and makes of that, and the decoded images); --verify runs them
through the files. Formats of encoders alone refuse.`,
		Example: "  barrow decoder export runs/bc3 --format onnx --out bc3-onnx --verify",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			d, err := file.Decoder(args[0], file.Settings{Threads: c.threads})
			if err != nil {
				return err
			}
			m, err := model.OfDecoder(d)
			if err != nil {
				return err
			}
			return f.export(cmd, c, m, args[0])
		},
	}
	f.add(cmd)
	return cmd
}

// builtIn is what the user calls the network that comes with the program.
const builtIn = "builtin"

func newSurrogateExport(c *common) *cobra.Command {
	var f exportFlags
	cmd := &cobra.Command{
		Use:   "export [MODEL]",
		Short: "Write a network that estimates the EMD for other programs",
		Long: `Writes a network that estimates the EMD into a folder, in a format of other
programs:

` + formats(func(x model.Format) bool { return x.Export != nil }) + `
The model is a run folder of "barrow surrogate train" or "barrow reproduce", a
weights file, an EMD CNN of another program, or "` + builtIn + `", the network that
comes with Barrow, which is also taken where none is named. Beside the format's
files the folder gets test vectors (vectors.npz: what the network takes of pairs
of images, and what it makes of that; the same as CSV files) and a README.txt that
says what the files expect; --verify runs the vectors through the files. Formats of
encoders alone refuse.`,
		Example: `  barrow surrogate export runs/cnn --format onnx --out cnn-onnx
  barrow surrogate export --format onnx --out builtin-onnx`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			name := builtIn
			if len(args) > 0 {
				name = args[0]
			}
			d, err := loadSurrogate(name, c.threads)
			if err != nil {
				return err
			}
			m, err := model.OfEstimator(d)
			if err != nil {
				return err
			}
			return f.export(cmd, c, m, name)
		},
	}
	f.add(cmd)
	return cmd
}
