"""make.py FOLDER: writes small TTrees by ROOT itself, for the tests and the fuzzer to damage."""
import sys

import ROOT

ROOT.gErrorIgnoreLevel = ROOT.kFatal
ROOT.gInterpreter.Declare("""
#include "TClonesArray.h"
#include "TFile.h"
#include "TTree.h"
#include "TVector2.h"
#include "ROOT/TIOFeatures.hxx"
#include <string>
#include <vector>

struct Hit {
  int id;
  float x;
  short s[3];
  Double32_t r; //[0,10,16]
  std::string name;
};
struct Event {
  int n;
  Hit one;
  std::vector<Hit> hits;
  std::vector<int> vi;
  int len;
  double *var; //[len]
  TString ts;
};

void flat(const char *path, int packed, int n, bool made, int basket) {
  TFile f(path, "RECREATE", "", packed);
  f.mkdir("dir")->cd();
  TTree t("t", "flat");
  if (made) {
    ROOT::TIOFeatures features;
    features.Set("kGenerateOffsetMap");
    t.SetIOFeatures(features);
  }
  int nn; float x[8]; UChar_t uc[2][2]; Long64_t l; char s[20]; Float16_t h; Double32_t d;
  struct { double b; int a; } st;
  std::vector<float> v; std::vector<std::string> vs;
  t.Branch("nn", &nn, "nn/I", basket);
  t.Branch("x", x, "x[nn]/F", basket);
  t.Branch("uc", uc, "uc[2][2]/b", basket);
  t.Branch("l", &l, "l/L", basket);
  t.Branch("s", s, "s/C", basket);
  t.Branch("st", &st, "b/D:a/I", basket);
  t.Branch("h", &h, "h/f", basket);
  t.Branch("d", &d, "d/d[0,100,20]", basket);
  t.Branch("v", &v, basket);
  t.Branch("vs", &vs, basket);
  for (int i = 0; i < n; i++) {
    nn = i % 4;
    for (int j = 0; j < nn; j++) x[j] = i + j * .5f;
    for (int j = 0; j < 4; j++) uc[j / 2][j % 2] = 250 + j;
    l = -(Long64_t)i << 35;
    snprintf(s, sizeof s, "s%d", i);
    st.a = i; st.b = i * .25; h = i * .125f; d = i;
    v.assign(i % 3, i * .5f);
    vs.assign(i % 2, "text");
    t.Fill();
  }
  t.Write();
}

void split(const char *path, int n) {
  TFile f(path, "RECREATE", "", 101);
  TTree t("t", "split");
  Event e; e.var = new double[4];
  Event *p = &e;
  t.Branch("e.", "Event", &p, 500, 99);
  TClonesArray clones("TVector2"); auto *pc = &clones;
  t.Branch("c", &pc, 500, 99);
  for (int i = 0; i < n; i++) {
    e.n = i; e.one = Hit{i, i * .5f, {short(i), short(-i), 1}, i % 10 * .5, "one"};
    e.hits.assign(i % 3, e.one); e.vi.assign(i % 4, i); e.len = i % 4; e.ts = Form("t%d", i);
    for (int j = 0; j < 4; j++) e.var[j] = i + j;
    clones.Clear();
    for (int j = 0; j < i % 3; j++) new (clones[j]) TVector2(i, j);
    t.Fill();
  }
  t.Write();
}
""")
out = sys.argv[1]
for name, packed in dict(none=0, zlib=101, lzma=205, old=301, lz4=404, zstd=505).items():
    ROOT.flat(f"{out}/flat-{name}.root", packed, 20, False, 400)
ROOT.flat(f"{out}/flat-made.root", 101, 20, True, 400)
ROOT.flat(f"{out}/flat-inside.root", 101, 20, False, 32000)
ROOT.split(f"{out}/split.root", 20)
