// Package keras reads and writes networks as Keras 2 does: the weights in
// HDF5, the architecture as JSON, in one file or in two. It reads the .h5 files
// of Keras 3 as well. It needs neither Python nor TensorFlow.
//
// ReadWeights gives a file's tensors in Keras' order, with the architecture if
// the file has it. ReadModel and ReadModelJSON go on to map the architecture
// onto one nn.Spec, so that an nn.Network predicts what Keras would, with its
// gradients. Write and WriteJSON do the way back; Export makes a File of an
// nn.Network.
//
// Mapped are functional and sequential models that are one chain of layers:
// Conv2D, Conv2DTranspose, Dense, BatchNormalization, ReLU, Activation,
// Flatten, Reshape, Cropping2D, ZeroPadding2D before a convolution, Dropout
// and QKeras' QConv2D, QDense and QActivation. Several inputs may be
// concatenated in front of the chain, or appended to it further on, and a
// layer's output may be added to what the layers after it make of it, and a
// nested model that is called on (a, b) and on (b, a) and averaged becomes a
// pair layer: that is how the EMD CNNs of the paper are built. Whatever else a
// file holds is an error that names the layer and says what is supported.
//
// The HDF5 part is our own (internal/h5): reading trusts no byte of the file,
// and files of the same content are the same bytes.
package keras
