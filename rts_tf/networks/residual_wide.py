"""The residual network without its bottleneck: a head from 64 channels instead of 3, the "blue layer". Not in the paper."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicPhases, EdgePadding, PixelShuffle
from rts_tf.networks.residual import body


def build(
    depth: int, seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D
) -> keras.Model:
    """Build the network with ``depth`` residual layers.

    The body of Fig. 3 -> conv 12, + conv 12 of the image, -> pixel shuffle. 119,836 parameters for depth 3: 5,193 more than
    Fig. 3, for four phases that see the whole body instead of one enhanced image that they interpolate.

    The first of the two sums starts at zero and the second at bicubic interpolation.
    """
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x = body(image, depth, seed, precision, conv2d)
    detail = conv2d(
        12, 3, padding="same", kernel_initializer="zeros", name="detail", dtype=precision
    )(x)
    # As in the residual network, sums of images are float32 always.
    padded = EdgePadding(name="head_padding", dtype="float32")(image)
    start = BicubicPhases()
    interpolated = conv2d(
        12, 3, padding="valid", kernel_initializer=start, name="head", dtype="float32"
    )(padded)
    phases = layers.Add(name="phases", dtype="float32")([interpolated, detail])
    output = PixelShuffle(2, name="pixel_shuffle", dtype="float32")(phases)
    return keras.Model(image, output, name=f"residual{depth}_wide")
