"""VDSR (Kim et al. 2016): twenty convolutions that learn what the interpolated image misses."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicUpscaling, convolutions

DEPTH = 20


def build(
    seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D, channels: int = 3
) -> keras.Model:
    """Build the network.

    bicubic x2 -> 19 x (conv 64 + ReLU) -> conv, + the interpolated image. It has 668,227 parameters
    in RGB. With ``channels`` = 1 (luma) it has 665,921, the 666K of the paper's Table 3. The last
    convolution starts at zero.
    """
    conv = convolutions(seed, precision, conv2d)
    image = keras.Input((None, None, channels), name="image", dtype="float32")
    x = interpolated = BicubicUpscaling(name="interpolated", dtype="float32")(image)
    for i in range(1, DEPTH):
        x = conv(64, 3, activation="relu", name=f"conv_{i}")(x)
    residual = conv(channels, 3, kernel_initializer="zeros", name=f"conv_{DEPTH}")(x)
    output = layers.Add(name="output", dtype="float32")([interpolated, residual])
    return keras.Model(image, output, name="vdsr")
