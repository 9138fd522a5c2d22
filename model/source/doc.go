// Package source writes models as source: a C++17 header without dependencies, a file of
// Go (encoders), or one of
// Python with NumPy alone, the weights as constants, with a test that holds it to the
// export's vectors. They are to be built in where no library is to be
// had, and to be read: nothing says so shortly what a model computes.
//
// Sums are formed in double precision, where those of quantised models are exact:
// these give Barrow's own numbers bit for bit, floating point the same but for the last
// bits. An encoder of the precision asic is written in the chip's integers.
package source
