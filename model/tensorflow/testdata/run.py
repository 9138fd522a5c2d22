"""Runs frozen graphs as CMSSW does: the first node is fed, the last fetched.

run.py JOB... with jobs GRAPH VECTORS.npz INPUT EXPECTED; an INPUT is one array of
the file, or several joined by +, put side by side. Prints a line a job: the number
of values that differ, the largest difference and the largest value.
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf
from google.protobuf import text_format

tf1 = tf.compat.v1


def load(path):
    graph = tf1.GraphDef()
    if path.endswith(".ascii"):
        with open(path) as f:
            text_format.Parse(f.read(), graph)
    else:
        with open(path, "rb") as f:
            graph.ParseFromString(f.read())
    return graph


args = sys.argv[1:]
for path, vectors, feed, want in zip(args[::4], args[1::4], args[2::4], args[3::4]):
    graph = load(path)
    first, last = graph.node[0], graph.node[-1]
    assert first.op == "Placeholder", first.op
    v = np.load(vectors)
    x = np.concatenate([v[k].astype(np.float32) for k in feed.split("+")], axis=-1)
    with tf1.Graph().as_default():
        tf1.import_graph_def(graph, name="")
        with tf1.Session() as session:
            y = session.run(last.name + ":0", {first.name + ":0": x})
            one = session.run(last.name + ":0", {first.name + ":0": x[:1]})
    want = v[want]
    assert y.shape == want.shape, (y.shape, want.shape)
    assert one.shape == (1,) + want.shape[1:], one.shape
    print(first.name, last.name, int(np.sum(y != want)), float(np.max(np.abs(y - want))), float(np.max(np.abs(want))))
