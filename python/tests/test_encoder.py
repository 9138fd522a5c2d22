"""Trained encoders: the program's numbers, decoding from outputs, and exports."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict

import numpy as np
import pytest

import barrow

KINDS = {
    "float": [],
    "asic": ["--precision", "asic", "--links", "3"],
    "cmssw": ["--precision", "cmssw-mainline"],
    "conditional": ["--conditional"],
    "max": ["--normalisation", "max"],
}


@pytest.fixture(scope="session")
def runs(command: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders of short trainings, one of each kind."""
    folder = tmp_path_factory.mktemp("runs")
    for name, flags in KINDS.items():
        train = ["encoder", "train", "--loss", "mse", "--events", "600", "--epochs", "2", "--out", str(folder / name), *flags]
        subprocess.run([command, *train], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def images(command: str) -> Dict[str, Any]:
    return barrow.simulate(1500, seed=21)


@pytest.mark.parametrize("kind", KINDS)
def test_as_the_program_evaluates(command: str, runs: Path, images: Dict[str, Any], tmp_path: Path, kind: str) -> None:
    barrow.write(tmp_path / "images.parquet", images)
    flags = ["--weights", str(runs / kind), "--baselines=false", "--out", str(tmp_path / "decoded.csv"), str(tmp_path / "images.parquet")]
    subprocess.run([command, "encoder", "eval", *flags], check=True, capture_output=True)
    encoder = barrow.Encoder.load(runs / kind)
    decoded = encoder.autoencode(images)
    assert decoded.shape == (1500, 48) and decoded.dtype == np.float64
    np.testing.assert_array_equal(decoded, barrow.read(tmp_path / "decoded.csv")["charge"])
    latents = encoder.encode(images["charge"])
    assert latents.shape == (1500, 16) and latents.dtype == np.float32
    sums = images["charge"].sum(axis=1)
    if kind == "max":
        with pytest.raises(ValueError, match="give largest"):
            encoder.decode(latents, sum=sums)
        largest = images["charge"].max(axis=1)
        np.testing.assert_array_equal(encoder.decode(latents, largest=largest), decoded)
        np.testing.assert_array_equal(encoder.decode(latents, sum=sums, largest=largest), decoded)
        with pytest.raises(ValueError, match="largest does not go with sum"):
            encoder.decode(latents, sum=sums, largest=2 * sums)
    else:
        np.testing.assert_array_equal(encoder.decode(latents, sum=sums, columns=images), decoded)
        with pytest.raises(ValueError, match="leave largest out"):
            encoder.decode(latents, sum=sums, columns=images, largest=1.0)
    if kind == "asic":  # whole numbers of the highest five bits of nine
        np.testing.assert_array_equal(latents * 16, np.round(latents * 16))


def test_as_the_model_runs(command: str, runs: Path, images: Dict[str, Any], tmp_path: Path) -> None:
    encoder = barrow.Encoder.load(runs / "float")
    charge = images["charge"][:100]
    x = np.zeros((100, 64), np.float32)
    x[:, encoder.info["cells"]] = charge / 2 ** np.floor(np.log2(charge.sum(axis=1, keepdims=True)))
    np.savez(tmp_path / "x.npz", x=x.reshape(100, *encoder.info["shape"]))
    run = ["model", "run", str(runs / "float"), "--in", str(tmp_path / "x.npz"), "--out", str(tmp_path / "y.npz")]
    subprocess.run([command, *run], check=True, capture_output=True)
    with np.load(tmp_path / "y.npz") as made:
        np.testing.assert_array_equal(made["latent"], encoder.encode(charge))


def test_conditions(runs: Path, images: Dict[str, Any]) -> None:
    encoder = barrow.Encoder.load(runs / "conditional")
    assert len(encoder.info["conditions"]) == 8
    latents, sums = encoder.encode(images), images["charge"].sum(axis=1)
    moved = {**images, "eta": images["eta"] * 0.6}
    assert (encoder.decode(latents, sums, moved) != encoder.decode(latents, sums, images)).any()
    with pytest.raises(ValueError, match="needs the column"):
        encoder.autoencode(images["charge"])
    with pytest.raises(ValueError, match="sum"):
        encoder.decode(latents, columns=images)
    without = {name: values for name, values in images.items() if name != "layer"}
    with pytest.raises(ValueError, match="layer"):
        encoder.decode(latents, sums, without)


def test_info(runs: Path) -> None:
    info = barrow.Encoder.load(runs / "asic").info
    assert info["normalisation"] == "sumlog2" and info["latent_bits"] == 5 and info["shape"] == [8, 8, 1]
    parts = {part["name"]: part for part in info["parts"]}
    assert parts["encoder"]["parameters"] == 2144 and parts["decoder"]["layers"]
    assert info["architecture"]["precision"] == "asic" and len(set(info["cells"])) == 48
    assert info["widths"] == [5] * 16
    assert "asic" in repr(barrow.Encoder.load(runs / "asic"))


def test_export(command: str, runs: Path, tmp_path: Path) -> None:
    encoder = barrow.Encoder.load(runs / "asic")
    files = encoder.export("registers", tmp_path / "of python", verify=False)
    subprocess.run(
        [command, "encoder", "export", str(runs / "asic"), "--format", "registers", "--out", str(tmp_path / "of program")],
        check=True, capture_output=True,
    )  # fmt: skip
    assert sorted(os.path.basename(file) for file in files) == sorted(os.listdir(tmp_path / "of program"))
    for file in files:
        assert Path(file).read_bytes() == (tmp_path / "of program" / os.path.basename(file)).read_bytes()
    with pytest.raises(FileExistsError) as caught:
        encoder.export("registers", tmp_path / "of python")
    assert caught.value.filename == str(tmp_path / "of python")
    with pytest.raises(ValueError, match="registers"):
        encoder.export("papyrus", tmp_path / "new")
    with pytest.raises(ValueError):
        barrow.Encoder.load(runs / "float").export("registers", tmp_path / "new")
    onnx = barrow.Encoder.load(runs / "float").export("onnx", tmp_path / "onnx", verify=True)
    assert any(file.endswith(".onnx") for file in onnx)


def test_of_another_program(runs: Path, images: Dict[str, Any], tmp_path: Path) -> None:
    encoder = barrow.Encoder.load(runs / "float")
    files = {os.path.basename(file): file for file in encoder.export("onnx", tmp_path)}
    with pytest.warns(UserWarning, match="assumed"):
        joined = barrow.Encoder.load(files["encoder.onnx"])  # with the decoder beside it
    np.testing.assert_allclose(joined.autoencode(images), encoder.autoencode(images), rtol=1e-4, atol=1e-3)
    (tmp_path / "apart").mkdir()
    os.rename(files["encoder.onnx"], tmp_path / "apart" / "encoder.onnx")
    with pytest.warns(UserWarning, match="assumed"):
        alone = barrow.Encoder.load(tmp_path / "apart" / "encoder.onnx")
    np.testing.assert_allclose(alone.encode(images), encoder.encode(images), atol=1e-5)
    with pytest.raises(ValueError, match="part alone"):
        alone.autoencode(images)
    os.mkdir(tmp_path / "decoder")
    os.rename(files["decoder.onnx"], tmp_path / "decoder" / "decoder.onnx")
    with pytest.warns(UserWarning, match="assumed"):
        decoder = barrow.Encoder.load(tmp_path / "decoder" / "decoder.onnx")
    with pytest.raises(ValueError, match="is a decoder alone"):
        decoder.encode(images)
    with pytest.raises(ValueError, match="part alone"):
        decoder.decode(np.zeros((2, 16)))


def _encode(encoder: Any, charge: Any, queue: Any) -> None:
    queue.put(encoder.encode(charge))


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_elsewhere(runs: Path, images: Dict[str, Any], method: str) -> None:
    encoder = barrow.Encoder.load(runs / "float")
    want = encoder.encode(images)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).encode(images), want)
    context: Any = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_encode, args=(encoder, images["charge"], queue))
    child.start()
    got = queue.get(timeout=300)
    child.join(120)
    assert child.exitcode == 0
    np.testing.assert_array_equal(got, want)


def test_one_image(runs: Path, images: Dict[str, Any]) -> None:
    encoder = barrow.Encoder.load(runs / "float")
    x = images["charge"]
    code = encoder.encode(x[3])
    np.testing.assert_array_equal(code, encoder.encode(x)[3])
    np.testing.assert_array_equal(encoder.autoencode(x[3]), encoder.autoencode(x)[3])
    np.testing.assert_array_equal(encoder.decode(code, sum=x[3].sum()), encoder.autoencode(x)[3])
    with pytest.raises(barrow.RowError, match="number 5") as e:
        encoder.decode(np.where(np.arange(16) == 5, np.nan, code))
    assert (e.value.row, e.value.cell) == (0, 5)


def test_errors(runs: Path, images: Dict[str, Any], tmp_path: Path) -> None:
    encoder = barrow.Encoder.load(runs / "float")
    charge = images["charge"].copy()
    charge[1200] = 0
    with pytest.raises(barrow.EMDError, match="row 1200") as caught:
        encoder.encode(charge)
    assert caught.value.row == 1200
    charge[1200, 5] = np.inf
    with pytest.raises(barrow.RowError, match="image 1200, cell 5") as wrong:
        encoder.autoencode(charge)
    assert (wrong.value.row, wrong.value.cell) == (1200, 5)
    with pytest.raises(barrow.RowError, match="image 1200, cell 5") as wrong:
        barrow.write(tmp_path / "wrong.npz", {"charge": charge})
    assert (wrong.value.row, wrong.value.cell) == (1200, 5)
    with pytest.raises(barrow.RowError, match=r"sum of row 2 is -1\.0") as wrong:
        encoder.decode(np.zeros((3, 16)), [1, 2, -1])
    assert wrong.value.row == 2
    for latents, sums in [(np.zeros((3, 15)), None), (np.zeros((3, 16)), [1.0, 2.0]), (np.full((3, 16), np.nan), None), (np.zeros((1, 16)), -1)]:
        with pytest.raises(ValueError):
            encoder.decode(latents, sums)
    with pytest.raises(FileNotFoundError):
        barrow.Encoder.load(tmp_path / "none")
    with pytest.raises(OSError, match="holds no run"):
        barrow.Encoder.load(tmp_path)
    with pytest.raises(ValueError, match="no encoder trained with"):
        barrow.Encoder.load(runs / "float", loss="emd")
    assert encoder.encode(charge[:0]).shape == (0, 16) and encoder.autoencode(charge[:0]).shape == (0, 48)
