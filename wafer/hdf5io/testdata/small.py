"""Writes the files small_*.h5 of this folder, on which tests try what damage does."""
import os

import h5py
import numpy as np
import pandas as pd
import tables

here = os.path.dirname(os.path.abspath(__file__))


def path(name):
    return os.path.join(here, f"small_{name}.h5")


N = 40
calq = (np.arange(N * 48).reshape(N, 48) * 7 % 90).astype("u2")
with h5py.File(path("group"), "w", libver="latest") as f:
    g = f.create_group("wafers")
    g.create_dataset("CALQ", data=calq, chunks=(9, 20), maxshape=(None, 48), compression="gzip", shuffle=True)
    g["layer"] = np.arange(N, dtype="i1")
    g["ModType"] = np.array(["FI", "FO"] * (N // 2), dtype=h5py.string_dtype())
    g["eta"] = np.linspace(1.5, 3, N)
    g.attrs["unit"] = "calq"
rows = np.zeros(N, [("CALQ", "<u2", (48,)), ("eta", "<f4"), ("name", "S3")])
rows["CALQ"] = calq
with tables.open_file(path("rows"), "w") as f:
    f.create_table("/", "rows", rows, chunkshape=(16,), filters=tables.Filters(complevel=1, fletcher32=True))
with tables.open_file(path("blosc"), "w") as f:
    f.create_carray("/", "CALQ", obj=calq, chunkshape=(20, 48), filters=tables.Filters(complevel=9, complib="blosc:blosclz"))
    f.create_carray("/", "eta", obj=np.linspace(1.5, 3, N), filters=tables.Filters(complevel=9, complib="blosc:lz4", bitshuffle=True))
frame = pd.DataFrame(calq, columns=[f"CALQ_{i}" for i in range(48)])
frame["eta"] = np.linspace(1.5, 3, N)
frame.to_hdf(path("frame"), key="df", format="fixed", complib="zlib", complevel=1)
