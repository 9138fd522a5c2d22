"""Run by test_keras.py: trains with EMDLoss on the backend that the environment names."""

import os
import sys
import tempfile

import numpy as np

import barrow
import barrow.keras
from barrow.keras import EMDLoss, Loss, loss_class, named_loss_class

if sys.argv[1] == "tf_keras":
    import tf_keras as keras

    EMDLoss, Loss = loss_class(keras), named_loss_class(keras)
elif sys.argv[1] == "legacy":
    import tensorflow as tf

    keras = tf.keras
else:
    import keras

    assert keras.backend.backend() == sys.argv[1]
assert issubclass(EMDLoss, keras.losses.Loss)

keras.utils.set_random_seed(1)
metric = barrow.Metric.hgcal("benchmark")
rng = np.random.default_rng(2)
x = (rng.random((64, 48)) * (rng.random((64, 48)) < 0.3) + 0.001).astype("float32")
a, b = x[:6], x[6:12]
each = barrow.solve_batch(a, b, metric, unequal="normalise").value

# Values.
np.testing.assert_allclose(np.asarray(EMDLoss(metric, reduction="none")(a, b)), each, rtol=1e-6)
np.testing.assert_allclose(float(EMDLoss(metric)(a, b)), each.mean(), rtol=1e-6)
np.testing.assert_allclose(float(EMDLoss(metric, reduction="sum")(a, b)), each.sum(), rtol=1e-6)
weights = np.arange(6, dtype="float32")
np.testing.assert_allclose(np.asarray(EMDLoss(metric, reduction=None)(a, b, sample_weight=weights)), each * weights, rtol=1e-6)
penalty = EMDLoss(metric, unequal=("penalty", 8.0), reduction="mean")
np.testing.assert_allclose(float(penalty(a, b)), barrow.solve_batch(a, b, metric, ("penalty", 8.0)).value.mean(), rtol=1e-6)

# A saved loss comes back.
for wrong in ({"metric": None}, {"metric": metric, "unequal": "x"}):
    try:
        EMDLoss(**wrong)
    except ValueError as e:
        assert list(wrong)[-1] in str(e), e
    else:
        raise AssertionError(f"{wrong} was taken")
assert "Metric 48" in repr(EMDLoss(metric)) and EMDLoss.__init__.__doc__

for kept in (penalty, EMDLoss(metric.distances), EMDLoss(barrow.Metric.euclidean(rng.random((48, 3))))):
    again = type(kept).from_config(kept.get_config())
    np.testing.assert_array_equal(np.asarray(again(a, b)), np.asarray(kept(a, b)))

# It is one class a Keras, and under a name of its own in Keras 2.
two = not hasattr(keras, "ops")
assert loss_class(keras) is loss_class(keras) and issubclass(EMDLoss, keras.losses.Loss)
saving = getattr(keras, "saving", None) or keras.utils
named = getattr(saving, "get_registered_name", None) or keras.utils.get_registered_name
assert named(EMDLoss) == ("barrow>EMDLoss2" if two else "barrow>EMDLoss"), named(EMDLoss)

# Complex numbers are refused.
for name, pair in (("y_true", (a + 1j * a, b)), ("y_pred", (a, b + 1j * b))):
    try:
        EMDLoss(metric)(*(keras.ops.convert_to_tensor(x) if hasattr(keras, "ops") else x for x in pair))
    except ValueError as error:
        assert f"{name} has complex elements" in str(error), error
    else:
        raise AssertionError("complex numbers were taken")

# Either side has its gradient: x is put in as prediction and as target.
want = [g / 6 for g in barrow.solve_batch(a, b, metric, unequal="normalise").gradient]
loss = EMDLoss(metric)
if sys.argv[1] == "torch":
    import torch

    p, q = (torch.tensor(v, requires_grad=True) for v in (a, b))
    loss(p, q).backward()
    found = p.grad, q.grad
elif sys.argv[1] == "jax":
    import jax

    found = jax.grad(lambda p, q: loss(p, q), (0, 1))(a, b)
else:
    import tensorflow as tf

    @tf.function
    def gradients(p, q):
        with tf.GradientTape() as tape:
            tape.watch((p, q))
            e = loss(p, q)
        return tape.gradient(e, (p, q))

    p, q = tf.constant(a), tf.constant(b)
    found = gradients(p, q)
    assert [g.shape for g in found] == [(6, 48)] * 2
    with tf.GradientTape() as tape:
        tape.watch((p, q))
        e = loss(p, q)
    for eager, graph in zip(tape.gradient(e, (p, q)), found):
        np.testing.assert_array_equal(eager, graph)

    validated = tf.function(loss)
    validated(p, q)  # traced without a tape, and then called under one
    with tf.GradientTape() as tape:
        tape.watch((p, q))
        e = validated(p, q)
    for later, graph in zip(tape.gradient(e, (p, q)), found):
        np.testing.assert_array_equal(later, graph)

    def penalty_of_gradients(p, q):
        with tf.GradientTape() as outer:
            outer.watch(p)
            with tf.GradientTape() as tape:
                tape.watch(p)
                e = loss(p, q)
            g = tape.gradient(e, p)
            total = e + tf.reduce_sum(g**2)
        return outer.gradient(total, p)

    for f in (penalty_of_gradients, tf.function(penalty_of_gradients)):
        try:
            f(p, q)
        except Exception as error:
            assert "cannot be differentiated again" in str(error), error
        else:
            raise AssertionError("a second differentiation was taken")
    with tf.GradientTape(persistent=True) as outer, tf.GradientTape() as tape:  # once is fine
        outer.watch(p), tape.watch(p)
        e = tf.function(loss)(p, q)
    for t in (outer, tape):
        np.testing.assert_array_equal(t.gradient(e, p), found[0])
    with tf.compat.v1.Graph().as_default():
        p, q = tf.constant(a), tf.constant(b)
        g = tf.compat.v1.gradients(loss(p, q), [p, q])
        with tf.compat.v1.Session() as session:
            np.testing.assert_allclose(session.run(g)[0], want[0], atol=1e-7)
for f, w in zip(found, want):
    np.testing.assert_allclose(np.asarray(f), w, atol=1e-6)

# What is asked of the worker.
import barrow._loss as inner  # noqa: E402

asked = []
solve = inner.solve_pairs


def watch(a, b, metric, settings, left, right, names):
    asked.append(left or right)
    return solve(a, b, metric, settings, left, right, names)


inner.solve_pairs = watch

# fit, with weights, and without; images of two axes behind a Flatten.
layers = keras.layers
net = keras.Sequential(
    [
        layers.Input((48,)),
        layers.Dense(16, activation="relu"),
        layers.Dense(48, activation="softplus"),
        layers.Reshape((6, 8)),
        layers.Flatten(),
    ]
)
net.compile(keras.optimizers.Adam(0.03), loss=EMDLoss(metric))
history = net.fit(x, x, batch_size=16, epochs=10, verbose=0, sample_weight=np.ones(64, "float32")).history["loss"]
assert history[-1] < 0.8 * history[0], history
trained = asked.count(True)
assert 40 <= trained <= 42, trained  # a call a step, some more where Keras tries the loss first
asked.clear()
value = net.evaluate(x, x, batch_size=16, verbose=0)
assert not any(asked) or sys.argv[1] == "torch", asked
inner.solve_pairs = solve
exact = barrow.solve_batch(np.asarray(net.predict(x, verbose=0)), x, metric, unequal="normalise").value.mean()
np.testing.assert_allclose(value, exact, rtol=1e-5)

# The model is saved with its loss, and goes on.
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "net.keras")
    net.save(path)
    again = keras.models.load_model(path)
    np.testing.assert_allclose(again.evaluate(x, x, batch_size=16, verbose=0), value, rtol=1e-5)
    again.fit(x, x, batch_size=16, epochs=1, verbose=0)

# Errors have row and cell.
bad = x.copy()
bad[3, 5] = -1
try:
    net.evaluate(x, bad, batch_size=64, verbose=0)
except Exception as error:
    assert "row 3" in str(error) and "y_true[5] = -1" in str(error), error
else:
    raise AssertionError("a negative mass was taken")
for wrong in (x[:, None], x[:1]):  # nothing is broadcast
    try:
        EMDLoss(metric)(wrong, x)
    except Exception as error:
        assert "48" in str(error) and "y_true" in str(error), error
    else:
        raise AssertionError("shapes that do not agree were taken")
other = EMDLoss(barrow.Metric.grid(4, 4))
for call in [other] + ([tf.function(other)] if "tf" in globals() else []):
    try:
        call(x, x)
    except ValueError as error:
        assert "y_true has the shape (64, 48) and y_pred" in str(error) and "16" in str(error), error
    else:
        raise AssertionError("another size was taken")
if "tf" in globals():  # sizes that are known when it is traced
    for known, wrong in ([None, 48], True), ([None, None], False):
        try:
            tf.function(other).get_concrete_function(*[tf.TensorSpec(known, "float32")] * 2)
        except ValueError as error:
            assert wrong and "48" in str(error), error
        else:
            assert not wrong

# Losses by name: values, weights, what a saved model keeps, and a training.
named = barrow.loss("neighbourhood:radius=2")
found = named.evaluate(b, a)
np.testing.assert_allclose(np.asarray(Loss(named, reduction="none")(a, b)), found.value, rtol=1e-6)
weighted = Loss("neighbourhood:radius=2", reduction=None)(a, b, sample_weight=weights)
np.testing.assert_allclose(np.asarray(weighted), found.value * weights, rtol=1e-6)
if "tf" in globals():
    with tf.GradientTape() as tape:
        p = tf.Variable(b)
        e = Loss(named)(a, p)
    np.testing.assert_allclose(tape.gradient(e, p), found.gradient / 6, atol=1e-7)
again = Loss.from_config(Loss(named, name="hills").get_config())
assert again.loss == named and again.name == "hills" and "neighbourhood" in repr(again)
net = keras.Sequential([layers.Input((48,)), layers.Dense(48, activation="softplus")])
net.compile(keras.optimizers.Adam(0.01), loss=Loss("emd+0.1*mse"))
history = net.fit(x, x, batch_size=16, epochs=3, verbose=0).history["loss"]
assert history[-1] < history[0], history
with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "net.keras")
    net.save(path)
    kept = keras.models.load_model(path)
    np.testing.assert_allclose(kept.evaluate(x, x, verbose=0), net.evaluate(x, x, verbose=0), rtol=1e-5)
print("fits", sys.argv[1])
