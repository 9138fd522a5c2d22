// TTrees of every kind, for zoo_root.py.
#include <TBits.h>
#include <TClonesArray.h>
#include <TDirectory.h>
#include <TFile.h>
#include <TH1F.h>
#include <TGraph.h>
#include <TLorentzVector.h>
#include <TNtuple.h>
#include <TNtupleD.h>
#include <TRandom3.h>
#include <TTree.h>
#include <TVector3.h>
#include <array>
#include <cmath>
#include <deque>
#include <limits>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

// What was written.
struct Acc {
  long long n = 0, bad = 0;
  double lo = 0, hi = 0, sum = 0;
  void add(double v) {
    if (!std::isfinite(v)) { bad++; return; }
    if (n == 0) lo = hi = v;
    n++; lo = std::min(lo, v); hi = std::max(hi, v); sum += v;
  }
};
std::map<std::string, Acc> truth;

// Draws and notes values.
struct Dice {
  TRandom3 r{7};
  std::string table;
  void declare(const std::string &column) { truth[table + ":" + column]; }
  template <class T> T note(const std::string &column, T v) { truth[table + ":" + column].add(double(v)); return v; }
  int count() { return r.Rndm() < 0.3 ? 0 : int(r.Exp(4)); }
  template <class T> T draw() {
    if constexpr (std::is_same_v<T, bool>) return r.Rndm() < 0.5;
    else if constexpr (std::is_floating_point_v<T>) {
      double u = r.Rndm();
      if (u < 0.01) return std::numeric_limits<T>::infinity();
      if (u < 0.02) return std::numeric_limits<T>::quiet_NaN();
      if (u < 0.03) return T(-1e30);
      return T(r.Gaus(3, 100));
    } else {
      double u = r.Rndm();
      if (u < 0.01) return std::numeric_limits<T>::max();
      if (u < 0.02) return std::numeric_limits<T>::min();
      return T(r.Integer(120)) - (std::is_signed_v<T> ? 60 : 0);
    }
  }
  template <class T> T put(const std::string &column) { return note(column, draw<T>()); }
  double small() { return std::round(r.Uniform(-8, 8) * 16) / 16; }
};

// One kind of number: as a scalar, arrays and a vector.
struct Kind { virtual ~Kind() {} virtual void fill(Dice &, int n) = 0; };
template <class T> struct KindOf : Kind {
  std::string s, a, m, v, w, x;
  T one{}; T four[4]{}; T matrix[2][3]{}; T var[500]{}; T deep[500][2]{}; std::vector<T> vec;
  KindOf(TTree &t, Dice &d, const std::string &name, const std::string &code, int basket, bool vectors = true) {
    s = name; a = "a_" + name; m = "m_" + name; v = "v_" + name; w = "w_" + name; x = "vec_" + name;
    t.Branch(s.c_str(), &one, (s + "/" + code).c_str(), basket);
    t.Branch(a.c_str(), four, (a + "[4]/" + code).c_str(), basket);
    t.Branch(m.c_str(), matrix, (m + "[2][3]/" + code).c_str(), basket);
    t.Branch(v.c_str(), var, (v + "[n]/" + code).c_str(), basket);
    t.Branch(w.c_str(), deep, (w + "[n][2]/" + code).c_str(), basket);
    for (auto &c : {s, a, m, v, w}) d.declare(c);
    if (vectors) { t.Branch(x.c_str(), &vec, basket); d.declare(x); }
    else x = "";
  }
  void fill(Dice &d, int n) override {
    one = d.put<T>(s);
    for (auto &e : four) e = d.put<T>(a);
    for (auto &r : matrix) for (auto &e : r) e = d.put<T>(m);
    for (int i = 0; i < n; i++) { var[i] = d.put<T>(v); deep[i][0] = d.put<T>(w); deep[i][1] = d.put<T>(w); }
    if (x.empty()) return;
    vec.clear();
    for (int i = d.count(); i > 0; i--) vec.push_back(d.put<T>(x));
  }
};

// A tree with all of it.
struct All {
  TTree &t; Dice &d; std::vector<std::unique_ptr<Kind>> kinds;
  Int_t n = 0; UChar_t n8 = 0; Short_t n16 = 0; Long64_t n64 = 0;
  float by8[300], by16[300], by64[300];
  Float_t f16, f16r, f16b; Double_t d32, d32r, d32b; Float_t vf16[500]; Double_t vd32[500];
  char text[80]; std::string str; std::vector<std::string> strs;
  std::vector<std::vector<float>> vvf; std::vector<std::vector<int>> vvi; std::vector<std::vector<std::vector<short>>> vvv;
  struct { Float_t x; Int_t y; Double_t z; } leaves; struct { Float_t a, b, c; } equal; struct { Int_t i; Char_t c[3]; } mixed;
  std::array<float, 3> arr; std::map<int, float> map; std::set<int> set; std::list<float> list; std::deque<double> deque;
  TLorentzVector lorentz; TVector3 three; TString tstring;
  All(TTree &t, Dice &d, int basket) : t(t), d(d) {
    int b = basket > 0 ? basket : 32000;
    t.Branch("n", &n, "n/I", b); d.declare("n");
    auto add = [&](Kind *k) { kinds.emplace_back(k); };
    add(new KindOf<Bool_t>(t, d, "bool", "O", b));
    add(new KindOf<Char_t>(t, d, "i8", "B", b));
    add(new KindOf<UChar_t>(t, d, "u8", "b", b));
    add(new KindOf<Short_t>(t, d, "i16", "S", b));
    add(new KindOf<UShort_t>(t, d, "u16", "s", b));
    add(new KindOf<Int_t>(t, d, "i32", "I", b));
    add(new KindOf<UInt_t>(t, d, "u32", "i", b));
    add(new KindOf<Long64_t>(t, d, "i64", "L", b));
    add(new KindOf<ULong64_t>(t, d, "u64", "l", b));
    add(new KindOf<Long_t>(t, d, "long", "G", b));
    add(new KindOf<ULong_t>(t, d, "ulong", "g", b));
    add(new KindOf<Float_t>(t, d, "f32", "F", b));
    add(new KindOf<Double_t>(t, d, "f64", "D", b));
    t.Branch("n8", &n8, "n8/b", b); t.Branch("by8", by8, "by8[n8]/F", b);
    t.Branch("n16", &n16, "n16/S", b); t.Branch("by16", by16, "by16[n16]/F", b);
    t.Branch("n64", &n64, "n64/L", b); t.Branch("by64", by64, "by64[n64]/F", b);
    for (auto c : {"n8", "by8", "n16", "by16", "n64", "by64"}) d.declare(c);
    t.Branch("f16", &f16, "f16/f", b); t.Branch("f16r", &f16r, "f16r/f[-10,10,12]", b); t.Branch("f16b", &f16b, "f16b/f[0,0,10]", b);
    t.Branch("d32", &d32, "d32/d", b); t.Branch("d32r", &d32r, "d32r/d[-10,10,20]", b); t.Branch("d32b", &d32b, "d32b/d[0,0,14]", b);
    t.Branch("v_f16", vf16, "v_f16[n]/f", b); t.Branch("v_d32", vd32, "v_d32[n]/d[-10,10,16]", b);
    t.Branch("text", text, "text/C", b); t.Branch("str", &str, b); t.Branch("strs", &strs, b);
    t.Branch("vvf", &vvf, b); t.Branch("vvi", &vvi, b); t.Branch("vvv", &vvv, b);
    t.Branch("leaves", &leaves, "x/F:y/I:z/D", b); t.Branch("equal", &equal, "a/F:b:c", b); t.Branch("mixed", &mixed, "i/I:c[3]/B", b);
    t.Branch("arr", &arr, b); t.Branch("map", &map, b); t.Branch("set", &set, b); t.Branch("list", &list, b); t.Branch("deque", &deque, b);
    t.Branch("lorentz", &lorentz, b); t.Branch("three", &three, b, 0); t.Branch("tstring", &tstring, b);
  }
  void fill() {
    n = d.note("n", d.count());
    for (auto &k : kinds) k->fill(d, n);
    n8 = d.note("n8", UChar_t(d.r.Rndm() < 0.02 ? 100 : d.count())); n16 = d.note("n16", Short_t(d.count())); n64 = d.note("n64", Long64_t(d.count()));
    for (int i = 0; i < n8; i++) by8[i] = d.put<float>("by8");
    for (int i = 0; i < n16; i++) by16[i] = d.put<float>("by16");
    for (int i = 0; i < n64; i++) by64[i] = d.put<float>("by64");
    f16 = f16r = f16b = d.small(); d32 = d32r = d32b = d.small();
    for (int i = 0; i < n; i++) { vf16[i] = d.small(); vd32[i] = d.small(); }
    snprintf(text, sizeof text, "%s", std::string(d.r.Integer(70), 'x').c_str());
    str = std::string(d.r.Integer(400), 'y');
    strs.clear(); vvf.clear(); vvi.clear(); vvv.clear(); map.clear(); set.clear(); list.clear(); deque.clear();
    for (int i = d.count(); i > 0; i--) {
      strs.push_back(std::string(d.r.Integer(300), 'z'));
      vvf.emplace_back(); vvi.emplace_back(); vvv.push_back({{}, {1, 2}});
      for (int j = d.count(); j > 0; j--) { vvf.back().push_back(d.small()); vvi.back().push_back(d.r.Integer(1000)); }
      map[d.r.Integer(100)] = d.small(); set.insert(d.r.Integer(100)); list.push_back(d.small()); deque.push_back(d.small());
    }
    leaves = {float(d.small()), int(d.r.Integer(9)), d.small()}; equal = {float(d.small()), float(d.small()), 1}; mixed = {1, {2, 3, 4}};
    arr = {float(d.small()), 1, 2}; lorentz.SetXYZT(d.small(), 1, 2, 3); three.SetXYZ(d.small(), 1, 2); tstring = str.c_str();
    t.Fill();
  }
};

void fill_all(TTree &t, Dice &d, int basket, int n) {
  All all(t, d, basket);
  for (int i = 0; i < n; i++) all.fill();
}

void write_tree(const char *path, int compression, int basket, int flush, int n) {
  TFile f(path, "RECREATE", "", compression);
  auto t = new TTree("tree", "everything");
  t->SetAutoFlush(flush);
  Dice d; d.table = "tree";
  fill_all(*t, d, basket, n);
  t->ResetBranchAddresses();
  t->Write();
  f.Close();
}

void write_special(const char *path, const std::string &what) {
  TFile f(path, "RECREATE", "", what == "memory" ? 505 : 101);
  Dice d; d.table = "tree";
  auto tree = [&](const char *name = "tree") { auto t = new TTree(name, ""); t->SetAutoFlush(0); return t; };
  if (what == "memory") { // all baskets inside the tree's own record
    auto t = tree(); fill_all(*t, d, 0, 40); t->ResetBranchAddresses();
    f.WriteTObject(t);
    t->SetDirectory(nullptr);
  } else if (what == "memory-autosave") { // some baskets written, the last ones inside
    auto t = tree(); fill_all(*t, d, 2000, 90); t->ResetBranchAddresses();
    t->AutoSave();
    t->SetDirectory(nullptr);
  } else if (what == "offset-free") {
    auto t = tree();
    ROOT::TIOFeatures io; io.Set(ROOT::Experimental::EIOFeatures::kGenerateOffsetMap); t->SetIOFeatures(io);
    fill_all(*t, d, 3000, 120); t->ResetBranchAddresses(); t->Write();
  } else if (what == "folders") {
    for (auto dir : {"a", "a/b", "a/b/c d"}) {
      f.mkdir(dir)->cd(); d.table = std::string(dir) + "/tree";
      auto t = tree(); fill_all(*t, d, 0, 20); t->ResetBranchAddresses(); t->Write();
    }
    f.cd(); TH1F h("h", "h", 10, 0, 1); h.Write();
  } else if (what == "cycles") { // what was saved before, and an older tree of the name
    auto old = tree(); Dice e; e.table = "old"; fill_all(*old, e, 0, 5); old->ResetBranchAddresses(); old->Write(); delete old;
    for (auto it = truth.begin(); it != truth.end();) it = it->first.rfind("old:", 0) == 0 ? truth.erase(it) : std::next(it);
    auto t = tree(); All all(*t, d, 1000);
    for (int i = 0; i < 60; i++) { all.fill(); if (i % 20 == 19) t->AutoSave("Overwrite,FlushBaskets"); }
    t->ResetBranchAddresses(); t->Write();
  } else if (what == "late-branch") { // a branch that has fewer entries than the tree
    auto t = tree(); float x; int n; float v[9];
    t->Branch("x", &x, "x/F");
    for (int i = 0; i < 50; i++) { x = d.put<float>("x"); t->Fill(); }
    t->Branch("n", &n, "n/I"); t->Branch("v", v, "v[n]/F");
    for (int i = 0; i < 50; i++) { x = d.put<float>("x"); n = i % 9; for (auto &e : v) e = i; t->Fill(); }
    t->ResetBranchAddresses(); t->Write();
  } else if (what == "wide-baskets") { // beyond 16 MB: several compressed blocks
    auto t = tree(); std::vector<float> v; std::vector<int> *w = new std::vector<int>; int n; auto big = new int[6000000];
    t->Branch("v", &v, 64000000); t->Branch("n", &n, "n/I"); t->Branch("big", big, "big[n]/I", 64000000);
    for (int i = 0; i < 3; i++) {
      v.clear(); n = d.note("n", i == 1 ? 3 : 5000000);
      for (int j = 0; j < n; j++) { v.push_back(d.note("v", float(j % 1000))); big[j] = d.note("big", j % 777); }
      t->Fill();
    }
    t->ResetBranchAddresses(); t->Write();
  } else if (what == "deleted") { // gaps of deleted keys
    for (int i = 0; i < 5; i++) { TH1F h(Form("h%d", i), "", 1000, 0, 1); h.Write(); }
    f.Delete("h1;*"); f.Delete("h3;*");
    auto t = tree(); fill_all(*t, d, 500, 50); t->ResetBranchAddresses(); t->Write();
    f.Delete("h0;*");
  } else if (what == "big-file") { // places beyond 2 GB; the hole takes no room
    f.SetEND(2200000000LL);
    auto t = tree(); fill_all(*t, d, 1000, 50); t->ResetBranchAddresses(); t->Write();
  } else if (what == "tntuple") {
    d.table = "nt"; auto t = new TNtuple("nt", "", "x:y:z");
    for (int i = 0; i < 500; i++) t->Fill(d.put<float>("x"), d.put<float>("y"), d.put<float>("z"));
    t->Write();
    d.table = "ntd"; auto u = new TNtupleD("ntd", "", "x:y");
    for (int i = 0; i < 500; i++) { double v[2] = {d.put<double>("x"), d.put<double>("y")}; u->Fill(v); }
    u->Write();
  } else if (what == "long-names") { // strings of more than 254 bytes
    std::string name(400, 'n'); d.table = name;
    auto t = new TTree(name.c_str(), std::string(1000, 't').c_str()); float x; std::string b(300, 'b');
    t->Branch(b.c_str(), &x, (b + "/F").c_str());
    for (int i = 0; i < 10; i++) { x = d.put<float>(b); t->Fill(); }
    t->ResetBranchAddresses(); t->Write();
  } else if (what == "ordered") { // entries all of one length, and baskets of one entry
    auto t = tree(); std::vector<int> v; t->Branch("v", &v, 1); float x[3]; t->Branch("x", x, "x[3]/F", 1);
    for (int i = 0; i < 60; i++) { v = {d.note("v", i), d.note("v", 2 * i)}; for (auto &e : x) e = d.put<float>("x"); t->Fill(); }
    t->ResetBranchAddresses(); t->Write();
  }
  f.Close();
}

struct Hit { int id; float e; double pos[3]; };
struct Base { short b; };
struct Event : Base { int run; float arr[4]; std::vector<float> v; std::vector<Hit> hits; Hit best; std::vector<int> w; std::string s; };

// Classes, split and whole.
void write_objects(const char *path) {
  TFile f(path, "RECREATE");
  TTree t("tree", "objects"); t.SetAutoFlush(0);
  TLorentzVector l; TVector3 v; TBits bits; std::vector<TLorentzVector> vl; TClonesArray split("TLorentzVector"), whole("TLorentzVector");
  TH1F h("h", "", 5, 0, 1); h.SetDirectory(nullptr); Event e;
  t.Branch("l", &l); t.Branch("l0", &l, 32000, 0); t.Branch("v", &v); t.Branch("bits", &bits); t.Branch("vl", &vl);
  t.Branch("vl0", &vl, 32000, 0); t.Branch("split", &split); t.Branch("whole", &whole, 32000, 0); t.Branch("h", &h); t.Branch("pair.", &e.best);
  t.Branch("event", &e); t.Branch("dotted.", &e); t.Branch("unsplit", &e, 32000, 0);
  for (int i = 0; i < 60; i++) {
    l.SetXYZT(i, 1, 2, 3); v.SetXYZ(i, 2, 3); bits.SetBitNumber(i % 20); h.Fill(0.5);
    vl.clear(); split.Clear(); whole.Clear();
    e.run = i; e.b = i; for (auto &x : e.arr) x = i; e.v.assign(i % 4, i); e.w.assign(i % 3, -i); e.s = "s"; e.hits.assign(i % 5, Hit{i, 1.5f, {1, 2, 3}}); e.best = Hit{i, 2, {4, 5, 6}};
    for (int j = 0; j < i % 4; j++) { vl.push_back(l); new (split[j]) TLorentzVector(l); new (whole[j]) TLorentzVector(l); }
    t.Fill();
  }
  t.ResetBranchAddresses(); t.Write();
  f.Close();
}

#ifdef __CLING__
#pragma link C++ class Hit+;
#pragma link C++ class Base+;
#pragma link C++ class Event+;
#pragma link C++ class std::vector<Hit>+;
#pragma link C++ class std::vector<TLorentzVector>+;
#pragma link C++ class std::vector<std::vector<int>>+;
#pragma link C++ class std::vector<std::vector<std::vector<short>>>+;
#pragma link C++ class std::map<int, float>+;
#endif
