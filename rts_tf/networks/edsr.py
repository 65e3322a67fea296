"""EDSR (Lim et al. 2017), the baseline of 16 blocks of 64 channels, without normalization."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicUpscaling, PixelShuffle, convolutions

BLOCKS = 16


def build(seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D) -> keras.Model:
    """Build the network.

    conv 64 -> 16 x (conv + ReLU, conv, + skip) -> conv, + skip over all blocks -> conv 256, pixel
    shuffle -> conv 3, + the interpolated image. It has 1,369,859 parameters at x2.

    No definition in the literature gives the 1.7M parameters of the paper's Table 3: this one has
    1.37M, 1.55M and 1.52M at x2, x3 and x4, and the large one (32 blocks of 256 channels) has 41M.

    The original subtracts the mean colour instead of adding the interpolated image. Here the last
    convolution starts at zero and learns what interpolation misses. The second convolution of a
    block starts at a tenth of He's std (as in ESRGAN), since without normalization each block would
    double the variance.
    """
    conv = convolutions(seed, precision, conv2d)
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x = first = conv(64, 3, name="input_conv")(image)
    for i in range(1, BLOCKS + 1):
        small = keras.initializers.VarianceScaling(0.02, seed=seed + BLOCKS + i)
        y = conv(64, 3, activation="relu", name=f"block_{i}_conv_1")(x)
        y = conv(64, 3, kernel_initializer=small, name=f"block_{i}_conv_2")(y)
        x = layers.Add(name=f"block_{i}_sum", dtype=precision)([x, y])
    x = layers.Add(name="body_sum", dtype=precision)([first, conv(64, 3, name="body_conv")(x)])
    x = PixelShuffle(2, name="upscale", dtype=precision)(conv(256, 3, name="upscale_conv")(x))
    residual = conv(3, 3, kernel_initializer="zeros", name="output_conv")(x)
    interpolated = BicubicUpscaling(name="interpolated", dtype="float32")(image)
    output = layers.Add(name="output", dtype="float32")([interpolated, residual])
    return keras.Model(image, output, name="edsr")
