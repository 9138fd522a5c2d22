package tfevents_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"barrow/internal/shared"
	"barrow/internal/tfevents"
)

func Example() {
	var b bytes.Buffer
	w, err := tfevents.NewWriter(&b)
	if err != nil {
		panic(err)
	}
	err = w.Scalars(1, time.Unix(1, 0), tfevents.Scalar{Tag: "emd", Value: 0.5})
	fmt.Println(b.Len(), err)
	// Output: 83 <nil>
}

// TestBytes: an event by hand.
func TestBytes(t *testing.T) {
	var b bytes.Buffer
	w := tfevents.Append(&b)
	if err := w.Scalars(3, time.Unix(2, 0), tfevents.Scalar{Tag: "a", Value: 1}); err != nil {
		t.Fatal(err)
	}
	event := "09" + "0000000000000040" + "1003" + "2a0a" + "0a08" + "0a0161" + "150000803f"
	if got := hex.EncodeToString(b.Bytes()[12 : b.Len()-4]); got != event {
		t.Errorf("event %s,\nwant  %s", got, event)
	}
	if n := b.Bytes()[0]; int(n) != len(event)/2 || b.Len() != 16+len(event)/2 {
		t.Errorf("length %d of %d bytes", n, b.Len())
	}
	if w.HParams(map[string]any{"n": 3}) == nil {
		t.Error("a setting that is an int was taken")
	}
}

// TestTensorBoard: TensorBoard itself reads what is written; what is void is gone.
func TestTensorBoard(t *testing.T) {
	dir := t.TempDir()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewRGBA(image.Rect(0, 0, 7, 5))); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create(filepath.Join(dir, "events.out.tfevents.1"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := tfevents.NewWriter(file)
	do := func(e error) {
		if err == nil {
			err = e
		}
	}
	do(w.Scalars(1, time.Time{}, tfevents.Scalar{Tag: "emd", Value: 0.5}, tfevents.Scalar{Tag: "loss/training", Value: math.Pi}))
	do(w.Scalars(2, time.Time{}, tfevents.Scalar{Tag: "emd", Value: 99}))
	w = tfevents.Append(file)
	do(w.Restart(2))
	do(w.Scalars(2, time.Time{}, tfevents.Scalar{Tag: "emd", Value: 0.25}))
	do(w.PNG(0, "wafer", picture.Bytes(), 7, 5))
	do(w.HParams(map[string]any{"loss": "emd", "seed": 3.0, "quick": true}))
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Scalars map[string][][2]float64
		Images  map[string][][4]float64
		HParams map[string]any
		Ended   int
	}
	if err := json.Unmarshal(shared.Python(t, "tensorboard", filepath.Join("testdata", "read.py"), dir), &got); err != nil {
		t.Fatal(err)
	}
	if want := map[string][][2]float64{"emd": {{1, 0.5}, {2, 0.25}}, "loss/training": {{1, float64(float32(math.Pi))}}}; !reflect.DeepEqual(got.Scalars, want) {
		t.Errorf("scalars %v, want %v", got.Scalars, want)
	}
	if want := map[string][][4]float64{"wafer": {{0, 7, 5, float64(picture.Len())}}}; !reflect.DeepEqual(got.Images, want) {
		t.Errorf("images %v, want %v", got.Images, want)
	}
	if want := map[string]any{"loss": "emd", "seed": 3.0, "quick": true}; !reflect.DeepEqual(got.HParams, want) || got.Ended != 1 {
		t.Errorf("settings %v, want %v; ended %d", got.HParams, want, got.Ended)
	}
}
