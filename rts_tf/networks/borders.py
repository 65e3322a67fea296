"""Lets a network see the border of an image repeated instead of the zeros that its layers pad with.

With zeros, a constant image would change by several levels near its border, and so would the
outermost rows of every other image. Here the image is enlarged by its own border pixels, by the
receptive radius of the network, and what the network computes beyond the image is cut off. So no
zero reaches the result. The network itself stays as it is: in Phase A its patches come from inside
an image, where nothing has to be repeated.
"""

from collections.abc import Callable

import keras
import tensorflow as tf

from rts_tf.networks.geometry import geometry_of


def repeat_border(images: tf.Tensor, pixels: int) -> tf.Tensor:
    """Enlarge images by their outermost pixels.

    It is built from slices: MIRROR_PAD is slow in LiteRT, many NPUs do not have it, and it cannot
    enlarge an image by more than its size.

    Args:
        images: [batch, H, W, C] with H and W >= 1.
        pixels: How many pixels are added on each side.

    Returns:
        [batch, H + 2 * pixels, W + 2 * pixels, C].
    """
    if pixels == 0:
        return images
    top, bottom = images[:, :1], images[:, -1:]
    images = tf.concat([*[top] * pixels, images, *[bottom] * pixels], axis=1)
    left, right = images[:, :, :1], images[:, :, -1:]
    return tf.concat([*[left] * pixels, images, *[right] * pixels], axis=2)


def without_border(images: tf.Tensor, pixels: int) -> tf.Tensor:
    """Undo :func:`repeat_border`: cut ``pixels`` off each side of [batch, H, W, C]."""
    if pixels == 0:
        return images
    return images[:, pixels:-pixels, pixels:-pixels]


def with_repeated_border(
    network: keras.Model, radius: int | None = None
) -> Callable[[tf.Tensor], tf.Tensor]:
    """The function of a network on images whose border is repeated.

    Args:
        network: A model from [batch, H, W, 3] to [batch, scale * H, scale * W, C].
        radius: The receptive radius of the network in LR pixels; None reads it from the layers.

    Returns:
        A function between tensors of the same shapes. On a constant image its result is constant.
        On a tile it equals the whole image wherever the tile has ``radius`` pixels of context, or
        ends where the image ends.

    Raises:
        ValueError: See :func:`rts_tf.networks.geometry.geometry_of`.
    """
    geometry = geometry_of(network)
    margin = geometry.receptive_radius if radius is None else radius
    return lambda images: without_border(
        network(repeat_border(images, margin), training=False), geometry.scale * margin
    )
