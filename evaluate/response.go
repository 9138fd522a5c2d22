package evaluate

// Response is the name of the energy response.
const Response = "response"

var _ = register(Figure{
	Name: Response, Label: "response", Format: "%.3f", Ideal: 1, Wide: true,
	Meaning: "Energy response: decoded charge over true charge.",
	rank:    1,
	build: func(needs) (perImage, error) {
		return each(func(image, decoded []float64) float64 {
			in, out := 0.0, 0.0
			for c, v := range image {
				in += v
				out += decoded[c]
			}
			return out / in
		}), nil
	},
})
