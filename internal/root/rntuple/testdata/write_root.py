"""write_root.py FOLDER: RNTuples of every type and column that ROOT itself writes, in
each compression; prints by file what uproot reads of them, as dump.py says."""
import json
import os
import sys
import warnings

warnings.simplefilter("ignore")  # ROOT's of itself
import ROOT
import uproot

sys.path.insert(0, os.path.dirname(__file__))
from dump import dump

ROOT.gInterpreter.Declare("""
#include <ROOT/RNTupleModel.hxx>
#include <ROOT/RNTupleWriter.hxx>
#include <ROOT/RNTupleWriteOptions.hxx>
#include <ROOT/RField.hxx>
#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <tuple>
#include <bitset>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

enum Kind : std::int16_t { kA, kB };
struct Base { std::int32_t base = 0; float x = 0; };
struct Hit : public Base { double x = 0; std::vector<float> adc; std::array<std::int16_t, 2> uv{}; };

using ROOT::RNTupleModel;
using ROOT::RNTupleWriter;
using ROOT::RNTupleWriteOptions;
using Col = ROOT::ENTupleColumnType;

template <typename T>
void number(RNTupleModel &m, const std::string &name, std::vector<Col> kinds)
{
   auto f = std::make_unique<ROOT::RField<T>>(name);
   if (!kinds.empty())
      f->SetColumnRepresentatives({kinds});
   m.AddField(std::move(f));
}

template <typename T>
T value(int i)
{
   using L = std::numeric_limits<T>;
   switch (i) {
   case 0: return L::lowest();
   case 1: return L::max();
   case 2: return T(-1);
   }
   return T(i * 37 - 5000) / T(3);
}

template <typename T>
void put(ROOT::REntry &e, const std::string &name, int i) { *e.GetPtr<T>(name) = value<T>(i); }

std::string hits(const std::string &) { return "hits"; }
std::string hitsBase(const std::string &n) { return n == "hits_base" ? "hits" : "hits._0.:_0.base"; }

void write(const std::string &path, int compression, int n, int cluster)
{
   auto m = RNTupleModel::CreateBare();
   number<bool>(*m, "bool", {});
   number<char>(*m, "char", {});
   number<std::int8_t>(*m, "i8", {});
   number<std::uint8_t>(*m, "u8", {});
   for (auto s : {std::string(""), std::string("s")}) {
      bool b = s == "s";
      number<std::int16_t>(*m, s + "i16", {b ? Col::kSplitInt16 : Col::kInt16});
      number<std::uint16_t>(*m, s + "u16", {b ? Col::kSplitUInt16 : Col::kUInt16});
      number<std::int32_t>(*m, s + "i32", {b ? Col::kSplitInt32 : Col::kInt32});
      number<std::uint32_t>(*m, s + "u32", {b ? Col::kSplitUInt32 : Col::kUInt32});
      number<std::int64_t>(*m, s + "i64", {b ? Col::kSplitInt64 : Col::kInt64});
      number<std::uint64_t>(*m, s + "u64", {b ? Col::kSplitUInt64 : Col::kUInt64});
      number<float>(*m, s + "f32", {b ? Col::kSplitReal32 : Col::kReal32});
      number<double>(*m, s + "f64", {b ? Col::kSplitReal64 : Col::kReal64});
      number<double>(*m, s + "d32", {b ? Col::kSplitReal32 : Col::kReal32});
      auto v = std::make_unique<ROOT::RField<std::vector<float>>>(s + "v32");
      v->SetColumnRepresentatives({{b ? Col::kSplitIndex32 : Col::kIndex32}});
      m->AddField(std::move(v));
      auto w = std::make_unique<ROOT::RField<std::string>>(s + "text");
      w->SetColumnRepresentatives({{b ? Col::kSplitIndex64 : Col::kIndex64, Col::kChar}});
      m->AddField(std::move(w));
   }
   number<float>(*m, "half", {Col::kReal16});
   for (int bits : {10, 13, 24, 31}) {
      auto f = std::make_unique<ROOT::RField<float>>("trunc" + std::to_string(bits));
      f->SetTruncated(bits);
      m->AddField(std::move(f));
   }
   for (int bits : {1, 7, 20, 32}) {
      auto f = std::make_unique<ROOT::RField<float>>("quant" + std::to_string(bits));
      f->SetQuantized(bits, {-1, 2});
      m->AddField(std::move(f));
   }
   m->MakeField<std::bitset<70>>("bits");
   m->MakeField<std::vector<bool>>("v_bool");
   m->MakeField<std::vector<std::string>>("v_text");
   m->MakeField<std::vector<std::vector<std::int32_t>>>("vv");
   m->MakeField<std::array<std::array<float, 2>, 3>>("a32");
   m->MakeField<std::vector<std::array<double, 2>>>("va");
   m->MakeField<std::array<std::vector<float>, 2>>("av");
   m->MakeField<std::vector<std::pair<std::int32_t, float>>>("pairs");
   m->MakeField<std::pair<std::int32_t, std::string>>("pair");
   m->MakeField<std::optional<float>>("maybe");
   m->MakeField<ROOT::RVec<std::int16_t>>("rvec");
   m->MakeField<Hit>("hit");
   m->MakeField<std::vector<Hit>>("hits");
   m->MakeField<std::byte>("byte");
   m->MakeField<std::tuple<float, std::int64_t>>("tuple");
   m->MakeField<std::unique_ptr<double>>("unique");
   m->MakeField<std::vector<std::optional<float>>>("v_maybe");
   m->MakeField<std::atomic<std::uint64_t>>("atomic");
   m->AddField(ROOT::RFieldBase::Create("double32", "Double32_t").Unwrap());
   m->AddField(ROOT::RFieldBase::Create("enum", "Kind").Unwrap());
   m->AddField(ROOT::RFieldBase::Create("v_enum", "std::vector<Kind>").Unwrap());
   m->MakeField<std::variant<std::int32_t, float>>("variant");
   auto pt = ROOT::RFieldBase::Create("hits_base", "ROOT::RVec<std::int32_t>").Unwrap();
   m->AddProjectedField(std::move(pt), hitsBase);
   m->AddProjectedField(std::make_unique<ROOT::RField<ROOT::RNTupleCardinality<std::uint32_t>>>("n_hits"), hits);

   RNTupleWriteOptions options;
   options.SetCompression(compression);
   if (compression == 0) options.SetEnablePageChecksums(false);
   auto w = RNTupleWriter::Recreate(std::move(m), "t", path, options);
   auto e = w->CreateEntry();
   for (int i = 0; i < n; i++) {
      if (cluster > 0 && i % cluster == cluster - 1)
         w->CommitCluster();
      *e->GetPtr<bool>("bool") = i % 3 == 0;
      *e->GetPtr<char>("char") = char(i);
      put<std::int8_t>(*e, "i8", i);
      put<std::uint8_t>(*e, "u8", i);
      for (auto s : {std::string(""), std::string("s")}) {
         put<std::int16_t>(*e, s + "i16", i);
         put<std::uint16_t>(*e, s + "u16", i);
         put<std::int32_t>(*e, s + "i32", i);
         put<std::uint32_t>(*e, s + "u32", i);
         put<std::int64_t>(*e, s + "i64", i);
         put<std::uint64_t>(*e, s + "u64", i);
         put<float>(*e, s + "f32", i);
         put<double>(*e, s + "f64", i);
         *e->GetPtr<double>(s + "d32") = i == 3 ? NAN : i == 4 ? INFINITY : i / 8.;
         e->GetPtr<std::vector<float>>(s + "v32")->assign(i % 7, i / 4.f);
         *e->GetPtr<std::string>(s + "text") = std::string(i % 11, 'a' + i % 26);
      }
      *e->GetPtr<float>("half") = i / 16.f;
      for (int bits : {10, 13, 24, 31}) *e->GetPtr<float>("trunc" + std::to_string(bits)) = i * 1.2345f - 100;
      for (int bits : {1, 7, 20, 32}) *e->GetPtr<float>("quant" + std::to_string(bits)) = std::sin(i) + .5f;
      *e->GetPtr<std::bitset<70>>("bits") = std::bitset<70>(i) << i % 60;
      e->GetPtr<std::vector<bool>>("v_bool")->assign(i % 19, i % 2);
      e->GetPtr<std::vector<std::string>>("v_text")->assign(i % 4, std::string(i % 5, 'x'));
      e->GetPtr<std::vector<std::vector<std::int32_t>>>("vv")->assign(i % 4, std::vector<std::int32_t>(i % 3, i));
      *e->GetPtr<std::array<std::array<float, 2>, 3>>("a32") = {{{1.f * i, 2}, {3, 4}, {5, 6.f * i}}};
      e->GetPtr<std::vector<std::array<double, 2>>>("va")->assign(i % 3, {1. * i, 2. * i});
      (*e->GetPtr<std::array<std::vector<float>, 2>>("av"))[1].assign(i % 5, i);
      e->GetPtr<std::vector<std::pair<std::int32_t, float>>>("pairs")->assign(i % 4, {i, i / 2.f});
      *e->GetPtr<std::pair<std::int32_t, std::string>>("pair") = {i, std::to_string(i)};
      if (i % 2) *e->GetPtr<std::optional<float>>("maybe") = i; else e->GetPtr<std::optional<float>>("maybe")->reset();
      e->GetPtr<ROOT::RVec<std::int16_t>>("rvec")->assign(i % 6, -i);
      Hit h; h.base = i; h.Base::x = i / 2.f; h.x = i / 4.; h.adc.assign(i % 3, i); h.uv = {std::int16_t(i), std::int16_t(-i)};
      *e->GetPtr<Hit>("hit") = h;
      e->GetPtr<std::vector<Hit>>("hits")->assign(i % 5, h);
      *e->GetPtr<std::byte>("byte") = std::byte(i);
      *e->GetPtr<std::tuple<float, std::int64_t>>("tuple") = {i / 2.f, -i};
      auto &u = *e->GetPtr<std::unique_ptr<double>>("unique");
      if (i % 3) u.reset(new double(i)); else u.reset();
      e->GetPtr<std::vector<std::optional<float>>>("v_maybe")->assign(i % 4, i % 2 ? std::optional<float>(i) : std::nullopt);
      *e->GetPtr<std::atomic<std::uint64_t>>("atomic") = std::uint64_t(-i);
      *e->GetPtr<double>("double32") = i / 7.;
      *e->GetPtr<Kind>("enum") = Kind(i % 2);
      e->GetPtr<std::vector<Kind>>("v_enum")->assign(i % 3, kB);
      *e->GetPtr<std::variant<std::int32_t, float>>("variant") = i;
      w->Fill(*e);
   }
}

// Fields that come when entries are there already, in the first cluster and after.
void late(const std::string &path, int compression)
{
   auto m = RNTupleModel::Create();
   auto a = m->MakeField<std::int32_t>("a");
   RNTupleWriteOptions options;
   options.SetCompression(compression);
   auto w = RNTupleWriter::Recreate(std::move(m), "t", path, options);
   std::shared_ptr<double> b, d;
   std::shared_ptr<std::vector<float>> v;
   std::shared_ptr<std::string> s;
   std::shared_ptr<std::array<float, 3>> f;
   for (int i = 0; i < 100; i++) {
      if (i == 7) {
         auto u = w->CreateModelUpdater();
         u->BeginUpdate();
         b = u->MakeField<double>("b");
         v = u->MakeField<std::vector<float>>("v");
         f = u->MakeField<std::array<float, 3>>("f");
         u->CommitUpdate();
      }
      if (i == 20 || i == 40 || i == 60) w->CommitCluster();
      if (i == 45) {
         auto u = w->CreateModelUpdater();
         u->BeginUpdate();
         d = u->MakeField<double>("d");
         s = u->MakeField<std::string>("s");
         u->CommitUpdate();
      }
      *a = i;
      if (b) { *b = i / 4.; v->assign(i % 3, i); *f = {1, 2, 1.f * i}; }
      if (d) { *d = i / 8.; *s = std::to_string(i); }
      w->Fill();
   }
}

// Many values: pages and clusters of the sizes that ROOT chooses.
void large(const std::string &path, int compression)
{
   auto m = RNTupleModel::Create();
   auto a = m->MakeField<std::int64_t>("a");
   auto v = m->MakeField<std::vector<float>>("v");
   RNTupleWriteOptions options;
   options.SetCompression(compression);
   auto w = RNTupleWriter::Recreate(std::move(m), "t", path, options);
   for (int i = 0; i < 100000; i++) {
      *a = i * 1000003LL;
      v->assign(i % 8, i / 8.f);
      w->Fill();
      if (i % 30000 == 29999) w->CommitCluster(i > 50000);
   }
}
""")

all = {}
for codec, compression in {"none": 0, "zlib": 101, "lzma": 207, "lz4": 404, "zstd": 505}.items():
    for what, call in {
        "types": lambda path: ROOT.write(path, compression, 300, 70),
        "late": lambda path: ROOT.late(path, compression),
        "large": lambda path: ROOT.large(path, compression),
    }.items():
        if what == "large" and codec in ("lzma", "zlib"):
            continue
        name = f"root_{what}_{codec}.root"
        path = os.path.join(sys.argv[1], name)
        call(path)
        all[name] = dump(uproot.open(path)["t"])
print(json.dumps(all))
