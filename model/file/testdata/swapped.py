"""swapped.py DIR: models whose inputs join in another order than the one in which they
are taken, of Keras 2 and 3; in.npz with x and x1, named.npz with b and a, and what each
makes of them, NAME.npz."""
import os, sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tf_keras, keras

out = sys.argv[1]
r = np.random.default_rng(1)
x, x1 = (r.random((5, 3)).astype(np.float32) for _ in range(2))
np.savez(f"{out}/in.npz", x=x, x1=x1)
np.savez(f"{out}/named.npz", a=x1, b=x)
for K, endings in (tf_keras, ["2.h5"]), (keras, ["3.h5", "3.keras"]):
    K.utils.set_random_seed(3)
    L = K.layers
    a, b = L.Input((3,), name="a"), L.Input((3,), name="b")
    front = K.Model([b, a], L.Dense(2)(L.Concatenate()([a, b])))
    late = K.Model([b, a], L.Dense(2)(L.Concatenate()([L.Dense(4, activation="relu")(a), b])))
    for name, m in ("front", front), ("late", late):
        y = m.predict([x, x1], verbose=0)
        for e in endings:
            m.save(f"{out}/{name}{e}")
            np.savez(f"{out}/{name}{e}.npz", y=y)
