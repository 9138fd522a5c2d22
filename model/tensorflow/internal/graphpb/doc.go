// Package graphpb is TensorFlow's frozen graph as protocol buffers: the published
// messages, as far as such graphs use them (graph.proto), compiled once.
package graphpb

//go:generate protoc --go_out=. --go_opt=paths=source_relative graph.proto
