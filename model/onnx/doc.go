// Package onnx reads, runs and writes ONNX models, those of QONNX included.
//
// A model is run as it is, whatever the layout of its tensors: Open. Read makes of
// it a chain of the layers that package nn has, the channels last, with which it can
// be trained on and compared. Format and QFormat write what Barrow has trained.
//
// The source of the format is onnx.proto3 of ONNX 1.17 (IR 3 to 13) and the
// descriptions of its operators, opsets 1 to 28; of QONNX, the operators Quant,
// BipolarQuant and the channels-last Conv of the Python package qonnx 1.0. The few
// messages are read and written with protowire, field by field.
package onnx
