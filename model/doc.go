// Package model is what a trained model is to the outside: the networks of an
// autoencoder, of an estimator of the EMD, or of a decoder of frames, as views ([Part]), with the contract by
// which images meet an encoder ([Contract]) and test vectors ([Vectors]); and the
// seam for other programs' formats ([Format]).
//
// A format is a package of its own under model, with one line in the registry
// of barrow/model/file, which opens models by name and exports them.
package model
