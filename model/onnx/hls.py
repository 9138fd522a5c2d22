"""Firmware of the encoder beside this file, by hls4ml; its C simulation is held to the test vectors.

    python hls.py [PROJECT]

writes hls4ml's project into the folder PROJECT ("hls" if none is named), compiles its C++ with g++ (no
Vivado is needed: hls4ml brings the headers along) and compares what it makes of x with latent, bit by
bit. It ends with 1 where a number is another. Tried with hls4ml 1.3 and qonnx 1.0.
"""
import os
import sys

import hls4ml
import numpy as np
from qonnx.core.modelwrapper import ModelWrapper

folder = os.path.dirname(os.path.abspath(__file__))
project = sys.argv[1] if len(sys.argv) > 1 else "hls"
encoder = ModelWrapper(os.path.join(folder, "encoder.onnx"))
config = hls4ml.utils.config_from_onnx_model(encoder, granularity="name", backend="Vitis", default_precision="fixed<32,12>")
config["LayerName"]["x"]["Precision"]["result"] = "fixed<32,8,RND_CONV,SAT>"  # wide, since the first quantiser rounds
model = hls4ml.converters.convert_from_onnx_model(
    encoder, output_dir=project, project_name="encoder", backend="Vitis", io_type="io_parallel", hls_config=config
)
model.compile()

with np.load(os.path.join(folder, "vectors.npz")) as vectors:
    x, want = np.ascontiguousarray(vectors["x"], np.float32), vectors["latent"]
got = model.predict(x).reshape(want.shape)
print("numbers that differ: %d of %d, by %g at most" % ((got != want).sum(), want.size, np.abs(got - want).max()))
sys.exit(not np.array_equal(got, want))
