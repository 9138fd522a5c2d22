package loss

import "strings"

// FileName is a loss as part of a file's name, in which the / between several values of an option
// cannot stand: it is a comma there.
func FileName(text string) string { return strings.ReplaceAll(text, "/", ",") }
