// Package source writes models as source: one C++17 header, one file of Go, one of
// NumPy, each without dependencies, with the weights as constants and a test that
// holds it to the export's vectors. They are to be built in where no library is to be
// had, and to be read: nothing says so shortly what a model computes.
//
// Sums are formed in double precision, where those of quantised models are exact:
// these give Barrow's own numbers bit for bit, floating point the same but for the last
// bits. An encoder of the precision asic is written in the chip's integers.
package source
