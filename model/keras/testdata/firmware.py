"""Makes firmware of an exported encoder with hls4ml and runs its C simulation (g++) on the test vectors.

python firmware.py FOLDER SCRATCH: exits with 1 where a latent is not the vectors' to the bit.
"""
import json, os, sys, warnings

warnings.filterwarnings("ignore")
os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import hls4ml
import numpy as np
from hls4ml.converters.keras_v2_to_hls import KerasFileReader, keras_v2_to_hls, parse_keras_model

folder, scratch = sys.argv[1:3]
config = hls4ml.utils.config.create_config(output_dir=scratch, project_name="encoder", backend="Vitis", io_type="io_parallel")
config["KerasJson"], config["KerasH5"] = folder + "/encoder.json", folder + "/encoder_weights.h5"
names = {}
for layer in parse_keras_model(json.load(open(config["KerasJson"])), KerasFileReader(config))[0]:
    precision = names.setdefault(layer["name"], {"Precision": {}, "Trace": False})["Precision"]
    if layer["class_name"] == "InputLayer":
        precision["result"] = "fixed<32,8,RND_CONV,SAT>"  # wide: the layers behind it round
    elif "activation_quantizer" in layer:
        precision["result"] = str(hls4ml.utils.config._get_precision_from_quantizer(layer["activation_quantizer"]))
    elif "weight_data" in layer:
        precision.update(weight=str(layer["weight_quantizer"].hls_type), bias=str(layer["bias_quantizer"].hls_type), accum="auto", result="auto")
config["HLSConfig"] = {"Model": {"Precision": {"default": "fixed<32,12>"}, "ReuseFactor": 1, "Strategy": "Latency"}, "LayerName": names}
model = keras_v2_to_hls(config)
model.compile()
v = np.load(folder + "/vectors.npz")
z = model.predict(np.ascontiguousarray(v["x"], np.float32)).reshape(v["latent"].shape)
print(f"{np.mean(z == v['latent']):.2%} equal, {np.mean(v['latent'] > 0):.0%} positive, off by {np.abs(z - v['latent']).max()}")
sys.exit(0 if np.array_equal(z, v["latent"]) else 1)
