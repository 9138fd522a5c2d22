"""Files: what is written is read again, by others too, and all that can be set."""

from __future__ import annotations

import errno
import gzip
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

import barrow
from barrow import _files

ENDINGS = ["csv", "parquet", "npz", "root", "csv.gz", "parquet.zst", "npz.gz"]


@pytest.fixture(scope="module")
def images(command: str) -> Dict[str, Any]:
    images = barrow.simulate(3000, seed=5)
    images["a name with spaces"] = np.random.default_rng(1).normal(size=3000)
    return images


def same(a: Dict[str, Any], b: Dict[str, Any]) -> None:
    assert list(a) == list(b)
    for name in a:
        assert a[name].dtype.kind == b[name].dtype.kind, name
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


@pytest.mark.parametrize("ending", ENDINGS)
def test_round_trip(images: Dict[str, Any], tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"some wafers.{ending}"
    if ending == "root":  # names of fields have no spaces
        images = {name: values for name, values in images.items() if " " not in name}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        barrow.write(file, images)
        back = barrow.read(file)
    assert os.listdir(tmp_path) == [file.name]
    same(back, images)


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no file fits") as absent:
        barrow.read(tmp_path / "none_*.csv")
    assert absent.value.filename == str(tmp_path / "none_*.csv")
    (tmp_path / "damaged.parquet").write_text("abc\n1\n2\n")
    with pytest.raises(OSError, match="the ending .parquet is that of parquet, the content is not"):
        barrow.read(tmp_path / "damaged.parquet")
    with open(tmp_path / "damaged.parquet") as file, pytest.raises(ValueError, match="a file that is open: want its path"):
        barrow.read(file)


def test_of_others(images: Dict[str, Any], tmp_path: Path) -> None:
    barrow.write(tmp_path / "a.npz", images)
    with np.load(tmp_path / "a.npz") as archive:
        names = [name for name in archive.files if archive[name].shape == (3000, 48)]
        assert len(names) == 1
        np.testing.assert_array_equal(archive[names[0]], images["charge"])
        np.testing.assert_array_equal(archive["layer"], images["layer"])
    np.savez(tmp_path / "b.npz", CALQ=images["charge"], layer=images["layer"], mod=images["ModType"])
    back = barrow.read(tmp_path / "b.npz")
    np.testing.assert_array_equal(back["charge"], images["charge"])
    assert (back["mod"] == images["ModType"]).all() and back["layer"].dtype == np.int64


def test_parquet_of_pyarrow(images: Dict[str, Any], tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    barrow.write(tmp_path / "a.parquet", images)
    table = parquet.read_table(tmp_path / "a.parquet")
    np.testing.assert_array_equal(np.stack(table["CALQ"].to_numpy()), images["charge"])
    np.testing.assert_array_equal(table["layer"].to_numpy(), images["layer"])
    columns = {f"CALQ_{i}": images["charge"][:, i] for i in range(48)}
    parquet.write_table(arrow.table({**columns, "eta": images["eta"], "words": images["class"]}), tmp_path / "b.parquet")
    back = barrow.read(tmp_path / "b.parquet")
    same(back, {"charge": images["charge"], "eta": images["eta"], "words": images["class"]})


def test_root_of_uproot(images: Dict[str, Any], tmp_path: Path) -> None:
    uproot = pytest.importorskip("uproot")
    images = {name: values for name, values in images.items() if " " not in name}
    barrow.write(tmp_path / "a.root", images)
    with uproot.open(tmp_path / "a.root") as file:
        (name,) = file.keys(cycle=False)
        np.testing.assert_array_equal(file[name]["layer"].array(library="np"), images["layer"])
    with uproot.recreate(tmp_path / "b.root") as file:
        file.mktree("t", {f"CALQ_{i}": "float64" for i in range(48)})
        file["t"].extend({f"CALQ_{i}": images["charge"][:, i] for i in range(48)})
    np.testing.assert_array_equal(barrow.read(tmp_path / "b.root", tree="t")["charge"], images["charge"])


def test_as_convert_picks(command: str, images: Dict[str, Any], tmp_path: Path) -> None:
    barrow.write(tmp_path / "nt_2.csv", {name: values[:2000] for name, values in images.items()})
    barrow.write(tmp_path / "nt_10.parquet", {name: values[2000:] for name, values in images.items()})
    flags = ["--select", "layer==9 && eta>2", "--every", "3", "--shuffle", "--seed", "7", "--limit", "40", "--columns", "layer,eta"]
    subprocess.run(
        [command, "convert", *flags, "nt_*", "out.parquet"], cwd=tmp_path, check=True, capture_output=True
    )
    settings: Dict[str, Any] = {"select": "layer==9 && eta>2", "every": 3, "shuffle": True, "seed": 7, "limit": 40}
    picked = barrow.read(tmp_path / "nt_*", columns=["layer", "eta"], **settings)
    assert len(picked["charge"]) == 40
    same(picked, barrow.read(tmp_path / "out.parquet"))
    same(barrow.read([tmp_path / "nt_2.csv", str(tmp_path / "nt_10.parquet")]), images)
    none = barrow.read(tmp_path / "nt_2.csv", select="layer > 1000")
    assert none["charge"].shape == (0, 48) and list(none) == list(images)
    assert list(barrow.read(tmp_path / "nt_2.csv", columns=[])) == ["charge"]


def test_relative_names(images: Dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "a [folder]"
    folder.mkdir()
    monkeypatch.chdir(folder)
    barrow.write("a.npz", images)
    barrow.write("b[1].npz", images)
    assert len(barrow.read("*.npz")["charge"]) == 6000
    assert len(barrow.read("b[1].npz")["charge"]) == 3000


def test_orders(images: Dict[str, Any], tmp_path: Path) -> None:
    barrow.write(tmp_path / "a.csv", images, order="postmux")
    np.testing.assert_array_equal(barrow.read(tmp_path / "a.csv", order="postmux")["charge"], images["charge"])
    with pytest.warns(barrow.LossWarning, match="numbered raster"):
        barrow.write(tmp_path / "b.csv", {"charge": images["charge"]}, order="raster", dialect="plain", digits=1)
    back = barrow.read(tmp_path / "b.csv", order="raster", header="none", layout="charges")
    np.testing.assert_array_equal(back["charge"], images["charge"])


def test_iterate(images: Dict[str, Any], tmp_path: Path) -> None:
    barrow.write(tmp_path / "a.csv", images)
    blocks = list(barrow.iterate(tmp_path / "a.csv", rows=700, columns=["layer"]))
    assert [len(block["charge"]) for block in blocks] == [700, 700, 700, 700, 200]
    np.testing.assert_array_equal(np.concatenate([block["layer"] for block in blocks]), images["layer"])
    # Others may read in between, and one that is given up is no harm.
    for block in barrow.iterate(tmp_path / "a.csv", rows=10):
        assert len(barrow.read(tmp_path / "a.csv", limit=5)["charge"]) == 5
        break
    with pytest.raises(ValueError, match="there are: rows, charge, columns"):
        barrow.iterate(tmp_path / "a.csv", colour=1)


@pytest.mark.parametrize(
    "values, expected",
    [
        (["1", "2", "3.5"], np.array([1, 2, 3.5])),
        (["1", "", "3"], np.array([1, np.nan, 3])),
        (["", "", "3"], np.array([np.nan, np.nan, 3])),
        (["007", "8", "x"], np.array(["007", "8", "x"])),
        (["", "8", "x"], np.array(["", "8", "x"])),
        (["1", "2", "9007199254740993"], np.array([1, 2, 9007199254740993])),
    ],
)
def test_types_of_text(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, values: Any, expected: Any) -> None:
    charge = ",".join(["1"] * 48)
    text = "".join(f"{charge},{value}\n" for value in values)
    (tmp_path / "a.csv").write_text(",".join(f"CALQ_{i}" for i in range(48)) + ",mine\n" + text)
    for block in (1, 2, 100):  # whatever of a column is known when
        monkeypatch.setattr(_files, "_BLOCK", block)
        read = barrow.read(tmp_path / "a.csv")["mine"]
        assert read.dtype.kind == expected.dtype.kind
        np.testing.assert_array_equal(read, expected)


def test_columns_of_all_types(command: str, tmp_path: Path) -> None:
    charge = np.arange(96, dtype=np.float32).reshape(2, 48)[::-1]
    data = {
        "charge": charge, "flag": [True, False], "small": np.array([1, 2], dtype=np.uint8), "half": np.array([0.5, 1], dtype=">f4"),
        "bytes": np.array([b"a", b"b"]), "digits": np.array(["007", "08"]), "missing": np.array(["x", None], dtype=object),
        "masked": np.ma.array([1, 2], mask=[False, True]), "empty": ["", ""],
    }  # fmt: skip
    barrow.write(tmp_path / "a.parquet", data)
    back = barrow.read(tmp_path / "a.parquet")
    np.testing.assert_array_equal(back["charge"], charge)
    np.testing.assert_array_equal(back["flag"], [1, 0])
    np.testing.assert_array_equal(back["half"], [0.5, 1])
    assert back["digits"].tolist() == ["007", "08"] and back["missing"].tolist() == ["x", ""] and back["bytes"].tolist() == ["a", "b"]
    assert back["masked"][0] == 1 and np.isnan(back["masked"][1])


def test_warnings(images: Dict[str, Any], tmp_path: Path) -> None:
    with pytest.warns(barrow.LossWarning, match="a.npy: does not have the columns"):
        barrow.write(tmp_path / "a.npy", images)
    with pytest.warns(UserWarning, match="changes nothing"):
        barrow.read(tmp_path / "a.npy", tree="there/is/none")


@pytest.mark.parametrize(
    "words, said",
    [
        (["007", "1e5"], "'x' is of words|\"x\" is of words"), (["", "nan"], "of words"), (["1", "2"], "of words"),
        (["one\nline", "x"], "line breaks in 1 texts"), (["a\r\nb", "c\nd"], "line breaks in 2 texts"),
        (["007", "x"], None), (["", ""], None), ([" a", "b, \"c\""], None), ([], None),
    ],
)  # fmt: skip
def test_words_that_text_changes(tmp_path: Path, words: Any, said: Any) -> None:
    data = {"charge": np.ones((max(len(words), 1), 48)), "x": np.array(words or ["word"])}
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        barrow.write(tmp_path / "a.csv", data)
        assert [w.category for w in told] == ([barrow.LossWarning] if said else [])
        if said:
            assert re.search(said, str(told[0].message))
        else:
            same(barrow.read(tmp_path / "a.csv"), data)
        barrow.write(tmp_path / "a.parquet", data)
        same(barrow.read(tmp_path / "a.parquet"), data)
        assert len(told) == (1 if said else 0)


@pytest.mark.parametrize("ending", ["csv", "parquet", "npz"])
@pytest.mark.parametrize("name", ["CALQ_1", "CALQ_50", "calq7", "CALQ"])
def test_columns_called_as_charges(tmp_path: Path, ending: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"'?\"?{name}.*would be read as charges"):
        barrow.write(tmp_path / f"a.{ending}", {"charge": np.ones((2, 48)), name: [1, 2]})
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["", " ", "two\nlines"])
def test_names_that_a_line_cannot_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name that a line"):
        barrow.write(tmp_path / "a.csv", {"charge": np.ones((2, 48)), name: [1, 2]})


def test_errors(images: Dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    barrow.write(file, images)
    with pytest.raises(FileExistsError):
        barrow.write(file, images)
    with pytest.raises(FileNotFoundError):
        barrow.read(tmp_path / "none.csv")
    with pytest.raises(FileNotFoundError):
        barrow.write(tmp_path / "none" / "a.csv", images)
    for settings, said in [
        ({"columns": "colour"}, "colour"), ({"select": "laye > 2"}, "did you mean"), ({"order": "v8"}, "v9"), ({"limit": 0}, "at least 1"),
        ({"every": -1}, "at least 1"), ({"charge": "gev"}, "calq12"), ({"quirk": "all"}, "first-row"), ({"header": "second"}, "first"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            barrow.read(file, **settings)  # type: ignore[arg-type]
    barrow.write(file, {"charge": images["charge"][:2]}, force=True)
    assert len(barrow.read(file)["charge"]) == 2
    (tmp_path / "b.csv").write_text("CALQ_0,CALQ_1\n1,2\n")
    with pytest.raises(OSError, match="b.csv"):
        barrow.read(tmp_path / "b.csv")
    with pytest.raises(ValueError, match="no file"):
        barrow.read([])
    bad = images["charge"].copy()
    bad[2900, 7] = np.nan
    for data, said in [
        ({"charge": bad}, "image 2900, cell 7"), ({"charge": -1 - images["charge"]}, "image 0, cell 0"), ({"charge": bad[:, :47]}, "48"),
        ({}, "no charge"), ({"charge": bad, "eta": [1.0]}, "3000"), ({"charge": bad[:1], "z": [1j]}, "complex"),
        ({"charge": bad[:1], "z": np.array([1 << 63], dtype=np.uint64)}, "64 bits"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            barrow.write(tmp_path / "c.parquet", data)
    assert sorted(os.listdir(tmp_path)) == ["a.csv", "b.csv"]
    with gzip.open(tmp_path / "d.csv.gz", "wb") as f:
        f.write(b"CALQ_0\n" * 3)
    with pytest.raises(OSError):
        barrow.read(tmp_path / "d.csv.gz")


def test_errors_name_the_file(tmp_path: Path) -> None:
    images = barrow.simulate(2)
    file = tmp_path / "a.csv"
    barrow.write(file, images)
    (tmp_path / "nothing").mkdir()
    for call, there, number in [
        (lambda: barrow.read(tmp_path / "none.csv"), tmp_path / "none.csv", errno.ENOENT),
        (lambda: barrow.read([file, tmp_path / "none.parquet"]), tmp_path / "none.parquet", errno.ENOENT),
        (lambda: barrow.write(file, images), file, errno.EEXIST),
        (lambda: barrow.write(tmp_path / "none" / "a.csv", images), tmp_path / "none" / "a.csv", errno.ENOENT),
        (lambda: barrow.Encoder.load(tmp_path / "none"), tmp_path / "none", errno.ENOENT),
    ]:  # fmt: skip
        with pytest.raises(OSError) as caught:
            call()  # type: ignore[no-untyped-call]
        assert (caught.value.filename, caught.value.errno) == (str(there), number)
        assert str(there) in str(caught.value)


@pytest.mark.parametrize("ending", ["csv", "parquet", "root"])
def test_units(tmp_path: Path, ending: str) -> None:
    images = {"charge": np.ones((2, 48))}
    with pytest.raises(ValueError, match="foo.*calq, calq12, data, mippt"):
        barrow.write(tmp_path / f"a.{ending}", images, unit="foo")
    assert os.listdir(tmp_path) == []
    barrow.write(tmp_path / "a.parquet", images, unit="mippt")


def test_real_files(command: str, shared_data: Path) -> None:
    files = sorted((shared_data / "wafers").glob("*.csv"))
    if not files:
        pytest.skip(f"no files in {shared_data / 'wafers'}")
    read = barrow.read(files[0], limit=100)
    assert read["charge"].shape[1] == 48 and (read["charge"] >= 0).all()


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_interrupted_writing(images: Dict[str, Any], tmp_path: Path) -> None:
    """Ctrl-C while a file is written leaves nothing, and the next call works."""
    code = (
        "import sys, numpy, barrow\n"
        "a = numpy.ones((400_000, 48)); barrow.simulate(1)\n"
        "try:\n    print('go', flush=True); barrow.write(sys.argv[1], {'charge': a})\nexcept KeyboardInterrupt:\n    print(len(barrow.simulate(5)['charge']))\n"
    )
    for ending in ("csv.gz", "root", "npz", "root.gz"):
        child = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / f"a.{ending}")], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        assert child.stdout.readline() == "go\n"
        time.sleep(0.1)
        child.send_signal(signal.SIGINT)
        said, _ = child.communicate(timeout=300)
        left = os.listdir(tmp_path)
        if said:
            assert said == "5\n" and left == []
        else:  # it was faster
            assert left == [f"a.{ending}"]
            os.remove(tmp_path / left[0])


def test_types_of_settings(images: Dict[str, Any], tmp_path: Path) -> None:
    """What is of another type is told by its name in Python, not as JSON that Go cannot read."""
    file = tmp_path / "a.parquet"
    some = {name: values[:5] for name, values in images.items()}
    barrow.write(file, some)
    for name, value in [
        ("select", 3), ("seed", -1), ("seed", 1.5), ("seed", 1 << 64), ("limit", 1.9), ("limit", 2.0), ("limit", "a"), ("limit", 1 << 63), ("every", [2]),
        ("order", 9), ("header", True), ("layout", 1), ("tree", b"x"), ("charge", 2), ("columns", 3), ("quirk", [1]), ("shuffle", "no"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=f"barrow: {name}(\\[0\\])? is "):
            barrow.read(file, **{name: value})  # type: ignore[arg-type]
    assert len(barrow.read(file, limit=np.int64(2), every=2, seed=0, shuffle=np.True_)["charge"]) == 2  # type: ignore[arg-type]
    for bad in (3, [3], None):
        with pytest.raises(ValueError, match="want a path"):
            barrow.read(bad)  # type: ignore[arg-type]
    for name, value in [("order", 1), ("digits", 1.5), ("digits", -1), ("dialect", 3), ("unit", 1), ("force", "yes")]:
        with pytest.raises(ValueError, match=f"barrow: {name} is "):
            barrow.write(tmp_path / "b.csv", some, **{name: value})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no images to write"):
        barrow.write(tmp_path / "b.csv", {"charge": np.empty((0, 48))})
    with pytest.raises(ValueError, match="want a mapping"):
        barrow.write(tmp_path / "b.csv", images["charge"])
    with pytest.raises(ValueError, match="rows is"):
        next(barrow.iterate(file, rows=1.5))  # type: ignore[arg-type]
    lists = np.empty(5, dtype=object)
    lists[:] = [[1, 2]] * 5
    arrays = np.empty(5, dtype=object)
    arrays[:] = [np.ones(2)] * 5
    for column in (lists, arrays):
        with pytest.raises(ValueError, match="the column 'several' has values such as"):
            barrow.write(tmp_path / "b.csv", {**some, "several": column})
    assert os.listdir(tmp_path) == ["a.parquet"]
