"""Writes a zoo of models with Keras 2 and QKeras (zoo.py 2 FOLDER) or Keras 3 (zoo.py 3 FOLDER): NAME.h5 and, where
Keras can, NAME.keras, with NAME.npz: the inputs x, x1 and what the tool makes of them, y, y1. Those of QKeras, which
must come out to the bit, are called q_NAME.
"""
import os, sys, traceback, warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
version, folder = sys.argv[1:3]
two = version == "2"
if two:
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
import tensorflow as tf

if two:
    keras = tf.keras
    import qkeras as q
else:
    import keras
    from keras import ops
L = keras.layers
r = np.random.default_rng(11)
image, vector, series = (8, 8, 3), (12,), (16, 3)


def chain(*layers, shape=image):
    x = i = L.Input(shape, name="x")
    for l in layers:
        x = l(x)
    return keras.Model(i, x)


def graph(f, *shapes):
    inputs = [L.Input(s, name=f"in{k}") for k, s in enumerate(shapes or [image])]
    return keras.Model(inputs, f(*inputs))


zoo = {
    "conv_oblong": lambda: chain(L.Conv2D(4, (3, 5), strides=(2, 1), padding="same")),
    "conv_dilated": lambda: chain(L.Conv2D(4, 3, dilation_rate=2, activation="elu")),
    "conv_groups": lambda: chain(L.Conv2D(6, 3, groups=3, padding="same", activation="softplus")),
    "conv_1d": lambda: chain(L.Conv1D(4, 3, padding="causal", dilation_rate=2), L.MaxPooling1D(2), L.UpSampling1D(3), L.ZeroPadding1D((1, 2)), L.Cropping1D(1), L.GlobalAveragePooling1D(), shape=series),
    "conv_1d_transpose": lambda: chain(L.Conv1DTranspose(4, 3, strides=2, padding="same"), L.AveragePooling1D(2, padding="same"), shape=series),
    "depthwise": lambda: chain(L.DepthwiseConv2D(3, depth_multiplier=2, padding="same", activation="relu")),
    "separable": lambda: chain(L.SeparableConv2D(5, 3, strides=2, depth_multiplier=2, padding="same", activation="tanh")),
    "transpose_same": lambda: chain(L.Conv2DTranspose(4, 3, strides=2, padding="same", activation="selu")),
    "transpose_valid": lambda: chain(L.Conv2DTranspose(4, (2, 3), strides=(3, 2), padding="valid", activation="softsign")),
    "transpose_outpad": lambda: chain(L.Conv2DTranspose(4, 3, strides=2, padding="same", output_padding=1)),
    "pools": lambda: chain(L.MaxPooling2D(3, strides=2, padding="same"), L.AveragePooling2D((2, 1), padding="same"), L.GlobalMaxPooling2D()),
    "pool_keep": lambda: chain(L.AveragePooling2D(3, strides=1, padding="same"), L.GlobalAveragePooling2D(keepdims=True)),
    "upsample": lambda: chain(L.UpSampling2D((2, 3)), L.UpSampling2D(2, interpolation="bilinear")),
    "pad_crop": lambda: chain(L.ZeroPadding2D(((1, 2), (3, 0))), L.Cropping2D(((0, 1), (2, 1))), L.Permute((3, 1, 2)), L.Flatten()),
    "leaky": lambda: chain(L.LeakyReLU(0.125), L.PReLU(shared_axes=[1, 2]), L.ELU(0.7), L.PReLU()),
    "relu_limits": lambda: chain(L.ReLU(max_value=0.8, negative_slope=0.1, threshold=0.05), L.Softmax()),
    "acts": lambda: graph(lambda x: L.Concatenate()([L.Activation(a)(x) for a in "gelu swish softsign exponential hard_sigmoid selu softmax tanh sigmoid relu6 mish leaky_relu".split()]), vector) if not two else graph(lambda x: L.Concatenate()([L.Activation(a)(x) for a in "gelu swish softsign exponential hard_sigmoid selu softmax tanh sigmoid mish".split()]), vector),
    "norms": lambda: chain(L.BatchNormalization(axis=1), L.LayerNormalization(), L.BatchNormalization(scale=False, center=False)),
    "rescale": lambda: chain(L.Rescaling(0.5, offset=-0.25), L.GaussianNoise(0.1), L.SpatialDropout2D(0.2), L.Dense(5)),
    "dense_series": lambda: chain(L.Dense(4, activation="relu"), L.Flatten(), L.RepeatVector(3), L.Reshape((3, 4, -1)), shape=series),
    "merges": lambda: graph(lambda a, b: [L.Add()([a, b, a]), L.Multiply()([a, b]), L.Maximum()([a, b]), L.Minimum()([a, b]), L.Average()([a, b, b]), L.Subtract()([a, b]), L.Dot(1)([a, b])], vector, vector),
    "concat_axis": lambda: graph(lambda a, b: L.Concatenate(axis=1)([a, b]), image, image),
    "branches": lambda: graph(lambda x: L.Add()([L.Conv2D(4, 3, padding="same")(x), L.Conv2D(4, 1)(x)])),
    "functional_twice": lambda: twice(),
    "nested_deep": lambda: deep(),
    "sequential": lambda: keras.Sequential([L.Input(image), L.Conv2D(4, 3, name="a"), keras.Sequential([L.Input((6, 6, 4)), L.Flatten(), L.Dense(7, name="a")], name="inner"), L.LeakyReLU(0.2)]),
    "shared_layer": lambda: shared(),
    "latent": lambda: latent(),
    "slices": lambda: graph(lambda x: [x[:, 1:5, ::2], x[:, -3:], x[:, :, :, 1], x[:, :, :, 0:2], x[:, 3, :, 1:]]),
    "slice_vector": lambda: graph(lambda x: L.Concatenate()([L.Dense(4)(x[:, :8]), x[:, 8:]]), vector),
    "slice_chain": lambda: graph(lambda x: L.Dense(3)(L.Dense(8, activation="relu")(x)[:, 2:7]), vector),
    "slice_image": lambda: graph(lambda x: L.Conv2D(2, 3)(L.Conv2D(6, 3)(x)[:, :, :, 1:5])),
    "arithmetic": lambda: graph(lambda x: [(2 * x - 1) / 3, -x, x**2, 1 - x, x + x * 0.5], vector),
    "lambda_slice": lambda: graph(lambda x: [L.Lambda(lambda x: x[:, :5])(x), L.Lambda(lambda x: x[..., 5:])(x), L.Lambda(lambda t: t[:, 1:9:2])(x)], vector),
    "lambda_image": lambda: graph(lambda x: [L.Lambda(lambda x: x[:, 0:4, 2:, :2])(x), L.Lambda(lambda x: x[:, :, :, 1])(x), L.Lambda(lambda x: x * 2.0 + 1)(x), L.Lambda(lambda x: -x)(x)]),
    "lambda_two": lambda: graph(lambda a, b: L.Lambda(lambda v: v[0] + v[1])([a, b]), vector, vector),
    "lambda_then": lambda: chain(L.Dense(10), L.Lambda(lambda x: x[:, :6]), L.Dense(3), shape=vector),
}


def small(name="small"):
    i = L.Input(vector, name="i")
    return keras.Model(i, L.Dense(3, activation="tanh", name="d")(L.BatchNormalization(name="n")(i)), name=name)


def twice():
    f = small()
    a, b = L.Input(vector, name="a"), L.Input(vector, name="b")
    return keras.Model([a, b], [L.Concatenate()([f(a), f(b)]), f(L.Add()([a, b]))])


def deep():
    i = L.Input(vector, name="i")
    inner = keras.Model(i, L.LeakyReLU(0.5)(small("one")(i)), name="two")
    x = L.Input(vector, name="x")
    return keras.Model(x, L.Dense(2, name="d")(inner(x)), name="three")


def shared():
    d = L.Dense(12, activation="relu")
    x = i = L.Input(vector)
    return keras.Model(i, L.Add()([d(d(x)), d(x)]))


def latent():
    i = L.Input(image, name="i")
    e = keras.Model(i, L.Dense(16)(L.Flatten()(L.MaxPooling2D()(i))), name="encoder")
    x = L.Input(image, name="x")
    return keras.Model(x, L.LeakyReLU(0.3)(L.Dense(9)(e(x))), name="ae")


if two:
    zoo |= {
        "tf_pad": lambda: graph(lambda x: [tf.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]), tf.pad(x, [[0, 0], [1, 1], [2, 1], [0, 0]], mode="REFLECT"), tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], constant_values=2.0)]),
        "tf_shape": lambda: graph(lambda x: [tf.reshape(x, [-1, 64, 3]), tf.transpose(x, [0, 3, 1, 2]), tf.expand_dims(x, 1), tf.squeeze(x[:, :1], axis=1), tf.tile(x, [1, 2, 1, 1])]),
        "tf_join": lambda: graph(lambda a, b: [tf.concat([a, b], axis=-1), tf.stack([a, b], axis=1), tf.add_n([a, b]), tf.maximum(a, b), tf.split(a, 3, axis=1)[1]], vector, vector),
        "tf_reduce": lambda: graph(lambda x: [tf.reduce_sum(x, axis=[1, 2]), tf.reduce_mean(x, axis=-1, keepdims=True), tf.reduce_max(x, axis=1), tf.math.reduce_min(x, -1)]),
        "tf_math": lambda: graph(lambda x: [tf.nn.relu(x), tf.nn.leaky_relu(x, 0.3), tf.clip_by_value(x, 0.1, 0.4), tf.sqrt(x), tf.exp(x), tf.round(x * 8) / 8, tf.floor(4 * x), tf.abs(x - 0.3), tf.nn.softmax(x), tf.sigmoid(x)], vector),
        "tf_slice": lambda: graph(lambda x: [tf.slice(x, [0, 1, 2, 0], [-1, 3, -1, 2]), tf.gather(x, [2, 0], axis=-1)]),
        "tf_shape_of": lambda: graph(lambda x: tf.reshape(x, [tf.shape(x)[0], 192])),
        "lambda_tf": lambda: graph(lambda x: [L.Lambda(lambda x: tf.reshape(x, (-1, 192)))(x), L.Lambda(lambda x: tf.pad(x, [[0, 0], [0, 1], [0, 1], [0, 0]]))(x), L.Lambda(lambda x: tf.slice(x, [0, 0, 0, 0], [-1, 2, 3, 1]))(x), L.Lambda(lambda x: keras.backend.mean(x, axis=-1, keepdims=True))(x), L.Lambda(lambda x: tf.nn.relu(x - 0.3))(x)]),
        "thresholded": lambda: chain(L.ThresholdedReLU(0.3)),
    }
    b, relu = "quantized_bits(6,0,alpha=1)", "quantized_relu(8,1)"

    def acts(*names):
        return lambda: graph(lambda x: L.Concatenate()([q.QActivation(n)(x) for n in names]), vector)

    zoo |= {
        "q_bits": acts("quantized_bits(6,0,1,alpha=1)", "quantized_bits(8,2,0,alpha=1)", "quantized_bits(6,1,0,0,alpha=1)", "quantized_bits(1,0,alpha=1)", "quantized_bits(7,1,1)"),
        "q_relu": acts("quantized_relu(4)", "quantized_relu(8,1)", "quantized_relu(6,2,negative_slope=0.25)", "quantized_relu(6,1,relu_upper_bound=0.7,is_quantized_clip=False)"),
        "q_tanh": acts("quantized_tanh(6)", "quantized_tanh(6,symmetric=1)", "quantized_sigmoid(6)", "quantized_sigmoid(5,symmetric=1)"),
        "q_hard": acts("hard_tanh", "hard_sigmoid", "binary_tanh", "binary_sigmoid", "binary(alpha=1)", "ternary(alpha=1,threshold=0.2)"),
        "q_swish": acts("quantized_hswish(8,1,alpha=1)"),
        "q_conv": lambda: chain(q.QActivation(relu), q.QConv2D(4, (3, 2), strides=(2, 1), padding="same", kernel_quantizer=b, bias_quantizer=b, activation="quantized_bits(9,2,1,alpha=1)")),
        "q_depthwise": lambda: chain(q.QActivation(relu), q.QDepthwiseConv2D(3, depthwise_quantizer=b, bias_quantizer=b), q.QActivation("quantized_tanh(8)")),
        "q_dense": lambda: chain(q.QActivation("quantized_bits(8,0,1,alpha=1)"), q.QDense(5, kernel_quantizer=b, bias_quantizer="quantized_bits(8,2,alpha=1)", activation="quantized_sigmoid(8)"), shape=vector),
        "q_ternary": lambda: chain(q.QActivation(relu), q.QDense(5, kernel_quantizer="ternary(alpha=1)", bias_quantizer=b), shape=vector),
        "q_separable": lambda: chain(q.QActivation(relu), q.QSeparableConv2D(4, 3, depthwise_quantizer=b, pointwise_quantizer=b, bias_quantizer=b)),
        "q_norm": lambda: chain(q.QActivation(relu), q.QBatchNormalization(gamma_quantizer=b, beta_quantizer=b, mean_quantizer=b, variance_quantizer="quantized_bits(8,3,alpha=1)"), q.QActivation("quantized_bits(6,2,alpha=1)")),
        "q_conv_norm": lambda: chain(q.QActivation(relu), q.QConv2DBatchnorm(4, 3, kernel_quantizer=b, bias_quantizer="quantized_bits(10,2,alpha=1)"), q.QActivation(relu)),
        "q_encoder": lambda: chain(q.QActivation("quantized_bits(8,1,alpha=1)"), q.QConv2D(8, 3, strides=2, padding="same", kernel_quantizer=b, bias_quantizer=b), q.QActivation(relu), L.Flatten(), q.QDense(16, kernel_quantizer=b, bias_quantizer=b), q.QActivation("quantized_relu(9,1)"), shape=(8, 8, 1)),
    }
else:
    zoo |= {
        "ellipsis": lambda: graph(lambda x: [x[..., 1], x[..., 0:2]]),
        "ops_pad": lambda: graph(lambda x: [ops.pad(x, [[0, 0], [1, 2], [0, 3], [0, 0]]), ops.pad(x, [[0, 0], [1, 1], [2, 1], [0, 0]], mode="reflect")]),
        "ops_shape": lambda: graph(lambda x: [ops.reshape(x, (-1, 64, 3)), ops.transpose(x, (0, 3, 1, 2)), ops.expand_dims(x, 1), ops.squeeze(x[:, :1], axis=1), ops.repeat(x, 2, axis=1), ops.flip(x, axis=2)]),
        "ops_join": lambda: graph(lambda a, b: [ops.concatenate([a, b], axis=-1), ops.stack([a, b], axis=1), ops.maximum(a, b), ops.split(a, 3, axis=1)[1], ops.matmul(a[:, None], b[:, :, None])], vector, vector),
        "ops_reduce": lambda: graph(lambda x: [ops.sum(x, axis=[1, 2]), ops.mean(x, axis=-1, keepdims=True), ops.max(x, axis=1), ops.min(x, axis=-1)]),
        "ops_math": lambda: graph(lambda x: [ops.relu(x), ops.leaky_relu(x, 0.3), ops.clip(x, 0.1, 0.4), ops.sqrt(x), ops.exp(x), ops.round(x * 8) / 8, ops.floor(4 * x), ops.abs(x - 0.3), ops.softmax(x), ops.sigmoid(x), ops.silu(x), ops.gelu(x)], vector),
        "dtype_float64": lambda: chain(L.Dense(4, dtype="float32"), L.Identity(), shape=vector),
    }


def save(name, m):
    exact = name.startswith("q_")
    for w in m.weights:
        if "int" in str(w.dtype):
            continue
        a = r.normal(0, 0.3, w.shape)
        w.assign(np.abs(a) + 0.5 if "variance" in (w.name + getattr(w, "path", "")) else a)
    x = [(r.normal(0.2, 0.8, (40, *i.shape[1:])) if exact else r.exponential(0.3, (40, *i.shape[1:]))).astype(np.float32) for i in m.inputs]
    if exact:  # as images are: on a grid
        x = [np.round(v * 1024) / 1024 for v in x]
    y = m.predict(x if len(x) > 1 else x[0], verbose=0)
    y = y if isinstance(y, list) else [y]
    n = lambda c, k: c + (str(k) if k else "")
    m.save(f"{folder}/{name}.h5")
    if not exact:
        m.save(f"{folder}/{name}.keras")
    np.savez(f"{folder}/{name}.npz", **{n("x", k): v for k, v in enumerate(x)}, **{n("y", k): np.asarray(v) for k, v in enumerate(y)})


for name, make in zoo.items():
    keras.backend.clear_session()
    try:
        save(name, make())
    except Exception as e:
        print("NOT MADE", name, repr(e)[:300])
        if os.environ.get("ZOO_TRACE"):
            traceback.print_exc()
