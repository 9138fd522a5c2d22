// Package h5 reads the HDF5 files of h5py, PyTables, pandas and Keras, and writes
// Keras' own.
//
// It reads superblocks of all versions with or without a user block, object headers
// of both versions, groups kept in symbol tables and in links (in the header or in a
// fractal heap), attributes, and datasets of numbers, strings and structures:
// contiguous, compact, or chunked, with any of the library's indices (B-trees of both
// versions, single chunk, implicit, fixed and extensible array) and the filters
// deflate, shuffle, fletcher32, LZF, bzip2, Blosc, LZ4 and Zstandard. Rows of a dataset are
// read as a stream: memory does not grow with the file, only with its chunks. What is
// not read is an error that names it: szip, nbit and scale-offset, virtual and
// external data, references.
//
// The reader trusts no byte of the file: every address, length and count is checked
// against the size of the file before it is used, trees and continuations may not
// visit a block twice, the checksums that newer structures have must fit, and what
// decompression may produce is bounded. A damaged file therefore gives an error,
// whatever is wrong with it, and cannot exhaust memory or the stack.
//
// The layout follows the HDF5 File Format Specification, version 3.0, with what
// version 4 adds for libver="latest" (The HDF Group). Numbers are little-endian;
// sizes in this package are bytes.
package h5

import "fmt"

// Signature is what an HDF5 file starts with.
const Signature = "\x89HDF\r\n\x1a\n"

// undefined is the address of something that does not exist.
const undefined = ^uint64(0)

// Header message types.
const (
	msgDataspace    = 0x01
	msgLinkInfo     = 0x02
	msgDatatype     = 0x03
	msgFillOld      = 0x04
	msgFill         = 0x05
	msgLink         = 0x06
	msgExternal     = 0x07
	msgLayout       = 0x08
	msgFilter       = 0x0b
	msgAttribute    = 0x0c
	msgContinuation = 0x10
	msgSymbolTable  = 0x11
	msgAttrInfo     = 0x15
)

// maxDepth bounds what is nested: datatypes, B-trees, fractal heaps.
const maxDepth = 32

func errorf(format string, args ...any) error { return fmt.Errorf("hdf5: "+format, args...) }
