// Package wafer holds images of HGCAL silicon wafers: 48 trigger-cell charges
// each, with any number of columns that say more about the image.
//
// Charges are float64, non-negative and in the unit of where they come from
// (ADC counts of CALQ, multiples of MIP_T, …); nothing here changes the unit
// but the normalisations, which say so. They are always in V9 order; readers
// convert. Images whose charges are all zero have no distance to others: they
// are kept, [Set.ZeroSum] counts them, and only [Set.NonZero] removes them,
// telling how many.
//
// File formats are sub-packages, each a [Format]; package wafer/file opens and
// creates files of all of them. What well-known columns are called and mean is in
// [KnownColumns] and its methods.
package wafer
