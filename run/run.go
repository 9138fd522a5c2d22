// Package run keeps a run's folder: what the run was asked for, the checkpoints
// that long work resumes from, the records of parts that are done, and the
// results that close it. A folder belongs to one kind of run with one set of
// settings and inputs; one process at a time works in it; it is never written
// over unless asked. Reading needs no lock.
//
// Every JSON file of a run begins with its kind and the version of its form, so
// that whoever finds a folder knows what it holds.
package run

import "os"

// The files of a run. Checkpoints, weights and the records of finished parts lie
// in the folder Weights.
const (
	Config  = "config.json"
	Results = "results.json"
	Times   = "times.json"
	Report  = "report.html"
	Tables  = "results.md"
	Weights = "weights"
	Failure = "failed.json" // why the run ended that did not finish, where it was neither interrupted nor killed

	Modules   = "plan.csv"     // of a plan
	Registers = "registers"    // folder of its register files
	Clusters  = "clusters.csv" // of a run of clusters: what was found of every row
)

// Names of the weights in the folder Weights. A training in progress has its
// checkpoint under the same name with the ending ".ckpt".
const (
	SurrogateWeights = "emd-cnn"
	EncoderWeights   = "encoder-" // followed by the loss
	DecoderWeights   = "decoder"
	WeightsEnding    = ".weights"
	CheckpointEnding = ".ckpt"
)

// A Kind of run: its name and the version of the form of its files.
type Kind struct {
	Name    string `json:"kind"`
	Version int    `json:"version"`
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
