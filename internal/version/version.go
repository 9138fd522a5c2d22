// Package version says which program this is, so that results can name it.
package version

import (
	"runtime"
	"runtime/debug"
	"strings"

	"barrow/nn"
)

// A Program is what ran: enough to find its source and to know which arithmetic
// it used.
type Program struct {
	Version string `json:"version"`          // of the module or the Python package, "devel" outside a release
	Commit  string `json:"commit,omitempty"` // of the source, with "+changes" where the tree had some; empty where the build does not say
	Go      string `json:"go"`
	System  string `json:"system"` // operating system and processor architecture
	Kernel  string `json:"kernel"` // the training engine's kernel where none is asked for
}

// release is the version of a program that was built from no module's version, as a Python
// package's is: the linker sets it (-X).
var release string

// Current describes the running program.
func Current() Program {
	p := Program{Version: "devel", Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH, Kernel: nn.Kernels()[0]}
	if release != "" {
		p.Version = release
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return p
	}
	if v := info.Main.Version; release == "" && v != "" && v != "(devel)" {
		p.Version = v
	}
	changed := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			p.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.modified":
			changed = s.Value == "true"
		}
	}
	if changed && p.Commit != "" {
		p.Commit += "+changes"
	}
	return p
}

// String is the program in one line, as --version prints it.
func (p Program) String() string {
	parts := []string{p.Version}
	if p.Commit != "" {
		parts = append(parts, "commit "+p.Commit)
	}
	return strings.Join(append(parts, p.Go, p.System, "kernel "+p.Kernel), ", ")
}
