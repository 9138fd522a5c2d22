// Package ttree reads TTrees of ROOT files: the branches whose values are numbers or
// strings, one or several an entry. Branches of other kinds are listed with the reason
// why they are not read.
//
// How a TTree and its branches are laid out is taken from the file's own description of
// the classes. What is in a basket follows ROOT's source, tree/tree, and its notes under
// io/doc/TFile.
package ttree
