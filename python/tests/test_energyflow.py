"""emds beside EnergyFlow, where it is installed, and beside solve_batch everywhere."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

import barrow
from barrow import emds

rng = np.random.default_rng(41)


def events(n, most=20, d=2):
    found = []
    for _ in range(n):
        x = rng.normal(size=(rng.integers(1, most), 1 + d))
        x[:, 0] = rng.exponential(size=len(x)) * 10
        x[:, 1:] *= 0.4
        found.append(x)
    return found


def plain(p, q, R, beta, norm, periodic=False):
    """One pair by solve_batch."""
    d = p[:, None, 1:] - q[None, :, 1:]
    if periodic:
        d[..., 1] = np.abs((d[..., 1] + np.pi) % (2 * np.pi) - np.pi)
    theta = (np.sqrt((d**2).sum(-1)) / R) ** beta
    return barrow.solve_batch(p[:, 0], q[:, 0], theta, "normalise" if norm else ("penalty", 1.0), gradient=False).value


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("R, beta, d", [(1.0, 1.0, 2), (0.4, 1.0, 2), (1.7, 2.0, 2), (2.0, 0.5, 3), (1.0, 1.0, 1)])
def test_pair_by_pair(norm, R, beta, d):
    a, b = events(6, d=d), events(5, most=80, d=d)
    got = emds(a, b, R=R, beta=beta, norm=norm, gdim=None)
    want = [[plain(p, q, R, beta, norm) for q in b] for p in a]
    np.testing.assert_allclose(got, want, rtol=1e-11, atol=1e-12)
    square = emds(a, R=R, beta=beta, norm=norm, gdim=None)
    np.testing.assert_array_equal(square, square.T)
    np.testing.assert_allclose(square, emds(a, a, R=R, beta=beta, norm=norm, gdim=None), atol=1e-12 * square.max())
    assert (np.diag(square) == 0).all()


def test_periodic_and_gdim_and_mask():
    a, b = events(5), events(5)
    for x in a + b:
        x[:, 2] *= 10
    want = [[plain(p, q, 1.0, 1.0, False, True) for q in b] for p in a]
    np.testing.assert_allclose(emds(a, b, periodic_phi=True), want, rtol=1e-11)
    turned = [x + [0, 0, 2 * np.pi] for x in b]
    np.testing.assert_allclose(emds(a, turned, periodic_phi=True), want, rtol=1e-10)
    np.testing.assert_array_equal(emds(a, b, gdim=1), emds([x[:, :2] for x in a], [x[:, :2] for x in b]))
    near = [[x[(x[:, 1:] ** 2).sum(1) <= 0.25] for x in y] for y in (a, b)]
    np.testing.assert_array_equal(emds(a, b, R=0.5, mask=True), emds(*near, R=0.5))


def test_particle_numbers_are_no_coordinates():
    """As EnergyFlow's own data sets have them: (pt, y, phi, pid)."""
    a = events(4)
    numbered = [np.column_stack([x, np.full(len(x), 211.0)]) for x in a]
    np.testing.assert_array_equal(emds(numbered), emds(a))
    assert emds(numbered, gdim=None).shape == (4, 4)
    np.testing.assert_array_equal(emds(a, gdim=7), emds(a))
    with pytest.raises(TypeError):
        emds(a, None, 1.0, 1.0, False, 2, "float32")


def test_containers():
    a = events(7)
    want = emds(a)
    np.testing.assert_array_equal(emds([x.tolist() for x in a]), want)
    padded = np.zeros((7, 20, 3))
    for i, x in enumerate(a):
        padded[i, : len(x)] = x
    np.testing.assert_array_equal(emds(padded), want)
    np.testing.assert_array_equal(emds(tuple(a)[::1], a), emds(a, a))
    assert emds(a, dtype="float32").dtype == np.float32
    np.testing.assert_array_equal(emds(a, n_jobs=1), want)
    assert emds([]).shape == (0, 0) and emds(a, []).shape == (7, 0)


@pytest.mark.parametrize("name", ["awkward", "pyarrow"])
def test_lists_of_other_libraries(name):
    lib = pytest.importorskip(name)
    a = events(7)
    make = lib.array if name == "pyarrow" else lib.from_iter
    np.testing.assert_array_equal(emds(make([x.tolist() for x in a])), emds(a))
    records = [[dict(zip(("pt", "y", "phi"), p)) for p in x.tolist()] for x in a]
    np.testing.assert_array_equal(emds(make(records)), emds(a))


def test_events_without_particles():
    a = events(3)
    a[1] = a[1][:0]
    d = emds(a)
    assert d[1, 0] == pytest.approx(a[0][:, 0].sum(), rel=1e-14)
    with pytest.raises(barrow.EMDError, match="events0: row 1: no mass"):
        emds(a, norm=True)


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda a: emds(a, R=0), "R=0"),
        (lambda a: emds(a, R=None), "R=None"),
        (lambda a: emds(a, n_iter_max=-1), "n_iter_max is -1"),
        (lambda a: emds(a, n_jobs=2.5), "n_jobs is 2.5"),
        (lambda a: emds(a, gdim=1.5), "gdim is 1.5"),
        (lambda a: emds(3), "events0 is of type int"),
        (lambda a: emds(a, [None]), "events1: event 0 is None"),
        (lambda a: emds([[{"pt": 1.0, "y": 0.0, "phi": 0.0, "m": 1.0}]], gdim=None), "fields pt, y, phi, m.*leave the others"),
        (lambda a: emds([[{"pt": 1.0, "m": 1.0}]]), "fields pt, m"),
        (lambda a: emds([[{"pt": 1.0, "y": 0.0, "eta": 0.0}]]), "two are the same"),
        (lambda a: emds(a, R=np.nan), "R="),
        (lambda a: emds(a, beta=-1), "beta"),
        (lambda a: emds(a, gdim=0), "gdim"),
        (lambda a: emds(a, events(2, d=3), gdim=None), "coordinates"),
        (lambda a: emds([a[0], np.ones((2, 4))]), "event 1"),
        (lambda a: emds(np.ones((3, 4))), "shape"),
        (lambda a: emds([np.ones(4)]), "event 0"),
        (lambda a: emds([x[:, :2] for x in a], periodic_phi=True), "second coordinate"),
        (lambda a: emds([["x"]]), "event 0"),
        (lambda a: emds(a, dtype="int32"), "dtype"),
        (lambda a: emds(a, n_jobs=-5), "n_jobs is -5"),
    ],
)
def test_errors(call, words):
    with pytest.raises(ValueError, match=words):
        call(events(3))


def test_records_are_read_by_name():
    a = events(3)
    turned = [[dict(zip(("phi", "pt", "y"), p[[2, 0, 1]])) for p in x] for x in a]
    np.testing.assert_array_equal(emds(turned), emds(a))


def test_structured_arrays():
    a = events(3)
    kind = np.dtype([("phi", "f4"), ("pid", "i4"), ("pt", "f8"), ("eta", "f8")])
    turned = []
    for x in a:
        one = np.zeros(len(x), kind)
        one["pt"], one["eta"], one["phi"], one["pid"] = x[:, 0], x[:, 1], x[:, 2], 211
        turned.append(one)
    as_they_are = [np.stack([x["pt"], x["eta"], x["phi"]], 1) for x in turned]
    np.testing.assert_array_equal(emds(turned), emds(as_they_are))
    np.testing.assert_array_equal(emds(turned, turned[:2], verbose=1, print_every=10), emds(as_they_are, as_they_are[:2]))
    with pytest.raises(ValueError, match="event 0 has particles with the fields phi, pid, pt, eta.*gdim=2"):
        emds(turned, gdim=3)


def test_awkward_records():
    ak = pytest.importorskip("awkward")
    a = events(3)
    turned = [[dict(zip(("phi", "pt", "y"), p[[2, 0, 1]])) for p in x] for x in a]
    np.testing.assert_array_equal(emds(ak.Array(turned)), emds(a))
    massive = [[{"m": 1.0, **p} for p in x] for x in turned]
    np.testing.assert_array_equal(emds(ak.Array(massive)), emds(a))
    for wrong, words in (([[{"pt": 1.0, "y": 0.0, "m": 1.0, "eta": 0.0}]], "fields"), ([None, *turned], "event 0 is None")):
        with pytest.raises(ValueError, match=words) as e:
            emds(ak.Array(wrong))
        assert str(e.value).count("barrow: ") == 1


def test_errors_name_the_list():
    a, b = events(3), events(4)
    b[2] = b[2][:0]
    with pytest.raises(barrow.EMDError, match="events1.*row 2") as e:
        emds(a, b, norm=True)
    assert e.value.row == 2
    b[2] = np.array([[1.0, 0, 0], [np.nan, 0, 0]])
    with pytest.raises(barrow.EMDError, match="events1.*row 2") as e:
        emds(a, b)
    assert (e.value.row, e.value.cell) == (2, 1)
    with pytest.raises(barrow.EMDError, match="events0.*row 2"):
        emds(b, a)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -1.0])
def test_bad_particles(bad):
    a = events(6, most=9)
    a[4] = np.ones((5, 3))
    a[4][3, 0] = bad
    with pytest.raises(barrow.EMDError) as e:
        emds(a)
    assert (e.value.row, e.value.cell) == (4, 3)
    if bad != -1:
        a[4][3] = [1, 0, bad]
        with pytest.raises(ValueError, match="row 4.*particle 3"):
            emds(a)


THEIRS = """
import sys, numpy as np, energyflow as ef
data = np.load(sys.argv[1], allow_pickle=False)
take = lambda k: np.split(data["p" + k], np.cumsum(data["n" + k])[:-1])
out = {}
for i, (R, beta, norm, phi) in enumerate(data["settings"]):
    out[f"v{i}"] = ef.emd.emds(take("0"), take("1"), R=R, beta=beta, norm=bool(norm), periodic_phi=bool(phi), n_jobs=1)
np.savez(sys.argv[2], **out)
"""


def test_beside_energyflow(tmp_path):
    """By an interpreter that has it: this one, or that of BARROW_ENERGYFLOW (NumPy 1)."""
    python = os.environ.get("BARROW_ENERGYFLOW", sys.executable)
    if subprocess.run([python, "-c", "import energyflow.emd"], capture_output=True).returncode != 0:
        pytest.skip("EnergyFlow is not installed here; BARROW_ENERGYFLOW may name a Python that has it")
    a, b = events(12, most=40), events(10, most=40)
    settings = np.array([(1, 1, 0, 0), (0.4, 1, 0, 0), (1.3, 2, 1, 0), (1, 1, 0, 1), (0.8, 0.5, 1, 1)], dtype="f8")
    file, back = tmp_path / "in.npz", tmp_path / "out.npz"
    np.savez(file, p0=np.concatenate(a), n0=[len(x) for x in a], p1=np.concatenate(b), n1=[len(x) for x in b], settings=settings)
    subprocess.run([python, "-c", THEIRS, str(file), str(back)], check=True, timeout=300)
    theirs = np.load(back)
    for i, (R, beta, norm, phi) in enumerate(settings):
        got = emds(a, b, R=R, beta=beta, norm=bool(norm), periodic_phi=bool(phi))
        np.testing.assert_allclose(got, theirs[f"v{i}"], rtol=1e-9, atol=1e-9)
