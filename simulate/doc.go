// Package simulate draws images of HGCAL wafers: pile-up of 200 collisions,
// electromagnetic and hadronic showers, and the electronics, calibrated to
// published distributions of the CMS simulation. It is no particle transport:
// what it models, from which sources, and what not, is in docs/simulation.md.
//
// Image k of a seed is a function of the seed, k and the settings alone,
// whatever was asked for before and on however many threads. Charges are in
// CALQ counts, 35 of them to 1 MIP_T, or in MIP_T; cells are in V9 order; the
// truth comes as metadata columns.
package simulate
