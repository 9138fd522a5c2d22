//go:build !unix

package web

// nonblock is of no use here: there are no pipes among files.
const nonblock = 0
