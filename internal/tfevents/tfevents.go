// Package tfevents writes TensorBoard's event files: scalars, PNG images, and what settings a
// training had (HParams).
//
// A file is a row of TFRecords, each a length, its checksum, a protocol buffer and its checksum
// (CRC-32C, masked): tensorflow/core/lib/io/record_writer.cc. The buffers are messages Event of
// tensorflow/core/util/event.proto and HParamsPluginData of
// tensorboard/plugins/hparams/plugin_data.proto; their fields are written by number.
package tfevents

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"maps"
	"math"
	"slices"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
)

// A Writer writes events, each with one call of Write.
type Writer struct {
	w   io.Writer
	now func() time.Time
}

// NewWriter begins a file: it writes the event with the format's version.
func NewWriter(w io.Writer) (*Writer, error) {
	e := &Writer{w, time.Now}
	return e, e.event(0, time.Time{}, field(eventVersion, []byte("brain.Event:2")))
}

// Append goes on with a file that has been begun.
func Append(w io.Writer) *Writer { return &Writer{w, time.Now} }

// Numbers of fields.
const (
	eventTime, eventStep, eventVersion, eventSummary, eventSession = 1, 2, 3, 5, 7

	valueTag, valueNumber, valueImage, valueTensor, valueMetadata = 1, 2, 4, 8, 9
)

// A Scalar is a number by the name of its curve.
type Scalar struct {
	Tag   string
	Value float64
}

// Scalars writes numbers of a step. The zero time is now.
func (e *Writer) Scalars(step int, at time.Time, list ...Scalar) error {
	var summary []byte
	for _, s := range list {
		v := field(valueTag, []byte(s.Tag))
		v = protowire.AppendTag(v, valueNumber, protowire.Fixed32Type)
		v = protowire.AppendFixed32(v, math.Float32bits(float32(s.Value)))
		summary = append(summary, field(1, v)...)
	}
	return e.event(step, at, field(eventSummary, summary))
}

// PNG writes an image of a step, in PNG's format.
func (e *Writer) PNG(step int, tag string, png []byte, width, height int) error {
	const rgba = 4
	image := number(1, uint64(height))
	image = append(image, number(2, uint64(width))...)
	image = append(image, number(3, rgba)...)
	image = append(image, field(4, png)...)
	v := append(field(valueTag, []byte(tag)), field(valueImage, image)...)
	return e.event(step, time.Time{}, field(eventSummary, field(1, v)))
}

// Restart says that what the file, or one before it in the same folder, has from a step on is void.
func (e *Writer) Restart(step int) error {
	const start = 1
	return e.event(step, time.Time{}, field(eventSession, number(1, start)))
}

// HParams writes the settings of the training that the file's folder is about, numbers
// (float64), booleans and strings, once, and that it has ended well.
func (e *Writer) HParams(settings map[string]any) error {
	var start []byte
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		var v []byte
		switch x := settings[name].(type) {
		case float64:
			v = protowire.AppendTag(nil, 2, protowire.Fixed64Type)
			v = protowire.AppendFixed64(v, math.Float64bits(x))
		case string:
			v = field(3, []byte(x))
		case bool:
			v = number(4, protowire.EncodeBool(x))
		default:
			return fmt.Errorf("tfevents: setting %q is a %T: want a number, a string or a boolean", name, x)
		}
		start = append(start, field(1, append(field(1, []byte(name)), field(2, v)...))...)
	}
	const success = 1
	summary := field(1, hparams("_hparams_/session_start_info", field(3, start)))
	summary = append(summary, field(1, hparams("_hparams_/session_end_info", field(4, number(1, success))))...)
	return e.event(0, time.Time{}, field(eventSummary, summary))
}

// hparams is a value that carries the plugin's data: an empty tensor with metadata.
func hparams(tag string, data []byte) []byte {
	plugin := append(field(1, []byte("hparams")), field(2, data)...)
	const float, shape, dim = 1, 2, 2
	tensor := append(number(1, float), field(shape, field(dim, nil))...)
	v := append(field(valueTag, []byte(tag)), field(valueTensor, tensor)...)
	return append(v, field(valueMetadata, field(1, plugin))...)
}

// event writes one of a step, the zero time being now.
func (e *Writer) event(step int, at time.Time, what []byte) error {
	if at.IsZero() {
		at = e.now()
	}
	b := protowire.AppendTag(nil, eventTime, protowire.Fixed64Type)
	b = protowire.AppendFixed64(b, math.Float64bits(float64(at.UnixMicro())/1e6))
	b = append(b, number(eventStep, uint64(step))...)
	_, err := e.w.Write(record(append(b, what...)))
	return err
}

func field(n protowire.Number, content []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, n, protowire.BytesType), content)
}

func number(n protowire.Number, v uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, n, protowire.VarintType), v)
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// record is data with length and checksums, as it stands in a file of TFRecords.
func record(data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(data)))
	b = binary.LittleEndian.AppendUint32(b, masked(b))
	b = append(b, data...)
	return binary.LittleEndian.AppendUint32(b, masked(data))
}

// masked is the checksum in the form in which it is stored (tensorflow/core/lib/hash/crc32c.h).
func masked(b []byte) uint32 {
	crc := crc32.Checksum(b, castagnoli)
	return (crc>>15 | crc<<17) + 0xa282ead8
}
