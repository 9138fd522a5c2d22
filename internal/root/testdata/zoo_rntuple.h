// RNTuples of every kind, for zoo_root.py.
#include <ROOT/RField.hxx>
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriteOptions.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <ROOT/RVec.hxx>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <variant>

enum class Colour : std::uint8_t { red, green = 7 };

using Model = ROOT::RNTupleModel;

// One kind of number: as a scalar, array and vectors.
template <class T> struct FieldOf : Kind {
  std::string s, a, v, r;
  std::shared_ptr<T> one; std::shared_ptr<std::array<T, 4>> four; std::shared_ptr<std::vector<T>> vec; std::shared_ptr<ROOT::RVec<T>> rvec;
  FieldOf(Model &m, Dice &d, const std::string &name) {
    s = name; a = "a_" + name; v = "v_" + name; r = "r_" + name;
    one = m.MakeField<T>(s); four = m.MakeField<std::array<T, 4>>(a); vec = m.MakeField<std::vector<T>>(v); rvec = m.MakeField<ROOT::RVec<T>>(r);
    for (auto &c : {s, a, v, r}) d.declare(c);
  }
  void fill(Dice &d, int n) override {
    *one = d.put<T>(s);
    for (auto &e : *four) e = d.put<T>(a);
    vec->clear(); rvec->clear();
    for (int i = 0; i < n; i++) vec->push_back(d.put<T>(v));
    for (int i = d.count(); i > 0; i--) rvec->push_back(d.put<T>(r));
  }
};

struct Fields {
  Dice &d; std::vector<std::unique_ptr<Kind>> kinds;
  std::shared_ptr<std::string> str; std::shared_ptr<std::vector<std::string>> strs; std::shared_ptr<char> ch; std::shared_ptr<std::byte> by;
  std::shared_ptr<std::vector<std::vector<float>>> vv; std::shared_ptr<std::vector<std::array<int, 3>>> va; std::shared_ptr<std::array<std::vector<int>, 2>> av;
  std::shared_ptr<std::pair<int, float>> pair; std::shared_ptr<std::tuple<int, float, std::string>> tuple;
  std::shared_ptr<std::variant<int, float, std::string>> variant; std::shared_ptr<std::optional<float>> opt;
  std::shared_ptr<std::map<int, float>> map; std::shared_ptr<std::set<int>> set; std::shared_ptr<std::bitset<70>> bits;
  std::shared_ptr<std::vector<Hit>> hits; std::shared_ptr<Hit> hit; std::shared_ptr<Event> event; std::shared_ptr<Colour> colour;
  explicit Fields(Dice &d) : d(d) {}
  void make(Model &m) {
    auto add = [&](Kind *k) { kinds.emplace_back(k); };
    add(new FieldOf<bool>(m, d, "bool"));
    add(new FieldOf<std::int8_t>(m, d, "i8")); add(new FieldOf<std::uint8_t>(m, d, "u8"));
    add(new FieldOf<std::int16_t>(m, d, "i16")); add(new FieldOf<std::uint16_t>(m, d, "u16"));
    add(new FieldOf<std::int32_t>(m, d, "i32")); add(new FieldOf<std::uint32_t>(m, d, "u32"));
    add(new FieldOf<std::int64_t>(m, d, "i64")); add(new FieldOf<std::uint64_t>(m, d, "u64"));
    add(new FieldOf<float>(m, d, "f32")); add(new FieldOf<double>(m, d, "f64"));
    str = m.MakeField<std::string>("str"); strs = m.MakeField<std::vector<std::string>>("strs"); ch = m.MakeField<char>("char"); by = m.MakeField<std::byte>("byte");
    vv = m.MakeField<std::vector<std::vector<float>>>("vv"); va = m.MakeField<std::vector<std::array<int, 3>>>("va"); av = m.MakeField<std::array<std::vector<int>, 2>>("av");
    pair = m.MakeField<std::pair<int, float>>("pair"); tuple = m.MakeField<std::tuple<int, float, std::string>>("tuple");
    variant = m.MakeField<std::variant<int, float, std::string>>("variant"); opt = m.MakeField<std::optional<float>>("opt");
    set = m.MakeField<std::set<int>>("set"); bits = m.MakeField<std::bitset<70>>("bits");
  }
  void objects(Model &m) { // of classes with a dictionary
    hits = m.MakeField<std::vector<Hit>>("hits"); hit = m.MakeField<Hit>("hit"); event = m.MakeField<Event>("event");
    map = m.MakeField<std::map<int, float>>("map");
  }
  void fill() {
    int n = d.count();
    for (auto &k : kinds) k->fill(d, n);
    *str = std::string(d.r.Integer(300), 'x'); *ch = 'c'; *by = std::byte(d.r.Integer(256));
    strs->assign(d.count(), "abc"); vv->clear(); va->clear(); set->clear();
    for (int i = d.count(); i > 0; i--) {
      vv->emplace_back();
      for (int j = d.count(); j > 0; j--) vv->back().push_back(d.small());
      va->push_back({i, 2, 3}); set->insert(d.r.Integer(50));
    }
    for (auto &v : *av) v.assign(d.count(), 5);
    *pair = {int(d.r.Integer(9)), d.small()}; *tuple = {int(d.r.Integer(9)), d.small(), "t"};
    switch (d.r.Integer(3)) { case 0: *variant = int(d.r.Integer(9)); break; case 1: *variant = float(d.small()); break; default: *variant = std::string("v"); }
    if (d.r.Rndm() < 0.5) *opt = float(d.small()); else opt->reset();
    *bits = std::bitset<70>(d.r.Integer(1000000));
    if (hits) {
      hits->assign(d.count(), Hit{int(d.r.Integer(99)), 1.5f, {1, 2, 3}}); *hit = Hit{1, 2, {3, 4, 5}};
      event->run = d.r.Integer(99); event->v.assign(d.count(), 2); event->hits.assign(d.count(), *hit); event->s = "s";
      map->clear(); (*map)[d.r.Integer(9)] = 1;
    }
  }
};

ROOT::RNTupleWriteOptions options(int compression, int page, int cluster) {
  ROOT::RNTupleWriteOptions o;
  o.SetCompression(compression);
  if (page > 0) { o.SetInitialUnzippedPageSize(page < 64 ? page : 64); o.SetMaxUnzippedPageSize(page); }
  return o;
}

void write_rntuple(const char *path, int compression, int page, int cluster, int n) {
  TFile f(path, "RECREATE");
  Dice d; d.table = "ntuple";
  auto model = Model::Create();
  Fields fields(d); fields.make(*model);
  if (TClass::GetClass("Event")->HasDictionary()) fields.objects(*model);
  auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(compression, page, cluster));
  for (int i = 0; i < n; i++) {
    fields.fill(); w->Fill();
    if (cluster > 0 && i % cluster == cluster - 1) w->CommitCluster(i % (2 * cluster) == cluster - 1);
  }
}

void write_rntuple_special(const char *path, const std::string &what) {
  TFile f(path, "RECREATE");
  Dice d; d.table = "ntuple";
  auto model = Model::Create();
  using Type = ROOT::ENTupleColumnType;
  auto field = [&](auto value, const std::string &name, std::initializer_list<Type> types) {
    using T = decltype(value);
    auto field = std::make_unique<ROOT::RField<T>>(name);
    field->SetColumnRepresentatives({types});
    model->AddField(std::move(field));
    return model->GetDefaultEntry().GetPtr<T>(name);
  };
  auto fill = [&](auto &w, auto &p, const std::string &name) { using T = std::decay_t<decltype(*p)>; *p = d.put<T>(name); };
  if (what == "encodings") { // each type in each of its encodings
    auto i16 = field(std::int16_t(), "i16_plain", {Type::kInt16}); auto s16 = field(std::int16_t(), "i16_split", {Type::kSplitInt16});
    auto i32 = field(std::int32_t(), "i32_plain", {Type::kInt32}); auto s32 = field(std::int32_t(), "i32_split", {Type::kSplitInt32});
    auto i64 = field(std::int64_t(), "i64_plain", {Type::kInt64}); auto s64 = field(std::int64_t(), "i64_split", {Type::kSplitInt64});
    auto u16 = field(std::uint16_t(), "u16_plain", {Type::kUInt16}); auto t16 = field(std::uint16_t(), "u16_split", {Type::kSplitUInt16});
    auto u32 = field(std::uint32_t(), "u32_plain", {Type::kUInt32}); auto t32 = field(std::uint32_t(), "u32_split", {Type::kSplitUInt32});
    auto u64 = field(std::uint64_t(), "u64_plain", {Type::kUInt64}); auto t64 = field(std::uint64_t(), "u64_split", {Type::kSplitUInt64});
    auto f32 = field(float(), "f32_plain", {Type::kReal32}); auto g32 = field(float(), "f32_split", {Type::kSplitReal32});
    auto f64 = field(double(), "f64_plain", {Type::kReal64}); auto g64 = field(double(), "f64_split", {Type::kSplitReal64});
    auto dd = field(double(), "f64_as32", {Type::kSplitReal32}); auto h = field(float(), "f32_half", {Type::kReal16});
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(505, 0, 0));
    for (int i = 0; i < 300; i++) {
      fill(w, i16, "i16_plain"); fill(w, s16, "i16_split"); fill(w, i32, "i32_plain"); fill(w, s32, "i32_split"); fill(w, i64, "i64_plain"); fill(w, s64, "i64_split");
      fill(w, u16, "u16_plain"); fill(w, t16, "u16_split"); fill(w, u32, "u32_plain"); fill(w, t32, "u32_split"); fill(w, u64, "u64_plain"); fill(w, t64, "u64_split");
      fill(w, f32, "f32_plain"); fill(w, g32, "f32_split"); fill(w, f64, "f64_plain"); fill(w, g64, "f64_split");
      *dd = d.note("f64_as32", d.small()); *h = d.note("f32_half", float(d.small()));
      w->Fill();
    }
  } else if (what == "quantised") {
    auto make = [&](auto value, const std::string &name, auto set) {
      using T = decltype(value);
      auto field = std::make_unique<ROOT::RField<T>>(name); set(*field); model->AddField(std::move(field));
      return model->GetDefaultEntry().GetPtr<T>(name);
    };
    std::vector<std::shared_ptr<float>> fs; std::vector<std::shared_ptr<double>> ds;
    for (int bits : {10, 11, 16, 17, 23, 31}) fs.push_back(make(float(), "trunc" + std::to_string(bits), [&](auto &g) { g.SetTruncated(bits); }));
    for (int bits : {1, 3, 8, 13, 20, 32}) fs.push_back(make(float(), "quant" + std::to_string(bits), [&](auto &g) { g.SetQuantized(bits, {-8, 8}); }));
    for (int bits : {12, 30}) ds.push_back(make(double(), "dtrunc" + std::to_string(bits), [&](auto &g) { g.SetTruncated(bits); }));
    for (int bits : {5, 24}) ds.push_back(make(double(), "dquant" + std::to_string(bits), [&](auto &g) { g.SetQuantized(bits, {-8, 8}); }));
    ds.push_back(make(double(), "dhalf", [](auto &g) { g.SetHalfPrecision(); })); ds.push_back(make(double(), "d32", [](auto &g) { g.SetDouble32(); }));
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(505, 256, 0));
    for (int i = 0; i < 500; i++) { for (auto &x : fs) *x = d.small(); for (auto &x : ds) *x = d.small(); w->Fill(); }
  } else if (what == "late") { // fields that come later, in a second and a third cluster
    auto x = model->MakeField<float>("x");
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(101, 0, 0));
    auto again = [&](int n) { for (int i = 0; i < n; i++) { *x = d.put<float>("x"); w->Fill(); } };
    again(30); w->CommitCluster();
    std::shared_ptr<int> y; std::shared_ptr<std::vector<float>> z;
    { auto u = w->CreateModelUpdater(); u->BeginUpdate(); y = u->MakeField<int>("y"); u->CommitUpdate(); }
    *y = 7; again(20); w->CommitCluster(); again(5);
    { auto u = w->CreateModelUpdater(); u->BeginUpdate(); z = u->MakeField<std::vector<float>>("z"); u->CommitUpdate(); }
    *z = {1, 2, 3}; *y = 8; again(25);
  } else if (what == "projected") {
    auto v = model->MakeField<std::vector<float>>("v"); auto x = model->MakeField<float>("x");
    model->AddProjectedField(std::make_unique<ROOT::RField<float>>("alias"), [](const std::string &) { return "x"; });
    model->AddProjectedField(std::make_unique<ROOT::RField<ROOT::RNTupleCardinality<std::uint32_t>>>("nv"), [](const std::string &) { return "v"; });
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(101, 0, 0));
    for (int i = 0; i < 80; i++) { *x = d.put<float>("x"); d.note("alias", *x); v->assign(d.count(), 2); for (auto e : *v) d.note("v", e); d.note("nv", int(v->size())); w->Fill(); }
  } else if (what == "indices") { // in each encoding; many cluster groups
    std::vector<std::shared_ptr<std::vector<float>>> v;
    for (auto [name, type] : std::map<std::string, Type>{{"v0", Type::kIndex32}, {"v1", Type::kSplitIndex32}, {"v2", Type::kIndex64}, {"v3", Type::kSplitIndex64}})
      v.push_back(field(std::vector<float>(), name, {type}));
    auto s = model->MakeField<std::string>("s");
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(404, 0, 0));
    for (int i = 0; i < 200; i++) {
      for (int k = 0; k < 4; k++) { v[k]->clear(); for (int j = d.count(); j > 0; j--) v[k]->push_back(d.put<float>("v" + std::to_string(k))); }
      *s = "s"; w->Fill();
      if (i % 7 == 6) w->CommitCluster(i % 2);
    }
  } else if (what == "folders") {
    auto dir = f.mkdir("a")->mkdir("b"); auto x = model->MakeField<float>("x"); d.table = "a/b/deep";
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "deep", *dir, options(505, 0, 0));
    for (int i = 0; i < 20; i++) { *x = d.put<float>("x"); w->Fill(); }
    w.reset();
    auto other = Model::Create(); auto y = other->MakeField<int>("y"); d.table = "second";
    auto u = ROOT::RNTupleWriter::Append(std::move(other), "second", f, options(505, 0, 0));
    for (int i = 0; i < 20; i++) { *y = d.put<int>("y"); u->Fill(); }
  } else if (what == "wide-pages") { // beyond 16 MB: several compressed blocks
    auto v = model->MakeField<std::vector<float>>("v");
    auto o = options(101, 0, 0); o.SetMaxUnzippedPageSize(64 << 20); o.SetInitialUnzippedPageSize(32 << 20); o.SetPageBufferBudget(512 << 20); o.SetApproxZippedClusterSize(200 << 20); o.SetMaxUnzippedClusterSize(400 << 20);
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, o);
    for (int i = 0; i < 2; i++) { v->clear(); for (int j = 0; j < 5000000; j++) v->push_back(d.note("v", float(j % 1000))); w->Fill(); }
  } else if (what == "nested") { // untyped records and collections, unique pointers
    std::vector<std::unique_ptr<ROOT::RFieldBase>> items;
    items.push_back(std::make_unique<ROOT::RField<float>>("a")); items.push_back(std::make_unique<ROOT::RField<std::vector<int>>>("b"));
    model->AddField(std::make_unique<ROOT::RRecordField>("record", std::move(items)));
    auto p = model->MakeField<std::unique_ptr<float>>("pointer"); auto vo = model->MakeField<std::vector<std::optional<int>>>("vo");
    auto vvv = model->MakeField<std::vector<std::vector<std::vector<float>>>>("vvv"); auto vt = model->MakeField<std::vector<std::tuple<int, std::vector<float>>>>("vt");
    auto atomic = model->MakeField<std::atomic<int>>("atomic"); auto vb = model->MakeField<std::vector<std::vector<bool>>>("vb");
    auto w = ROOT::RNTupleWriter::Append(std::move(model), "ntuple", f, options(505, 0, 0));
    for (int i = 0; i < 90; i++) {
      *p = i % 3 ? std::make_unique<float>(i) : nullptr; vo->clear(); vvv->clear(); vt->clear(); vb->clear();
      for (int j = d.count(); j > 0; j--) {
        vo->push_back(j % 2 ? std::optional<int>(j) : std::nullopt); vt->push_back({j, {1, 2}}); vb->push_back({true, false, j % 2 == 0});
        vvv->push_back({{}, {1.f, float(j)}, {}});
      }
      *atomic = d.note("atomic", i); w->Fill();
    }
  }
}
