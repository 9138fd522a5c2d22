// Package nn trains small convolutional networks on tiny images.
//
// A network is described by data, a [Spec]: an input shape and a list of
// layers with hand-written backward passes. [New] checks it and builds a
// [Network], whose Forward and Backward run a batch; [Fit] trains one on an
// [Objective] with seeded shuffles, [Adam], a learning-rate
// [Schedule], early stopping, and checkpoints from which an interrupted
// training resumes to the same bits.
//
// Values are float32. Batches are position-major (see [Tensor]), so that every
// tap of a convolution on a 4×4 or 8×8 image is a plain matrix product over
// batch and channels; convolutions with few channels are lowered to dense
// products instead. The products run on AVX-512, AVX2 or portable Go.
//
// The same seed gives the same bits with any number of threads, on one kind of
// kernel: work is cut in pieces that do not depend on the threads, and sums
// over pieces are taken in a fixed order.
//
// Layers and defaults follow Keras (weight layouts, "same" padding, batch
// normalisation, Glorot initialisation, Adam), fake quantisation follows
// QKeras.
package nn
