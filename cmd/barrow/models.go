package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// encoderWeights finds the file of an encoder: by the name of the file itself or
// of a run folder, of which the named loss picks one.
func encoderWeights(name, loss string) (string, error) {
	if name == "" {
		return "", fmt.Errorf("name the encoder's weights: --weights FILE or a run folder, as \"barrow reproduce\" and \"barrow encoder train\" leave it")
	}
	path, err := file.EncoderWeights(name, loss)
	if errors.Is(err, file.ErrSeveral) {
		err = fmt.Errorf("%w: --loss", err)
	}
	return path, err
}

// modelRemark says what is assumed of encoders' files.
func modelRemark(cmd *cobra.Command, paths ...string) {
	for _, path := range paths {
		if text := file.Assumed(path); path != "" && text != "" {
			fmt.Fprintf(quietly(cmd), "%s\n", text)
		}
	}
}

// openEncoder opens an encoder with its decoder by the name of a run folder, a
// weights file or a Keras file.
func openEncoder(name string, threads int) (*autoencoder.Model, error) {
	return file.Autoencoder(name, file.Settings{Threads: threads})
}

// loadSurrogate opens an EMD network in the same way, or takes the built-in one.
func loadSurrogate(name string, threads int) (loss.Distance, error) {
	if name == "" {
		return surrogate.BuiltIn(nn.Settings{Threads: threads})
	}
	return file.Estimator(name, file.Settings{Threads: threads})
}
