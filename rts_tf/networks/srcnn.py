"""SRCNN (Dong et al. 2016, 9-5-5): three convolutions on the interpolated image."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicUpscaling, convolutions


def build(
    seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D, channels: int = 3
) -> keras.Model:
    """Build the network.

    bicubic x2 -> conv 9x9 64 + ReLU -> conv 5x5 32 + ReLU -> conv 5x5, + the interpolated image.
    It has 69,251 parameters in RGB. With ``channels`` = 1 (luma) it has 57,281, the 57K of the
    paper's Table 3.

    In the original the last convolution makes the whole result. Here it makes the difference from
    the interpolated image, which starts at zero.
    """
    conv = convolutions(seed, precision, conv2d)
    image = keras.Input((None, None, channels), name="image", dtype="float32")
    interpolated = BicubicUpscaling(name="interpolated", dtype="float32")(image)
    x = conv(64, 9, activation="relu", name="patch_extraction")(interpolated)
    x = conv(32, 5, activation="relu", name="mapping")(x)
    residual = conv(channels, 5, kernel_initializer="zeros", name="reconstruction")(x)
    output = layers.Add(name="output", dtype="float32")([interpolated, residual])
    return keras.Model(image, output, name="srcnn")
