// Package csvio reads and writes wafer images as text tables, in the dialects in
// circulation. It is a format of package wafer/file.
//
// Reading needs no choice of dialect where a table can mean one thing only:
//
//   - A first line that names columns CALQ_0 … CALQ_47 is a header; the columns
//     may stand anywhere, all others are metadata. This covers the Ecoder
//     training files (entry, CALQ_0 … CALQ_47, SimEnergyTotal, …, ModType) and
//     the older ones of 48 charges alone. CALQ_postmux_0 and CALQ_raster_0 say
//     the cell order, too.
//   - Without a header, 48 columns are the charges; 57 columns are the older
//     training files of the EMD studies (48 charges, entry, zside, layer,
//     waferu, waferv, simenergy, subdet, tc_eta, tc_phi); 58 columns are a
//     piece of an Ecoder file that lost its header.
//   - An index in front is recognised by a header in which it has no name.
//
// What may mean two things (another width, a first line of column numbers) is a
// wafer.UnclearError, which names the setting that settles it; docs/files.md
// lists all kinds. Separators are commas, semicolons, tabs or spaces.
//
// The published readers of the 57-column files take their first line for a
// header and lose an image; here none is lost, so counts differ by one.
//
// Charges are any non-negative decimal numbers, not NaN or infinite. Every row
// must have as many columns as the first. What is wrong is an error that names
// file, row and column, counted from 1 as editors do; nothing is skipped but
// comments above and below the table and empty lines below it. Images are
// always returned in V9 order; a file without names does not say its own, which
// is then a setting.
package csvio
