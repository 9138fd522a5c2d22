"""Writes the files small_earliest.h5 and small_latest.h5 of this folder, on which tests
try what damage does: each structure of HDF5 once, as small as may be."""
import os

import h5py
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))
a = (np.arange(60).reshape(12, 5) / 4).astype("f4")
rows = np.zeros(6, [("n", "<i4"), ("v", ">f8", (2,)), ("s", "S3"), ("on", "?")])
rows["n"] = np.arange(6)
for version in ["earliest", "latest"]:
    with h5py.File(os.path.join(here, f"small_{version}.h5"), "w", libver=version) as f:
        f["contiguous"] = a
        f.create_dataset("single", data=a, chunks=a.shape, compression="gzip")
        f.create_dataset("fixed", data=a, chunks=(2, 3), compression="lzf", fletcher32=True)
        f.create_dataset("grows", data=a, chunks=(1, 5), maxshape=(None, 5), shuffle=True, compression="gzip")
        f.create_dataset("grows2", data=a, chunks=(4, 2), maxshape=(None, None), fillvalue=7)
        f["words"] = np.array(["a", "bcd", ""], dtype=h5py.string_dtype())
        f["rows"] = rows
        g = f.create_group("many")
        for i in range(12):
            g[f"m{i}"] = h5py.SoftLink("/x") if i else np.int8(5)
        for i in range(10):
            f.attrs[f"a{i}"] = "text"
