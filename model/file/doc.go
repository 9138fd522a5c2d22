// Package file opens trained models by name and exports them: a run's folder, a
// weights file of Barrow, or a model of another program in any of the formats that
// are registered here, told by content.
package file
