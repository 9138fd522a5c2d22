"""Holds Parquet files of Barrow against want.csv, by pyarrow and by pandas.

The arguments are the folder, and for V9 and each other order of cells the places in V9
order of its cells.
"""

import pathlib
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

folder = pathlib.Path(sys.argv[1])
orders = dict(zip(["v9", "postmux", "raster"], [np.array(list(map(int, a.split(",")))) for a in sys.argv[2:]]))
want = pd.read_csv(folder / "want.csv", header=None, float_precision="round_trip", keep_default_na=False, na_values={1: ["NaN"]})
charge = want.iloc[:, 3:].to_numpy(float)
n = 0
for path in sorted(folder.glob("*.parquet")):
    dialect, order = path.stem.split("-")
    name = "CALQ" if order == "v9" else f"CALQ_{order}"
    t, frame = pq.read_table(path, page_checksum_verification=True), pd.read_parquet(path)
    f = pq.ParquetFile(path)
    assert f.metadata.num_rows == len(want) and f.metadata.num_row_groups == 5, path
    assert t.schema.metadata == {b"unit": b"mippt", b"order": order.encode()}, t.schema.metadata
    if dialect == "list":
        assert t.schema.field(name).type.value_type == pa.float64() and t.schema.names[0] == name, t.schema
        got = [np.stack(t[name].to_numpy()), np.stack(frame[name])]
    else:
        names = [f"{name}_{k}" for k in range(48)]
        assert t.schema.names[:48] == names, t.schema
        got = [np.stack([t[c].to_numpy() for c in names], 1), frame[names].to_numpy()]
    for x in got:
        assert x.dtype == np.float64 and (x == charge[:, orders[order]]).all(), path
    assert t.schema.field("event").type == pa.int64() and t.schema.field("ModType").type == pa.string(), t.schema
    assert (t["event"].to_numpy() == want[0]).all() and (frame["event"] == want[0]).all()
    assert np.array_equal(t["eta"].to_numpy(), want[1].to_numpy(), equal_nan=True)
    assert t["ModType"].to_pylist() == want[2].to_list()
    n += 1
print(n, "files are the same")
