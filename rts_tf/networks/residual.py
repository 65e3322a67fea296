"""The network of the paper (Fig. 3): a residual body, the enhanced image at input size, a pixel-shuffle head."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicPhases, EdgePadding, PixelShuffle

CHANNELS = 64


def build(
    depth: int, seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D
) -> keras.Model:
    """Build the network with ``depth`` residual layers (one convolution each; two would not fit Table 3).

    RGB -> conv 64 + ReLU -> depth x (conv 64 + ReLU, + skip) -> conv 3, + input ("blue layer": the enhanced image at
    input size) -> conv 12 -> pixel shuffle. 40,787 / 114,643 / 225,427 parameters for depth 1 / 3 / 6.

    The last residual convolution starts at zero and the head at bicubic interpolation, so the network starts as plain
    interpolation and learns only what is missing.
    """
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x = body(image, depth, seed, precision, conv2d)
    residual = conv2d(
        3, 3, padding="same", kernel_initializer="zeros", name="image_residual", dtype=precision
    )(x)
    # The blue sum and the head are float32 always: bfloat16 has 8 bits, as many as the picture.
    enhanced = layers.Add(name="enhanced_image", dtype="float32")([image, residual])
    padded = EdgePadding(name="head_padding", dtype="float32")(enhanced)
    start = BicubicPhases()
    phases = conv2d(12, 3, padding="valid", kernel_initializer=start, name="head", dtype="float32")(
        padded
    )
    output = PixelShuffle(2, name="pixel_shuffle", dtype="float32")(phases)
    return keras.Model(image, output, name=f"residual{depth}")


def body(image, depth: int, seed: int, precision: str, conv2d: type):
    """conv 64 + ReLU -> depth x (conv 64 + ReLU, + skip), of a symbolic ``image`` [batch, H, W, 3]: [batch, H, W, 64]."""

    def conv(name, number):
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
        x = layers.Add(name=f"residual_sum_{i}", dtype=precision)(
            [x, conv(f"residual_conv_{i}", i)(x)]
        )
    return x
