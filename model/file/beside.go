package file

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"barrow/autoencoder"
	"barrow/nn"
)

// autoencoderOf is another program's network as an autoencoder: with the decoder beside
// it, if it is an encoder alone.
func autoencoderOf(net *nn.Network, path string, s nn.Settings) (*autoencoder.Model, error) {
	beside := decoderBeside(path)
	if beside == "" || !autoencoder.EncoderAlone(net) {
		return autoencoder.FromNetwork(net)
	}
	kind, format, err := recognise(beside)
	if err != nil {
		return nil, err
	}
	if kind != foreign {
		return nil, fmt.Errorf("model: %s: an encoder, and beside it %s is a file of Barrow's: a decoder is wanted", path, beside)
	}
	decoder, err := readNetwork(format, beside, s)
	if err != nil {
		return nil, err
	}
	if net, err = autoencoder.Join(net, decoder, s); err != nil {
		return nil, fmt.Errorf("%s: %w", beside, err)
	}
	return autoencoder.FromNetwork(net)
}

// decoderBeside is the file that has the name of an encoder's, but for the word decoder
// in the place of encoder; "" if there is none.
func decoderBeside(path string) string {
	folder, name := filepath.Split(path)
	for _, words := range [][2]string{{"encoder", "decoder"}, {"Encoder", "Decoder"}} {
		if !strings.Contains(name, words[0]) {
			continue
		}
		other := folder + strings.Replace(name, words[0], words[1], 1)
		if info, err := os.Stat(other); err == nil && info.Mode().IsRegular() {
			return other
		}
	}
	return ""
}
