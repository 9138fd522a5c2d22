package onnx

import (
	"fmt"
	"sync"
)

// An operator is how one kind of node is run.
type operator struct {
	run func(*call) ([]*tensor, error)
	// least and most inputs; most is −1 where there is no limit.
	least, most int
	attrs       string // the attributes that are known
}

func (o operator) inputs() string {
	switch {
	case o.most < 0:
		return fmt.Sprintf("%d or more", o.least)
	case o.most == o.least:
		return fmt.Sprint(o.least)
	}
	return fmt.Sprintf("%d to %d", o.least, o.most)
}

// one makes an operator's function of one that gives one tensor.
func one(f func(*call) (*tensor, error)) func(*call) ([]*tensor, error) {
	return func(c *call) ([]*tensor, error) {
		t, err := f(c)
		return []*tensor{t}, err
	}
}

// operators are all, by name; those of other domains have its short name before a
// point.
var operators = sync.OnceValue(func() map[string]operator {
	ops := map[string]operator{}
	for name, f := range functions {
		ops[name] = operator{one(func(c *call) (*tensor, error) { return each(c.in[0], f), nil }), 1, 1, "consumed_inputs"}
	}
	for name, f := range parametric {
		ops[name] = operator{one(f.run), 1, 1, f.attrs + " consumed_inputs"}
	}
	for name, f := range pairs {
		ops[name] = operator{one(func(c *call) (*tensor, error) { return pairwise(c, f) }), 2, 2, "broadcast axis consumed_inputs"}
	}
	for name, f := range comparisons {
		ops[name] = operator{one(func(c *call) (*tensor, error) { return compare(c, f) }), 2, 2, "broadcast axis"}
	}
	for name, f := range folds {
		ops[name] = operator{one(func(c *call) (*tensor, error) { return fold(c, f) }), 1, -1, "consumed_inputs"}
	}
	for name, f := range reductions {
		ops[name] = operator{one(func(c *call) (*tensor, error) { return reduce(c, f) }), 1, 2, "axes keepdims noop_with_empty_axes"}
	}
	const window = "auto_pad dilations kernel_shape pads strides"
	const pool = window + " ceil_mode count_include_pad storage_order"
	const quant = "signed narrow rounding_mode"
	for name, o := range map[string]operator{
		"Clip":       {one(clip), 1, 3, "min max consumed_inputs"},
		"PRelu":      {one(prelu), 2, 2, "consumed_inputs"},
		"Mod":        {one(modulo), 2, 2, "fmod"},
		"Where":      {one(where), 3, 3, ""},
		"Softmax":    {one(softmax), 1, 1, "axis"},
		"LogSoftmax": {one(softmax), 1, 1, "axis"},
		"Hardmax":    {one(hardmax), 1, 1, "axis"},

		"Identity":        {one(func(c *call) (*tensor, error) { return c.in[0], nil }), 1, 1, ""},
		"Dropout":         {dropout, 1, 3, "ratio seed is_test consumed_inputs"},
		"Constant":        {one(constant), 0, 0, "value value_float value_floats value_int value_ints"},
		"ConstantOfShape": {one(constantOfShape), 1, 1, "value"},
		"Shape":           {one(shapeOf), 1, 1, "start end"},
		"Size": {one(func(c *call) (*tensor, error) {
			return &tensor{typeInt64, []int{}, []float64{float64(len(c.in[0].data))}}, nil
		}), 1, 1, ""},
		"Cast":         {one(cast), 1, 1, "to saturate"},
		"CastLike":     {one(func(c *call) (*tensor, error) { return castTo(c.in[0], c.in[1].dtype) }), 2, 2, "saturate"},
		"Reshape":      {one(reshape), 1, 2, "shape allowzero consumed_inputs"},
		"Flatten":      {one(flatten), 1, 1, "axis"},
		"Transpose":    {one(transpose), 1, 1, "perm"},
		"Squeeze":      {one(squeeze), 1, 2, "axes"},
		"Unsqueeze":    {one(unsqueeze), 1, 2, "axes"},
		"Concat":       {one(concat), 1, -1, "axis"},
		"Split":        {split, 1, 2, "axis split num_outputs"},
		"Slice":        {one(slice), 1, 5, "starts ends axes"},
		"Gather":       {one(gather), 2, 2, "axis"},
		"Expand":       {one(expand), 2, 2, ""},
		"Tile":         {one(tile), 2, 3, ""},
		"Pad":          {one(pad), 1, 4, "mode pads value paddings"},
		"Range":        {one(numbers), 3, 3, ""},
		"DepthToSpace": {one(depthToSpace), 1, 1, "blocksize mode"},
		"SpaceToDepth": {one(spaceToDepth), 1, 1, "blocksize"},
		"ArgMax":       {one(func(c *call) (*tensor, error) { return argument(c, 1) }), 1, 1, "axis keepdims select_last_index"},
		"ArgMin":       {one(func(c *call) (*tensor, error) { return argument(c, -1) }), 1, 1, "axis keepdims select_last_index"},

		"MatMul":                {one(matmul), 2, 2, ""},
		"Gemm":                  {one(gemm), 2, 3, "alpha beta transA transB broadcast"},
		"Conv":                  {one(conv), 2, 3, window + " group"},
		"ConvTranspose":         {one(convTranspose), 2, 3, window + " group output_padding output_shape"},
		"AveragePool":           {one(averagePool), 1, 1, pool},
		"MaxPool":               {maxPool, 1, 1, pool},
		"LpPool":                {one(lpPool), 1, 1, window + " ceil_mode p"},
		"GlobalAveragePool":     {one(func(c *call) (*tensor, error) { return global(c, mean) }), 1, 1, ""},
		"GlobalMaxPool":         {one(func(c *call) (*tensor, error) { return global(c, largest) }), 1, 1, ""},
		"BatchNormalization":    {one(batchNorm), 5, 5, "epsilon momentum spatial is_test training_mode consumed_inputs"},
		"InstanceNormalization": {one(instanceNorm), 3, 3, "epsilon consumed_inputs"},
		"LayerNormalization":    {one(layerNorm), 2, 3, "axis epsilon stash_type"},
		"LpNormalization":       {one(lpNorm), 1, 1, "axis p"},
		"LRN":                   {one(lrn), 1, 1, "alpha beta bias size"},

		"QuantizeLinear":       {one(quantize), 2, 3, "axis saturate block_size output_dtype precision"},
		"DequantizeLinear":     {one(dequantize), 2, 3, "axis block_size output_dtype"},
		"general.Quant":        {one(quant4), 4, 4, quant},
		"general.IntQuant":     {one(quant4), 4, 4, quant},
		"general.BipolarQuant": {one(bipolar), 2, 2, ""},
		"last.Conv":            {one(convLast), 2, 3, window + " group"},
	} {
		ops[name] = o
	}
	return ops
})
