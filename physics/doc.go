// Package physics answers by what the trigger sees which algorithm should send a
// wafer's charges: events of an endcap, simulated or read from files, and the clusters
// that are found in them.
//
// # Events
//
// An Event is the images of an endcap's wafers with the places of the wafers and the
// generated particles. Sources give events as a stream: NewSimulated draws them, and
// only what is around the particles; OpenNtuple reads files of any format that has the
// wafers' places and gen_* columns.
//
// # Coordinates
//
// An endcap is seen in its own frame, in which z rises from the interaction point: the
// far one (zside −1) is turned by 180° about y, which leaves y and takes x to −x, so that
// its φ becomes π − φ and its η is positive. A trigger cell is a point x/z, y/z, the same
// for all cells that a straight path from the origin meets. With r/z = √((x/z)² + (y/z)²)
// it is η = arsinh(1/(r/z)) and φ = atan2(y/z, x/z).
//
// # Charges
//
// Images are CALQ: transverse, 35 counts to a MIP_T. Sums of clusters are in MIP_T.
package physics
