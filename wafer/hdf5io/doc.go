// Package hdf5io reads wafer images from HDF5 tables of h5py, PyTables and pandas, as
// internal/h5 reads the files. It is a format of package wafer/file.
//
// A table is a group with its datasets, a dataset of structures, or what pandas makes of
// a data frame (format "fixed" and "table"). In a group the charges are a dataset CALQ
// of N×48 numbers, or 48 datasets CALQ_0 … CALQ_47 of N, called as in text tables
// (CALQ_postmux and CALQ_raster say the numbering, too), or the only dataset of N×48
// numbers by whatever name; in structures and frames fields and columns stand for
// datasets. All others of N values are metadata columns: whole numbers and truth
// values, floating point, text. Attributes unit and order, of the charges, their group
// or the file, say the charges' unit and numbering.
//
// What a table has besides is left out with a remark. Where several tables or datasets
// may be the charges, [wafer.ReadSettings].Tree names one: otherwise that is a
// [wafer.UnclearError]. Charges must be finite and not negative. Files of Keras' models
// are HDF5, too: they are told by what Keras writes and refused.
package hdf5io
