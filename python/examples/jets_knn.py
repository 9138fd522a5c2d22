"""Jets of one prong and of two, told apart by their k nearest neighbours in the energy mover's distance.

    python jets_knn.py --jets 400 --neighbours 9

draws jets from a small generator, computes the distances of all pairs with ``barrow.emds`` (the form
of EnergyFlow: an array of pT, rapidity and azimuth a jet, lengths differ) and classifies each jet of
the second half by its nearest neighbours in the first: 83.0 % are right. By one number a jet, its width,
and the same method it is 70.5 %.
"""

import argparse
import math
from typing import List

import numpy as np

import barrow


def prong(rng: np.random.Generator, pt: float, spread: float) -> np.ndarray:
    """Particles around an axis: shares of the momentum fall, angles grow as they get softer."""
    n = 4 + rng.poisson(6)
    share = rng.dirichlet(np.full(n, 0.5))
    angle = spread * rng.exponential(1.0, n) * (1 - share)
    turn = rng.uniform(0, 2 * math.pi, n)
    return np.stack([pt * share, angle * np.cos(turn), angle * np.sin(turn)], 1)


def jet(rng: np.random.Generator, prongs: int) -> np.ndarray:
    """A jet of about 500 GeV as rows of pT, y and φ, centred, its long axis along y."""
    pt = rng.normal(500, 25)
    if prongs == 1:
        particles = prong(rng, pt, rng.uniform(0.1, 0.4))
    else:
        z = rng.uniform(0.25, 0.5)
        first, second = prong(rng, pt * z, 0.08), prong(rng, pt * (1 - z), 0.08)
        opening = 0.16 / math.sqrt(z * (1 - z)) * rng.uniform(0.7, 1.6)  # 2m/pT of a heavy boson
        second[:, 1] += opening
        particles = np.concatenate([first, second])
    weight, place = particles[:, 0], particles[:, 1:]
    place -= np.average(place, axis=0, weights=weight)
    _, axes = np.linalg.eigh((place * weight[:, None]).T @ place)
    particles[:, 1:] = place @ axes[:, ::-1]
    if np.average(particles[:, 1] ** 3, weights=weight) < 0:
        particles[:, 1] *= -1
    return particles


def width(particles: np.ndarray) -> float:
    """The mean distance from the axis, weighted by pT."""
    return float(np.average(np.hypot(particles[:, 1], particles[:, 2]), weights=particles[:, 0]))


def accuracy(distances: np.ndarray, known: np.ndarray, truth: np.ndarray, neighbours: int) -> float:
    """The share of rows whose nearest columns are mostly of the right class."""
    nearest = np.argsort(distances, axis=1, kind="stable")[:, :neighbours]
    return float(np.mean((known[nearest].mean(1) > 0.5) == truth))


def classify(jets: int = 400, neighbours: int = 9, seed: int = 1) -> "tuple[float, float]":
    """Return the accuracies with the distance of whole jets and with that of their widths."""
    rng = np.random.default_rng(seed)
    two = rng.random(jets) < 0.5
    events: List[np.ndarray] = [jet(rng, 2 if t else 1) for t in two]
    half = jets // 2
    distances = barrow.emds(events, R=0.8, norm=True)
    widths = np.array([width(e) for e in events])
    by_emd = accuracy(distances[half:, :half], two[:half], two[half:], neighbours)
    by_width = accuracy(abs(widths[half:, None] - widths[None, :half]), two[:half], two[half:], neighbours)
    print(f"{jets - half} jets by {neighbours} neighbours of {half}: right {by_emd:.1%} by the EMD, {by_width:.1%} by the width alone")
    return by_emd, by_width


if __name__ == "__main__":
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--jets", type=int, default=400, help="default 400")
    options.add_argument("--neighbours", type=int, default=9, help="odd; default 9")
    options.add_argument("--seed", type=int, default=1, help="default 1")
    classify(**vars(options.parse_args()))
