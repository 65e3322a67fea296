"""SRResNet (Ledig et al. 2017): the generator of SRGAN, trained for squared error."""

import keras
import tensorflow as tf
from keras import layers

from rts_tf.networks.layers import BicubicUpscaling, PixelShuffle, convolutions

BLOCKS = 16


def build(seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D) -> keras.Model:
    """Build the network.

    conv 9x9 64 + PReLU -> 16 x (conv, BN, PReLU, conv, BN, + skip) -> conv, BN, + skip over all
    blocks -> conv 256, pixel shuffle, PReLU -> conv 9x9 3, + the interpolated image. It has
    1,402,883 trainable parameters at x2; the 1.5M of the paper's Table 3 are those of the network
    for x4, which has a second pixel shuffle.

    In the original the last convolution makes the whole result. Here it starts at zero and learns
    what interpolation misses. The batch statistics are those of all replicas, so several replicas
    train the same network as one.
    """
    conv = convolutions(seed, precision, conv2d)

    def normalized(x: tf.Tensor, name: str) -> tf.Tensor:
        # Keras' default momentum, 0.99, would need 500 steps to forget the start.
        layer = layers.BatchNormalization(
            momentum=0.9, epsilon=1e-5, synchronized=True, name=name, dtype=precision
        )
        return layer(x)

    def prelu(x: tf.Tensor, name: str) -> tf.Tensor:
        """PReLU with one slope for each channel."""
        start = {"alpha_initializer": keras.initializers.Constant(0.25), "shared_axes": [1, 2]}
        return layers.PReLU(**start, name=name, dtype=precision)(x)

    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x = first = prelu(conv(64, 9, name="input_conv")(image), "input_prelu")
    for i in range(1, BLOCKS + 1):
        y = normalized(conv(64, 3, name=f"block_{i}_conv_1")(x), f"block_{i}_norm_1")
        y = prelu(y, f"block_{i}_prelu")
        y = normalized(conv(64, 3, name=f"block_{i}_conv_2")(y), f"block_{i}_norm_2")
        x = layers.Add(name=f"block_{i}_sum", dtype=precision)([x, y])
    x = normalized(conv(64, 3, name="body_conv")(x), "body_norm")
    x = layers.Add(name="body_sum", dtype=precision)([first, x])
    x = PixelShuffle(2, name="upscale", dtype=precision)(conv(256, 3, name="upscale_conv")(x))
    residual = conv(3, 9, kernel_initializer="zeros", name="output_conv")(prelu(x, "upscale_prelu"))
    interpolated = BicubicUpscaling(name="interpolated", dtype="float32")(image)
    output = layers.Add(name="output", dtype="float32")([interpolated, residual])
    return keras.Model(image, output, name="srresnet")
