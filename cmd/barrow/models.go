package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// formats lists the formats of other programs that are of a sort, one a line.
func formats(of func(model.Format) bool) string {
	list := slices.DeleteFunc(slices.Clone(file.Formats()), func(f model.Format) bool { return !of(f) })
	wide := 0
	for _, f := range list {
		wide = max(wide, len(f.Name))
	}
	var b strings.Builder
	for _, f := range list {
		fmt.Fprintf(&b, "  %-*s %s\n", wide, f.Name, f.About)
	}
	return b.String()
}

// readFormats lists those that are read.
func readFormats() string { return formats(func(f model.Format) bool { return f.Read != nil }) }

// runFormats lists those that are run as they stand.
func runFormats() string {
	return formats(func(f model.Format) bool { return f.Read != nil || f.Open != nil })
}

// encoderWeights finds the file of an encoder: by the name of the file itself or
// of a run folder, of which the named loss picks one.
func encoderWeights(name, loss string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("name the encoder: a run folder, as \"barrow reproduce\" and \"barrow encoder train\" leave it, or a weights file")
	}
	path, err := file.EncoderWeights(name, loss)
	if errors.Is(err, file.ErrSeveral) {
		err = fmt.Errorf("%w: --loss", err)
	}
	return path, err
}

// modelRemark says what is assumed of the file of an encoder that was opened.
func modelRemark(cmd *cobra.Command, path string) {
	if text := file.Assumed(path); text != "" {
		fmt.Fprintf(quietly(cmd), "%s\n", text)
	}
}

// decoderRemark says which decoder was taken with an encoder that is a file by itself.
func decoderRemark(cmd *cobra.Command, path string) {
	if decoder := file.DecoderTaken(path); decoder != "" {
		fmt.Fprintf(quietly(cmd), "%s: an encoder alone: its decoder is taken to be the file beside it, %s\n", path, decoder)
	}
}

// openEncoder opens an encoder with its decoder by the name of a run folder, a
// weights file or a model of another program.
func openEncoder(name string, threads int) (*autoencoder.Model, error) {
	return file.Autoencoder(name, file.Settings{Threads: threads})
}

// loadSurrogate opens an EMD network in the same way, or takes the built-in one, where
// that or none is named.
func loadSurrogate(name string, threads int) (loss.Distance, error) {
	if name == "" || name == builtIn {
		return surrogate.BuiltIn(nn.Settings{Threads: threads})
	}
	return file.Estimator(name, file.Settings{Threads: threads})
}
