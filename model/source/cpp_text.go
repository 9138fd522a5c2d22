package source

import "barrow/nn"

// cppHelpers are the header's functions, each written where its kinds of layer occur.
var cppHelpers = []struct {
	kinds []string
	text  string
}{
	{[]string{nn.KindConv2D}, `// Convolution of an HxWxC image with a KxK kernel [K][K][C][F], stride S, and Top rows and
// Left columns of zeros before the image.
template <int H, int W, int C, int OH, int OW, int F, int K, int S, int Top, int Left>
inline void conv2d(const float* x, const float* w, const float* b, float* y) {
  for (int oy = 0; oy < OH; oy++)
    for (int ox = 0; ox < OW; ox++)
      for (int f = 0; f < F; f++) {
        double sum = b ? b[f] : 0.0f;
        for (int ky = 0; ky < K; ky++)
          for (int kx = 0; kx < K; kx++) {
            const int iy = oy * S + ky - Top, ix = ox * S + kx - Left;
            if (iy < 0 || iy >= H || ix < 0 || ix >= W) continue;
            for (int c = 0; c < C; c++) sum += double(x[(iy * W + ix) * C + c]) * w[((ky * K + kx) * C + c) * F + f];
          }
        y[(oy * OW + ox) * F + f] = static_cast<float>(sum);
      }
}

`},
	{[]string{nn.KindConv2DTranspose}, `// Transposed convolution with a kernel [K][K][F][C]; Top rows and Left columns of what it
// makes are cut away.
template <int H, int W, int C, int OH, int OW, int F, int K, int S, int Top, int Left>
inline void conv2d_transpose(const float* x, const float* w, const float* b, float* y) {
  for (int oy = 0; oy < OH; oy++)
    for (int ox = 0; ox < OW; ox++)
      for (int f = 0; f < F; f++) {
        double sum = b ? b[f] : 0.0f;
        for (int ky = 0; ky < K; ky++)
          for (int kx = 0; kx < K; kx++) {
            const int sy = oy + Top - ky, sx = ox + Left - kx;
            if (sy < 0 || sy % S || sy / S >= H || sx < 0 || sx % S || sx / S >= W) continue;
            for (int c = 0; c < C; c++) sum += double(x[(sy / S * W + sx / S) * C + c]) * w[((ky * K + kx) * F + f) * C + c];
          }
        y[(oy * OW + ox) * F + f] = static_cast<float>(sum);
      }
}

`},
	{[]string{nn.KindDense}, `// Dense layer with a kernel [N][M].
template <int N, int M>
inline void dense(const float* x, const float* w, const float* b, float* y) {
  for (int j = 0; j < M; j++) {
    double sum = b ? b[j] : 0.0f;
    for (int i = 0; i < N; i++) sum += double(x[i]) * w[i * M + j];
    y[j] = static_cast<float>(sum);
  }
}

`},
	{[]string{nn.KindBatchNorm}, `template <int N, int C>
inline void batch_norm(const float* x, const float* mean, const float* scale, const float* b, float* y) {
  for (int i = 0; i < N; i++) y[i] = (x[i] - mean[i % C]) * scale[i % C] + b[i % C];
}

`},
	{[]string{nn.KindQuantizedBits, nn.KindQuantizedReLU}, `// Multiples of step from low*step to high*step: the one below, or the nearest, ties to even.
template <int N, bool Floor>
inline void quantise(const float* x, float step, float low, float high, float* y) {
  for (int i = 0; i < N; i++) {
    const float v = Floor ? std::floor(x[i] / step) : std::nearbyint(x[i] / step);
    y[i] = std::min(std::max(v, low), high) * step;
  }
}

`},
	{[]string{nn.KindCrop}, `template <int H, int W, int C, int OH, int OW, int OC, int Top, int Left>
inline void crop(const float* x, float* y) {
  for (int r = 0; r < OH; r++) std::copy(x + ((r + Top) * W + Left) * C, x + ((r + Top) * W + Left + OW) * C, y + r * OW * C);
}

`},
	{[]string{nn.KindReLU}, "inline float relu(float x) { return std::max(x, 0.0f); }\n\n"},
	{[]string{nn.KindSigmoid}, "inline float sigmoid(float x) { return static_cast<float>(1 / (1 + std::exp(-double(x)))); }\n\n"},
	{[]string{nn.KindTanh}, "inline float tanh(float x) { return static_cast<float>(std::tanh(double(x))); }\n\n"},
	{[]string{nn.KindSiLU}, "inline float silu(float x) { return static_cast<float>(x / (1 + std::exp(-double(x)))); }\n\n"},
	{[]string{nn.KindSquare}, "inline float square(float x) { return x * x; }\n\n"},
}

// cppHarness begins the test program.
const cppHarness = `// Holds the header to the vectors beside it: test [FOLDER]
#include "%s.h"

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

static std::string folder = ".";

// A row of each input.
using Rows = std::vector<std::vector<float>>;

struct Vectors {
  const char* name;
  int size;
};

static Rows read(const Vectors& v) {
  std::ifstream file(folder + "/vectors_" + v.name + ".csv");
  Rows rows;
  for (std::string line; std::getline(file, line);) {
    std::vector<float> row;
    char* at = line.data();
    while (*at) {
      row.push_back(std::strtof(at, &at));
      if (*at) at++;
    }
    if (static_cast<int>(row.size()) != v.size) {
      std::printf("vectors_%%s.csv: a row of %%zu numbers, not %%d\n", v.name, row.size(), v.size);
      std::exit(2);
    }
    rows.push_back(row);
  }
  if (rows.empty()) {
    std::printf("vectors_%%s.csv: no rows\n", v.name);
    std::exit(2);
  }
  return rows;
}

// Numbers are equal, or within 1e-6, or at most one in a hundred is one step off.
static bool check(const char* name, const std::vector<Vectors>& in, const Vectors& out, bool exact, double step,
                  const std::function<void(const Rows&, float*)>& run) {
  std::vector<Rows> x;
  for (const auto& v : in) x.push_back(read(v));
  const Rows want = read(out);
  double largest = 1, most = 0;
  for (const auto& row : want)
    for (float v : row) largest = std::max(largest, std::abs(double(v)));
  long all = 0, equal = 0, near = 0;
  std::vector<float> got(out.size);
  for (size_t i = 0; i < want.size(); i++) {
    Rows row;
    for (const auto& v : x) row.push_back(v.at(i));
    run(row, got.data());
    for (int j = 0; j < out.size; j++, all++) {
      const double off = std::abs(double(got[j]) - want[i][j]);
      equal += off == 0;
      near += off <= 1e-6 * largest + 1e-6 * std::abs(double(want[i][j]));
      most = std::max(most, off);
    }
  }
  bool ok = exact ? equal == all : near == all;
  if (step > 0) ok = (all - equal) * 100 <= all && most <= step;
  std::printf("%%-10s %%ld of %%ld numbers equal, the farthest off by %%g: %%s\n", name, equal, all, most, ok ? "ok" : "WRONG");
  return ok;
}

int main(int argc, char** argv) {
  if (argc > 1) folder = argv[1];
  bool ok = true;
`
