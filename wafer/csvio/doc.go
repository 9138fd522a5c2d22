// Package csvio reads and writes wafer images as comma-separated values, in
// all the dialects in circulation.
//
// Reading needs no choice of dialect:
//
//   - A first line that names columns CALQ_0 … CALQ_47 is a header; the columns
//     may stand anywhere, all others are metadata. This covers the Ecoder
//     training files (entry, CALQ_0 … CALQ_47, SimEnergyTotal, …, ModType) and
//     the older ones of 48 charges alone.
//   - Without a header, 48 columns are the charges; 57 columns are the older
//     training files of the EMD studies (48 charges, entry, zside, layer,
//     waferu, waferv, simenergy, subdet, tc_eta, tc_phi); 58 columns are a
//     piece of an Ecoder file that lost its header; any other number above 48
//     is 48 charges and metadata columns named column_48 and so on.
//
// The published readers of the 57-column files take their first line for a
// header and lose an image; here none is lost, so counts differ by one.
//
// Charges are any non-negative decimal numbers, not NaN or infinite. Every row
// must have as many columns as the first. What is wrong is an error that names
// file, row and column, counted from 1 as editors do; nothing is skipped but
// empty lines at the end. The cell order of a file cannot be seen from it: it is
// an option, and images are always returned in V9 order.
package csvio
