"""Firmware of the encoder beside this file, by hls4ml; its C simulation is held to the test vectors.

    python hls.py [PROJECT]

writes hls4ml's project into the folder PROJECT ("hls" if none is named), compiles its C++ with g++ (no
Vivado is needed: hls4ml brings the headers along) and compares what it makes of x with latent, bit by
bit. It ends with 1 where a number is another. Tried with hls4ml 1.3, qkeras 0.9, tensorflow 2.21 and
tf-keras 2.21 (and pyparsing, which qkeras imports and does not name).
"""
import json
import os
import sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"  # before TensorFlow is imported: QKeras 0.9 is for Keras 2
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import hls4ml
import numpy as np
from hls4ml.converters.keras_v2_to_hls import KerasFileReader, keras_v2_to_hls, parse_keras_model

folder = os.path.dirname(os.path.abspath(__file__))
project = sys.argv[1] if len(sys.argv) > 1 else "hls"
config = hls4ml.utils.config.create_config(output_dir=project, project_name="encoder", backend="Vitis", io_type="io_parallel")
config["KerasJson"] = os.path.join(folder, "encoder.json")
config["KerasH5"] = os.path.join(folder, "encoder_weights.h5")

# Every layer gets the types of its quantisers; what is not said is as wide as the default.
names = {}
with open(config["KerasJson"]) as f:
    layers, *_ = parse_keras_model(json.load(f), KerasFileReader(config))
for layer in layers:
    precision = {}
    if layer["class_name"] == "InputLayer":
        precision["result"] = "fixed<32,8,RND_CONV,SAT>"  # wide, since the first quantiser rounds
    elif "activation_quantizer" in layer:
        precision["result"] = str(hls4ml.utils.config._get_precision_from_quantizer(layer["activation_quantizer"]))
    elif "weight_data" in layer:
        precision["weight"] = str(layer["weight_quantizer"].hls_type)
        precision["bias"] = str(layer["bias_quantizer"].hls_type)
        precision["accum"] = precision["result"] = "auto"  # as wide as no sum exceeds
    names[layer["name"]] = {"Precision": precision, "Trace": False}
config["HLSConfig"] = {
    "Model": {"Precision": {"default": "fixed<32,12>"}, "ReuseFactor": 1, "Strategy": "Latency"},
    "LayerName": names,
}
model = keras_v2_to_hls(config)
model.compile()

with np.load(os.path.join(folder, "vectors.npz")) as vectors:
    x, want = np.ascontiguousarray(vectors["x"], np.float32), vectors["latent"]
got = model.predict(x).reshape(want.shape)
print("numbers that differ: %d of %d, by %g at most" % ((got != want).sum(), want.size, np.abs(got - want).max()))
sys.exit(not np.array_equal(got, want))
