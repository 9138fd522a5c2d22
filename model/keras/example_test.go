package keras_test

import (
	"fmt"
	"os"
	"path/filepath"

	"barrow/model/keras"
	"barrow/nn"
)

// encoder is a small network: 2×2 pixels to two numbers.
func encoder() *nn.Network {
	net, err := nn.New(nn.Spec{Name: "encoder", Input: nn.Shape{H: 2, W: 2, C: 1}, Layers: []nn.Layer{
		{Kind: nn.KindFlatten, Name: "flatten"},
		{Kind: nn.KindDense, Name: "encoded", Units: 2},
		{Kind: nn.KindReLU, Name: "relu"},
	}}, nn.Settings{})
	if err != nil {
		panic(err)
	}
	copy(net.Param("encoded/kernel").Value, []float32{1, 0, 0, 1, 1, 0, 0, 1})
	copy(net.Param("encoded/bias").Value, []float32{0.5, -10})
	return net
}

// Export writes a network for Keras; ReadModel reads one.
func Example() {
	dir, _ := os.MkdirTemp("", "keras")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "encoder.h5")

	file, err := keras.Export(encoder())
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := file.Write(path, false); err != nil {
		fmt.Println(err)
		return
	}

	model, err := keras.ReadModel(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	p, err := model.Predictor(nn.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	y, err := p.Predict([]float32{1, 2, 3, 4})
	fmt.Println(model.Inputs[0].Name, model.Inputs[0].Shape, y, err)
	// Output:
	// input_1 2×2×1 [4.5 0] <nil>
}

// A file's arrays by name, as Keras has them.
func ExampleFile_Weight() {
	file, err := keras.Export(encoder())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, l := range file.Layers {
		for _, w := range l.Weights {
			fmt.Println(l.Layer, w.Name, w.Shape)
		}
	}
	fmt.Println(file.Weight("encoded", "encoded/bias:0").Data)
	// Output:
	// encoded encoded/kernel:0 [4 2]
	// encoded encoded/bias:0 [2]
	// [0.5 -10]
}
