package onnx

import (
	"context"

	"barrow/model"
)

// Format is ONNX.
func Format() model.Format {
	return model.Format{
		Name: "onnx", About: "ONNX and QONNX: .onnx",
		Recognise: Recognise, Read: Read, Open: open, Check: check, Export: export,
	}
}

// check names the layer that cannot be written.
func check(m *model.Model) error {
	_, err := export(context.Background(), m)
	return err
}
