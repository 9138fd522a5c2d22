package loss

import "errors"

var _ = register("emd-cnn", Traits{
	Label: "EMD CNN", Help: "the same distance as a trained network estimates it", Sees: SeesShape, CNN: true, Cost: 9.4,
}, func(r Resources) (Loss, error) {
	if r.CNN == nil {
		return nil, errors.New("loss: emd-cnn needs the weights of a trained EMD CNN; train one and name it")
	}
	return FromDistance("emd-cnn", r.CNN), nil
})
