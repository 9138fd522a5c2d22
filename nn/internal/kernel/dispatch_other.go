//go:build !amd64 || purego

package kernel

func detect() []string { return []string{Portable} }

func run(p *Product) { productGo(p) }
