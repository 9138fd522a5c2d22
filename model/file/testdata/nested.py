"""nested.py DIR: an autoencoder of two models, the second with eight conditions, as Keras 2
keeps it: whole.h5; architecture.json and apart.h5; and in.npz, out.npz."""
import os, sys

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(7)
L, M, out = tf.keras.layers, tf.keras.Model, sys.argv[1]

i = L.Input((8, 8, 1))
h = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(i)
encoder = M(i, L.Dense(16, activation="relu")(L.Flatten()(h)), name="encoder")

i, c = L.Input(16), L.Input(8)
h = L.Dense(128, activation="relu")(L.Concatenate()([i, c]))
h = L.Conv2DTranspose(1, 3, strides=2, padding="same")(L.Reshape((4, 4, 8))(h))
decoder = M([i, c], h, name="decoder")

i, c = L.Input((8, 8, 1), name="wafer"), L.Input(8, name="conditions")
whole = M([i, c], decoder([encoder(i), c]))
for w in whole.weights:
    w.assign(w + tf.random.normal(w.shape, stddev=0.1))

r = np.random.default_rng(1)
x = r.random((700, 8, 8, 1)).astype(np.float32)
x1 = r.random((700, 8)).astype(np.float32)
np.savez(f"{out}/in.npz", x=x, x1=x1)
np.savez(f"{out}/named.npz", conditions=x1.astype(np.float64), wafer=x)
np.savez(f"{out}/out.npz", y=whole.predict([x, x1], verbose=0), latent=encoder.predict(x, verbose=0))
whole.save(f"{out}/whole.h5")
whole.save_weights(f"{out}/apart.h5")
open(f"{out}/architecture.json", "w").write(whole.to_json())
