// Package econt is the ECON-T in integers: the trigger concentrator ASIC of
// CMS's HGCAL, from the twelve 32-bit input words of a bunch crossing to the
// thirteen 32-bit output words, every bit as the chip's upstream emulator
// writes it.
//
// # Chain
//
//	12 eRx words ── unpack ── mux ── decode 4E3M ── calibrate ──► CALQ (48 × 22 bits)
//	CALQ ── TS | STC | BC | RPT | AE ── frame ── buffer ──► 13 eTx words
//
// [BunchCrossing] is one row of input, [Emulator] runs the chain row by row,
// [Config] holds the registers, [Verify] compares with a golden file field by
// field, [Decoder] turns frames back into images, and [Baseline] does image to
// image with the bits that were spent. [Weights] are the 2,144 six-bit numbers
// of the autoencoder's encoder and [Encoder] is that block alone, many wafers
// at a time.
//
// # Units and orders
//
// CALQ are unsigned integers of at most 22 bits in transverse ADC counts. A
// channel is an output of the multiplexer, 0..47. What a channel means on the
// wafer is decided by the multiplexer's registers: the super trigger cells and
// the addresses of TS, STC and BC count channels, and the autoencoder reads
// channels as the pixels of its 8×8 image in raster order (32 in rows 0–3,
// then four each in rows 4–7).
//
// # What the goldens settle, and what they do not
//
// The chip's public rules leave cases open. These were settled by golden
// outputs (3,564 bunch crossings each): ties in BC follow Knuth's merge
// exchange (Batcher) over all 48 channels, strictly smaller moves down; BC
// keeps charges that are zero; a 4-bit header is bit 4 and the low three bits
// of the 5-bit one; the 4E3M sums of STC drop bits of the sum, not of the
// cells; TS pads a frame with zeros to 16 bits and fills unused output with
// idle words; the dense layer's registers are read output by output.
//
// No golden covers these, and each is marked "not covered by a golden" where
// it is decided:
//
//   - AE: an output above 511/256 saturates ([Saturate], or [Wrap] if asked);
//     [Emulator.Overflows] counts the frames that depended on it. The hidden
//     layer is not limited (no image can make it exceed 371/128).
//   - AE: fewer bits kept than the links carry are right-aligned, more lose
//     their most significant ones; beyond five links the rest is zero.
//   - STC type 4 is a coarse trigger cell in 5E4M without address; an STC type
//     on more links than it can fill sends zeros, as the formatter does.
//   - TS frames of types 000 and 010 (fewer than eight hits), truncation by T2
//     and T3 (type 111; T1 gives 110) and idle words after a truncated frame.
//   - drop_lsb 5, 6, 7 act as 0; alg_type 5, 6, 7 act as RPT; a calibration
//     other than 1; thresholds that differ between channels; RPT on fewer than
//     eleven links loses its last channels.
//   - a link mask with gaps: the k-th word leaves by the k-th active link.
package econt
