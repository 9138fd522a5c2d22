"""Writes models of Keras 3 as .h5 with an input and what Keras makes of it.

    python keras3.py FOLDER      (keras 3.15.1, jax 0.10.2, h5py, numpy)

Each NAME.h5.gz gets a NAME.json.gz: {"inputs": [[samples], ...], "output": [...]}, flat.
"""
import gzip, json, os, sys
os.environ.setdefault("KERAS_BACKEND", "jax")
import numpy as np
import keras
from keras import layers as L

out = sys.argv[1]
rng = np.random.default_rng(3)
N = 3

def save(name, model):
    for w in model.weights:
        v = rng.normal(size=w.shape).astype("float32") * 0.3
        if "variance" in w.name:
            v = np.abs(v) + 0.5
        w.assign(v)
    xs = [rng.random((N,) + tuple(i.shape[1:])).astype("float32") for i in model.inputs]
    y = np.asarray(model(xs if len(xs) > 1 else xs[0], training=False))
    path = os.path.join(out, name)
    model.save(path + ".h5")
    with open(path + ".h5", "rb") as f, gzip.GzipFile(path + ".h5.gz", "wb", mtime=0) as g:
        g.write(f.read())
    os.remove(path + ".h5")
    with gzip.open(path + ".json.gz", "wt") as f:
        json.dump({"inputs": [[float(v) for v in x.ravel()] for x in xs], "output": [float(v) for v in y.ravel()]}, f)

x = keras.Input((8, 8, 1))
h = L.ZeroPadding2D(((0, 1), (0, 1)))(x)
h = L.Conv2D(8, 3, strides=2, activation="relu", kernel_regularizer=keras.regularizers.L1L2(1e-4, 1e-3))(h)
h = L.Flatten()(h)
z = L.Dense(16, activation="relu", activity_regularizer=keras.regularizers.L1(1e-5))(h)
encoder = keras.Model(x, z, name="encoder")
zi = keras.Input((16,))
h = L.Dense(128, activation="relu")(zi)
h = L.Reshape((4, 4, 8))(h)
h = L.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(h)
y = L.Conv2DTranspose(1, 3, padding="same", activation="sigmoid")(h)
decoder = keras.Model(zi, y, name="decoder")
xi = keras.Input((8, 8, 1))
save("autoencoder", keras.Model(xi, decoder(encoder(xi)), name="autoencoder"))

# The paper's EMD CNN, small.
a, b = keras.Input((4, 4, 3)), keras.Input((4, 4, 3))
h = L.Concatenate(axis=-1)([a, b])
h = L.Conv2D(4, 5, padding="same", kernel_regularizer="l2")(h)
h = L.BatchNormalization()(h)
h = L.Activation("relu")(h)
h = L.Flatten()(h)
h = L.Dense(5)(h)
h = L.BatchNormalization(scale=False)(h)
h = L.ReLU()(h)
base = keras.Model([a, b], L.Dense(1)(h), name="base_model")
p, q = keras.Input((4, 4, 3)), keras.Input((4, 4, 3))
save("emdcnn", keras.Model([p, q], L.Average()([base([p, q]), base([q, p])])))

save("sequential", keras.Sequential([keras.Input((6, 6, 2)), L.Conv2D(3, 3, activation="tanh"), L.Cropping2D(((1, 0), (0, 1))),
    L.Flatten(), L.Dropout(0.2), L.Dense(4, activation="silu")]))

# Submodels whose layers share names, and one submodel within another.
def block(n, name):
    i = keras.Input((n,), name="in")
    return keras.Model(i, L.Dense(n, activation="relu", name="dense")(L.Dense(n, name="first")(i)), name=name)
xi = keras.Input((5,))
save("same_names", keras.Model(xi, block(5, "two")(block(5, "one")(xi))))
inner = block(5, "inner")
i = keras.Input((5,), name="in")
outer = keras.Model(i, L.Dense(5, name="last")(inner(i)), name="outer")
save("nested", keras.Model(xi, L.Dense(2, name="dense")(outer(xi))))
i = keras.Input((8, 8, 1))
h = keras.ops.pad(i, ((0, 0), (0, 1), (0, 1), (0, 0)))
h = L.Conv2D(2, 3, strides=2)(h)
h = L.GaussianNoise(0.5)(L.Flatten()(h), training=False)
save("pad", keras.Model(i, L.Activation("tanh")(inputs=h)))
xi = keras.Input((6,))
h = L.Dense(4)(xi)
r = L.Add()([h, L.Dense(4)(L.Activation("silu")(h))])
save("residual", keras.Model(xi, L.Multiply()([r, r])))
i = keras.Input((8, 8, 1))
c = keras.Input((3,))
h = L.Dense(4)(L.Flatten()(i))
save("conditional", keras.Model([i, c], L.Dense(3)(L.Concatenate()([h, c]))))
seq = keras.Sequential([keras.Input((5,)), L.Dense(4, name="a"), block(4, "inside"), keras.Sequential([keras.Input((4,)), L.Dense(2, name="a")], name="tail")])
save("sequential_nested", seq)
