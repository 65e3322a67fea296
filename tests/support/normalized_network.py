"""A small network with batch normalization, defined as docs/networks.md says.

Its name is ``tests.support.normalized_network:build``.
"""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicUpscaling, PixelShuffle, convolutions


def build(seed: int, precision: str, conv2d: type) -> keras.Model:
    conv = convolutions(seed, precision, conv2d)
    image = keras.Input((None, None, 3), dtype="float32")
    normalization = layers.BatchNormalization(momentum=0.9, synchronized=True, dtype=precision)
    x = layers.ReLU(dtype=precision)(normalization(conv(8, 3)(image)))
    x = PixelShuffle(2, dtype="float32")(conv(12, 3, kernel_initializer="zeros")(x))
    output = layers.Add(dtype="float32")([BicubicUpscaling(dtype="float32")(image), x])
    return keras.Model(image, output)
