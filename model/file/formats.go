package file

import (
	"barrow/model"
	"barrow/model/keras"
	"barrow/model/onnx"
	"barrow/model/registers"
	"barrow/model/source"
	"barrow/model/tensorflow"
)

// Formats are the formats of other programs: a new one is a line here.
func Formats() []model.Format {
	return []model.Format{
		registers.Format(),
		registers.GoldenFormat(),
		keras.Format(),
		keras.ZipFormat(),
		keras.QKerasFormat(),
		tensorflow.Format(),
		source.Cpp(),
		source.Python(),
		source.Go(),
		onnx.Format(),
		onnx.QFormat(),
	}
}
