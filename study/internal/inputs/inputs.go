// Package inputs lists the files that studies read besides images, so that a
// resumed run is known by what is in them.
package inputs

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"

	"barrow/hgcal"
	"barrow/run"
)

// Metric is the file of a ground metric, by the positions in it; none where the
// name is one of the built-in ones.
func Metric(name string) ([]run.Input, error) {
	if name == "benchmark" || name == "cmssw" {
		return nil, nil
	}
	points, err := hgcal.Positions(name)
	if err != nil {
		return nil, err
	}
	h := sha256.New()
	for _, p := range points {
		h.Write(binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, math.Float64bits(p[0])), math.Float64bits(p[1])))
	}
	return []run.Input{{Name: "the metric " + name, SHA256: hex.EncodeToString(h.Sum(nil))}}, nil
}

// Files are files by what they are, each with a digest.
func Files(what string, paths []string) ([]run.Input, error) {
	var list []run.Input
	for _, path := range paths {
		in, err := run.File(what, path)
		if err != nil {
			return nil, err
		}
		list = append(list, in)
	}
	return list, nil
}
