"""emd_loss of PyTorch: values, gradients, devices, types, data loaders, torch.compile, errors."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import barrow

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
from barrow.torch import EMDLoss, emd_loss  # noqa: E402

metric = barrow.Metric.hgcal("benchmark")


def images(rows, seed, dtype=torch.float64, cells=48):
    return torch.rand(rows, cells, generator=torch.Generator().manual_seed(seed), dtype=dtype) + 0.01


def flat(p, q, reduction="none", unequal="normalise"):
    return emd_loss(p, q, metric, reduction, unequal)


@pytest.mark.parametrize("unequal", ["normalise", ("penalty", 8.0)])
def test_gradients_are_those_of_differences(unequal):
    p, q = images(4, 1).requires_grad_(), (2 * images(4, 2)).requires_grad_()
    assert torch.autograd.gradcheck(lambda p, q: flat(p, q, "none", unequal), (p, q), eps=1e-7, atol=1e-6)
    assert torch.autograd.gradcheck(lambda p: flat(p, q.detach(), "sum", unequal), (p,), eps=1e-7, atol=1e-6)
    assert torch.autograd.gradcheck(lambda q: flat(p.detach(), q, "mean", unequal), (q,), eps=1e-7, atol=1e-6)


def test_equal_totals():
    p, q = (x / x.sum(1, keepdim=True) for x in (images(5, 3), images(5, 4)))
    p.requires_grad_()
    e = flat(p, q, "sum", "error")
    e.backward()
    want = barrow.solve_batch(p.detach().numpy(), q.numpy(), metric)
    np.testing.assert_array_equal(p.grad.numpy(), want.gradient[0])
    np.testing.assert_allclose(e.item(), want.value.sum(), rtol=1e-15)
    # Through a softmax, whose outputs always have the same total, differences exist too.
    z = torch.randn(3, 48, dtype=torch.float64, generator=torch.Generator().manual_seed(5), requires_grad=True)
    assert torch.autograd.gradcheck(lambda z: flat(z.softmax(1), q[:3], "none", "error"), (z,), eps=1e-6, atol=1e-6)


def test_reductions_and_weights_from_above():
    p, q = images(6, 5).requires_grad_(), images(6, 6)
    each = flat(p, q)
    assert each.shape == (6,)
    assert torch.equal(flat(p, q, "mean"), each.mean()) and torch.equal(flat(p, q, "sum"), each.sum())
    weights = torch.arange(6, dtype=torch.float64)
    (each * weights).sum().backward()
    want = barrow.solve_batch(p.detach().numpy(), q.numpy(), metric, unequal="normalise").gradient[0]
    np.testing.assert_allclose(p.grad.numpy(), weights[:, None].numpy() * want, rtol=1e-15)
    with pytest.raises(ValueError, match="median"):
        flat(p, q, "median")


def test_as_a_module():
    p, q = images(6, 5).requires_grad_(), images(6, 6)
    loss = EMDLoss(metric, reduction="sum", unequal=["penalty", 8.0])
    assert torch.equal(loss(p, q), flat(p, q, "sum", ("penalty", 8.0)))
    assert "48×48" in repr(loss) and "sum" in repr(loss) and not list(loss.parameters())
    again = pickle.loads(pickle.dumps(loss))
    again(p, q).backward()
    assert p.grad.any()
    for wrong in ({"metric": None}, {"metric": metric, "unequal": "x"}, {"metric": metric, "reduction": "median"}):
        with pytest.raises(ValueError, match=list(wrong)[-1]):
            EMDLoss(**wrong)


def test_shapes():
    p, q = images(6, 7), images(6, 8)
    each = flat(p, q)
    assert torch.equal(flat(p.view(2, 3, 48), q.view(2, 3, 48)), each.view(2, 3))
    assert torch.equal(flat(p[0], q[0]), each[0])
    assert flat(p[:0], q[:0]).shape == (0,)
    wide = images(6, 7, cells=96)[:, ::2].requires_grad_()  # not contiguous
    flat(wide, q, "sum").backward()
    squares = barrow.Metric.grid(4, 5)
    x = torch.rand(3, 4, 5, requires_grad=True)
    emd_loss(x.flatten(1), torch.rand(3, 20), squares).backward()
    assert x.grad.shape == (3, 4, 5)
    cost = np.random.default_rng(1).random((3, 7))
    a, b = images(2, 1, cells=3).requires_grad_(), images(2, 2, cells=7).requires_grad_()
    assert torch.autograd.gradcheck(lambda a, b: emd_loss(a, b, cost, "none"), (a, b), eps=1e-7, atol=1e-6)
    with pytest.raises(ValueError, match=r"\(6, 48\).*\(5, 48\)"):
        flat(p, q[:5])
    with pytest.raises(ValueError, match="48"):
        flat(p[:, :40], q[:, :40])


def test_types():
    p, q = images(3, 9), images(3, 10)
    single = p.float().requires_grad_()
    value = flat(single, q.float(), "sum")
    value.backward()
    assert value.dtype == torch.float32 and single.grad.dtype == torch.float32
    half = p.bfloat16().requires_grad_()
    flat(half, q.float(), "sum").backward()
    assert half.grad.dtype == torch.bfloat16
    np.testing.assert_allclose(half.grad.float(), single.grad, atol=0.1)
    counts = (q * 100).long()
    np.testing.assert_allclose(flat(p, counts), barrow.solve_batch(p.numpy(), counts.numpy(), metric, "normalise").value, rtol=1e-14)
    mixed = single.detach().requires_grad_()
    flat(mixed, q.requires_grad_(), "sum").backward()
    assert mixed.grad.dtype == torch.float32 and q.grad.dtype == torch.float64


def test_only_what_is_needed(monkeypatch):
    import barrow._loss as inner

    asked = []
    solve = inner.solve_pairs

    def watch(a, b, metric, settings, left, right, names):
        asked.append((left, right))
        return solve(a, b, metric, settings, left, right, names)

    monkeypatch.setattr(inner, "solve_pairs", watch)
    p, q = images(3, 1), images(3, 2)
    flat(p, q)
    with torch.no_grad():
        flat(p.clone().requires_grad_(), q)
    assert asked == [(False, False)] * 2
    asked.clear()
    flat(p.requires_grad_(), q, "sum").backward()
    flat(p, q.requires_grad_(), "sum").backward()
    flat(p.detach(), q, "sum").backward()
    assert asked == [(True, False), (True, True), (False, True)]


def test_differentiated_once():
    p, q = images(2, 1).requires_grad_(), images(2, 2)
    for f in (lambda p: (flat(p, q) ** 2).sum(), lambda p: flat(p, q, "mean")):
        (g,) = torch.autograd.grad(f(p), p, create_graph=True)
        np.testing.assert_array_equal(g.detach(), torch.autograd.grad(f(p), p)[0])
        with pytest.raises(RuntimeError, match="cannot be differentiated again"):
            (f(p) + (g**2).sum()).backward()
        with pytest.raises(RuntimeError, match="cannot be differentiated again"):
            torch.autograd.functional.hessian(f, p.detach())


def test_images_may_change_before_the_backward_pass():
    p, q = images(2, 1), images(2, 2)
    z = p.clone().requires_grad_()
    held = z * 1
    e = flat(held, q, "sum")
    with torch.no_grad():
        held.add_(1)
    e.backward()
    np.testing.assert_array_equal(z.grad, barrow.solve_batch(p.numpy(), q.numpy(), metric, "normalise").gradient[0])


def test_tensors_of_real_numbers():
    p, q = images(2, 1), images(2, 2)
    for bad, what in ((q.numpy(), "ndarray"), (q.tolist(), "list"), (q + 1j, "complex128")):
        with pytest.raises(ValueError, match=f"q .*{what}"):
            flat(p, bad)
        with pytest.raises(ValueError, match=f"p .*{what}"):
            flat(bad, q)


def test_same_images():
    p = images(4, 3).requires_grad_()
    e = flat(p, p.detach(), "sum")
    e.backward()
    assert e.item() == 0 and not p.grad.any()


@pytest.mark.parametrize("bad, cell", [(-1.0, 5), (float("nan"), 0), (float("inf"), 47)])
def test_errors_name_row_and_cell(bad, cell):
    p, q = images(6, 1), images(6, 2)
    p[3, cell] = bad
    with pytest.raises(barrow.EMDError, match="row 3") as caught:
        flat(p.requires_grad_(), q)
    assert (caught.value.row, caught.value.cell) == (3, cell)
    flat(images(6, 1), q)


def test_training_moves_mass():
    q = images(8, 4, torch.float32)
    z = torch.zeros(8, 48, requires_grad=True)
    adam = torch.optim.Adam([z], 0.05)
    first = last = None
    for _ in range(60):
        loss = flat(z.softmax(1), q, "mean")
        adam.zero_grad()
        loss.backward()
        adam.step()
        first, last = first or loss.item(), loss.item()
    assert last < 0.3 * first


class Rows(torch.utils.data.Dataset):
    """Distances that are found in the loader's workers."""

    def __init__(self, p, q):
        self.p, self.q, self.metric = p, q, metric

    def __len__(self):
        return len(self.p)

    def __getitem__(self, i):
        return i, emd_loss(self.p[i], self.q[i], self.metric)


@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_data_loader(start):
    import multiprocessing

    if start not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {start} on this system")
    p, q = images(40, 1), images(40, 2)
    want = flat(p, q)  # the parent has a worker already
    loader = torch.utils.data.DataLoader(Rows(p, q), batch_size=5, num_workers=2, multiprocessing_context=start, timeout=120)
    for at, found in loader:
        np.testing.assert_array_equal(found, want[at])
        np.testing.assert_array_equal(flat(p, q), want)  # meanwhile, here


def test_compile():
    if not hasattr(torch, "compile") or not hasattr(torch, "compiler") or torch.__version__.startswith("1."):
        pytest.skip("this PyTorch has no torch.compile")
    net = torch.nn.Linear(48, 48)
    p, q = images(4, 1, torch.float32), images(4, 2, torch.float32)

    def step(x):
        return 2 * flat(net(x).softmax(1), q, "mean")

    compiled = torch.compile(step, backend="eager")(p)
    compiled.backward()
    got, net.weight.grad = net.weight.grad, None
    plain = step(p)
    plain.backward()
    assert torch.equal(compiled, plain) and torch.equal(got, net.weight.grad)


def test_what_it_does_not_work_with():
    p, q = images(3, 1), images(3, 2)
    grid = barrow.Metric.grid(6, 8)
    with pytest.raises(ValueError, match=r"flatten the images first, x.flatten\(1\)"):
        emd_loss(p.reshape(3, 1, 6, 8), q.reshape(3, 1, 6, 8), grid)
    with pytest.raises(ValueError, match="the last axes must be these$"):
        emd_loss(p[:, 1:], q[:, 1:], grid)
    with pytest.raises(ValueError, match=r"q has the layout torch.sparse_coo: want a dense tensor, x.to_dense\(\)"):
        flat(p, q.to_sparse())
    with pytest.raises(ValueError, match="p is on the device meta"):
        flat(p.to("meta"), q)
    with pytest.raises(ValueError, match="torch.jit.trace would make a constant"):
        torch.jit.trace(lambda p: flat(p, q), (p,))
    if hasattr(torch, "func"):
        for f in (torch.func.grad(lambda p: flat(p, q, "mean")), torch.vmap(lambda p: flat(p, p))):
            with pytest.raises(ValueError, match=r"torch.func or torch.vmap.*backward\(\)"):
                f(p)


def test_other_devices():
    device = "cuda" if torch.cuda.is_available() else "mps" if getattr(torch.backends, "mps", None) and torch.backends.mps.is_available() else None
    if device is None:
        pytest.skip("no accelerator here")
    p, q = images(4, 1, torch.float32).to(device).requires_grad_(), images(4, 2, torch.float32).to(device)
    e = flat(p, q, "mean")
    e.backward()
    assert e.device.type == p.grad.device.type == device
    here = p.detach().cpu().requires_grad_()
    flat(here, q.cpu(), "mean").backward()
    np.testing.assert_allclose(p.grad.cpu(), here.grad, rtol=1e-6)
