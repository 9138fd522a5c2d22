package board

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"barrow/evaluate"
	"barrow/internal/shared"
	"barrow/run"
	"barrow/wafer"
)

// shows a training twice: what is there is that of the last time.
func shows(t *testing.T) string {
	t.Helper()
	f, err := run.Open(t.TempDir(), run.Identity{Kind: run.Kind{Name: "test", Version: 1}, Settings: struct{}{}}, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	images := &wafer.Set{Charge: make([]float64, 5*evaluate.Cells)}
	for i := range 5 {
		images.Image(i)[7*i] = float64(i + 1)
	}
	asked := 0
	decode := func(_ context.Context, s *wafer.Set) (*wafer.Set, error) {
		asked += s.Len()
		return s, nil
	}
	figures := &evaluate.Fidelity{Figures: []evaluate.Measured{{Figure: &evaluate.Figure{Name: "emd"}, Summary: evaluate.Summary{N: 5, Mean: 0.25}, Values: make([]float64, 5)}}}
	for _, loss := range []string{"mse", "emd"} {
		if err := Encoder(t.Context(), f, "encoder-a", map[string]any{"loss": loss, "seed": 2.0}, figures, images, decode); err != nil {
			t.Fatal(err)
		}
	}
	if asked != 2*shown {
		t.Errorf("%d images were decoded", asked)
	}
	return f.Path(run.Board, "encoder-a")
}

func TestEncoder(t *testing.T) {
	dir := shows(t)
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Fatalf("%v, %v", entries, err)
	}
	b, err := os.ReadFile(filepath.Join(dir, entries[0].Name()))
	if err != nil || bytes.Count(b, []byte("\x89PNG\r\n")) != 1 || !bytes.Contains(b, []byte("held-out/emd")) {
		t.Errorf("%d bytes without picture or figure, %v", len(b), err)
	}
}

// TestTensorBoard: TensorBoard reads it.
func TestTensorBoard(t *testing.T) {
	var got struct {
		Scalars map[string][][2]float64
		Images  map[string][][4]float64
		HParams map[string]any
	}
	script := filepath.Join("..", "..", "..", "internal", "tfevents", "testdata", "read.py")
	if err := json.Unmarshal(shared.Python(t, "tensorboard", script, shows(t)), &got); err != nil {
		t.Fatal(err)
	}
	if v := got.Scalars["held-out/emd"]; len(v) != 1 || v[0] != [2]float64{0, 0.25} || len(got.Images["wafers"]) != 1 || got.HParams["loss"] != "emd" || got.HParams["seed"] != 2.0 {
		t.Errorf("%+v", got)
	}
}
