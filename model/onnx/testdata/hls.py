"""hls.py DIR: encoder.onnx of a QONNX export through hls4ml to its C simulation (g++), against vectors.npz."""
import contextlib, io, sys, tempfile
import numpy as np
import hls4ml
from qonnx.core.modelwrapper import ModelWrapper

m, z = ModelWrapper(sys.argv[1] + "/encoder.onnx"), np.load(sys.argv[1] + "/vectors.npz")
with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as out:
    c = hls4ml.utils.config_from_onnx_model(m, granularity="name", backend="Vitis", default_precision="fixed<32,12>")
    c["LayerName"]["x"]["Precision"]["result"] = "fixed<32,8,RND_CONV,SAT>"
    h = hls4ml.converters.convert_from_onnx_model(m, output_dir=out, project_name="encoder", backend="Vitis", io_type="io_parallel", hls_config=c)
    h.compile()
    got = h.predict(np.ascontiguousarray(z["x"], np.float32)).reshape(z["latent"].shape)
print("numbers that differ:", int((got != z["latent"]).sum()), "of", got.size)
sys.exit(not np.array_equal(got, z["latent"]))
