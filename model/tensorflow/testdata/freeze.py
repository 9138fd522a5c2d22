"""Freezes Keras models as CMS freezes theirs, with what they use.

freeze.py DIR writes NAME.pb for each model.
"""
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_USE_LEGACY_KERAS"] = "1"
import numpy as np
import tensorflow as tf
import tf_keras as keras
from qkeras import QActivation, QConv2D, QDense, quantized_bits, quantized_relu
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

L = keras.layers
keras.utils.set_random_seed(3)
q = quantized_bits(6, 0, 1, alpha=1)


def conv_options(x):
    x = L.Conv2D(5, (3, 2), strides=(1, 2), padding="same", dilation_rate=1)(x)
    x = L.LeakyReLU(0.3)(x)
    x = L.DepthwiseConv2D(3, padding="same")(x)
    x = L.BatchNormalization()(x)
    x = L.Conv2D(4, 3, padding="valid", use_bias=False, activation="tanh")(x)
    x = L.UpSampling2D(2)(x)
    x = L.MaxPooling2D(2)(x)
    x = L.ZeroPadding2D(((1, 0), (0, 2)))(x)
    x = L.AveragePooling2D(2, padding="same")(x)
    return L.GlobalAveragePooling2D()(x)


def autoencoder(x):
    x = L.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x)
    x = L.Flatten()(x)
    x = L.Dense(16, activation="relu")(x)
    x = L.Dense(128, activation="swish")(x)
    x = L.Reshape((4, 4, 8))(x)
    x = L.Conv2DTranspose(8, 3, strides=2, padding="same", activation="relu")(x)
    x = L.Conv2DTranspose(1, 3, padding="same")(x)
    return L.Activation("sigmoid")(x)


def quantised(x):
    x = QActivation(quantized_bits(8, 1, 0, alpha=1))(x)
    x = QConv2D(8, 3, strides=2, padding="same", kernel_quantizer=q, bias_quantizer=q)(x)
    x = QActivation(quantized_relu(8, 1))(x)
    x = L.Flatten()(x)
    x = QDense(16, kernel_quantizer=q, bias_quantizer=q)(x)
    return QActivation(quantized_relu(9, 1))(x)


def operations(x):
    a = tf.image.resize(x, (6, 5), method="nearest")
    a = tf.concat([a[:, ::2, 1:4], tf.pad(a[:, -3:, :3], [[0, 0], [0, 0], [0, 0], [0, 0]])], -1)
    a = tf.where(a > 0.5, tf.exp(-a), tf.minimum(a, 0.25) ** 2)
    a = tf.quantization.fake_quant_with_min_max_args(a, -1, 1, 5)
    a = tf.transpose(a, [0, 2, 1, 3])
    a = tf.reduce_max(a, 1, keepdims=True) - tf.reduce_sum(a, 1, keepdims=True)
    return tf.nn.softmax(tf.squeeze(a, 1)) + tf.nn.softplus(tf.tile(a[:, 0, :1], [1, 3, 1]))


for name, build, shape in [("options", conv_options, (8, 8, 1)), ("autoencoder", autoencoder, (8, 8, 1)), ("quantised", quantised, (8, 8, 1)), ("operations", operations, (4, 4, 3))]:
    if name == "operations":
        call, batch = build, 7
    else:
        x = keras.Input(shape)
        model = keras.Model(x, build(x))
        for v in model.weights:
            if "variance" not in v.name and "quantizer" not in v.name:
                v.assign(v + 0.1 * np.random.default_rng(len(v.shape)).normal(size=v.shape))
        call, batch = model, None
    f = tf.function(call).get_concrete_function(tf.TensorSpec((batch,) + shape, tf.float32, name="x"))
    graph = convert_variables_to_constants_v2(f).graph
    tf.io.write_graph(graph, sys.argv[1], name + ".pb", as_text=False)
    tf.io.write_graph(graph, sys.argv[1], name + ".pb.ascii", as_text=True)
