"""The trigger chip: golden outputs, and the program's images."""

from __future__ import annotations

import csv
import json
import subprocess
import warnings
from pathlib import Path
from typing import Any, Dict, List

import numpy as np
import pytest

import barrow
from barrow import econt


def words(file: Path) -> Any:
    with open(file, newline="") as f:
        rows = list(csv.reader(f))[1:]
    return np.array([[int(word, 16) for word in row] for row in rows if row], dtype=np.uint32)


def golden(folder: Path) -> Any:
    return words(folder / "testOutput.csv")


@pytest.fixture(scope="module")
def vectors(command: str, shared_data: Path) -> Path:
    folder = shared_data / "econt"
    if not (folder / "testInput.csv").exists():
        pytest.skip(f"no test vectors in {folder}")
    return folder


def test_goldens(vectors: Path) -> None:
    given = words(vectors / "testInput.csv")
    folders = [file.parent for file in sorted(vectors.glob("*/testOutput.csv"))]
    assert len(folders) > 5
    for folder in folders:
        want = golden(folder)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            sent = econt.run(folder / "init.yaml", given)
        if folder == folders[0]:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                np.testing.assert_array_equal(econt.run(folder / "init.yaml", vectors / "testInput.csv"), sent)
        assert sent.dtype == np.uint32 and sent.shape == (len(given), 13)
        np.testing.assert_array_equal(sent[:, : want.shape[1]], want[: len(given)], err_msg=folder.name)


def test_as_the_program_runs(command: str, vectors: Path, tmp_path: Path) -> None:
    folder = vectors / "TS_Thr47_5eTx_MRL"
    for drain in (False, True):
        flags = ["--config", str(folder / "init.yaml"), "--input", str(vectors / "testInput.csv"), "--out", str(tmp_path / "out.csv"), "--force"]
        subprocess.run([command, "econt", "run", *flags, *(["--drain"] if drain else [])], check=True, capture_output=True)
        with pytest.warns(UserWarning, match="truncated by the buffer"):
            sent = econt.run([folder / "init.yaml"], words(vectors / "testInput.csv"), drain=drain)
        np.testing.assert_array_equal(sent, words(tmp_path / "out.csv"))


def test_input(vectors: Path) -> None:
    given, config = words(vectors / "testInput.csv")[:50].astype(np.int64), vectors / "BC_5eTx" / "init.yaml"
    wrong = given.copy()
    wrong[30, 4] ^= 1 << 30
    with pytest.raises(ValueError, match="row 30, word 4"):
        econt.run(config, wrong)
    with pytest.raises(ValueError, match="row 0, word 0.*first_bx"):
        econt.run(config, given, first_bx=7)
    for bad in (given[:, :11], given - (1 << 33), given + 0.5, given[0]):
        with pytest.raises(ValueError, match="input"):
            econt.run(config, bad)
    with pytest.raises(ValueError, match=r"want the path of the file, or whole numbers, as int\(word, 16\)"):
        econt.run(config, [[f"{word:08x}" for word in row] for row in given.tolist()])
    with pytest.raises(ValueError, match="p1"):
        econt.run(config, given, mux="left")
    with pytest.raises(ValueError, match="saturate"):
        econt.run(config, given, overflow="left")
    with pytest.raises(FileNotFoundError):
        econt.run("none.yaml", given)
    with pytest.raises(OSError):
        econt.run(vectors / "testInput.csv", given)
    with pytest.raises(FileNotFoundError) as absent:
        econt.run(config, "none.csv")
    assert str(absent.value.filename).endswith("none.csv")
    with pytest.raises(OSError, match="init.yaml.*RX_DATA"):
        econt.run(config, config)
    with pytest.raises(OSError, match="testInput.csv.*header"):
        econt.run(config, str(vectors / "testInput.csv"), first_bx=7)


def test_one_image() -> None:
    x = barrow.simulate(3, seed=2)["charge"]
    one, all_ = econt.encode(x[1], "BC", links=4), econt.encode(x, "BC", links=4)
    assert one.decoded.shape == (48,) and one.frames.shape == (26,)
    for found, want in zip(one, all_):
        np.testing.assert_array_equal(found, want[1])


def test_charges_out_of_range() -> None:
    x = barrow.simulate(3, seed=2)["charge"]
    x[2, 7] = 1 << 22
    with pytest.raises(barrow.RowError, match="image 2.*cell 7") as e:
        econt.encode(x, "BC", links=4)
    assert (e.value.row, e.value.cell) == (2, 7)


@pytest.fixture(scope="module")
def images(command: str) -> Any:
    return np.floor(barrow.simulate(800, seed=13, keep_empty=True, threshold=1)["charge"])


CASES: Dict[str, Dict[str, Any]] = {
    "BC": {}, "BC 9 hd": {"links": 9, "density": "hd", "rest": True, "use_sum": True}, "TS": {"threshold": 60, "links": 13},
    "STC": {"stc_type": 0, "share": "equal"}, "STC 1": {"stc_type": 1, "links": 2}, "STC 2": {"stc_type": 2, "links": 1, "zero_code": True},
    "STC 3": {"stc_type": 3}, "STC 4": {"stc_type": 4, "links": 2}, "RPT": {"links": 13, "pedestal": True, "point": "lowest"},
    "RPT 6": {"links": 6, "drop_lsb": 2}, "BC erx": {"entry": "erx", "pedestal": True},
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_as_the_program_encodes(command: str, images: Any, tmp_path: Path, case: str) -> None:
    settings = {"links": 4, **CASES[case]}
    flags = ["--algorithm", case.split()[0]]
    for name, value in settings.items():
        name = "--" + {"links": "etx"}.get(name, name.replace("_", "-"))
        flags += [name] if value is True else [name, str(value)]
    barrow.write(tmp_path / "images.npz", {"charge": images})
    run = [command, "econt", "encode", str(tmp_path / "images.npz"), *flags, "--out", str(tmp_path / "decoded.csv"), "--json"]
    said = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    there = barrow.read(tmp_path / "decoded.csv")
    found = econt.encode(images, case.split()[0], **settings)
    np.testing.assert_array_equal(found.decoded, there["charge"])
    np.testing.assert_array_equal(found.bits, there["bits"])
    assert found.bits.max() == said["bits_max"]
    assert found.frames.shape == (800, 26) and found.frames.dtype == np.uint16
    settings.pop("threshold", None), settings.pop("entry", None)
    back = econt.decode(found.frames, case.split()[0], **settings)
    np.testing.assert_array_equal(back.decoded, found.decoded)
    np.testing.assert_array_equal(back.bits, found.bits)


def test_mask(command: str, images: Any, tmp_path: Path) -> None:
    """An encoder with outputs of different widths: the chip cuts them as the model does."""
    train = ["encoder", "train", "--loss", "mse", "--events", "600", "--epochs", "2", "--precision", "asic", "--mask", "1x0,9x2,6x0"]
    subprocess.run([command, *train, "--out", str(tmp_path / "run")], check=True, capture_output=True)
    encoder = barrow.Encoder.load(tmp_path / "run")
    assert encoder.info["widths"] == [0] + [2] * 9 + [0] * 6 and encoder.info["architecture"]["mask"] == "1x0,9x2,6x0"
    charged = images[images.sum(axis=1) > 0]
    found = econt.encode(charged, "AE", 1, model=tmp_path / "run")
    assert not found.latent[:, [0, *range(10, 16)]].any() and not (found.latent & 0x7F).any() and found.latent.any()
    np.testing.assert_array_equal(found.latent / 256, encoder.encode(charged))
    np.testing.assert_array_equal(found.decoded, encoder.autoencode(charged))
    np.testing.assert_array_equal(econt.decode(found.frames, "AE", 1, model=tmp_path / "run").latent, found.latent)


def test_autoencoder(command: str, images: Any, tmp_path: Path) -> None:
    train = ["encoder", "train", "--loss", "mse", "--events", "600", "--epochs", "2", "--precision", "asic", "--links", "3"]
    subprocess.run([command, *train, "--out", str(tmp_path / "run")], check=True, capture_output=True)
    found = econt.encode(images, "AE", 3, model=tmp_path / "run")
    charged = images.sum(axis=1) > 0
    assert not charged.all()
    encoder = barrow.Encoder.load(tmp_path / "run")
    np.testing.assert_array_equal(found.latent[charged] / 256, encoder.encode(images[charged]))
    np.testing.assert_array_equal(found.decoded[charged], encoder.autoencode(images[charged]))
    back = econt.decode(found.frames, "AE", 3, model=tmp_path / "run")
    np.testing.assert_array_equal(back.latent, found.latent)
    near = images[charged].sum(axis=1)
    assert (np.abs(back.sum[charged] - near) <= near / 31).all()
    with pytest.raises(ValueError, match="3 links are needed"):
        econt.encode(images, "AE", 2, model=tmp_path / "run")
    with pytest.raises(ValueError, match="needs a model"):
        econt.encode(images, "AE")


@pytest.fixture(scope="module")
def weights(command: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one encoder's weights in all formats, and a chip without any."""
    folder = tmp_path_factory.mktemp("weights")
    shape = {"conv": (8, range(9)), "conv_bias": (8, [""]), "dense": (16, range(128)), "dense_bias": (16, [""])}
    draw = np.random.default_rng(4)
    rows = [(layer, k, i, draw.integers(-32, 32)) for layer, (n, of) in shape.items() for k in range(n) for i in of]
    with open(folder / "w.csv", "w", newline="") as f:
        csv.writer(f).writerows([("layer", "output", "input", "weight"), *rows])
    for name in ("w.h5", "w.yaml"):
        subprocess.run([command, "econt", "weights", str(folder / "w.csv"), str(folder / name)], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("keep", ["top", "all"])
@pytest.mark.parametrize("ending", ["csv", "h5", "yaml"])
def test_weights_as_the_program_encodes(command: str, images: Any, weights: Path, tmp_path: Path, ending: str, keep: str) -> None:
    barrow.write(tmp_path / "images.npz", {"charge": images})
    flags = ["--algorithm", "AE", "--etx", "3", "--weights", str(weights / f"w.{ending}"), "--keep", keep]
    run = [command, "econt", "encode", str(tmp_path / "images.npz"), *flags, "--out", str(tmp_path / "sent.csv")]
    subprocess.run(run, check=True, capture_output=True)
    there = barrow.read(tmp_path / "sent.csv")
    found = econt.encode(images, "AE", 3, weights=weights / f"w.{ending}", keep=keep)
    np.testing.assert_array_equal(found.latent, np.stack([there[f"AE{j}"] for j in range(16)], 1))
    np.testing.assert_array_equal(found.bits, there["bits"])
    assert found.latent.any() and not found.decoded.any()
    back = econt.decode(found.frames, "AE", 3, weights=weights / f"w.{ending}", keep=keep)
    np.testing.assert_array_equal(back.latent, found.latent)
    assert (back.sum > 0).any() and not back.decoded.any()


SETTINGS: List[Dict[str, str]] = [
    {}, {"dense_order": "keras"}, {"dense_order": "golden"}, {"rounding": "nearest"}, {"rounding": "floor"},
]  # fmt: skip


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_weights_of_keras(command: str, images: Any, vectors: Path, tmp_path: Path, settings: Dict[str, str]) -> None:
    """The golden weights, read in all ways, as encode and run of the program do."""
    folder, file = vectors / "AE", vectors / "AE" / "encoder.hdf5"
    flags = ["--weights", str(file)]
    for name, value in settings.items():
        flags += ["--" + name.replace("_", "-"), value]
    barrow.write(tmp_path / "images.npz", {"charge": images[:50]})
    run = [command, "econt", "encode", str(tmp_path / "images.npz"), "--algorithm", "AE", "--out", str(tmp_path / "sent.csv")]
    said = subprocess.run([*run, *flags], check=True, capture_output=True, text=True).stderr
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = econt.encode(images[:50], "AE", weights=file, **settings)  # type: ignore[arg-type]
    assert [str(warning.message) for warning in caught] == said.splitlines()
    assert "no multiples of 1/32" in said
    there = barrow.read(tmp_path / "sent.csv")
    np.testing.assert_array_equal(found.latent, np.stack([there[f"AE{j}"] for j in range(16)], 1))
    given = words(vectors / "testInput.csv")[:300]
    with open(tmp_path / "input.csv", "w", newline="") as f:
        csv.writer(f).writerows([[f"RX_DATA_{k}" for k in range(12)], *([f"{word:08x}" for word in row] for row in given)])
    run = [command, "econt", "run", "--config", str(folder / "init.yaml"), "--input", str(tmp_path / "input.csv"), *flags]
    program = subprocess.run([*run, "--out", str(tmp_path / "out.csv")], check=True, capture_output=True, text=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sent = econt.run(folder / "init.yaml", given, weights=file, **settings)
    np.testing.assert_array_equal(sent, words(tmp_path / "out.csv"))
    assert {str(w.message) for w in caught if "encoder.hdf5" in str(w.message)} <= set(program.stderr.splitlines())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        registers = econt.run(folder / "init.yaml", given)
    assert (sent == registers).all() == (settings in ({}, {"dense_order": "golden"}, {"rounding": "floor"}))


def test_weights_errors(images: Any, weights: Path, vectors: Path, tmp_path: Path) -> None:
    few, given = images[:2], words(vectors / "testInput.csv")[:5]
    (tmp_path / "short.csv").write_text("1\n2\n")
    (tmp_path / "none.yaml").write_text("ConfigAlgo: {Global: {alg_type: 3}}\n")
    for file in ("short.csv", "none.yaml", "none.h5", "w.npz"):
        with pytest.raises(OSError, match=file):
            econt.encode(few, "AE", weights=tmp_path / file)
        with pytest.raises(OSError, match=file):
            econt.run(vectors / "AE" / "init.yaml", given, weights=tmp_path / file)
    for settings, said in [
        ({"weights": weights / "w.h5", "model": "x"}, "give one"), ({"model": "x", "keep": "all"}, "keep is for weights"),
        ({"weights": weights / "w.csv", "rounding": "floor"}, "for weights in Keras"), ({"model": "x", "rounding": "floor"}, "for weights in Keras"),
        ({"weights": weights / "w.h5", "rounding": "up"}, "nearest"), ({"weights": weights / "w.h5", "dense_order": "x"}, "golden"),
        ({"weights": weights / "w.h5", "keep": "some"}, "top"), ({"weights": weights / "w.h5", "algorithm": "BC"}, "weights is for AE"),
        ({"weights": 3}, "path"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            econt.encode(few, **{"algorithm": "AE", **settings})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="for the algorithm AE"):
        econt.run(vectors / "BC_5eTx" / "init.yaml", given, weights=weights / "w.h5")
    with pytest.raises(ValueError, match="for weights in Keras"):
        econt.run(vectors / "AE" / "init.yaml", given, rounding="floor")


def test_errors(images: Any) -> None:
    for settings, said in [
        ({"algorithm": "XY"}, "BC"), ({"links": 14}, "13"), ({"density": "md"}, "ld"), ({"threshold": 3}, "TS"), ({"stc_type": 1}, "STC"),
        ({"algorithm": "STC", "stc_type": 900}, "0 to 4"), ({"point": "high"}, "middle"), ({"entry": "raw"}, "erx"), ({"drop_lsb": 8}, "0 to 7"),
        ({"algorithm": "STC", "links": 9}, "at most"), ({"model": "x"}, "AE"),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=said):
            econt.encode(images, **settings)  # type: ignore[arg-type]
    big = images.copy()
    big[300, 2] = 1 << 22
    with pytest.raises(ValueError, match="image 300"):
        econt.encode(big)
    big[300, 2] = np.nan
    with pytest.raises(ValueError, match="image 300"):
        econt.encode(big)
    with pytest.raises(ValueError, match="frame 1"):
        econt.decode(np.array([econt.encode(images[:1], links=5).frames[0], [0xFFFF] * 26]), links=5)
    with pytest.raises(ValueError, match="26"):
        econt.decode(np.zeros((2, 12), np.uint32))
    assert econt.encode(images[:0]).decoded.shape == (0, 48)


def test_images_and_settings(images: Any) -> None:
    drawn = barrow.simulate(20, seed=3)
    np.testing.assert_array_equal(econt.encode(drawn).frames, econt.encode(drawn["charge"]).frames)
    with pytest.raises(ValueError, match="no charge"):
        econt.encode({"eta": [1.0]})
    for name, value in [("links", 2.5), ("links", "a"), ("density", 1), ("entry", 1), ("drop_lsb", 1.5), ("use_sum", "x"), ("rest", 2), ("point", 1)]:
        with pytest.raises(ValueError, match=f"barrow: {name} is "):
            econt.encode(images[:2], **{name: value})
    for kind in (econt.Encoded, econt.Decoded):
        assert all(f"{field} : array (N" in (kind.__doc__ or "") for field in kind._fields)


@pytest.mark.parametrize("algorithm", ["BC", "RPT", "STC", "TS"])
def test_frames_in_words_of_the_links(algorithm):
    """Frames are read in the form that run has, too: two words of 16 bits in one of 32."""
    sent = barrow.econt.encode(barrow.simulate(50, seed=3), algorithm)
    wide = sent.frames[:, ::2].astype(np.uint32) << 16 | sent.frames[:, 1::2]
    for a, b in zip(barrow.econt.decode(wide, algorithm), barrow.econt.decode(sent.frames, algorithm)):
        np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="2\\^32"):
        barrow.econt.decode(wide.astype(float), algorithm)
