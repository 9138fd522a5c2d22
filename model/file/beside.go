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
	if !autoencoder.EncoderAlone(net) {
		return autoencoder.FromNetwork(net)
	}
	beside := decoderBeside(path)
	if beside == "" {
		_, err := autoencoder.FromNetwork(net)
		return nil, fmt.Errorf("%w; %s", err, sought(path))
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

// sought says which file the decoder of an encoder's would be.
func sought(path string) string {
	if names := decoderNames(path); len(names) > 0 {
		return fmt.Sprintf("there is no decoder beside it: %s", strings.Join(names, " or "))
	}
	return "the decoder is looked for beside a file called encoder, under the same name with decoder: call the two so"
}

// DecoderTaken is the file that [Autoencoder] takes the decoder from that it opens with the
// encoder of a file; "" where the file has its own.
func DecoderTaken(path string) string {
	beside := decoderBeside(path)
	if beside == "" {
		return ""
	}
	kind, format, err := recognise(path)
	if err != nil || kind != foreign {
		return ""
	}
	if net, err := readNetwork(format, path, nn.Settings{}); err != nil || !autoencoder.EncoderAlone(net) {
		return ""
	}
	return beside
}

// decoderBeside is the file that has the name of an encoder's, but for the word decoder
// in the place of encoder; "" if there is none.
func decoderBeside(path string) string {
	for _, name := range decoderNames(path) {
		if info, err := os.Stat(name); err == nil && info.Mode().IsRegular() {
			return name
		}
	}
	return ""
}

// decoderNames are what that file could be called.
func decoderNames(path string) []string {
	var names []string
	folder, name := filepath.Split(path)
	for _, words := range [][2]string{{"encoder", "decoder"}, {"Encoder", "Decoder"}} {
		if strings.Contains(name, words[0]) {
			names = append(names, folder+strings.Replace(name, words[0], words[1], 1))
		}
	}
	return names
}
