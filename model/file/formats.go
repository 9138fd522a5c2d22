package file

import (
	"barrow/model"
	"barrow/model/registers"
	"barrow/model/tensorflow"
)

// Formats are the formats of other programs: a new one is a line here.
func Formats() []model.Format {
	return []model.Format{
		registers.Format(),
		kerasFormat(),
		tensorflow.Format(),
	}
}
