"""Runs CMS's published pair of graphs in TensorFlow.

published.py FOLDER WORK: WORK has x.raw (N x 8 x 8) and cond.raw (N x 8) of 32 bits;
latent.raw (N x 16) and y.raw (N x 64) are written.
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
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
graph("decoder", [code]).astype(np.float32).tofile(work + "/y.raw")
