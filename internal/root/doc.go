// Package root reads ROOT files: the container with its keys and folders,
// compressed records, and what tables (TTree, RNTuple) give, whichever they are.
// It knows nothing of what the numbers mean.
//
// The format is described in ROOT's own source, under io/doc/TFile, and in the
// RNTuple specification, version 1.0.
package root
