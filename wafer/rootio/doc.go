// Package rootio reads and writes wafer images as ROOT files.
//
// Read are TTrees and RNTuples, whoever wrote them, in three forms:
//
//   - HGCalTriggerNtuple with trigger cells (tc_*): the cells of an event are put on
//     their wafers by tc_zside, tc_subdet, tc_layer, tc_waferu and tc_waferv, and there by
//     tc_cellu and tc_cellv. A row is a wafer that has at least one cell; the rows of an
//     event are in the order of that key. What the charges are made of is
//     wafer.ReadSettings.Charge. Tiles of scintillator (waferu or waferv -999, subdet 10,
//     or 5 in old files) are skipped and counted.
//   - HGCalTriggerNtuple with the charges of wafers (wafer_CALQ0 to wafer_CALQ47, or to 63),
//     which are taken as they are, in the file's order. Of 64 either the last 16 are 0, or
//     they are the pixels of 8×8, as the chip's network takes them.
//   - Tables of one row an image: an array CALQ of 48, or CALQ_0 to CALQ_47. All other
//     columns of one value a row are kept.
//
// Instead of tc and wafer any other prefix may stand. Of the columns that ntuples
// give beside the key (see wafer.Known) eta and phi are the wafer's own where the table
// has them, else the means over the wafer's cells; gen_eta, gen_pt and gen_phi are those of the
// generated particle of the highest pt in the wafer's endcap (gen_*, else genpart_*),
// not a number where there is none; SimEnergyTotal is the sum of tc_simenergy over the
// wafer, EventSimEnergy that over the whole event, both endcaps and scintillators
// included, as the field's own scripts have it. econ_* become AE0 to AE15.
//
// Vectors may be longer than tc_n, wafer_n or econ_n say, where a producer forgot to clear
// them: the last values count. Shorter ones are an error.
//
// Written is an RNTuple of the name wafers: charges as a field CALQ, CALQ_postmux or
// CALQ_raster of std::array<double,48>, whose description is the charges' unit, and a
// field for every column.
//
// The ntuples are those of L1Trigger/L1THGCalUtilities in CMSSW and of its forks.
package rootio
