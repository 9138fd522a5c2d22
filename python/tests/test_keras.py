"""EMDLoss on every backend of Keras 3 that is installed, and on Keras 2, each in a process of its own."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pathlib
import subprocess
import sys

import pytest

SCRIPT = pathlib.Path(__file__).with_name("keras_fit.py")
NEEDS = {
    "tensorflow": ("keras", "tensorflow"),
    "jax": ("keras", "jax"),
    "torch": ("keras", "torch"),
    "tf_keras": ("tf_keras", "tensorflow"),
    "legacy": ("tensorflow",),
}


@pytest.mark.parametrize("backend", NEEDS)
def test_fit(backend):
    for name in NEEDS[backend]:
        if importlib.util.find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    two = not importlib.util.find_spec("keras") or importlib.metadata.version("keras").startswith("2")
    if backend in ("jax", "torch") and two:
        pytest.skip("this Keras is Keras 2, of TensorFlow alone")
    if backend == "legacy" and not two and not importlib.util.find_spec("tf_keras"):
        pytest.skip("there is no Keras 2: tf_keras is not installed")
    more = {"tf_keras": {}, "legacy": {"TF_USE_LEGACY_KERAS": "1"}}.get(backend, {"KERAS_BACKEND": backend})
    source = str(pathlib.Path(__file__).parent.parent)
    path = os.pathsep.join([source] * ("BARROW" in os.environ) + [os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONPATH": path, **more}
    done = subprocess.run([sys.executable, str(SCRIPT), backend], env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and f"fits {backend}" in done.stdout, done.stdout[-2000:] + done.stderr[-6000:]
