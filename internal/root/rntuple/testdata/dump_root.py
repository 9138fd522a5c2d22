"""dump_root.py TABLE FILE…: what ROOT itself reads of an RNTuple in each file, as dump.py
says without counts. A word of warning from ROOT is an error."""
import json
import os
import sys
import tempfile
import warnings

warnings.simplefilter("ignore")  # ROOT's of itself
import numpy as np
import ROOT

said = tempfile.TemporaryFile()
stderr = os.dup(2)
os.dup2(said.fileno(), 2)
stdout = os.dup(1)
os.dup2(said.fileno(), 1)


def dump(table, path):
    file = ROOT.TFile.Open(path)
    file.ls()
    file.ShowStreamerInfo()
    assert not file.IsZombie() and not file.TestBit(ROOT.TFile.kRecovered)
    reader = ROOT.RNTupleReader.Open(table, path)
    out = {}
    for field in reader.GetDescriptor().GetTopLevelFields():
        out[str(field.GetFieldName())] = {"about": str(field.GetFieldDescription())}
    if reader.GetNEntries():
        columns = ROOT.RDataFrame(table, path).AsNumpy()
    else:
        columns = {name: np.empty(0) for name in out}
    for name, column in columns.items():
        name = str(name)
        if len(column) and isinstance(column[0], (str, ROOT.std.string)):
            out[name]["text"] = [str(x) for x in column]
            continue
        if column.dtype == object:
            column = np.concatenate([np.asarray(x) for x in column])
        kind = "<f8" if column.dtype.kind == "f" else "<i8"
        out[name]["bytes"] = column.astype(kind).tobytes().hex()

    # Opened to be changed, ROOT looks at the free space, too, and writes the file anew.
    changed = ROOT.TFile.Open(path, "UPDATE")
    histogram = ROOT.TH1D("h", "h", 10, 0, 1)
    histogram.Write()
    changed.Close()
    assert ROOT.RNTupleReader.Open(table, path).GetNEntries() == reader.GetNEntries()
    return out


out = [dump(sys.argv[1], path) for path in sys.argv[2:]]
sys.stdout.flush()
os.dup2(stderr, 2)
os.dup2(stdout, 1)
said.seek(0)
text = said.read().decode()
for word in ("Warning", "Error", "SysError", "recover"):
    assert word not in text, text
assert "KEY: ROOT::RNTuple" in text and "fSeekFooter" in text, text
print(json.dumps(out))
