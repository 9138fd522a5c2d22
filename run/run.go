// Package run keeps a run's folder: what the run was asked for, the checkpoints
// that long work resumes from, the records of parts that are done, and the
// results that close it. A folder belongs to one kind of run with one set of
// settings and inputs; one process at a time works in it; it is never written
// over unless asked. Reading needs no lock.
//
// Every JSON file of a run begins with its kind and the version of its form, so
// that whoever finds a folder knows what it holds.
package run

import (
	"fmt"
	"os"
	"path/filepath"
)

// The files of a run. Checkpoints, weights and the records of finished parts lie
// in the folder Weights.
const (
	Config  = "config.json"
	Results = "results.json"
	Times   = "times.json"
	Report  = "report.html"
	Tables  = "results.md"
	Weights = "weights"
)

// Names of the weights in the folder Weights. A training in progress has its
// checkpoint under the same name with the ending ".ckpt".
const (
	SurrogateWeights = "emd-cnn"
	EncoderWeights   = "encoder-" // followed by the loss
	WeightsEnding    = ".weights"
	CheckpointEnding = ".ckpt"
)

// A Kind of run: its name and the version of the form of its files.
type Kind struct {
	Name    string `json:"kind"`
	Version int    `json:"version"`
}

// WeightsFile finds the weights that a user means by path: the file itself, or
// the named weights in a run's folder.
func WeightsFile(path, name string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("run: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	file := filepath.Join(path, Weights, name+WeightsEnding)
	if !exists(file) {
		return "", fmt.Errorf("run: %s holds no trained %s (no %s)", path, name, file)
	}
	return file, nil
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
