package file

import (
	"barrow/model"
	"barrow/model/registers"
)

// Formats are the formats of other programs: a new one is a line here.
func Formats() []model.Format {
	return []model.Format{
		registers.Format(),
		kerasFormat(),
	}
}
