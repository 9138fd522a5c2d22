// Package parquetio reads and writes wafer images as Parquet files. It is a format of
// package wafer/file.
//
// Charges are 48 columns CALQ_0 … CALQ_47, called as in text tables, or one column of
// lists of 48: CALQ, CALQ_postmux, CALQ_raster, or, if none is called so, the only
// column of lists that has 48 numbers a row. They may be of any type of numbers.
// Columns called 0 … 47, as pandas calls those of an array, are charges, too.
//
// Of other columns whole numbers and truth values become Int, other numbers Float, text
// and bytes Text; dates and times are Text as ISO 8601 writes them. What is missing is
// "" in Text and NaN in Float; whole numbers of which some are missing become Float,
// as in pandas. Missing charges are errors. An index of pandas becomes the column
// index. Columns of lists and structures are left out, with a remark.
//
// The format itself is read and written by internal/parquet, in memory that does not
// grow with the file, nor with its row groups.
package parquetio
