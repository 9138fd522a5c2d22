// Package npzio reads and writes wafer images as NumPy's arrays: archives of several
// (.npz) and single ones (.npy), as internal/npz has them. These are two formats of
// package wafer/file.
//
// In an archive the charges are an array CALQ of N×48 numbers, or 48 arrays CALQ_0 …
// CALQ_47 of N, called as in text tables (CALQ_postmux and CALQ_raster say the
// numbering, too), or the only array of N×48 numbers by whatever name. Every array of N
// values is a metadata column: whole numbers and truth values, floating point, text.
// Arrays without dimensions, order and unit, say the charges' numbering and unit. An
// array of N records is a table of its own, its fields standing for arrays.
//
// A single array is N×48 charges, or N records with such fields.
//
// What is in an archive besides is left out with a remark. Where several arrays may be
// the charges, [wafer.ReadSettings].Tree names one: otherwise that is a
// [wafer.UnclearError]. Numbers are of any width of NumPy's in either order of bytes, in
// C or Fortran order, compressed or not. Charges must be finite and not negative.
//
// Written are CALQ as float64, whatever the charges are, so that they are exact and
// programs that read them need to know one type only; metadata as int64, float64 or
// text (<U, as wide as the longest); unit, where it is known. A single array has the
// charges alone.
package npzio
