package main

import "strings"

// A platform is what a wheel is for.
type platform struct {
	system, processor string   // as Go names them
	tags              []string // as Python names it; a static program runs on any C library
}

// platforms are those that there are wheels for. The oldest macOS is that of Go's linker
// (cmd/link/internal/ld/macho.go).
var platforms = []platform{
	{"linux", "amd64", []string{"manylinux_2_17_x86_64", "manylinux2014_x86_64", "musllinux_1_1_x86_64"}},
	{"linux", "arm64", []string{"manylinux_2_17_aarch64", "manylinux2014_aarch64", "musllinux_1_1_aarch64"}},
	{"darwin", "arm64", []string{"macosx_12_0_arm64"}},
	{"darwin", "amd64", []string{"macosx_12_0_x86_64"}},
	{"windows", "amd64", []string{"win_amd64"}},
}

func (p platform) String() string { return p.system + "/" + p.processor }

// tag is the last part of the wheel's name: which Pythons and platforms it is for.
func (p platform) tag() string { return "py3-none-" + strings.Join(p.tags, ".") }

// program is the name that the program has in the package.
func (p platform) program() string {
	if p.system == "windows" {
		return "barrow/_bin/barrow.exe"
	}
	return "barrow/_bin/barrow"
}

func platformNames() []string {
	names := make([]string, len(platforms))
	for i, p := range platforms {
		names[i] = p.String()
	}
	return names
}
