"""The network of the paper (Fig. 3): a residual body, and a head that ends in a pixel shuffle."""

from __future__ import annotations  # Keras 2 has no keras.KerasTensor

import keras
import tensorflow as tf
from keras import layers

from rts_tf.networks.layers import BicubicPhases, EdgePadding, PixelShuffle

CHANNELS = 64


def build(
    depth: int, seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D
) -> keras.Model:
    """Build the network with ``depth`` residual layers.

    RGB -> conv 64 + ReLU -> depth x (conv 64 + ReLU, + skip) -> conv 3, + input (the "blue layer"
    of Fig. 3: the enhanced image at input size) -> conv 12 -> pixel shuffle. It has 40,787 /
    114,643 / 225,427 parameters for depth 1 / 3 / 6. A residual layer has one convolution; with two
    the parameters would not match Table 3.

    The last residual convolution starts at zero and the head as bicubic interpolation, so the
    network starts as plain interpolation and learns what that misses.
    """
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x = body(image, depth, seed, precision, conv2d)
    zeros = {"kernel_initializer": "zeros", "dtype": precision}
    residual = conv2d(3, 3, padding="same", name="image_residual", **zeros)(x)
    # The sum and the head are always float32: bfloat16 has 8 bits, no more than the image.
    enhanced = layers.Add(name="enhanced_image", dtype="float32")([image, residual])
    padded = EdgePadding(name="head_padding", dtype="float32")(enhanced)
    start = BicubicPhases()
    head = conv2d(12, 3, padding="valid", kernel_initializer=start, name="head", dtype="float32")
    phases = head(padded)
    output = PixelShuffle(2, name="pixel_shuffle", dtype="float32")(phases)
    return keras.Model(image, output, name=f"residual{depth}")


def body(image: tf.Tensor, depth: int, seed: int, precision: str, conv2d: type) -> tf.Tensor:
    """The body of Fig. 3: conv 64 + ReLU -> depth x (conv 64 + ReLU, + skip).

    Args:
        image: Symbolic, [batch, H, W, 3].

    Returns:
        Symbolic features, [batch, H, W, 64].
    """

    def conv(name: str, number: int) -> layers.Layer:
        start = keras.initializers.HeNormal(seed=seed + number)
        same = {
            "padding": "same",
            "activation": "relu",
            "kernel_initializer": start,
            "dtype": precision,
        }
        return conv2d(CHANNELS, 3, name=name, **same)

    x = conv("input_conv", 0)(image)
    for i in range(1, depth + 1):
        y = conv(f"residual_conv_{i}", i)(x)
        x = layers.Add(name=f"residual_sum_{i}", dtype=precision)([x, y])
    return x
