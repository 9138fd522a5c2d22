package hgcal

import "slices"

// hexDrawing holds the cell centres of the wafer drawing that the paper's
// distance is defined on, in the drawing's own unit. Source: the table
// hexCoords of fastmachinelearning/fastml-science (Apache-2.0), repeated in
// every later code of the field. It is no exact lattice: the digits carry the
// rounding of the drawing, so they cannot be replaced by a formula without
// changing every distance in the sixth digit.
var hexDrawing = [Cells]Point{
	{0, 0}, {0, -2.4168015}, {0, -4.833603}, {0, -7.2504044},
	{2.09301, -1.2083969}, {2.09301, -3.6251984}, {2.09301, -6.042}, {2.09301, -8.458794},
	{4.18602, -2.4168015}, {4.18602, -4.833603}, {4.18602, -7.2504044}, {4.18602, -9.667198},
	{6.27903, -3.6251984}, {6.27903, -6.042}, {6.27903, -8.458794}, {6.27903, -10.875603},
	{-8.37204, -10.271393}, {-6.27903, -9.063004}, {-4.18602, -7.854599}, {-2.0930138, -6.6461945},
	{-8.37204, -7.854599}, {-6.27903, -6.6461945}, {-4.18602, -5.4377975}, {-2.0930138, -4.229393},
	{-8.37204, -5.4377975}, {-6.27903, -4.229393}, {-4.18602, -3.020996}, {-2.0930138, -1.8125992},
	{-8.37204, -3.020996}, {-6.27903, -1.8125992}, {-4.18602, -0.6042023}, {-2.0930138, 0.6042023},
	{4.7092705, -12.386101}, {2.6162605, -11.177696}, {0.5232506, -9.969299}, {-1.5697594, -8.760895},
	{2.6162605, -13.594498}, {0.5232506, -12.386101}, {-1.5697594, -11.177696}, {-3.6627693, -9.969299},
	{0.5232506, -14.802895}, {-1.5697594, -13.594498}, {-3.6627693, -12.386101}, {-5.7557793, -11.177696},
	{-1.5697594, -16.0113}, {-3.6627693, -14.802895}, {-5.7557793, -13.594498}, {-7.848793, -12.386101},
}

// hexPitch is the trigger-cell pitch in the unit of hexDrawing.
const hexPitch = 2.4168015

// cmsswCentroids holds the cell centres of CMSSW's trigger geometry in cm.
// Source: trigger-cell positions of the HGCAL trigger ntuples, single
// precision there. The lattice behind them is
//
//	x = X_k − (√3/2)·p·v,  y = Y_k + p·u − (p/2)·v,  p = 2.402366 cm,
//
// with (X, Y) = (7.23200, −4.33596), (7.23200, −5.13675), (6.53850, −4.73635)
// for the three rhombi; the table differs from it by up to 0.00004
// cm and is kept so that distances equal those computed from the ntuples.
var cmsswCentroids = [Cells]Point{
	{-1.090002, 7.675890}, {-1.090010, 5.273523}, {-1.090017, 2.871157}, {-1.090021, 0.468794},
	{-3.170515, 6.474714}, {-3.170523, 4.072348}, {-3.170530, 1.669977}, {-3.170534, -0.732382},
	{-5.251028, 5.273539}, {-5.251036, 2.871172}, {-5.251043, 0.468802}, {-5.251047, -1.933565},
	{-7.331541, 4.072355}, {-7.331549, 1.669992}, {-7.331553, -0.732374}, {-7.331556, -3.134741},
	{7.232008, -2.734381}, {5.151503, -1.533197}, {3.070993, -0.332006}, {0.990488, 0.869185},
	{7.232019, -0.332014}, {5.151510, 0.869169}, {3.071001, 2.070360}, {0.990492, 3.271551},
	{7.232023, 2.070349}, {5.151518, 3.271536}, {3.071009, 4.472723}, {0.990503, 5.673914},
	{7.232027, 4.472719}, {5.151522, 5.673906}, {3.071012, 6.875090}, {0.990507, 8.076281},
	{-5.944555, -4.736322}, {-3.864042, -3.535143}, {-1.783529, -2.333963}, {0.296984, -1.132788},
	{-3.864050, -5.937510}, {-1.783537, -4.736334}, {0.296976, -3.535154}, {2.377489, -2.333979},
	{-1.783541, -7.138697}, {0.296968, -5.937517}, {2.377481, -4.736341}, {4.457998, -3.535166},
	{0.296965, -8.339888}, {2.377474, -7.138704}, {4.457991, -5.937529}, {6.538504, -4.736353},
}

// Benchmark returns the 48 cell centres of the benchmark metric, in V9 order
// and in units of half the trigger-cell pitch: the coordinates of the paper.
// Neighbours are 2 apart within a rhombus and 1.803 or 2.291 across a seam;
// the largest distance is 13.756812026164626. The caller owns the slice.
func Benchmark() []Point {
	p := slices.Clone(hexDrawing[:])
	// A variable, not a constant, so that the quotient is rounded in double
	// precision exactly as the published scripts round it.
	half := hexPitch
	half *= 0.5
	for i := range p {
		p[i][0] /= half
		p[i][1] /= half
	}
	return p
}

// CMSSW returns the 48 trigger-cell centroids of CMSSW's geometry, in V9 order
// and in cm: pitch 2.4024 cm, 2.119 or 2.887 cm across a seam, at most
// 16.43 cm. The caller owns the slice.
func CMSSW() []Point { return slices.Clone(cmsswCentroids[:]) }
