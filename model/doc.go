// Package model is what a trained model is to the outside: the encoder and the
// decoder of an autoencoder as views, made once, with the contract by which images
// meet them ([Contract]), and the seam for other programs' formats ([Format]).
//
// A format is a package of its own under model, with one line in the registry
// of barrow/model/file, which opens models by name and exports them.
package model
