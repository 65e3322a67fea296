"""The residual network without its bottleneck of 3 channels. This is not in the paper."""

import keras
from keras import layers

from rts_tf.networks.layers import BicubicPhases, EdgePadding, PixelShuffle
from rts_tf.networks.residual import body


def build(
    depth: int, seed: int = 0, precision: str = "float32", conv2d: type = layers.Conv2D
) -> keras.Model:
    """Build the network with ``depth`` residual layers.

    The body of Fig. 3 -> conv 12, + conv 12 of the image, -> pixel shuffle. The four phases see all
    64 channels of the body, while the head of Fig. 3 sees the enhanced image only. It has 119,836
    parameters for depth 3, 5,193 more than Fig. 3.

    The convolution of the body starts at zero and that of the image as bicubic interpolation.
    """
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x = body(image, depth, seed, precision, conv2d)
    zeros = {"kernel_initializer": "zeros", "dtype": precision}
    detail = conv2d(12, 3, padding="same", name="detail", **zeros)(x)
    # As in the residual network, sums of images are always float32.
    padded = EdgePadding(name="head_padding", dtype="float32")(image)
    start = BicubicPhases()
    head = conv2d(12, 3, padding="valid", kernel_initializer=start, name="head", dtype="float32")
    interpolated = head(padded)
    phases = layers.Add(name="phases", dtype="float32")([interpolated, detail])
    output = PixelShuffle(2, name="pixel_shuffle", dtype="float32")(phases)
    return keras.Model(image, output, name=f"residual{depth}_wide")
