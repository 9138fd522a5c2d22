package physics

import "barrow/simulate"

// Record is what a contender leaves of a generated particle or, of minimum bias, a
// cluster.
type Record struct {
	// Event is the event's number, Zside its endcap.
	Event int64
	Zside int
	// Truth is the particle, a jet without its parts; zero in minimum bias.
	Truth simulate.Particle
	// Found is whether there is a cluster near the particle. Without one the cluster is
	// zero, and its Layers zeros.
	Found bool
	Cluster
	// Around is the transverse energy in MIP_T of the cells
	// around the cluster, between its radius and √2 of it from its direction: an area as
	// large as the cluster's.
	Around float64
	// EMD is the mean exact EMD between images and decoded images, both scaled to sum
	// 1, in units of the ground metric: over the Wafers with charge within the cluster's
	// radius of the particle. An image of which nothing arrives counts as one of equal
	// charges. NaN if there is no such wafer, and in minimum bias.
	EMD    float64
	Wafers int
	// ChargeEMD is the same with every wafer weighted by its charge, and Charge what they
	// have together, in CALQ: the shower's wafers count, not pile-up's many.
	ChargeEMD, Charge float64
}

// half is 0 for events of even numbers, 1 for those of odd ones. What is fitted to a half is
// measured on the other.
func (r *Record) half() int { return int(r.Event & 1) }

// Block is what some events leave.
type Block struct {
	// First is how many events of the source come before, Events how many these are
	// and Wafers how many images they have.
	First, Events, Wafers int
	// Contenders are the names, and Records what each leaves: of every particle one,
	// event after event, in the same order for all contenders, or of minimum bias
	// one of every cluster.
	Contenders []string
	Records    [][]Record
}

// Table is what one contender leaves.
type Table struct {
	Contender string
	// Events is how many events were measured, those without a record included.
	Events  int
	Records []Record
}
