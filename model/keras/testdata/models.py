"""Writes models with Keras 2, QKeras (models.py 2 FOLDER) or Keras 3 (models.py 3 FOLDER), their inputs and outputs.

Each model is NAME in several files, NAME@….h5, .keras or .json with weights, all of which NAME.npz holds for:
arrays x, x1 of the inputs, y of the output.
"""
import os, sys, warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
version, folder = sys.argv[1:3]
if version == "2":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
import h5py
import numpy as np

if version == "2":
    import tensorflow as tf

    keras = tf.keras
    import qkeras as q
    from tensorflow.python.ops import array_ops  # noqa: F401
else:
    import keras
L = keras.layers
r = np.random.default_rng(7)


def base(shape, last=16):
    i = L.Input(shape, name="inner")
    x = L.Conv2D(4, 3, padding="same", name="conv_a")(i)
    x = L.BatchNormalization(name="norm_a")(x)
    x = L.Activation("relu", name="relu_a")(x)
    x = L.Conv2D(3, 3, strides=2, padding="same", use_bias=False, name="conv_b")(x)
    x = L.BatchNormalization(scale=False, name="norm_b")(x)
    x = L.Flatten(name="flat")(x)
    x = L.Dense(9, activation="tanh", name="dense_a")(x)
    return keras.Model(i, L.Dense(last, name="dense_b")(x), name="base_model")


def exchanged():
    x, f = L.Input((4, 4, 6), name="x"), base((4, 4, 6), 1)
    s = L.Concatenate(name="s")([x[:, :, :, 3:], x[:, :, :, :3]])
    return keras.Model(x, L.Average(name="mean")([f(x), f(s)]), name="exchanged")


def autoencoder():
    x, c = L.Input((8, 8, 1), name="x"), L.Input((8,), name="c")
    e = base((8, 8, 1))
    z = L.Concatenate(name="z")([e(x), c])
    y = L.Dense(128, activation="relu", name="d")(z)
    y = L.Reshape((4, 4, 8), name="re")(y)
    y = L.Conv2DTranspose(1, 3, strides=2, name="up")(y)[:, 0:8, 0:8]
    return keras.Model([x, c], L.ReLU(name="out")(y), name="autoencoder")


def sequential():
    inner = keras.Sequential([L.InputLayer((8,)), L.Dense(5, name="dense"), L.Dense(4, name="dense_1")], name="inner")
    return keras.Sequential([L.InputLayer((6,)), L.Dense(8, activation="relu", name="dense"), inner, L.Dense(2, activation="sigmoid", name="dense_2")], name="sequential")


def padded():
    x = i = L.Input((8, 8, 1), name="x")
    x = tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]]) if version == "2" else L.ZeroPadding2D(((0, 1), (0, 1)))(x)
    x = L.Conv2D(8, 3, strides=2, activation="relu", name="conv")(x)
    return keras.Model(i, L.Dense(16, activation="relu", name="latent")(L.Flatten()(x)), name="padded")


def quantised(kernel, bias):
    x = i = L.Input((8, 8, 1), name="x")
    x = q.QActivation("quantized_bits(8,1,alpha=1)", name="input_quantization")(x)
    x = q.QConv2D(8, 3, strides=2, padding="same", kernel_quantizer=kernel, bias_quantizer=bias, name="conv2d")(x)
    x = q.QActivation("quantized_relu(8,1)", name="conv2d_relu")(x)
    x = q.QDense(16, kernel_quantizer=kernel, bias_quantizer=bias, name="latent")(L.Flatten(name="flatten")(x))
    return keras.Model(i, q.QActivation("quantized_relu(9,1)", name="latent_relu")(x), name="quantised")


def dependencies(path, m):
    """The layout of Keras 2.12 to 2.14, whose container of layers has those with weights twice."""

    def put(group, m):
        seen = {}
        for l in m.layers:
            name = tf.keras.utils.to_snake_case(l.__class__.__name__) if hasattr(tf.keras.utils, "to_snake_case") else snake(l.__class__.__name__)
            for double in range(2 if l.weights else 1):
                k = seen.get(name, 0)
                seen[name] = k + 1
                if double == (1 if l.weights else 0) and l.weights:
                    continue
                g = group.create_group(f"_layer_checkpoint_dependencies/{name}" + (f"_{k}" if k else ""))
                v = g.create_group("vars")
                if hasattr(l, "layers"):
                    put(g, l)
                else:
                    for n, w in enumerate(l._trainable_weights + l._non_trainable_weights):
                        v[str(n)] = w.numpy()

    with h5py.File(path, "w") as f:
        put(f, m)
        f.create_group("vars")


def snake(name):
    import re

    return re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)).lower()


def save(m, name, custom=False):
    for w in m.weights:
        a = r.normal(0, 0.3, w.shape)
        w.assign(np.abs(a) + 0.5 if "variance" in w.name else a)
    x = [r.exponential(0.3, (50, *i.shape[1:])).astype(np.float32) for i in m.inputs]
    y = np.asarray(m.predict(x if len(x) > 1 else x[0], verbose=0))
    np.savez(f"{folder}/{name}.npz", y=y, **{"x" + (str(k) if k else ""): v for k, v in enumerate(x)})
    at = f"{folder}/{name}@"
    m.save(at + "whole.h5")
    if not custom:
        m.save(at + "zip.keras")
    open(at + "three.json", "w").write(m.to_json())
    m.save_weights(at + "three.weights.h5")
    if version == "2":
        for k in ("legacy", "old"):
            open(at + k + ".json", "w").write(m.to_json())
        m.save_weights(at + "legacy_weights.h5")
        dependencies(at + "old_weights.h5", m)


for m in (exchanged(), autoencoder(), sequential(), padded()):
    save(m, m.name)
if version == "2":
    b = q.quantized_bits
    save(quantised(b(6, 0, 0, alpha=1), b(6, 0, 0, alpha=1)), "nearest", True)
    save(quantised(b(6, 0, 1, alpha=1), b(6, 0, 1, alpha=1)), "symmetric", True)
    save(quantised(b(6, 0, 0, alpha=1), b(12, 2, 0, alpha=1)), "different", True)
