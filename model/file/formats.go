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
		{Name: "keras", About: "Keras 2 and QKeras: HDF5, alone or with the architecture as JSON", Recognise: keras.Recognise, Read: keras.ReadNetwork},
	}
}
