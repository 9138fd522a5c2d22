"""Loads the models of an export's folder and compares their outputs with its test vectors.

python outputs.py FORMAT FOLDER: prints a line a file, its name and the largest difference
(of floats relative to the larger of 1 and the largest output), and exits with 1 where one is
not what it should be.
"""
import json, os, sys, warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
form, folder = sys.argv[1:3]
if form != "keras3":
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np

if form == "keras3":
    import keras
else:
    import tensorflow as tf

    keras = tf.keras
if form == "qkeras":
    import qkeras.utils as q

v = np.load(os.path.join(folder, "vectors.npz"))


def load(path):
    if path.endswith(".keras"):
        return keras.models.load_model(path)
    if path.endswith(".h5"):
        return (q.load_qmodel(path, compile=False) if form == "qkeras" else keras.models.load_model(path))
    text = open(path).read()
    m = q.quantized_model_from_json(text) if form == "qkeras" else keras.models.model_from_json(text)
    m.load_weights(path[: -len(".json")] + "_weights.h5")
    return m


bad = 0
for name in sorted(os.listdir(folder)):
    part = name.split(".")[0]
    if name.split(".")[-1] not in ("json", "h5", "keras") or part.endswith("_weights"):
        continue
    m = load(os.path.join(folder, name))
    inputs = [v[i.name.split(":")[0]] for i in m.inputs] if part != "gap" else [v["x_gap"]]
    want = v[{"encoder": "latent", "gap": "y_gap"}.get(part, "y")]
    y = np.asarray(m.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)).reshape(want.shape)
    exact = form == "qkeras" and part == "encoder"
    limit = 0 if exact else 1e-6 * max(1, np.abs(want).max())
    off = np.abs(y - want)
    ok = bool(np.all(off <= limit + (0 if exact else 1e-6 * np.abs(want))))
    bad += not ok
    print(json.dumps({"file": name, "off": float(off.max()), "positive": float((want > 0).mean()), "ok": ok}))
sys.exit(1 if bad else 0)
