"""The networks by name. Knows Keras alone: no files, no flags."""

import functools

import keras

from rts_tf.networks import residual

_BUILDERS = {
    "residual1": functools.partial(residual.build, 1),
    "residual3": functools.partial(residual.build, 3),
    "residual6": functools.partial(residual.build, 6),
}


def build(
    name: str, seed: int = 0, precision: str = "float32", conv2d: type = keras.layers.Conv2D
) -> keras.Model:  # fmt: skip
    """Build the x2 super-resolution network ``name``.

    Args:
        name: "residual1", "residual3" or "residual6" (paper, Table 3).
        seed: of the random start of the layers that are not an identity start.
        conv2d: class of its convolutions: ``layers.MatrixGradientConv2D`` trains faster on a CPU.
        precision: "float32" or "mixed_bfloat16" (convolutions in bfloat16, weights, sums and head in float32).

    Returns:
        A functional model from float32 [batch, H, W, 3] to float32 [batch, 2H, 2W, 3], any H and W >= 1, both of
        nominal range [0, 1]. At the start its output is plain interpolation of its input.

    Raises:
        KeyError: no network of that name.
    """
    return _BUILDERS[name](seed, precision, conv2d)


def receptive_radius(network: keras.Model) -> int:
    """LR pixels on each side on which an output pixel depends: the sum of the radii of the convolutions in a chain.

    Skips never lengthen the chain in the networks of this package, so every convolution counts once.
    """
    return sum(
        layer.kernel_size[0] // 2 for layer in network.layers if isinstance(layer, keras.layers.Conv2D)
    )  # fmt: skip
