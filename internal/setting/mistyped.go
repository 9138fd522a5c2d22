package setting

import (
	"fmt"
	"regexp"
)

// ofAnotherKind is what the reader of TOML says of a value that its key does not take.
var ofAnotherKind = regexp.MustCompile(`^toml: line (\d+) \(last key "(.*)"\): incompatible types: TOML value has type (\w+); destination has type (\w+)$`)

// Mistyped puts into this program's words what the reader of TOML says of a file, with the file's name.
func Mistyped(name string, err error) error {
	if m := ofAnotherKind.FindStringSubmatch(err.Error()); m != nil {
		return fmt.Errorf("%s:%s: %s: want a value of the kind %s, not %s", name, m[1], m[2], m[4], m[3])
	}
	return fmt.Errorf("%s: %w", name, err)
}
