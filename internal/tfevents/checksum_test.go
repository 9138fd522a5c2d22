package tfevents

import (
	"math/bits"
	"testing"
)

// TestMasked: CRC-32C of "123456789" is 0xe3069283 (RFC 3720's polynomial); TensorFlow turns it by
// 15 bits and adds a constant.
func TestMasked(t *testing.T) {
	const crc = uint32(0xe3069283)
	if got, want := masked([]byte("123456789")), bits.RotateLeft32(crc, 17)+0xa282ead8; got != want {
		t.Errorf("%x, want %x", got, want)
	}
}
