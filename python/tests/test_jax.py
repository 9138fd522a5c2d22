"""emd_loss of JAX: jit, vmap, grad, scan, types, errors."""

from __future__ import annotations

import numpy as np
import pytest

import barrow

jax = pytest.importorskip("jax", reason="JAX is not installed")
import jax.numpy as jnp  # noqa: E402
from jax.test_util import check_grads  # noqa: E402

from barrow.jax import emd_loss  # noqa: E402

metric = barrow.Metric.hgcal("benchmark")


def images(rows, seed, cells=48):
    return np.random.default_rng(seed).random((rows, cells)) + 0.01


def loss(p, q, reduction="mean", unequal="normalise"):
    return emd_loss(p, q, metric, reduction, unequal)


@pytest.fixture
def double():
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", False)


@pytest.fixture
def asked(monkeypatch):
    """What the worker is asked for: rows, and whether gradients."""
    import barrow._loss as inner

    calls = []
    solve = inner.solve_pairs

    def watch(a, b, metric, settings, left, right, names):
        calls.append((len(a), (left, right)))
        return solve(a, b, metric, settings, left, right, names)

    monkeypatch.setattr(inner, "solve_pairs", watch)
    return calls


@pytest.mark.parametrize("unequal", ["normalise", ("penalty", 8.0), ["penalty", 8.0]])
def test_gradients_are_those_of_differences(double, unequal):
    p, q = images(4, 1), 2 * images(4, 2)
    check_grads(lambda p, q: loss(p, q, "mean", unequal), (p, q), order=1, modes=["rev"], eps=1e-6)
    check_grads(lambda p: loss(p, q, "none", unequal), (p,), order=1, modes=["rev"], eps=1e-6)
    check_grads(jax.jit(lambda q: loss(p, q, "sum", unequal)), (q,), order=1, modes=["rev"], eps=1e-6)


def test_values_and_types(double):
    p, q = images(5, 1), images(5, 2)
    want = barrow.solve_batch(p, q, metric, unequal="normalise")
    each = loss(p, q, "none")
    assert each.dtype == jnp.float64
    np.testing.assert_array_equal(each, want.value)
    np.testing.assert_allclose(loss(p, q), want.value.mean(), rtol=1e-15)
    np.testing.assert_allclose(loss(p, q, "sum"), want.value.sum(), rtol=1e-15)
    np.testing.assert_array_equal(loss(p.reshape(5, 1, 48), q.reshape(5, 1, 48), "none"), each[:, None])
    np.testing.assert_array_equal(loss(p[0], q[0]), each[0])
    single = jax.grad(loss)(jnp.asarray(p, jnp.float32), jnp.asarray(q, jnp.float32))
    assert single.dtype == jnp.float32
    half = jax.grad(loss)(jnp.asarray(p, jnp.bfloat16), jnp.asarray(q, jnp.float32))
    assert half.dtype == jnp.bfloat16
    counts = (100 * q).astype("int32")
    np.testing.assert_allclose(loss(p, counts, "none"), barrow.solve_batch(p, counts, metric, "normalise").value, rtol=1e-6)
    np.testing.assert_array_equal(loss(p[:0], q[:0], "none"), np.zeros(0))


def test_one_call_and_only_what_is_needed(asked):
    p, q = images(6, 1), images(6, 2)
    jax.block_until_ready(jax.jit(loss)(p, q))
    jax.block_until_ready(jax.jit(jax.value_and_grad(loss))(p, q))
    jax.block_until_ready(jax.grad(loss, 1)(p, q))
    jax.block_until_ready(jax.grad(lambda x: loss(x, 2 * x + q))(p))
    assert asked == [(6, (False, False)), (6, (True, False)), (6, (False, True)), (6, (True, True))]


def test_vmap_is_one_call(asked):
    p, q = images(6, 1), images(6, 2)
    each = loss(p, q, "none")
    against_one = jnp.stack([loss(x, q[0]) for x in p])
    asked.clear()
    np.testing.assert_array_equal(jax.vmap(loss)(p, q), each)
    np.testing.assert_array_equal(jax.jit(jax.vmap(loss, (0, None)))(p, q[0]), against_one)
    np.testing.assert_array_equal(jax.vmap(jax.vmap(loss))(p.reshape(2, 3, 48), q.reshape(2, 3, 48)), each.reshape(2, 3))
    g = jax.vmap(jax.grad(loss), (0, None))(p, q[0])
    h = jax.grad(lambda q: jax.vmap(lambda p: loss(p, q))(p).sum())(q[0])
    crossed = jax.vmap(lambda p: jax.vmap(lambda q: loss(p, q))(q))(p[:2])
    assert [rows for rows, _ in asked] == [6, 6, 6, 6, 6, 12]
    want = barrow.solve_batch(p, q[0], metric, unequal="normalise").gradient
    np.testing.assert_allclose(g, want[0], atol=1e-6)
    np.testing.assert_allclose(h, want[1].sum(0), atol=1e-5)
    np.testing.assert_array_equal(crossed[:, 0], against_one[:2])


def test_jit_in_a_loop():
    q = jnp.asarray(images(20, 3), jnp.float32)
    step = jax.jit(lambda z: jax.value_and_grad(lambda z: loss(jax.nn.softmax(z), q))(z))
    z = jnp.zeros((20, 48))
    values = []
    for _ in range(100):
        value, g = step(z)
        z = z - 40 * g
        values.append(float(value))
    assert values[-1] < 0.5 * values[0]

    def body(z, _):
        value, g = jax.value_and_grad(lambda z: loss(jax.nn.softmax(z), q))(z)
        return z - 40 * g, value

    scanned = jax.jit(lambda z: jax.lax.scan(body, z, None, length=100))(jnp.zeros((20, 48)))[1]
    np.testing.assert_allclose(scanned[:10], values[:10], rtol=1e-5)


def test_large_batches_do_not_block():
    p = jnp.asarray(images(20000, 1), jnp.float32)
    step = jax.jit(jax.grad(lambda p: loss(p, p[::-1] * 2)))
    for _ in range(2):
        p = p - 0.01 * step(p)
    assert np.isfinite(np.asarray(p)).all()


def test_cost_matrix(double):
    cost = np.random.default_rng(1).random((3, 7))
    p, q = images(4, 1, 3), images(4, 2, 7)
    check_grads(lambda p, q: emd_loss(p, q, cost), (p, q), order=1, modes=["rev"], eps=1e-6)


def test_errors_pass_through():
    p, q = images(6, 1).astype("f4"), images(6, 2).astype("f4")
    p[3, 5] = -1
    for f in (loss, jax.jit(loss), jax.grad(loss), jax.jit(jax.grad(loss))):
        with pytest.raises(Exception, match=r"row 3: p\[5\] = -1"):
            jax.block_until_ready(f(p, q))
    assert np.isfinite(loss(abs(p), q))
    with pytest.raises(ValueError, match=r"\(6, 48\).*\(5, 48\)"):
        loss(p, q[:5])
    with pytest.raises(ValueError, match="median"):
        loss(p, q, "median")
    for side, name in enumerate("pq"):
        pair = [abs(p), q]
        pair[side] = pair[side] + 1j
        with pytest.raises(ValueError, match=f"{name} has elements of type complex64"):
            loss(*pair)


def test_differentiated_once():
    p, q = images(3, 1).astype("f4"), images(3, 2).astype("f4")
    once = jax.grad(loss)
    for f in (jax.hessian(loss), jax.jacrev(once), jax.jit(jax.grad(lambda p, q: (once(p, q) ** 2).sum()))):
        with pytest.raises(TypeError, match="cannot be differentiated again"):
            f(p, q)
    held = jax.grad(lambda p: loss(p, q) + (p * once(jax.lax.stop_gradient(p), q)).sum())(p)
    np.testing.assert_allclose(held, 2 * once(p, q), rtol=1e-6)


def test_what_is_traced_elsewhere():
    p, q = (jnp.asarray(images(1, seed)[0], "f4") for seed in (1, 2))
    for f in (barrow.emd2, barrow.emd, lambda a, b, m: barrow.solve_batch(a, b, m, unequal="normalise").value):
        for traced in (jax.jit(lambda a: f(a, q, metric)), jax.grad(lambda a: f(a, q, metric))):
            with pytest.raises(ValueError, match="a is traced by JAX.*barrow.jax.emd_loss"):
                traced(p)
    with pytest.raises(ValueError, match="metric is traced by JAX"):
        jax.jit(lambda m: emd_loss(p, q, m))(jnp.asarray(metric.distances))
    with pytest.raises(ValueError, match="R of unequal.*is traced by JAX"):
        jax.jit(lambda R: loss(p, q, unequal=("penalty", R)))(1.0)
    with pytest.raises(ValueError, match="flatten the images first"):
        emd_loss(p.reshape(1, 1, 6, 8), q.reshape(1, 1, 6, 8), barrow.Metric.grid(6, 8))
    with pytest.raises(TypeError, match="forward-mode"):
        jax.jvp(lambda p: loss(p, q), (p,), (p,))
