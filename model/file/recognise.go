package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barrow/internal/sniff"
	"barrow/internal/weights"
	"barrow/model"
	"barrow/run"
)

// A kind is whose a file is.
type kind int

const (
	foreign kind = iota
	barrowNetwork
	barrowPotential
)

// wanted is what an error says beside what a file is.
func wanted() string {
	var read []string
	for _, f := range Formats() {
		if f.Read != nil {
			read = append(read, f.About)
		}
	}
	return "wanted is a run's folder, a weights file of Barrow (*" + run.WeightsEnding + ") or a model of another program (" + strings.Join(read, "; ") + ")"
}

// largest is the size of the largest file of weights that is opened, in bytes:
// hundreds of times that of any network here.
const largest = 2 << 30

// recognise tells by content whose a file is, and in which format one of another
// program. Errors say what the file looks like, and what is wanted.
func recognise(path string) (kind, *model.Format, error) {
	head, err := beginning(path)
	if err != nil {
		return 0, nil, fmt.Errorf("model: %w", err)
	}
	switch weights.KindOf(head) {
	case weights.Network:
		return barrowNetwork, nil, nil
	case weights.Potential:
		return barrowPotential, nil, nil
	}
	for _, f := range Formats() {
		if f.Recognise != nil && f.Recognise(head) {
			return foreign, &f, nil
		}
	}
	return 0, nil, fmt.Errorf("model: %s: %s; %s", path, sniff.Looks(head), wanted())
}

// beginning is the first 512 bytes of a regular file of a sensible size.
func beginning(path string) ([]byte, error) {
	head, err := sniff.Head(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, wanted())
	}
	if info, err := os.Stat(path); err == nil && info.Size() > largest {
		return nil, fmt.Errorf("%s: %d bytes, more than any model here has (at most %d are read); %s", path, info.Size(), int64(largest), wanted())
	}
	return head, nil
}

// losses lists what encoders were trained with, by their files' names.
func losses(paths []string) string {
	var names []string
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), run.WeightsEnding)
		names = append(names, strings.TrimPrefix(name, run.EncoderWeights))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
