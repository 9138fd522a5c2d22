// Package h5 reads and writes the part of HDF5 that Keras 2 files use:
// superblock version 0, groups kept in symbol tables, version 1 object
// headers, attributes that hold numbers or strings, and datasets of numbers
// that are contiguous, compact, or chunked with the deflate, shuffle and
// fletcher32 filters. That is what h5py writes by default.
//
// The reader works on the file's bytes in memory and trusts none of them:
// every address, length and count is checked against the size of the file
// before it is used, trees and continuations may not visit a block twice, and
// what decompression may produce is bounded. A damaged file therefore gives an
// error, whatever is wrong with it, and cannot exhaust memory or the stack.
//
// The layout follows the HDF5 File Format Specification, version 2.0
// (The HDF Group). Numbers are little-endian; sizes in this package are bytes.
package h5

import "fmt"

// Signature is what an HDF5 file starts with.
const Signature = "\x89HDF\r\n\x1a\n"

// undefined is the address of something that does not exist.
const undefined = ^uint64(0)

// Header message types that Keras files contain.
const (
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgFill         = 0x05
	msgLink         = 0x06
	msgLayout       = 0x08
	msgFilter       = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
)

func errorf(format string, args ...any) error { return fmt.Errorf("hdf5: "+format, args...) }
