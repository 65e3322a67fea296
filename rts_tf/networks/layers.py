"""Layers that Keras does not have. Whatever differs between Keras 2.15 and Keras 3 stays in this file."""

import keras
import numpy as np
import tensorflow as tf


@keras.saving.register_keras_serializable(package="rts_tf")
class PixelShuffle(keras.layers.Layer):
    """depth_to_space: [batch, H, W, scale*scale*C] -> [batch, scale*H, scale*W, C] (Shi et al. 2016, ESPCN)."""

    def __init__(self, scale: int = 2, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale

    def call(self, inputs):
        return tf.nn.depth_to_space(inputs, self.scale)

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
class EdgePadding(keras.layers.Layer):
    """Repeat the border pixel once on every side: [batch, H, W, C] -> [batch, H+2, W+2, C].

    In front of the head, where zero padding would darken the frame of every picture.
    """

    def call(self, inputs):
        return tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="SYMMETRIC")

    def compute_output_shape(self, input_shape):
        batch, height, width, channels = input_shape
        return (batch, None if height is None else height + 2, None if width is None else width + 2, channels)


@keras.saving.register_keras_serializable(package="rts_tf")
class BicubicPhases(keras.initializers.Initializer):
    """Kernel [3, 3, C, 4C] of a convolution that, followed by PixelShuffle, doubles the size by bicubic interpolation.

    Keys' cubic (a = -0.5) has four taps at the offsets of a 2x grid (-1/4 and +1/4 pixel); the smallest, -0.023, is
    dropped and the rest divided by their sum, so that constants stay.
    """

    def __call__(self, shape, dtype=None, **kwargs):
        height, width, channels, outputs = shape
        if (height, width) != (3, 3) or outputs != 4 * channels:
            raise ValueError(f"bicubic phases need a kernel of shape (3, 3, C, 4C), not {tuple(shape)}")
        taps = np.array([keys_cubic(0.75), keys_cubic(0.25), keys_cubic(1.25)])
        taps /= taps.sum()
        phases = np.stack([taps, taps[::-1]])  # [phase, tap]: the upper (left) sample of a pair, then the lower (right)
        kernel = np.zeros(shape)
        for row in range(2):
            for column in range(2):
                for channel in range(channels):
                    output = (2 * row + column) * channels + channel  # the channel order of depth_to_space
                    kernel[:, :, channel, output] = np.outer(phases[row], phases[column])
        return tf.convert_to_tensor(kernel, dtype=dtype or "float32")

    def get_config(self):
        return {}


def keys_cubic(x: float, a: float = -0.5) -> float:
    """Keys' cubic convolution kernel (1981, eq. 4) at distance ``x`` in samples."""
    x = abs(x)
    if x < 1:
        return (a + 2) * x**3 - (a + 3) * x**2 + 1
    return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0
