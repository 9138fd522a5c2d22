# %% [markdown]
# # A tour of Barrow
#
# Each `# %%` begins a cell: VS Code, Spyder and PyCharm run them one by one, `jupytext --to notebook
# tour.py` makes a notebook, and `python tour.py FOLDER` runs all and leaves the pictures in FOLDER.
# Needed: barrow, matplotlib, mplhep.

# %%
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import mplhep
import numpy as np

import barrow

plt.style.use(mplhep.style.CMS)
plt.rcParams.update({"figure.figsize": (9, 6), "font.size": 16, "figure.constrained_layout.use": True})
folder = Path(sys.argv[1]) if len(sys.argv) > 1 and "ipykernel" not in sys.modules else None


def show(name: str) -> None:
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
        plt.savefig(folder / f"{name}.png", dpi=80)
        plt.close()
    else:
        plt.show()


# %% [markdown]
# ## Images, and how far they are from each other
#
# A wafer of HGCAL has 48 trigger cells. `simulate` draws what showers leave in them; the metric
# `benchmark` has their distances, in units of half a cell's pitch.

# %%
images = barrow.simulate(2000, seed=1)["charge"]
metric = barrow.Metric.hgcal("benchmark")
x, y = metric.points.T


def draw(axes: plt.Axes, image: np.ndarray, title: str) -> None:
    axes.scatter(x, y, c="none", s=330, marker="h", edgecolors="lightgray")
    hit = image > 1e-3 * image.max()
    axes.scatter(x[hit], y[hit], c=image[hit] / image.sum(), s=330, marker="h", cmap="viridis", vmin=0)
    axes.set_title(title, fontsize=14)
    axes.set_aspect("equal")
    axes.axis("off")


solved = barrow.solve_batch(images[:-1], images[1:], metric, unequal="normalise")
near, far = solved.value.argmin(), solved.value.argmax()
_, axes = plt.subplots(2, 2)
for row, k in enumerate((near, far)):
    draw(axes[row, 0], images[k], f"image {k}")
    draw(axes[row, 1], images[k + 1], f"image {k + 1}: distance {solved.value[k]:.2f}")
show("images")

# %% [markdown]
# The distances of all neighbours in the list, as a histogram; each is exact, and proved to be.

# %%
assert solved.certificate.proves().all()
counts, edges = np.histogram(solved.value, bins=40)
mplhep.histplot(counts, edges, histtype="fill", alpha=0.6)
plt.xlabel("EMD of two images, half pitches")
plt.ylabel("pairs")
show("distances")

# %% [markdown]
# ## The plan: what goes where

# %%
k = int(np.argsort(solved.value)[len(solved.value) // 2])
plan = solved.plan[k]
_, axes = plt.subplots(1, 2)
draw(axes[0], images[k], "from")
draw(axes[1], images[k + 1], "to")
for i, j in zip(*np.nonzero(plan)):
    if i != j:
        arrow = {"arrowstyle": "-|>", "lw": 0.5 + 15 * plan[i, j], "color": "crimson", "alpha": 0.7}
        axes[0].annotate("", (x[j], y[j]), (x[i], y[i]), arrowprops=arrow)
show("plan")

# %% [markdown]
# ## Gradients: the image in the middle of others
#
# The image whose mean distance to 40 others is least, by gradient descent on its logits: it is nearer
# to them than any of them is. Value and gradient come from the same call.

# %%
targets = images[:40] / images[:40].sum(1, keepdims=True)
logits, speed, course = np.zeros(48), np.zeros(48), []
for step in range(150):
    middle = np.exp(logits - logits.max())
    middle /= middle.sum()
    found = barrow.solve_batch(middle, targets, metric, unequal="normalise")
    course.append(found.value.mean())
    slope = found.gradient[0].mean(0)
    speed = 0.9 * speed - 0.5 * middle * (slope - middle @ slope)
    logits += speed * 20 / (1 + step / 30)
_, axes = plt.subplots(1, 2)
axes[0].plot(course)
axes[0].set_xlabel("step")
axes[0].set_ylabel("mean EMD")
draw(axes[1], middle, "the image in the middle")
show("middle")
best = min(barrow.solve_batch(image, targets, metric, gradient=False).value.mean() for image in targets)
print(f"mean distance to 40 images: {course[-1]:.2f}, of the best of them {best:.2f}")
assert course[-1] < best
