"""make_small.py FOLDER: the small files that tests have without any other program: an ntuple of two events as a TTree
(ROOT's own std::vector, zlib) and an RNTuple, with the branches that images need."""
import runpy
import sys

folder = sys.argv[1]
sys.argv = ["make_ntuple.py", "none", folder]
m = runpy.run_path(__file__.replace("make_small", "make_ntuple"))
events = m["make_events"](9, 2, 3, tiles=1)
keep = ["tc_n"] + ["tc_" + n for n in ("subdet", "zside", "layer", "waferu", "waferv", "wafertype", "cellu", "cellv", "data", "mipPt", "simenergy", "eta", "phi")]
branches = [("event", "int", [7, 8])] + [b for b in m["tc_branches"](events) if b[0] in keep]
m["write_root"]("small", "ntuple/HGCalTriggerNtuple", branches, "zlib")
m["write_root"]("small_rntuple", "HGCalTriggerNtuple", branches, "zstd", rntuple=True)
