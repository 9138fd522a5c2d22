"""Writes three images with columns of odd types to a file, and to one of older habits without statistics."""

import datetime as dt
import decimal
import sys

import pyarrow as pa
import pyarrow.parquet as pq

D = decimal.Decimal
utc = dt.timezone.utc
at = dt.datetime(2026, 11, 28, 1, 22, 14)
t = pa.table({
    "CALQ": pa.array([[1.0] * 48] * 3),
    "bool": pa.array([True, False, True]),
    "holes": pa.array([1, None, 3], pa.int32()),
    "real": pa.array([0.5, float("nan"), None]),
    "text": pa.array(["x", None, "ü"]),
    "date": pa.array([dt.date(2026, 11, 28), dt.date(1969, 12, 31), None]),
    "time": pa.array([dt.time(1, 2, 3, 500000), dt.time(0), None], pa.time64("us")),
    "local": pa.array([at, dt.datetime(1960, 1, 1, 0, 0, 0, 1), None], pa.timestamp("us")),
    "utc": pa.array([at.replace(microsecond=123000, tzinfo=utc), dt.datetime(1970, 1, 1, tzinfo=utc), None], pa.timestamp("ms", "UTC")),
    "u32": pa.array([2**32 - 1, 0, 7], pa.uint32()),
    "u64": pa.array([2**63 - 1, 0, 7], pa.uint64()),
    "money": pa.array([D("1.25"), D("-3"), D("0.01")], pa.decimal128(9, 2)),
    "big": pa.array([D("12345678901234567890.5"), D("-1"), D("0")], pa.decimal256(40, 1)),
    "half": pa.array([0.5, -2.0, None], pa.float16()),
    "bytes": pa.array([b"ab", b"\0", None]),
    "nothing": pa.array([None, None, None]),
    "category": pa.array(["lo", "hi", "lo"]).dictionary_encode(),
    "pair": pa.array([{"a": 1, "b": 2}] * 3),
    "ragged": pa.array([[1], [], [1, 2]]),
    "__index_level_0__": pa.array(["a", "b", "c"]),
})
t = t.append_column("old", pa.array([1795828934000000005, 0, None], pa.timestamp("ns")))
pq.write_table(t, sys.argv[1])
pq.write_table(t, sys.argv[2], write_statistics=False, use_deprecated_int96_timestamps=True)
