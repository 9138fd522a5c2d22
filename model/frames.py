# Written by Barrow for a decoder of @ABOUT@. Arrays are frames first; channels are the chip's.
# What the network takes of frames, and images of what it makes.
import sys

import numpy as np

# The channel of each of 48 cells in V9 order.
CHANNEL = [@CHANNEL@]
AUTOENCODER = @AE@
CONDITIONS = @CONDITIONS@
FLOOR = 2.0**-20  # of a share


def total(sent, known, sums):
    """All charge that arrived, of channels (N x 48) and as sums (N x 12)."""
    return (sent * known).sum(axis=1) + sums.sum(axis=1)


def features(sent, known, group, sums, carrier=None, limit=None, latent=None, cond=None):
    """What the network takes of N frames."""
    n = len(sent)
    everything = total(sent, known, sums)
    rest = np.zeros((n, 8)) if cond is None else np.array(cond, float)
    rest[:, 6] = np.log(everything + 1)
    if latent is not None:
        return np.concatenate([latent / 256, rest], axis=1).astype(np.float32)
    some = everything > 0
    unit = np.where(some, everything, 1)[:, None]
    of = np.where(group >= 0, np.take_along_axis(sums, np.maximum(group, 0), axis=1), 0)
    x = np.stack([np.sqrt(sent * known / unit), known, np.sqrt(of / unit), carrier], axis=2).reshape(n, -1)
    x = np.concatenate([x, np.minimum(limit.reshape(n, 1) / unit, 1)], axis=1) * some[:, None]
    return np.concatenate([x, rest], axis=1).astype(np.float32)


def place(y, sent, known, group, sums):
    """Images (N x 48 charges in V9 order) of the network's output (N x 48, of several members in turn)."""
    each = [one(y[:, k : k + 48], sent, known, group, sums) for k in range(0, y.shape[1], 48)]
    charge = np.where(known == 1, sent, np.mean(each, axis=0))
    return charge[:, CHANNEL]


def one(y, sent, known, group, sums):
    """Charges of the channels (N x 48) by one member's output."""
    s = y.astype(float) + FLOOR
    members = group[:, :, None] == np.arange(sums.shape[1])  # N x 48 x 12
    shares = (s[:, :, None] * members).sum(axis=1)
    everything = sums.sum(axis=1)
    open_ = (known == 0) & (group < 0) & (everything > 0)[:, None]
    both = shares.sum(axis=1) + (s * open_).sum(axis=1)
    both = np.where(both > 0, both, 1)
    kept = np.where(open_.any(axis=1), shares.sum(axis=1) / both, 1)
    unit = kept[:, None] * sums / np.where(shares > 0, shares, 1)
    return sent * known + (unit[:, None, :] * members).sum(axis=2) * s + open_ * (everything / both)[:, None] * s


def main():
    v = np.load(sys.argv[1] if len(sys.argv) > 1 else "vectors.npz")
    frame = [v[name] for name in ("sent", "known", "group", "sums")]
    more = {"latent": v["latent"]} if AUTOENCODER else {"carrier": v["carrier"], "limit": v["limit"]}
    if CONDITIONS:
        more["cond"] = v["cond"]
    ok = True
    for name, got in (("x", features(*frame, **more)), ("image", place(v["y"], *frame))):
        off = np.abs(got - v[name]).max() / max(1, np.abs(v[name]).max())
        ok &= bool(off < 1e-6)
        print(f"{name}: the largest difference is {off:.3g} of the largest number: {'ok' if off < 1e-6 else 'WRONG'}")
    return not ok


if __name__ == "__main__":
    sys.exit(main())
