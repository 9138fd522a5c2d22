// Package report draws the results of a run: one self-contained HTML page
// with inline SVG, and single figures as SVG or PNG.
//
// The input is plain data: a [Page] of [Section]s, each with text, [Table]s
// and [Figure]s. A figure holds exactly one kind of drawing: [Wafers],
// [Profile], [Density], [Histogram], [Lines], [Intervals], [Areas], [Transport],
// [Front] or [Ranks].
// Everything has JSON tags, so that a page can be stored beside a run and drawn
// again. The package knows nothing of networks, losses or training. [Inline] and
// [Style] draw the same for a page of somebody else's.
//
// The page asks the network for nothing: no scripts, no fonts, no images
// from elsewhere. It follows the reader's light or dark setting, fits a
// phone, prints on white, and says in words and numbers what every figure
// shows. The same page gives the same bytes.
//
// Units are those of the data; every axis names its own. Colours are those
// of Okabe and Ito (https://jfly.uni-koeln.de/color/), which readers with
// colour-vision deficiency can tell apart; a name keeps its colour in every
// figure of a page.
package report
