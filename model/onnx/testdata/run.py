"""run.py DIR...: the files of an export through ONNX' checker and onnxruntime, or qonnx' executor, against vectors.npz."""
import os, sys
import numpy as np, onnx, onnxruntime as rt

PARTS = {"encoder": "latent", "decoder": "y", "whole": "y", "emd": "y", "potential": "y", "gap": "y_gap"}
bad = 0
for d in sys.argv[1:]:
    z, exact = np.load(d + "/vectors.npz"), os.path.basename(d).startswith("exact")
    for part, out in PARTS.items():
        path = f"{d}/{part}.onnx"
        if not os.path.exists(path):
            continue
        m = onnx.load(path)
        onnx.checker.check_model(m, full_check=not os.path.basename(d).endswith("qonnx"))
        want = z[out]
        if os.path.basename(d).endswith("qonnx"):
            from qonnx.core.modelwrapper import ModelWrapper
            from qonnx.core.onnx_exec import execute_onnx
            w, n = ModelWrapper(m), 40
            want = want[:n]
            got = np.concatenate([execute_onnx(w, {"x": z["x"][i:i + 1].astype(np.float32)})["latent"] for i in range(n)])
        else:
            s = rt.InferenceSession(path, providers=["CPUExecutionProvider"])
            got = s.run(None, {i.name: z[i.name].astype(np.float32) for i in s.get_inputs()})[0]
        same = np.array_equal(got, want) if exact and part == "encoder" else np.all(np.abs(got - want) <= 1e-6 * max(1, np.abs(want).max()) + 1e-6 * np.abs(want))
        print(d, part, got.shape, "same" if same else f"differs by {np.abs(got - want).max()}")
        bad += not same
sys.exit(bad > 0)
