// Package tensorflow is the format of TensorFlow's frozen graphs, in which CMSSW
// keeps autoencoders: a GraphDef whose weights are constants, binary (.pb) or as
// text (.pb.ascii). The first node is the input, the last the output, and all
// graphs of one kind have the same names for them: CMSSW takes the two from there
// (L1Trigger/L1THGCal, HGCalConcentratorAutoEncoderImpl).
//
// Messages are those of tensorflow/core/framework, operations those of
// tensorflow/core/ops, both of TensorFlow 2.
package tensorflow
