"""Runs CMS's published pair of graphs in TensorFlow, and its JSON and HDF5 in QKeras, which must give the same.

published.py FOLDER WORK: WORK has x.raw (N x 8 x 8) and cond.raw (N x 8) of 32 bits;
latent.raw (N x 16) and y.raw (N x 64) are written.
"""
import json
import os
import sys

os.environ |= {"TF_USE_LEGACY_KERAS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
import numpy as np
import qkeras.utils
import tensorflow as tf

folder, work = sys.argv[1:]
x = np.fromfile(work + "/x.raw", np.float32).reshape(-1, 8, 8, 1)
cond = np.fromfile(work + "/cond.raw", np.float32).reshape(-1, 8)
tf1 = tf.compat.v1


def graph(part, inputs):
    g = tf1.GraphDef()
    with open(f"{folder}/{part}_vanilla_AE.pb", "rb") as f:
        g.ParseFromString(f.read())
    feeds = [n.name + ":0" for n in g.node if n.op == "Placeholder"]
    sizes = [n.attr["shape"].shape.dim[0].size for n in g.node if n.op == "Placeholder"]
    rows = max(sizes)  # frozen for so many samples
    out = []
    with tf1.Graph().as_default():
        tf1.import_graph_def(g, name="")
        with tf1.Session() as session:
            n = len(inputs[0])
            step = rows if rows > 0 else n
            for i in range(0, n, step):
                part = [np.concatenate([a[i : i + step], np.zeros((step - len(a[i : i + step]),) + a.shape[1:], np.float32)]) for a in inputs]
                out.append(session.run(g.node[-1].name + ":0", dict(zip(feeds, part))))
    return np.concatenate(out)[: len(inputs[0])]


code = graph("encoder", [x, cond])
code[:, :16].astype(np.float32).tofile(work + "/latent.raw")
y = graph("decoder", [code]).astype(np.float32)
y.tofile(work + "/y.raw")


# The layers of the program that wrote the files.
class keras_pad(tf.keras.layers.Layer):
    def call(self, x):
        return tf.pad(x, tf.constant([[0, 0], [0, 1], [0, 1], [0, 0]]))


class keras_floor(tf.keras.layers.Layer):
    def call(self, x):
        return tf.math.floor(x)


class keras_minimum(tf.keras.layers.Layer):
    def call(self, x, sat_val=1):
        return tf.minimum(x, sat_val)


def run(half, inputs, rows=4000):  # saved for so many samples
    path = f"{folder}/{half}_vanilla_AE"
    with open(path + ".json") as f:
        m = json.load(f)
    for layer in m["config"]["layers"]:  # QKeras 0.9 takes an activation as text alone
        if layer["class_name"] == "QActivation":
            c = layer["config"]["activation"]["config"]
            layer["config"]["activation"] = f'quantized_bits({c["bits"]},{c["integer"]},{c["symmetric"]},keep_negative={c["keep_negative"]})'
    m = qkeras.utils.quantized_model_from_json(json.dumps(m), custom_objects={c.__name__: c for c in (keras_pad, keras_floor, keras_minimum)})
    m.load_weights(path + ".hdf5")
    n = len(inputs[0])
    inputs = [np.concatenate([a, np.zeros((-n % rows,) + a.shape[1:], np.float32)]) for a in inputs]
    return m.predict(inputs, batch_size=rows, verbose=0)[:n]


if not np.array_equal(run("encoder", [x, cond]), code):
    sys.exit("QKeras' numbers are not the graph's")
if not np.abs(run("decoder", [code]).ravel() - y.ravel()).max() <= 2e-6:
    sys.exit("QKeras' images are not the graph's")
