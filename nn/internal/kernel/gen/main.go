// Command gen writes the assembly of package kernel with avo. Run it with
// go generate in the package's folder.
package main

import (
	. "github.com/mmcloughlin/avo/build"
)

func main() {
	ConstraintExpr("amd64,!purego")
	for rows := 1; rows <= rows512; rows++ {
		product512(rows, 1, false)
		product512(rows, 2, false)
		product512(rows, 2, true)
	}
	for rows := 1; rows <= rows256; rows++ {
		product256(rows, false)
	}
	for rows := 1; rows <= rows256Masked; rows++ {
		product256(rows, true)
	}
	elementwise(512)
	elementwise(256)
	split(512)
	split(256)
	Generate()
}
