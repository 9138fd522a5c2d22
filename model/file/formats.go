package file

import (
	"barrow/model"
	"barrow/model/keras"
	"barrow/model/registers"
	"barrow/nn"
)

// Formats are the formats of other programs: a new one is a line here.
func Formats() []model.Format {
	return []model.Format{
		registers.Format(),
		{
			Name: "keras", About: "Keras and QKeras: .h5 or .hdf5, or .json and weights of the same name beside it",
			Recognise: keras.Recognise,
			Read:      func(f model.Source, s nn.Settings) (*nn.Network, error) { return keras.ReadNetwork(f.Path, s) },
			Files:     func(f model.Source) ([]string, error) { return keras.Files(f.Path) },
		},
	}
}
