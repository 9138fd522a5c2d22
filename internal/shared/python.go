package shared

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"testing"
)

// Python runs a script of the test, testdata/write.py say, with an interpreter that
// has other programs' libraries, and returns what it prints. Which one is
//
//	files   $BARROW_FILES_PYTHON: uproot, awkward, NumPy, pyarrow, h5py, pandas, PyTables
//	root    $BARROW_ROOT_PYTHON: ROOT itself, uproot, awkward, NumPy
//	oracles $BARROW_ORACLES_PYTHON: HiGHS, POT, NumPy
//	condor  $BARROW_CONDOR_PYTHON: HTCondor's bindings
//	tensorboard $BARROW_TENSORBOARD_PYTHON: TensorBoard, tbparse
//	models  $BARROW_MODELS_PYTHON: TensorFlow, tf-keras, Keras 3, QKeras, hls4ml, qonnx, ONNX, onnxruntime, h5py
//
// as .ci/python makes them. The test is skipped where there is no such interpreter or
// it lacks a module that the script imports, and fails where the script does.
func Python(t testing.TB, which, script string, args ...string) []byte {
	t.Helper()
	name := map[string]string{"files": "BARROW_FILES_PYTHON", "root": "BARROW_ROOT_PYTHON", "models": "BARROW_MODELS_PYTHON", "oracles": "BARROW_ORACLES_PYTHON", "condor": "BARROW_CONDOR_PYTHON", "tensorboard": "BARROW_TENSORBOARD_PYTHON"}[which]
	if name == "" {
		t.Fatalf("no such Python: %q", which)
	}
	python := os.Getenv(name)
	if python == "" {
		t.Skipf("%s is not set: .ci/python %s makes the interpreter that it names", name, which)
	}
	cmd := exec.CommandContext(t.Context(), python, append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && bytes.Contains(said.Bytes(), []byte("ModuleNotFoundError: ")) {
		t.Skipf("%s (%s) lacks a module of %s: %s", name, python, script, lastLine(said.Bytes()))
	}
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", python, script, err, said.Bytes(), out.Bytes())
	}
	return out.Bytes()
}

func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return text[bytes.LastIndexByte(text, '\n')+1:]
}
