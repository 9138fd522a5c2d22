package file

import (
	"barrow/model"
	"barrow/model/keras"
	"barrow/model/registers"
)

// Formats are the formats of other programs: a new one is a line here.
func Formats() []model.Format {
	return []model.Format{
		registers.Format(),
		{Name: "keras", About: "Keras and QKeras: .h5 or .hdf5, or .json and weights of the same name beside it", Recognise: keras.Recognise, Read: keras.ReadNetwork, Files: keras.Files},
	}
}
