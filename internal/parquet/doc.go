// Package parquet reads and writes Parquet files, in memory that does not grow with the
// file: it reads a page of each column at a time, however long the row groups are, and
// writes row groups of bounded size. It knows nothing of wafers.
//
// What it reads is the format of github.com/apache/parquet-format, version 2.11: all
// physical types, all encodings but the deprecated BIT_PACKED one of levels, pages of
// both versions, and all codecs but LZO. Encrypted files and columns in other files
// are refused. What it writes is the part that every reader has: pages of version 1,
// plain or with a dictionary, packed by Zstandard.
//
// It is a strict reader of its own because parquet-go v0.32.0, which is the second
// opinion of its tests, allocates what a damaged file names before a byte of it is
// there: a table of contents that says to have 2³¹−1 remarks, 29 bytes of file in all,
// makes it ask for 64 GiB (encoding/thrift, list.go:80), and the program ends without
// recovery. The sizes in pages' headers are trusted likewise (file.go,
// FilePages.readPage; column.go, Column.decompress). Here nothing is allocated by a
// count alone: memory grows as the bytes come.
package parquet
