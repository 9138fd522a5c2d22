// Program wheel makes Python wheels of Barrow: the package python/barrow with the program
// itself inside, compiled for one platform. Neither setuptools nor a C compiler is needed,
// and the same commit gives the same bytes.
//
//	go run ./python/wheel [--out DIR]          this platform's wheel
//	go run ./python/wheel --all [--out DIR]    every platform's
//
// It prints the wheels' paths, one a line. What a wheel is: the binary distribution format
// of packaging.python.org (PEP 427), its names of platforms PEP 425, 600 and 656.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	err := run(os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "wheel:", err)
		os.Exit(1)
	}
}

// run makes the wheels that the arguments ask for.
func run(args []string, stdout, stderr io.Writer) error {
	flags := flag.NewFlagSet("wheel", flag.ContinueOnError)
	flags.SetOutput(stderr)
	out := flags.String("out", "dist", "folder for the wheels; made if absent")
	all := flags.Bool("all", false, "every platform's wheel, not this one's alone")
	force := flags.Bool("force", false, "replace wheels that are there already")
	quiet := flags.Bool("quiet", false, "do not say what is being done")
	names := flags.String("platform", "", "platforms as Go names them, separated by commas: "+strings.Join(platformNames(), ", "))
	flags.Usage = func() {
		fmt.Fprint(stderr, "Makes Python wheels of Barrow, from anywhere in its source.\n\n"+
			"  go run ./python/wheel --out dist && pip install dist/barrow-*.whl\n"+
			"  go run ./python/wheel --all --out dist\n\n")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%q is not a flag; wheel --help lists them", flags.Arg(0))
	}
	chosen, err := choose(*all, *names)
	if err != nil {
		return err
	}
	say := func(format string, a ...any) {
		if !*quiet {
			fmt.Fprintf(stderr, format+"\n", a...)
		}
	}
	source, err := openSource(".")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*out, 0o777); err != nil {
		return err
	}
	for _, p := range chosen {
		if path := source.path(*out, p); !*force {
			if _, err := os.Lstat(path); err == nil {
				return fmt.Errorf("%s: file exists; --force replaces it", path)
			}
		}
	}
	for i, p := range chosen {
		start := time.Now()
		say("%d/%d %s: compiling", i+1, len(chosen), p)
		program, err := source.compile(p)
		if err != nil {
			return err
		}
		path, size, err := source.write(*out, p, program, *force)
		if err != nil {
			return err
		}
		say("%d/%d %s: %.1f MB in %.0f s", i+1, len(chosen), p, float64(size)/1e6, time.Since(start).Seconds())
		fmt.Fprintln(stdout, path)
	}
	return nil
}

// choose are the platforms asked for: all, those named, or this one.
func choose(all bool, names string) ([]platform, error) {
	switch {
	case all && names != "":
		return nil, errors.New("--all and --platform: give one of them")
	case all:
		return platforms, nil
	case names == "":
		names = runtime.GOOS + "/" + runtime.GOARCH
	}
	var chosen []platform
	for name := range strings.SplitSeq(names, ",") {
		i := slices.IndexFunc(platforms, func(p platform) bool { return p.String() == name })
		if i < 0 {
			return nil, fmt.Errorf("no wheel for %s; there are those for %s", name, strings.Join(platformNames(), ", "))
		}
		chosen = append(chosen, platforms[i])
	}
	return chosen, nil
}
