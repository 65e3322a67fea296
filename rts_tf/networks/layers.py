"""Layers that Keras does not have. What differs between Keras 2.15 and Keras 3 is handled here.

Each layer has an attribute ``receptive_radius``, in pixels of its input (see
:mod:`rts_tf.networks.geometry`).
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from rts_tf.images.kernels import keys_cubic

# A saved network has it beside these classes, and Keras shows it where it does not know one of them
HINT = (
    "this class comes with rts_tf: 'import rts_tf.networks' before keras.models.load_model, or use"
    " rts_tf.load"
)


class _Layer(keras.layers.Layer):
    """A layer that says in a saved network what has to be imported before it is loaded."""

    def get_build_config(self):
        # Keras hands this to build_from_config, which reads the shapes alone.
        return {**(super().get_build_config() or {}), "hint": HINT}


@keras.saving.register_keras_serializable(package="rts_tf")
class PixelShuffle(_Layer):
    """depth_to_space: [batch, H, W, scale*scale*C] -> [batch, scale*H, scale*W, C].

    Shi et al. 2016 (ESPCN) call it periodic shuffling.
    """

    receptive_radius = 0

    def __init__(self, scale: int = 2, **kwargs: Any):
        """``scale``: How many times wider and higher the output is."""
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        return tf.nn.depth_to_space(inputs, self.scale) if self.scale > 1 else inputs

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (
            batch,
            None if height is None else height * self.scale,
            None if width is None else width * self.scale,
            channels // self.scale**2,
        )

    def get_config(self):
        return {**super().get_config(), "scale": self.scale}


@keras.saving.register_keras_serializable(package="rts_tf")
class Pack(_Layer):
    """space_to_depth: [batch, H, W, C] -> [batch, H / pack, W / pack, pack * pack * C].

    It undoes :class:`PixelShuffle`. H and W must be multiples of ``pack``.
    """

    def __init__(self, pack: int = 2, **kwargs: Any):
        """``pack``: How many pixels a side become the channels of one position."""
        super().__init__(**kwargs)
        self.pack = pack
        self.scale = Fraction(1, pack)
        self.receptive_radius = pack - 1  # of the last pixel of a block, which sees the first

    def call(self, inputs):
        return tf.nn.space_to_depth(inputs, self.pack) if self.pack > 1 else inputs

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (
            batch,
            None if height is None else height // self.pack,
            None if width is None else width // self.pack,
            channels * self.pack**2,
        )

    def get_config(self):
        return {**super().get_config(), "pack": self.pack}


@keras.saving.register_keras_serializable(package="rts_tf")
class EdgePadding(_Layer):
    """Repeat the border pixel once on every side: [batch, H, W, C] -> [batch, H+2, W+2, C].

    It stands in front of the head, where zero padding would darken the border of every image.
    """

    receptive_radius = 0  # the convolution behind it counts its own radius

    def call(self, inputs):
        return tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (
            batch,
            None if height is None else height + 2,
            None if width is None else width + 2,
            channels,
        )


@keras.saving.register_keras_serializable(package="rts_tf")
class BicubicUpscaling(_Layer):
    """Bicubic interpolation to twice the size: [batch, H, W, C] -> [batch, 2H, 2W, C].

    It has no weights; its kernel is :class:`BicubicPhases`, and borders are repeated. It stands in
    front of networks that work on the enlarged image, and beside those that learn what
    interpolation misses.
    """

    receptive_radius = 1
    scale = 2

    def call(self, inputs):
        channels = inputs.shape[-1]
        padded = tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")
        kernel = BicubicPhases()((3, 3, channels, 4 * channels), inputs.dtype)
        return tf.nn.depth_to_space(tf.nn.conv2d(padded, kernel, strides=1, padding="VALID"), 2)

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (
            batch,
            None if height is None else 2 * height,
            None if width is None else 2 * width,
            channels,
        )


def convolutions(seed: int, precision: str, conv2d: type) -> Callable[..., keras.layers.Layer]:
    """Make the function that makes the convolutions of a network.

    Returns:
        A function of (filters, kernel size, settings of Conv2D). Its convolutions have "same"
        padding, and each starts from He's normal distribution with a seed of its own, unless the
        settings say otherwise.
    """
    seeds = itertools.count(seed)

    def convolution(filters: int, size: int, **settings: Any) -> keras.layers.Layer:
        start = {
            "kernel_initializer": keras.initializers.HeNormal(seed=next(seeds)),
            "padding": "same",
            "dtype": precision,
        }
        return conv2d(filters, size, **(start | settings))

    return convolution


class MatrixGradientConv2D(keras.layers.Conv2D):
    """A 3x3 convolution of stride 1 whose kernel gradient is computed as three matrix products.

    It is for training in float32 on a CPU. There the kernel gradient of the library takes half of a
    training step and reaches a third of the speed of a matrix product. Weights and output are those
    of ``keras.layers.Conv2D``, with which the trained network is saved; gradients are equal to
    rounding. Other kernels and strides are left to ``keras.layers.Conv2D``.
    """

    def convolution_op(self, inputs, kernel):
        kind = tuple(self.kernel_size), tuple(self.strides), tuple(self.dilation_rate), self.groups
        if kind != ((3, 3), (1, 1), (1, 1), 1):
            return super().convolution_op(inputs, kernel)
        padding = self.padding.upper()

        @tf.custom_gradient
        def convolve(x, weights):
            def gradient(dy):
                dx = tf.nn.conv2d_transpose(dy, weights, tf.shape(x), strides=1, padding=padding)
                return dx, _kernel_gradient(x, dy, padding)

            return tf.nn.conv2d(x, weights, strides=1, padding=padding), gradient

        return convolve(inputs, tf.convert_to_tensor(kernel))


def _kernel_gradient(x: tf.Tensor, dy: tf.Tensor, padding: str) -> tf.Tensor:
    """The kernel gradient [3, 3, in, out] of a 3x3 convolution.

    gradient[i, j] is the sum over all pixels of x, shifted by (i, j), times dy. With one pixel in
    each row of a matrix, a shift by i lines is a shift by i * W rows, which costs nothing. The
    three shifts by columns are laid side by side, for that of x and dy which has fewer channels.
    Zeros below and beside each image keep the lines of two images apart.

    Args:
        x: The input, [batch, H, W, in].
        dy: The gradient at the output, [batch, H, W, out] for "SAME" padding.
        padding: "SAME" or "VALID".
    """
    border = 1 if padding == "SAME" else 0
    inputs, outputs = x.shape[-1], dy.shape[-1]
    if inputs < outputs:
        x = tf.pad(x, [[0, 0], [border, border], [border, border], [0, 0]])
        width = tf.shape(dy)[2]
        left = tf.concat([x[:, :, j : j + width] for j in range(3)], axis=-1)
        right = tf.pad(dy, [[0, 0], [0, 2], [0, 0], [0, 0]])
    else:
        width = tf.shape(x)[2]
        left = tf.pad(x, [[0, 0], [border, border], [0, 0], [0, 0]])
        dy = tf.pad(dy, [[0, 0], [0, 2], [2 - border, 2 - border], [0, 0]])
        right = tf.concat([dy[:, :, 2 - j : 2 - j + width] for j in range(3)], axis=-1)
    left, right = (tf.reshape(side, [-1, side.shape[-1]]) for side in (left, right))
    rows = tf.shape(right)[0] - 2 * width
    lines = [
        tf.matmul(left[i * width : i * width + rows], right[:rows], transpose_a=True)
        for i in range(3)
    ]
    if inputs < outputs:
        return tf.reshape(tf.stack(lines), [3, 3, inputs, outputs])
    return tf.transpose(tf.reshape(tf.stack(lines), [3, inputs, 3, outputs]), [0, 2, 1, 3])


@keras.saving.register_keras_serializable(package="rts_tf")
class BicubicPhases(keras.initializers.Initializer):
    """The kernel [3, 3, C, 4C] of a convolution to the four phases of bicubic interpolation.

    Followed by PixelShuffle it doubles the size. Keys' cubic (a = -0.5) has four taps at the
    offsets of a 2x grid (-1/4 and +1/4 pixel). The smallest, -0.023, is dropped, and the others are
    divided by their sum, so that constants stay.
    """

    def __call__(self, shape, dtype=None, **kwargs):
        height, width, channels, outputs = shape
        if (height, width) != (3, 3) or outputs != 4 * channels:
            raise ValueError(
                f"bicubic phases need a kernel of shape (3, 3, C, 4C), not {tuple(shape)}"
            )
        taps = np.array([keys_cubic(0.75), keys_cubic(0.25), keys_cubic(1.25)])
        taps /= taps.sum()
        # [phase, tap]: the upper (left) sample of a pair, then the lower (right) one
        phases = np.stack([taps, taps[::-1]])
        kernel = np.zeros(shape)
        for row in range(2):
            for column in range(2):
                for channel in range(channels):
                    # the channel order of depth_to_space
                    output = (2 * row + column) * channels + channel
                    kernel[:, :, channel, output] = np.outer(phases[row], phases[column])
        return tf.convert_to_tensor(kernel, dtype=dtype or "float32")

    def get_config(self):
        return {"hint": HINT}

    @classmethod
    def from_config(cls, config):
        return cls()
