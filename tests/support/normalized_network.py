"""A small network with batch normalisation, by the way of docs/networks.md: ``tests.support.normalized_network:build``."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicUpscaling, PixelShuffle, convolutions


def build(seed: int, precision: str, conv2d: type) -> keras.Model:
    conv = convolutions(seed, precision, conv2d)
    image = keras.Input((None, None, 3), dtype="float32")
    x = layers.BatchNormalization(momentum=0.9, synchronized=True, dtype=precision)(
        conv(8, 3)(image)
    )
    x = PixelShuffle(2, dtype="float32")(
        conv(12, 3, kernel_initializer="zeros")(layers.ReLU(dtype=precision)(x))
    )
    output = layers.Add(dtype="float32")([BicubicUpscaling(dtype="float32")(image), x])
    return keras.Model(image, output)
