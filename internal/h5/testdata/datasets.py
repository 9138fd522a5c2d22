"""Writes HDF5 files of all sorts into the folder argv[1] and prints what is in them:
a line each of JSON, {"file", "path", "shape", "type", "numbers" or "words"}, numbers as
the hexadecimal digits of big-endian float64."""
import json
import os
import sys

import h5py
import numpy as np

out = sys.argv[1]
rng = np.random.default_rng(1)


def numbers(shape, dtype="f4"):
    dtype = np.dtype(dtype)
    if dtype.kind == "b":
        return rng.integers(0, 2, shape).astype("?")
    if dtype.kind in "iu":
        info = np.iinfo(dtype)
        return rng.integers(info.min, info.max, shape, dtype=dtype.newbyteorder("="), endpoint=True).astype(dtype)
    return (rng.integers(-800, 800, shape) / 8).astype(dtype)


def words(n, longest=9):
    return ["".join(rng.choice(list("abcäöü∑ "), rng.integers(0, longest))).strip() for _ in range(n)]


def show(file):
    with h5py.File(file, "r") as f:
        def say(path, shape, kind, values):
            line = {"file": os.path.basename(file), "path": path, "shape": list(shape), "type": kind}
            if values.dtype.kind in "OSU":
                line["words"] = [w.decode() if isinstance(w, bytes) else str(w) for w in values.ravel()]
            else:
                line["numbers"] = values.astype(">f8").tobytes().hex()
            print(json.dumps(line))

        def visit(path, o):
            if not isinstance(o, h5py.Dataset):
                return
            v = o[()]
            if o.dtype.names:
                for name in o.dtype.names:
                    say("/" + path + "." + name, v[name].shape, "", v[name])
            else:
                say("/" + path, o.shape, o.dtype.name if o.dtype.kind != "O" else "str", np.asarray(v))
        f.visititems(visit)


def write(name, fill, **k):
    path = os.path.join(out, name + ".h5")
    with h5py.File(path, "w", **k) as f:
        fill(f)
    show(path)


def layouts(f):
    a = numbers((53, 7))
    f["contiguous"] = a
    f["scalar"] = np.float32(3.5)
    f["empty"] = numbers((0, 7))
    f["three"] = numbers((11, 5, 3), "f8")
    f.create_dataset("never", (9, 3), "f4", fillvalue=2.5)
    f.create_dataset("sparse", (90, 3), "i4", chunks=(10, 2), fillvalue=-7)[33:57] = numbers((24, 3), "i4")
    for chunks in [(53, 7), (1, 7), (10, 7), (10, 3), (4, 4), (1, 1), (53, 1)]:
        for limit in [(53, 7), (None, 7), (53, None), (None, None), (100, 20)]:
            for packed in [{}, dict(compression="gzip", shuffle=True)]:
                name = f"c{chunks[0]}x{chunks[1]}_{limit[0]}x{limit[1]}_{len(packed)}"
                f.create_dataset(name, data=a, chunks=chunks, maxshape=limit, **packed)
    for rows, limit in [(5000, None), (5000, 5000), (40000, None), (3000, 4000)]:
        for packed in [{}, dict(compression="gzip")]:
            f.create_dataset(f"many{rows}_{limit}_{len(packed)}", data=numbers((rows, 3), "i2"), chunks=(1 if rows < 9000 else 2, 3), maxshape=(limit, 3), **packed)
    f.create_dataset("wide", data=numbers((6, 900), "i2"), chunks=(2, 1), maxshape=(None, None))
    f.create_dataset("across", data=numbers((6, 3000), "i2"), chunks=(2, 1), maxshape=(6, None))
    d = f.create_dataset("grown", data=numbers((30, 4)), chunks=(7, 4), maxshape=(None, 4))
    d.resize(45, 0)
    d[40:] = 1
    d = f.create_dataset("shrunk", data=numbers((30, 4)), chunks=(7, 4), maxshape=(None, 4))
    d.resize(12, 0)
    gaps = f.create_dataset("gaps", (9000, 2), "u1", chunks=(2, 2), maxshape=(None, 2))
    gaps[8000:8100] = numbers((100, 2), "u1")
    gaps = f.create_dataset("fixedgaps", (9000, 2), "u1", chunks=(2, 2))
    gaps[7000:7100] = numbers((100, 2), "u1")
    early = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    early.set_chunk((10, 3))
    early.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    h5py.h5d.create(f.id, b"implicit", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((53, 7)), early)
    f["implicit"][:] = a
    compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    compact.set_layout(h5py.h5d.COMPACT)
    h5py.h5d.create(f.id, b"compact", h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple((53, 7)), compact)
    f["compact"][:] = a


def filters(f):
    a = numbers((1000, 6), "i4") // 1000000
    for name, how in {
        "gzip9": dict(compression="gzip", compression_opts=9), "lzf": dict(compression="lzf"),
        "lzfshuffle": dict(compression="lzf", shuffle=True), "fletcher": dict(fletcher32=True),
        "all": dict(compression="gzip", shuffle=True, fletcher32=True),
        "alllzf": dict(compression="lzf", shuffle=True, fletcher32=True),
    }.items():
        f.create_dataset(name, data=a, chunks=(130, 6), **how)
    f.create_dataset("noise", data=rng.integers(0, 256, (999, 3), dtype="u1"), chunks=(333, 3), compression="lzf", fletcher32=True)
    f.create_dataset("long", data=np.repeat(numbers((40, 1), "u1"), 300, 0), compression="lzf")


def types(f):
    for t in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "f2", "f4", "f8", "?"]:
        for e in ["<", ">"]:
            f[e.replace("<", "little").replace(">", "big") + t.replace("?", "bool")] = numbers((20,), t if t == "?" else e + t)
    f["u8"] = numbers((20,), "u8") // 2
    f["special"] = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, 65504], "f8")
    f["half"] = np.array([np.nan, np.inf, -np.inf, -0.0, 6e-8, 65504], "f2")
    f["fixed"] = np.array([w.encode() for w in words(30)])
    f["variable"] = np.array(words(300, 90), dtype=h5py.string_dtype())
    f.create_dataset("chunkedwords", data=np.array(words(300), dtype=h5py.string_dtype()), chunks=(40,), maxshape=(None,), compression="gzip")
    f.create_dataset("utf8", data=np.array([w.encode() for w in words(30)], dtype=h5py.string_dtype(length=40)))
    f["named"] = np.dtype("f4")
    f.create_dataset("committed", data=numbers((9,)), dtype=f["named"])
    t = np.dtype([("event", "<i8"), ("CALQ", "<f4", (48,)), ("eta", ">f8"), ("name", "S5"), ("word", h5py.string_dtype()), ("on", "?"), ("grid", "<i2", (2, 3))])
    v = np.zeros(70, t)
    for n in t.names:
        if n == "word":
            v[n] = words(70)
        elif n == "name":
            v[n] = [w.encode()[:5] for w in rng.choice(["ab", "xyz", "hello", ""], 70)]
        else:
            v[n] = numbers(v[n].shape, t[n].base)
    f["structure"] = v
    f.create_dataset("chunkedstructure", data=v, chunks=(32,), maxshape=(None,), compression="gzip", shuffle=True)


def groups(f):
    for n in [0, 1, 8, 9, 40, 400]:
        g = f.create_group(f"deep/er/{n}")
        for i in range(n):
            g[f"a member with a rather long name, number {i}"] = np.int32(i)
        for i in range(n // 4):
            g.attrs[f"attribute {i}"] = f"value {i}"
    if f.libver[0] != "earliest":
        for i in range(3):
            f.attrs[f"long {i}"] = np.bytes_(str(i) * 70000)
        f.attrs["short"] = "behind"
    f["soft"] = h5py.SoftLink("/deep")
    f["outside"] = h5py.ExternalLink("other.h5", "/x")
    f["again"] = f["deep/er/8"]
    f["deep/up"] = f["/"]


for low in ["earliest", "v108", "v110", "latest"]:
    for what in [layouts, filters, types, groups]:
        write(f"{what.__name__}_{low}", what, libver=(low, "latest"))
# A file of pages, whose superblock has an extension.
create = h5py.h5p.create(h5py.h5p.FILE_CREATE)
create.set_file_space_strategy(h5py.h5f.FSPACE_STRATEGY_PAGE, True, 1)
h5py.h5f.create(os.path.join(out, "types_pages.h5").encode(), h5py.h5f.ACC_TRUNC, create).close()
with h5py.File(os.path.join(out, "types_pages.h5"), "a") as f:
    types(f)
    f.create_dataset("chunks", data=numbers((200, 4)), chunks=(1, 2))
show(os.path.join(out, "types_pages.h5"))
write("groups_order", groups, track_order=True)
write("types_block", types, userblock_size=1024)
with h5py.File(os.path.join(out, "refused.h5"), "w") as f:
    f.create_dataset("scaleoffset", data=numbers((9, 3), "i4"), chunks=(3, 3), scaleoffset=0)
    virtual = h5py.VirtualLayout((10,), "f4")
    f.create_virtual_dataset("virtual", virtual)
    f["region"] = np.array([f.ref], dtype=h5py.ref_dtype)
