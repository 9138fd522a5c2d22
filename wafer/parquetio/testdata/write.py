"""Writes the same images as Parquet files of many kinds into a folder."""

import decimal
import itertools
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

folder = sys.argv[1]
N = 2500
i, k = np.arange(N)[:, None], np.arange(48)[None, :]
charge = np.where((i + k) % 3 == 0, (i * 31 + k * 17) % 101, 0)
names = [f"CALQ_{j}" for j in range(48)]
row = np.arange(N)
meta = {
    "event": pa.array(row * 1000003, pa.int64()),
    "layer": pa.array(row % 47, pa.int8()),
    "eta": pa.array(row / 8 - 100, pa.float64()),
    "ModType": pa.array([f"w{r % 100}" for r in row], pa.string()),
}


def as_list(kind=pa.float64(), make=pa.list_, array=charge):
    offsets = np.arange(N + 1) * 48
    flat = pa.array(array.ravel())
    if pa.types.is_decimal(kind):
        flat = flat.cast(pa.decimal128(38, kind.scale))
    flat = flat.cast(kind)
    if make is pa.large_list:
        return pa.LargeListArray.from_arrays(offsets, flat)
    return pa.ListArray.from_arrays(offsets.astype(np.int32), flat)


def table(charges):
    return pa.table({**charges, **meta})


def columns(kind=pa.float64()):
    return {n: pa.array(charge[:, j]).cast(kind) for j, n in enumerate(names)}


def write(name, t, **settings):
    pq.write_table(t, f"{folder}/{name}.parquet", **settings)


lists, flats = table({"CALQ": as_list()}), table(columns())
for codec, version, coded in itertools.product(
    ["none", "snappy", "gzip", "zstd", "brotli", "lz4"], ["1.0", "2.0"], [True, False]
):
    how = dict(compression=codec, data_page_version=version, use_dictionary=coded)
    tag = f"{codec}-v{version[0]}-{'dict' if coded else 'plain'}"
    write(f"list-{tag}", lists, row_group_size=1000, **how)
    write(f"columns-{tag}", flats, data_page_size=2000, **how)

write("zstd22", lists, compression="zstd", compression_level=22)
write("item", lists, use_compliant_nested_type=False)
write("tiny-pages", lists, data_page_size=100, write_batch_size=10)
write("checksums", lists, write_page_checksum=True, write_page_index=True)
write("version1", lists, version="1.0")
write("no-statistics", lists, write_statistics=False, store_schema=False)
write("large-list", table({"CALQ": as_list(make=pa.large_list)}))
write("fixed-list", table({"CALQ": pa.FixedSizeListArray.from_arrays(pa.array(charge.ravel().astype(float)), 48)}))
write("other-name", table({"x": as_list()}))
write("two-lists", table({"y": pa.array([[1.0] * (r % 3) for r in row]), "x": as_list(), "z": pa.array([{"a": 1, "b": "c"}] * N)}))
write("required", table({"CALQ": as_list()}).cast(pa.schema(
    [pa.field("CALQ", pa.list_(pa.field("element", pa.float64(), nullable=False)), nullable=False)]
    + [pa.field(n, a.type, nullable=False) for n, a in meta.items()])))

for kind in ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "float16", "float32", "float64"]:
    write(f"list-{kind}", table({"CALQ": as_list(getattr(pa, kind)())}))
    write(f"columns-{kind}", table(columns(getattr(pa, kind)())))
for digits, scale in [(7, 2), (15, 0), (15, 2), (30, 3)]:
    kind = pa.decimal128(digits, scale)
    for integer in [True, False]:
        write(f"decimal-{digits}-{scale}-{integer}", table({"CALQ": as_list(kind)}), store_decimal_as_integer=integer)

for encoding, kind in [("DELTA_BINARY_PACKED", "int64"), ("DELTA_BINARY_PACKED", "int32"), ("BYTE_STREAM_SPLIT", "float32"),
                       ("BYTE_STREAM_SPLIT", "float64"), ("BYTE_STREAM_SPLIT", "int32"), ("BYTE_STREAM_SPLIT", "int64"),
                       ("BYTE_STREAM_SPLIT", "float16"), ("PLAIN", "float64")]:
    for version in ["1.0", "2.0"]:
        how = dict(use_dictionary=False, data_page_version=version)
        coded = {"CALQ.list.element": encoding, "ModType": "DELTA_BYTE_ARRAY", "event": "DELTA_BINARY_PACKED", "layer": "DELTA_BINARY_PACKED"}
        write(f"{encoding}-{kind}-v{version[0]}", table({"CALQ": as_list(getattr(pa, kind)())}), column_encoding=coded, **how)
        coded = {n: encoding for n in names} | {"ModType": "DELTA_LENGTH_BYTE_ARRAY"}
        write(f"columns-{encoding}-{kind}-v{version[0]}", table(columns(getattr(pa, kind)())), column_encoding=coded, **how)

with pq.ParquetWriter(f"{folder}/groups.parquet", lists.schema) as w:
    w.write_table(lists.slice(0, 0))
    for at in [0, 1, 2, 700, 701, 2400]:
        w.write_table(lists.slice(at, {0: 1, 1: 1, 2: 698, 700: 1, 701: 1699, 2400: 100}[at]))
        w.write_table(lists.slice(0, 0))

frame = flats.to_pandas()
frame.to_parquet(f"{folder}/pandas.parquet")
frame["ModType"] = frame["ModType"].astype("category")
frame.to_parquet(f"{folder}/category.parquet")
frame = lists.to_pandas()
frame["CALQ"] = list(charge.astype(float))
frame.to_parquet(f"{folder}/pandas-list.parquet", compression="gzip")
shuffled = flats.select(list(reversed(flats.column_names)))
write("reversed", shuffled)
write("binary", table({"CALQ": as_list()}).set_column(4, "ModType", meta["ModType"].cast(pa.binary())))
write("dictionary", table({"CALQ": as_list()}).set_column(4, "ModType", meta["ModType"].dictionary_encode()))
