package main

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "rewrite the expected output in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"barrow": main})
}

// TestScripts drives the program as a user does. Scripts find the real wafers
// under $DATA where they are present: [data].
func TestScripts(t *testing.T) {
	data := os.Getenv("BARROW_DATA")
	if data == "" {
		data = filepath.Join("..", "..", "..", "shared", "data")
	}
	data, err := filepath.Abs(data)
	if err != nil {
		t.Fatal(err)
	}
	_, missing := os.Stat(data)
	if missing != nil {
		t.Logf("scripts marked [data] skip their commands: no data at %s; set BARROW_DATA", data)
	}
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "script"),
		UpdateScripts: *update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("DATA", data)
			return nil
		},
		Condition: func(cond string) (bool, error) {
			return cond == "data" && missing == nil, nil
		},
	})
}
