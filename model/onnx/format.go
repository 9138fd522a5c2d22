package onnx

import "barrow/model"

// Format is ONNX.
func Format() model.Format {
	return model.Format{
		Name: "onnx", About: "ONNX and QONNX: .onnx",
		Recognise: Recognise, Read: Read, Open: open, Export: export,
	}
}
