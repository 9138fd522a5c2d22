// Package validate compares the images of package simulate with what is
// published about the CMS simulation, point by point: occupancy per layer and
// against pseudorapidity, charge spectra, correlation between cells, and the
// earth mover's distances of wafers from each other, from a flat image, and from
// what two of the chip's compression algorithms leave of them.
//
// Where the published files themselves are at hand the reference is computed
// from them; otherwise numbers computed from them before are used, which
// reference.go and package simulate hold with their origin.
package validate
