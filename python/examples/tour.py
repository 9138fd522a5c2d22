# %% [markdown]
# # A tour of barrow
# Images of HGCAL wafers, their exact earth mover's distances, what proves them, and training with
# them.
#
# Each `# %%` begins a cell: VS Code, Spyder and PyCharm run them one by one, `jupytext --to notebook
# tour.py` makes a notebook, and `python tour.py FOLDER` runs all and leaves the plots in FOLDER.
# Needed: barrow, matplotlib, and mplhep for the looks.

# %%
import math
import sys
from pathlib import Path
from typing import Any, Tuple

import matplotlib
import numpy as np

SCRIPT = "get_ipython" not in globals()
if SCRIPT:
    matplotlib.use("Agg")  # files, no windows
import matplotlib.pyplot as plt
from matplotlib.collections import PolyCollection

import barrow

try:
    import mplhep

    plt.style.use(mplhep.style.CMS)
    plt.rcParams.update({"font.size": 14, "axes.labelsize": 14, "axes.titlesize": 15, "legend.fontsize": 13})
except ImportError:
    pass  # matplotlib's own style does as well

folder = Path(sys.argv[1]) if SCRIPT and len(sys.argv) > 1 else Path("plots")


def show(name: str) -> None:
    """Write the plot that was just drawn, or show it."""
    if SCRIPT:
        folder.mkdir(parents=True, exist_ok=True)
        plt.savefig(folder / f"{name}.png", dpi=90, bbox_inches="tight")
        plt.close()
    else:
        plt.show()


# %% [markdown]
# ## Two wafers
# `barrow.simulate` draws images: 48 charges in three rhombi of 4×4 cells, cell 16k + 4r + c in row r
# and column c of rhombus k. Two photons make a pair that is easy to look at.

# %%
wafers = barrow.simulate(200, preset="photons", seed=7)["charge"]
full = wafers[(wafers > 0).sum(1) > 5]
a, b = full[0], full[1]

# Each rhombus: the corner where it begins, its step along a column index and along a row index, in
# units of half the trigger-cell pitch.
S = math.sqrt(3)
RHOMBI = (((0, 8), (0, -2), (S, -1)), ((-4 * S, -4), (S, 1), (0, 2)), ((4 * S, -4), (-S, 1), (-S, -1)))


def place(cell: int, x: float, y: float) -> np.ndarray:
    """The point of a cell with x and y from 0 to 1 along its column and row."""
    origin, column, row = np.array(RHOMBI[cell // 16])
    return origin + (cell % 4 + x) * column + (cell // 4 % 4 + y) * row


POLYGONS = np.array([[place(i, x, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))] for i in range(48)])
CENTRES = np.array([place(i, 0.5, 0.5) for i in range(48)])


def draw(ax: Any, values: np.ndarray, title: str, colours: str = "viridis", limit: float = 0) -> None:
    """A wafer whose cells have colours."""
    cells = PolyCollection(list(POLYGONS), array=values, cmap=colours, edgecolors="0.6", linewidths=0.5)
    if limit:
        cells.set_clim(-limit, limit)
    ax.add_collection(cells)
    ax.set(xlim=(-8, 8), ylim=(-8.5, 8.5), aspect="equal", title=title)
    ax.axis("off")
    plt.colorbar(cells, ax=ax, fraction=0.045)


figure, axes = plt.subplots(1, 2, figsize=(12, 5))
draw(axes[0], a, "a: charge")
draw(axes[1], b, "b: charge")
show("wafers")

# %% [markdown]
# ## Their distance
# One call gives value, gradients, potentials, plan and certificate. Totals differ here, so both are
# scaled to sum 1: the value is the mean way of the charge, in half pitches.

# %%
metric = barrow.Metric.hgcal("benchmark")
pair = barrow.solve_batch(a[None], b[None], metric, unequal="normalise")
proof = pair.certificate
print(f"distance {pair.value[0]:.4f}, proved to {proof.gap[0]:.1e}")

# %% [markdown]
# The plan says what moves where: few arrows, at most one a cell that has a surplus or a deficit and
# is not the last.

# %%
plan = pair.plan[0]
figure, ax = plt.subplots(figsize=(7, 6))
draw(ax, a / a.sum() - b / b.sum(), f"the plan: {pair.value[0]:.2f} half pitches", "PuOr", np.abs(a / a.sum() - b / b.sum()).max())
for i, j in np.argwhere(plan > 0):
    if i != j:
        style = {"arrowstyle": "->", "lw": 0.5 + 8 * plan[i, j], "color": "black", "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", CENTRES[j], CENTRES[i], arrowprops=style)
show("plan")

# %% [markdown]
# The potentials are the landscape that the charge flows down: they differ by at most the distance of
# two cells, and by all of it along every arrow. The gradient is what a training follows: how the
# distance changes with a unit of charge in a cell, as the images are given.

# %%
f, h = pair.potentials[0][0], pair.potentials[1][0]
gradient = pair.gradient[0][0]
figure, axes = plt.subplots(1, 2, figsize=(12, 5))
draw(axes[0], f, "potential of a")
draw(axes[1], gradient * 1000, "gradient with respect to a, × 1000", "RdBu_r", np.abs(gradient * 1000).max())
show("potentials")
i, j = np.argwhere((plan > 0) & ~np.eye(48, dtype=bool))[0]
print(f"along the arrow {i} → {j} the potentials differ by {f[i] + h[j]:.4f}, the cells by {metric.distances[i, j]:.4f}")

# %% [markdown]
# ## Many pairs at once
# All pairs of the first hundred images, and how the distance to the uniform image falls with the
# number of cells that are hit.

# %%
flat = barrow.solve_batch(wafers, np.ones(48), metric, unequal="normalise", gradient=False).value
one, other = np.triu_indices(100, 1)
between = barrow.solve_batch(wafers[one], wafers[other], metric, unequal="normalise", gradient=False).value
figure, axes = plt.subplots(1, 2, figsize=(13, 5))
counts, edges = np.histogram(between, 40)
axes[0].stairs(counts, edges, fill=True, alpha=0.6)
axes[0].set(xlabel="EMD between two wafers [half pitches]", ylabel="pairs")
axes[1].plot((wafers > 0).sum(1) + np.random.default_rng(1).uniform(-0.3, 0.3, len(wafers)), flat, ".")
axes[1].set(xlabel="cells hit", ylabel="EMD to the uniform image")
figure.subplots_adjust(wspace=0.3)
show("distances")

# %% [markdown]
# ## The image in the middle of others
# The image whose mean distance to 40 others is least, by gradient descent on its logits: it is nearer
# to them than any of them is.

# %%
targets = wafers[:40] / wafers[:40].sum(1, keepdims=True)
logits, speed, course = np.zeros(48), np.zeros(48), []
for step in range(150):
    middle = np.exp(logits - logits.max())
    middle /= middle.sum()
    found = barrow.solve_batch(middle, targets, metric, unequal="normalise")
    course.append(found.value.mean())
    slope = found.gradient[0].mean(0)
    speed = 0.9 * speed - 0.5 * middle * (slope - middle @ slope)
    logits += speed * 20 / (1 + step / 30)
figure, axes = plt.subplots(1, 2, figsize=(13, 5))
axes[0].plot(course)
axes[0].set(xlabel="step", ylabel="mean EMD to 40 images")
draw(axes[1], middle, "the image in the middle")
show("middle")
best = min(barrow.solve_batch(image, targets, metric, gradient=False).value.mean() for image in targets)
print(f"mean distance to 40 images: {course[-1]:.3f}, of the best of them {best:.3f}")

# %% [markdown]
# ## Training with it, in NumPy
# A wafer → 4 numbers → a wafer, by two matrices and a softmax, trained once with the squared
# difference of cells and once with the exact distance. What counts is the distance on images that
# were not trained on.


# %%
def train(loss: str, images: np.ndarray, held_out: np.ndarray, steps: int) -> Tuple[np.ndarray, np.ndarray]:
    """Adam on one of the losses; the distances to held-out images, and at which steps."""
    rng = np.random.default_rng(1)
    weights = [0.3 * rng.normal(size=(48, 4)), 0.3 * rng.normal(size=(4, 48)), np.zeros(48)]
    m, v = [np.zeros_like(w) for w in weights], [np.zeros_like(w) for w in weights]

    def decode(x: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
        code = x @ weights[0]
        z = np.exp(code @ weights[1] + weights[2])
        return code, z / z.sum(1, keepdims=True)

    at, curve = [], []
    for step in range(steps + 1):
        if step % 10 == 0:
            found = barrow.solve_batch(decode(held_out)[1], held_out, metric, unequal="normalise", gradient=False)
            at.append(step)
            curve.append(found.value.mean())
        x = images[rng.integers(0, len(images), 100)]
        code, y = decode(x)
        if loss == "EMD":
            dy = barrow.solve_batch(y, x, metric, unequal="normalise").gradient[0] / len(x)
        else:
            dy = 2 * (y - x)
        dz = y * (dy - (dy * y).sum(1, keepdims=True))
        gradients = [x.T @ (dz @ weights[1].T), code.T @ dz, dz.sum(0)]
        for w, g, first, second in zip(weights, gradients, m, v):
            first += 0.1 * (g - first)
            second += 0.001 * (g * g - second)
            t = step + 1
            w -= 0.02 * (first / (1 - 0.9**t)) / (np.sqrt(second / (1 - 0.999**t)) + 1e-12)
    return np.array(at), np.array(curve)


images = barrow.simulate(3000, preset="mixed", seed=2)["charge"]
images = images / images.sum(1, keepdims=True)
figure, ax = plt.subplots(figsize=(7, 5))
for loss in ("MSE", "EMD"):
    at, curve = train(loss, images[:2500], images[2500:], 400)
    ax.plot(at, curve, label=f"trained with {loss}: {curve[-1]:.2f}")
    print(f"trained with {loss}: {curve[-1]:.3f}")
ax.set(xlabel="step of 100 images", ylabel="mean EMD of held-out wafers")
ax.legend()
show("training")

# %% [markdown]
# ## The chip's algorithms, and a network
# What the trigger chip's algorithms leave of the images, by its number of links: the distance between
# an image and what is decoded of it. Beside it what a network says of pairs of wafers without solving
# anything, and the bound that their distance is certainly not below.

# %%
figure, axes = plt.subplots(1, 2, figsize=(13, 5))
for algorithm in ("BC", "STC", "RPT"):
    means = []
    for links in range(2, 6):
        decoded = barrow.econt.encode(wafers, algorithm, links).decoded
        found = barrow.solve_batch(wafers, decoded, metric, unequal="normalise", empty="skip", gradient=False)
        means.append(np.nanmean(found.value))
    axes[0].plot(range(2, 6), means, "o-", label=algorithm)
axes[0].set(xlabel="links", ylabel="mean EMD to the decoded image", xticks=range(2, 6))
axes[0].legend()
said = barrow.surrogate.predict(wafers[one], wafers[other], bound=True)
axes[1].plot(between, said.value, ".", ms=3, label="estimate")
axes[1].plot(between, said.bound, ".", ms=3, label="bound")
axes[1].axline((0, 0), slope=1, color="gray", lw=1)
axes[1].set(xlabel="exact EMD", ylabel="by the network")
axes[1].legend()
figure.subplots_adjust(wspace=0.3)
show("chip")
off = np.abs(said.value - between).mean() / between.mean()
print(f"the network is {off:.1%} off, its bound holds for {np.mean(said.bound <= between + 1e-9):.0%}")
