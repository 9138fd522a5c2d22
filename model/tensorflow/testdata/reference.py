"""Runs a frozen graph in TensorFlow on random inputs.

reference.py GRAPH OUT.npz: x (and x1) as the graph's placeholders take them; OUT.npz.y: the output, raw.
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

tf1 = tf.compat.v1
for path, out in zip(sys.argv[1::2], sys.argv[2::2]):
    graph = tf1.GraphDef()
    with open(path, "rb") as f:
        graph.ParseFromString(f.read())
    rng = np.random.default_rng(1)
    feeds, arrays = {}, {}
    for n in graph.node:
        if n.op == "Placeholder":
            shape = [d.size if d.size > 0 else 40 for d in n.attr["shape"].shape.dim]
            # Multiples of 1/256, halves of the quantisers' steps among them.
            x = (rng.integers(0, 600, shape) * rng.integers(0, 2, shape) / 256).astype(np.float32)
            arrays["x" + (str(len(feeds)) if feeds else "")] = x
            feeds[n.name + ":0"] = x
    with tf1.Graph().as_default():
        tf1.import_graph_def(graph, name="")
        with tf1.Session() as session:
            arrays["y"] = session.run(graph.node[-1].name + ":0", feeds)
    keep = {k: v[:50] for k, v in arrays.items()}
    keep.pop("y").astype(np.float32).tofile(out + ".y")
    np.savez(out, **keep)
